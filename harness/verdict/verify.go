package verdict

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"proctor/harness/cosig"
)

// An Expectation is what the caller of [Verify] needs the statement to be.
type Expectation struct {
	Type    string // predicate type
	Subject string // "sha256:<hex>", as the caller computed it from its own bytes
	// AnySubject accepts every subject; the caller compares it itself.
	AnySubject bool
}

// A Verified is a statement that a trusted key signed and the trusted log holds.
// Only [Verify] makes one.
type Verified struct {
	*Envelope
	Index    int64    // in the log
	TreeSize int64    // of the signed checkpoint
	Root     [32]byte // of that tree
	// Witnesses are those of the pinned ones that cosigned the checkpoint, in the order
	// of their names.
	Witnesses []Cosignature
}

// A Cosignature says that a witness saw the checkpoint at that time, by its clock.
type Cosignature struct {
	Name string
	Time time.Time
}

// Names of the steps that tests can leave out.
const (
	stepSignature  = "signature"
	stepKeyType    = "key type"
	stepKeyWindow  = "key window"
	stepExpected   = "expected type"
	stepSubject    = "subject"
	stepCopies     = "copies"
	stepLeaf       = "leaf"
	stepCheckpoint = "checkpoint"
	stepInclusion  = "inclusion"
)

// Verify reads a bundle that is trusted in nothing. The order matters: nothing is
// read before it is authenticated, except what is needed to do that.
//
//  1. One strict reading: no second one can say something else.
//  2. A pinned key made the one signature over these very bytes, against forgery.
//  3. That key may sign that type, against evidence dressed as an approval.
//  4. Type and subject are the caller's, against replay for another model.
//  5. The leaf is rebuilt from the envelope and its key, against a proof of something else.
//  6. The log's signed checkpoint contains it, against verdicts that nobody can see.
//  7. Cosignatures of pinned witnesses are counted; the caller demands as many as he needs.
//  8. All copies of the above in the bundle agree, so that no reader is misled by one.
func Verify(bundle []byte, t Trust, want Expectation) (*Verified, error) {
	if t.log == nil || len(t.keys) == 0 {
		return nil, errors.New("verify: no keys are trusted")
	}
	var b bundleJSON
	if err := DecodeStrict(bundle, MaxBundle, &b); err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	if b.MediaType != bundleType {
		return nil, fmt.Errorf("bundle: mediaType is %q, want %q", clip(b.MediaType), bundleType)
	}
	if len(b.Material.Entries) != 1 {
		return nil, fmt.Errorf("bundle: %d log entries; there must be one", len(b.Material.Entries))
	}
	en := b.Material.Entries[0]
	p, err := en.proof()
	if err != nil {
		return nil, err
	}
	e, err := open(b.Envelope, t, p.Index)
	if err != nil {
		return nil, err
	}
	if err := t.expect(e, want); err != nil {
		return nil, err
	}
	leaf, err := e.Leaf()
	if err != nil {
		return nil, err
	}
	if t.without[stepLeaf] {
		if leaf, err = decode64("canonicalizedBody", en.Body); err != nil {
			return nil, err
		}
	}
	tree, err := t.checkProof(p, leaf)
	if err != nil {
		return nil, err
	}
	if err := t.checkCopies(en, p, tree, leaf); err != nil {
		return nil, err
	}
	seen, err := t.cosignatures(p.Checkpoint)
	if err != nil {
		return nil, err
	}
	return &Verified{e, p.Index, tree.N, tree.Hash, seen}, nil
}

