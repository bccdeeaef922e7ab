package holdout

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"proctor/holdout/blob"
	"proctor/holdout/rows"
)

const (
	format      = "proctor/holdout/1"
	maxManifest = 64 << 20
)

// Names of the parts of a set.
const (
	partScored   = "scored"
	partCanaries = "canaries"
	partTwins    = "twins"
	partReserve  = "reserve"
	partPractice = "practice"
)

var partNames = []string{partScored, partCanaries, partTwins, partReserve, partPractice}

// ErrDigestMismatch is returned, wrapped, whenever stored bytes are not those that
// were sealed, signed and pinned. Nothing may be judged on such a set.
var ErrDigestMismatch = errors.New("holdout.digest_mismatch")

// A Commitment is what is public about a sealed set. Digest is the digest of the
// signed manifest's bytes; everything else is repeated inside the manifest, so the
// digest binds all of it.
type Commitment struct {
	Name        string                      `json:"name"`
	Version     int                         `json:"version"`
	Digest      string                      `json:"digest"`
	Rows        int                         `json:"rows"`
	ReserveRows int                         `json:"reserve_rows"`
	Canaries    int                         `json:"canaries"`
	Twins       int                         `json:"twins"`
	Practice    int                         `json:"practice_rows"` // given away, never scored
	Repeats     int                         `json:"repeats"`       // scored rows that repeat an earlier one
	Features    []rows.Field                `json:"features"`
	Classes     []string                    `json:"classes"`
	Positive    string                      `json:"positive"`
	ClassCounts []int64                     `json:"class_counts"`
	SliceSizes  map[string]map[string]int64 `json:"slice_sizes"` // "sex", "sex*race" with values "x × y", "class"
	RowRoot     string                      `json:"row_root"`
	Sketch      []string                    `json:"sketch"`     // see Overlap
	SketchKey   string                      `json:"sketch_key"` // which key the sketch was made with
	SealedAt    string                      `json:"sealed_at"`
	Previous    string                      `json:"previous"`           // digest of the version before, or ""
	Retain      string                      `json:"retain_until"`       // last day on which the rows may be kept, "2006-01-02", or ""
	Amends      bool                        `json:"amends,omitempty"`   // it has the rows of the version before, but for corrections
	Erased      []int                       `json:"erased,omitempty"`   // rows of the version before, from 1, that it lacks
	Clusters    int                         `json:"clusters,omitempty"` // how many; 0: none are declared, every row is one
	Weighted    bool                        `json:"weighted,omitempty"`
	Witnesses   map[string]map[string]int64 `json:"witnesses,omitempty"` // with clusters or weights: see WitnessesOf
}

// manifest is what the officer signs.
type manifest struct {
	Format string     `json:"format"`
	Public Commitment `json:"commitment"` // its Digest is empty here
	Spec   Spec       `json:"spec"`
	// KeyCheck follows from the data key and tells nothing of it. The wrapped key
	// itself lies outside, so that it can be wrapped anew or destroyed while the
	// digest of the set stays.
	KeyCheck string `json:"key_check"`
	Parts    []part `json:"parts"`

	digest string
	raw    []byte
}

type part struct {
	Name   string       `json:"name"`
	Fields []rows.Field `json:"fields"`
	Rows   int          `json:"rows"`
	Root   string       `json:"root"`
	Chunks []chunk      `json:"chunks"`
}

// A chunk's blob is named by the digest of its ciphertext. GCM alone would let a
// holder of two keys make one ciphertext that opens under both; the digest does not.
type chunk struct {
	Blob  blob.Ref `json:"blob"`
	Bytes int      `json:"bytes"`
	Rows  int      `json:"rows"`
}

type envelope struct {
	Payload   []byte `json:"payload"`
	Signature []byte `json:"signature"`
}

// signed returns the bytes over which the signature goes: the payload after a
// prefix that no other kind of signature of the officer's key has.
func signed(payload []byte) []byte { return append([]byte(format+"\n"), payload...) }

// sign encodes and signs a manifest and sets its digest.
func (m *manifest) sign(key ed25519.PrivateKey) ([]byte, error) {
	payload, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(envelope{payload, ed25519.Sign(key, signed(payload))})
	if err == nil && len(raw) > maxManifest {
		err = fmt.Errorf("the manifest has %d bytes; at most %d", len(raw), maxManifest)
	}
	m.digest, m.raw = string(blob.RefOf(raw)), raw
	return raw, err
}

