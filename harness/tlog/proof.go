package tlog

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A Proof shows that an entry is in the tree of a signed checkpoint. It has the
// same fields as verdict.Proof, into which it converts.
type Proof struct {
	Index      int64
	Hashes     []Hash
	Checkpoint []byte // signed note
}

// maxHashes is the longest path that a tree of 2^63 entries can have.
const maxHashes = 63

// Prove returns the proof that entry index is in the tree of the head. An entry
// that the head does not cover yet has none.
func (h *Head) Prove(tx Tx, index int64) (Proof, error) {
	signed, t := h.Checkpoint()
	if len(signed) == 0 {
		return Proof{}, errors.New("log head: closed, or a write failed: start again")
	}
	return ProveIn(tx, index, signed, t)
}

// ProveIn is [Head.Prove] in an older tree of the same log, which signed names.
func ProveIn(tx Tx, index int64, signed []byte, t Tree) (Proof, error) {
	if index < 0 || index >= t.N {
		return Proof{}, fmt.Errorf("log: the head covers %d entries, not entry %d", t.N, index)
	}
	e, err := tx.LogEntry(index)
	if err != nil {
		return Proof{}, fmt.Errorf("log: read entry %d: %w", index, err)
	}
	hs, err := tlog.ProveRecord(t.N, index, reader(tx))
	if err != nil {
		return Proof{}, fmt.Errorf("log: prove entry %d: %w", index, err)
	}
	if err := tlog.CheckRecord(hs, t.N, t.Hash, index, tlog.RecordHash(e.Leaf)); err != nil {
		return Proof{}, fmt.Errorf("%w: entry %d is not the one that the head names", ErrForked, index)
	}
	return Proof{index, hs, signed}, nil
}

// Check verifies that leaf is in the log of that key. It returns the size of the
// tree that the checkpoint signs.
func (p Proof) Check(leaf []byte, key string) (size int64, err error) {
	v, err := note.NewVerifier(key)
	if err != nil {
		return 0, fmt.Errorf("log key: %w", err)
	}
	t, err := parseCheckpoint(p.Checkpoint, v)
	if err != nil {
		return 0, err
	}
	if p.Index < 0 || p.Index >= t.N || len(p.Hashes) > maxHashes {
		return 0, fmt.Errorf("log proof: index %d in a tree of %d entries", p.Index, t.N)
	}
	if err := tlog.CheckRecord(p.Hashes, t.N, t.Hash, p.Index, tlog.RecordHash(leaf)); err != nil {
		return 0, errors.New("log proof: the leaf is not in the tree")
	}
	return t.N, nil
}

const proofHeader = "c2sp.org/tlog-proof@v1\n"

// Text returns the proof in the form of C2SP tlog-proof:
//
//	c2sp.org/tlog-proof@v1
//	index 17
//	jpa0+gnvXdJLlAfxYBcUFZcJ4K7OZTjkVPfW9MRIJ4g=
//
//	proctor.example
//	18
//	nND/nri/U0xuHUrYSy0HtMeal2vzD9V4k/BO79C+QeI=
//
//	— proctor.example <signature>
func (p Proof) Text() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%sindex %d\n", proofHeader, p.Index)
	for _, h := range p.Hashes {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	b.WriteString("\n" + string(p.Checkpoint))
	return []byte(b.String())
}

// ParseProof reads what [Proof.Text] writes and nothing else. It checks no
// signature: [Proof.Check] does.
func ParseProof(text []byte) (Proof, error) {
	bad := errors.New("log proof: not a c2sp.org/tlog-proof@v1 text")
	if len(text) > MaxCheckpoint+maxHashes*45+100 {
		return Proof{}, errors.New("log proof: too long")
	}
	rest, ok := strings.CutPrefix(string(text), proofHeader+"index ")
	if !ok {
		return Proof{}, bad
	}
	head, checkpoint, ok := strings.Cut(rest, "\n\n")
	if !ok {
		return Proof{}, bad
	}
	lines := strings.Split(head, "\n")
	p := Proof{Checkpoint: []byte(checkpoint)}
	var err error
	if p.Index, err = strconv.ParseInt(lines[0], 10, 64); err != nil || len(lines)-1 > maxHashes {
		return Proof{}, bad
	}
	for _, l := range lines[1:] {
		h, err := base64.StdEncoding.Strict().DecodeString(l)
		if err != nil || len(h) != tlog.HashSize {
			return Proof{}, bad
		}
		p.Hashes = append(p.Hashes, Hash(h))
	}
	if p.Index < 0 || string(p.Text()) != string(text) {
		return Proof{}, bad
	}
	return p, nil
}