// cosignatures returns which pinned witnesses signed a checkpoint that the log signed.
// Lines of others are left alone.
func (t Trust) cosignatures(signed []byte) ([]Cosignature, error) {
	if len(t.witnesses) == 0 {
		return nil, nil
	}
	n, err := note.Open(signed, note.VerifierList(append([]note.Verifier{t.log}, t.witnesses...)...))
	if err != nil { // the log signed it, so that a line of a witness is false
		return nil, errors.New("checkpoint: the signature of a witness is false")
	}
	var out []Cosignature
	for _, s := range n.Sigs {
		if s.Name == t.log.Name() && s.Hash == t.log.KeyHash() {
			continue
		}
		at, err := cosig.Time(s)
		if err != nil {
			return nil, fmt.Errorf("checkpoint: %w", err)
		}
		out = append(out, Cosignature{s.Name, at})
	}
	slices.SortFunc(out, func(a, b Cosignature) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func (t Trust) expect(e *Envelope, want Expectation) error {
	if e.Type() != want.Type && !t.without[stepExpected] {
		return fmt.Errorf("statement: it is a %s, want %s", e.Type(), want.Type)
	}
	if !want.AnySubject && e.Subject().Digest != want.Subject && !t.without[stepSubject] {
		return fmt.Errorf("statement: it speaks of %s, not of %s", e.Subject().Digest, clip(want.Subject))
	}
	return nil
}

// proof reads the proof of a bundle's log entry. The index is that of the proof.
func (en entryJSON) proof() (Proof, error) {
	p := Proof{Checkpoint: []byte(en.Proof.Checkpoint.Envelope)}
	var err error
	if p.Index, err = number("logIndex", en.Proof.LogIndex); err != nil {
		return Proof{}, err
	}
	if len(en.Proof.Hashes) > 63 { // a path in a tree of 2^63 entries
		return Proof{}, fmt.Errorf("log proof: %d hashes", len(en.Proof.Hashes))
	}
	for _, s := range en.Proof.Hashes {
		h, err := decode64("log proof", s)
		if err != nil || len(h) != tlog.HashSize {
			return Proof{}, errors.New("log proof: a hash is not 32 bytes in base64")
		}
		p.Hashes = append(p.Hashes, tlog.Hash(h))
	}
	return p, nil
}

// checkProof verifies checkpoint and inclusion and returns the signed tree.
func (t Trust) checkProof(p Proof, leaf []byte) (tlog.Tree, error) {
	tree, err := t.checkpoint(p.Checkpoint)
	if err != nil {
		return tlog.Tree{}, err
	}
	if p.Index < 0 || p.Index >= tree.N {
		return tlog.Tree{}, fmt.Errorf("log proof: index %d in a log of %d entries", p.Index, tree.N)
	}
	err = tlog.CheckRecord(p.Hashes, tree.N, tree.Hash, p.Index, tlog.RecordHash(leaf))
	if err != nil && !t.without[stepInclusion] {
		return tlog.Tree{}, errors.New("log proof: the statement is not in the log that the checkpoint signs")
	}
	return tree, nil
}

// checkpoint reads a note that the log signed. Lines of witnesses are left alone.
func (t Trust) checkpoint(signed []byte) (tlog.Tree, error) {
	const maxCheckpoint = 16 << 10
	if len(signed) > maxCheckpoint {
		return tlog.Tree{}, fmt.Errorf("checkpoint: longer than %d bytes", maxCheckpoint)
	}
	text, err := t.openNote(signed)
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != t.log.Name() {
		return tlog.Tree{}, errors.New("checkpoint: it must be the three lines origin, size, root of the trusted log")
	}
	n, err := number("checkpoint size", lines[1])
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, errors.New("checkpoint: bad root")
	}
	return tlog.Tree{N: n, Hash: tlog.Hash(root)}, nil
}

func (t Trust) openNote(signed []byte) (string, error) {
	n, err := note.Open(signed, note.VerifierList(t.log))
	if err == nil {
		// note.Open reads more than one form of the same signature.
		if _, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64); err != nil {
			return "", errors.New("checkpoint: its signature is not in the one form of base64")
		}
		return n.Text, nil
	}
	if text, _, ok := strings.Cut(string(signed), "\n\n"); ok && t.without[stepCheckpoint] {
		return text + "\n", nil
	}
	return "", errors.New("checkpoint: the trusted log did not sign it")
}

// checkCopies compares what the bundle repeats outside the signed parts.
func (t Trust) checkCopies(en entryJSON, p Proof, tree tlog.Tree, leaf []byte) error {
	if t.without[stepCopies] {
		return nil
	}
	b64 := base64.StdEncoding.EncodeToString
	body, err := decode64("canonicalizedBody", en.Body)
	switch {
	case err != nil:
		return err
	case !bytes.Equal(body, leaf):
		return errors.New("bundle: canonicalizedBody is not the log's entry for this envelope")
	case en.LogIndex != strconv.FormatInt(p.Index, 10):
		return errors.New("bundle: logIndex differs from the proof's")
	case en.LogID.KeyID != b64(t.logID()):
		return errors.New("bundle: logId is not the trusted log's")
	case en.KindVersion.Kind != "hashedrekord" || en.KindVersion.Version != "0.0.2":
		return errors.New("bundle: kindVersion is not hashedrekord 0.0.2")
	case en.Proof.TreeSize != strconv.FormatInt(tree.N, 10) || en.Proof.RootHash != b64(tree.Hash[:]):
		return errors.New("bundle: treeSize or rootHash differs from the signed checkpoint")
	}
	return nil
}

// number reads a decimal as it is printed: no sign, no leading zero.
func number(what, s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != s {
		return 0, fmt.Errorf("%s: %q is not a number", what, clip(s))
	}
	return n, nil
}
