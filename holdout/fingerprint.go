package holdout

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"proctor/holdout/rows"
)

// A Fingerprint tells of a training table which rows it had, without the rows: 64 bits
// of a hash for each, and for each run of 13 words of its longer texts. A sealed set
// can be held against it. Rows count as near copies do, whatever the columns' order. It is a declaration: who leaves rows out is not found by it.
//
// The hashes have no key, so that owners of models can make them without asking
// anybody. Whoever has a fingerprint can therefore ask it of any row that they know.
type Fingerprint struct {
	Features []string // of a row, sorted
	hashes   []uint64 // sorted; of rows and of runs of words
}

const (
	fingerprintFormat = "proctor/training-fingerprint/1"
	// GramWords is how many words in a row make two texts copies of each other, as in
	// the n-gram overlap that language models are checked for (Brown et al. 2020).
	GramWords = 13
	// MaxFingerprint bounds the bytes of a fingerprint: eight million rows.
	MaxFingerprint = 64 << 20
)

// NewFingerprint makes the fingerprint of a training table.
func NewFingerprint(t rows.Table, features []string) (Fingerprint, error) {
	f := Fingerprint{Features: slices.Clone(features)}
	slices.Sort(f.Features)
	p, err := newPrinter(t, f.Features)
	if err != nil {
		return Fingerprint{}, err
	}
	for r := range t.Len() {
		f.hashes = append(append(f.hashes, p.row(r)), p.grams(r)...)
	}
	slices.Sort(f.hashes)
	f.hashes = slices.Compact(f.hashes)
	if 8*len(f.hashes) > MaxFingerprint-maxSpec {
		return Fingerprint{}, fmt.Errorf("a fingerprint of %d hashes is larger than %d bytes", len(f.hashes), MaxFingerprint)
	}
	return f, nil
}

// Overlap counts the rows of t that the training table had too, wholly or 13 words of
// them. The features must be the same.
func (f Fingerprint) Overlap(t rows.Table) (shared int, err error) {
	var names []string
	for _, c := range t.Fields() {
		names = append(names, c.Name)
	}
	if slices.Sort(names); !slices.Equal(names, f.Features) {
		return 0, errors.New("the training fingerprint is of other features than the set's")
	}
	p, err := newPrinter(t, f.Features)
	if err != nil {
		return 0, err
	}
	for r := range t.Len() {
		if f.has(p.row(r)) || slices.ContainsFunc(p.grams(r), f.has) {
			shared++
		}
	}
	return shared, nil
}

func (f Fingerprint) has(h uint64) bool {
	_, ok := slices.BinarySearch(f.hashes, h)
	return ok
}

// A printer hashes rows over the features in their order.
type printer struct {
	b   blur
	buf []byte
}

func newPrinter(t rows.Table, features []string) (*printer, error) {
	if len(features) == 0 {
		return nil, errors.New("no feature is named")
	}
	cols, err := t.Select(features...)
	if err != nil {
		return nil, err
	}
	p := &printer{b: newBlur(cols)}
	clear(p.b.tiny) // what else is in the table must not change a row's hash
	return p, nil
}

func (p *printer) row(r int) uint64 {
	p.buf = append(p.buf[:0], "row\n"...)
	for i := range p.b.cols {
		p.buf = p.b.cell(p.buf, i, r)
	}
	return hash64(p.buf)
}

// grams hashes every run of 13 words of a row's texts.
func (p *printer) grams(r int) (out []uint64) {
	for _, c := range p.b.cols {
		if c.IsNumber() {
			continue
		}
		words := strings.FieldsFunc(strings.ToLower(c.Strings[r]), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		for i := 0; i+GramWords <= len(words); i++ {
			p.buf = append(p.buf[:0], "words\n"...)
			out = append(out, hash64(append(p.buf, strings.Join(words[i:i+GramWords], " ")...)))
		}
	}
	return out
}

func hash64(b []byte) uint64 {
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}

// fingerprintHead is the first line of a fingerprint; the hashes follow, eight bytes each.
type fingerprintHead struct {
	Format   string   `json:"format"`
	Features []string `json:"features"`
	Hashes   int      `json:"hashes"`
}

// Bytes returns the one byte form of a fingerprint.
func (f Fingerprint) Bytes() []byte {
	head, err := json.Marshal(fingerprintHead{fingerprintFormat, f.Features, len(f.hashes)})
	if err != nil {
		panic(err) // texts and a number always encode
	}
	out := append(head, '\n')
	for _, h := range f.hashes {
		out = binary.BigEndian.AppendUint64(out, h)
	}
	return out
}

// ParseFingerprint reads exactly what Bytes writes.
func ParseFingerprint(b []byte) (Fingerprint, error) {
	line, rest, ok := bytes.Cut(b, []byte("\n"))
	var head fingerprintHead
	if !ok || len(b) > MaxFingerprint || strict(line, &head) != nil || head.Format != fingerprintFormat {
		return Fingerprint{}, errors.New("this is no training fingerprint as 'proctor holdout fingerprint' makes it")
	}
	if len(head.Features) == 0 || !slices.IsSorted(head.Features) || head.Hashes < 0 || len(rest) != 8*head.Hashes {
		return Fingerprint{}, errors.New("the training fingerprint is cut, or its features are not sorted")
	}
	f := Fingerprint{Features: head.Features, hashes: make([]uint64, head.Hashes)}
	for i := range f.hashes {
		f.hashes[i] = binary.BigEndian.Uint64(rest[8*i:])
		if i > 0 && f.hashes[i-1] >= f.hashes[i] {
			return Fingerprint{}, errors.New("the training fingerprint's hashes are not sorted, or one is there twice")
		}
	}
	return f, nil
}

// CheckTraining says how many rows of a table to be sealed a declared training table
// had, and refuses more than the spec allows of repeats: equal rows happen.
func CheckTraining(s Spec, t rows.Table, f Fingerprint) (shared int, err error) {
	features, err := t.Select(s.Features...)
	if err != nil {
		return 0, err
	}
	if shared, err = f.Overlap(features); err != nil {
		return 0, err
	}
	if pct := 100 * float64(shared) / float64(max(1, t.Len())); pct > s.Duplicates {
		return shared, fmt.Errorf("holdout.trained_on: %d of %d rows (%.1f %%) are in the declared training table, at most %g %% may; take them out", shared, t.Len(), pct, s.Duplicates)
	}
	return shared, nil
}