// verifyManifest reads a signed manifest. It accepts exactly what sign wrote: the
// bytes must encode back to themselves.
func verifyManifest(raw []byte, pub ed25519.PublicKey) (*manifest, error) {
	if len(raw) > maxManifest || len(pub) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%w: the manifest is too large or there is no key to check it with", ErrDigestMismatch)
	}
	var e envelope
	if err := strict(raw, &e); err != nil {
		return nil, fmt.Errorf("%w: manifest: %v", ErrDigestMismatch, err)
	}
	if !ed25519.Verify(pub, signed(e.Payload), e.Signature) {
		return nil, fmt.Errorf("%w: the manifest's signature is not the officer's", ErrDigestMismatch)
	}
	m := &manifest{digest: string(blob.RefOf(raw)), raw: raw}
	if err := strict(e.Payload, m); err != nil {
		return nil, fmt.Errorf("%w: manifest: %v", ErrDigestMismatch, err)
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("manifest of %s: %w", m.digest, err)
	}
	return m, nil
}

// strict decodes JSON that encodes back to the same bytes: no unknown or repeated
// keys, no other spelling, nothing after it.
func strict(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if back, err := json.Marshal(v); err != nil || !bytes.Equal(back, raw) {
		return errors.New("not in the one form that is written")
	}
	return nil
}

// check finds a signed manifest that contradicts itself.
func (m *manifest) check() error {
	c := m.Public
	if m.Format != format {
		return fmt.Errorf("format %q, this program reads %s", m.Format, format)
	}
	if c.Digest != "" || c.Name != m.Spec.Name || c.Version < 1 {
		return errors.New("it is not the manifest of a named version")
	}
	if err := m.Spec.check(); err != nil {
		return err
	}
	if err := c.checkAmends(); err != nil {
		return err
	}
	want := map[string]int{partScored: c.Rows, partCanaries: c.Canaries, partTwins: c.Twins, partReserve: c.ReserveRows, partPractice: c.Practice}
	if len(m.Parts) != len(partNames) {
		return fmt.Errorf("%d parts, want %d", len(m.Parts), len(partNames))
	}
	for i, p := range m.Parts {
		if p.Name != partNames[i] || p.Rows != want[p.Name] {
			return fmt.Errorf("part %d is %q with %d rows, want %q with %d", i+1, p.Name, p.Rows, partNames[i], want[partNames[i]])
		}
		left := p.Rows
		for k, ch := range p.Chunks {
			if ch.Rows < 1 || ch.Rows > left || ch.Bytes < 1 || ch.Bytes > blob.MaxSize {
				return fmt.Errorf("part %s, chunk %d: %d rows in %d bytes", p.Name, k+1, ch.Rows, ch.Bytes)
			}
			left -= ch.Rows
		}
		if left != 0 || len(p.Fields) == 0 {
			return fmt.Errorf("part %s: %d rows are in no chunk", p.Name, left)
		}
	}
	return nil
}

// commitment returns the public side, with the digest of the bytes that were read.
func (m *manifest) commitment() Commitment {
	c := m.Public
	c.Digest = m.digest
	return c
}

// places lists where the chunks of a part belong.
func (m *manifest) places(p part) []place {
	out := make([]place, len(p.Chunks))
	first := 0
	for i, ch := range p.Chunks {
		out[i] = place{m.Public.Name, m.Public.Version, p.Name, i, len(p.Chunks), first, ch.Rows}
		first += ch.Rows
	}
	return out
}

// A Sealed set is what Seal made: what is public, what the officer signed, and the
// wrapped data key, which is kept apart from both.
type Sealed struct {
	Commitment
	Manifest []byte
	Key      []byte
}

// keyCheck commits to a data key. It also tells a wrapped key that was put in the
// place of another: GCM by itself does not commit to its key.
func keyCheck(dek []byte) string { return hex.EncodeToString(derive(dek, "proctor/holdout/1/check")) }

// keyContext binds a wrapped data key to one version of one set.
func keyContext(set string, version int) string {
	return fmt.Sprintf("%s/%s/%d", format, set, version)
}
