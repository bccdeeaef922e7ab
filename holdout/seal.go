package holdout

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"proctor/holdout/blob"
	"proctor/holdout/rows"
)

// A SealInput is what a set is made of. Equal inputs, with a Rand that gives equal
// bytes, make an equal set.
type SealInput struct {
	Spec       Spec
	Table      rows.Table // with the answer column
	Reserve    rows.Table // fresh rows with the same columns; without columns: none
	Practice   rows.Table // rows that are given away already; without columns: Spec.Practice of Table
	Version    int        // from 1
	Previous   string     // digest of the version before, or ""
	Amends     bool       // Table is that of the version before, but for corrections
	Erased     []int      // rows of the version before, from 1, that Table lacks
	CanarySeed [32]byte   // secret like the set itself; all zero: drawn from Rand
	Rand       io.Reader  // source of the data key; nil: the system's
	Now        time.Time
}

// Seal checks a table, adds canaries and twins, encrypts everything into the store
// and signs the manifest.
//
// Only ciphertext reaches the store, chunk by chunk. A Seal that fails leaves
// chunks behind that nothing names and whose key is gone.
func Seal(ctx context.Context, in SealInput, store blob.Store, keys Keyring, officer ed25519.PrivateKey) (Sealed, error) {
	if err := in.check(officer); err != nil {
		return Sealed{}, err
	}
	s := in.Spec
	p, err := readPaper(s, in.Table)
	if err != nil {
		return Sealed{}, err
	}
	repeats, err := checkScored(s, in.Table, p)
	if err != nil {
		return Sealed{}, err
	}
	p, practice, err := in.split(p)
	if err != nil {
		return Sealed{}, err
	}
	if practice.Len() > 0 && len(in.Practice.Columns()) == 0 {
		repeats, _, _ = countRepeats(p.sealed)
	}
	reserve := p.sealed.Slice(0, 0)
	if in.Reserve.Len() > 0 {
		if reserve, err = in.Reserve.Select(s.sealed()...); err != nil {
			return Sealed{}, fmt.Errorf("reserve: %w", err)
		}
		if err := checkReserve(s, p.sealed, reserve); err != nil {
			return Sealed{}, err
		}
	}
	dek := make([]byte, 32)
	defer clear(dek)
	if err := in.draw(dek); err != nil {
		return Sealed{}, err
	}
	parts, err := in.parts(p, reserve, practice)
	if err != nil {
		return Sealed{}, err
	}
	m := manifest{Format: format, Spec: s, KeyCheck: keyCheck(dek)}
	if m.Public, err = describe(ctx, s, p, keys); err != nil {
		return Sealed{}, err
	}
	m.Public.Version, m.Public.Previous = in.Version, in.Previous
	m.Public.Amends, m.Public.Erased = in.Amends, in.Erased
	m.Public.SealedAt = in.Now.UTC().Format(time.RFC3339)
	m.Public.Repeats = repeats
	m.Public.Canaries, m.Public.Twins, m.Public.ReserveRows = parts[1].Len(), parts[2].Len(), parts[3].Len()
	m.Public.Practice = practice.Len()
	for i, t := range parts {
		sealed, err := sealPart(ctx, m.Public, partNames[i], dek, t, store)
		if err != nil {
			return Sealed{}, err
		}
		m.Parts = append(m.Parts, sealed)
	}
	m.Public.RowRoot = m.Parts[0].Root
	wrapped, err := keys.Wrap(ctx, dek, keyContext(s.Name, in.Version))
	if err != nil {
		return Sealed{}, fmt.Errorf("wrap the data key: %w", err)
	}
	if err := m.check(); err != nil { // never sign what a reader would refuse
		return Sealed{}, err
	}
	raw, err := m.sign(officer)
	if err != nil {
		return Sealed{}, fmt.Errorf("sign the manifest: %w", err)
	}
	return Sealed{m.commitment(), raw, wrapped}, nil
}

func (in SealInput) check(officer ed25519.PrivateKey) error {
	if err := in.Spec.check(); err != nil {
		return err
	}
	if in.Version < 1 {
		return fmt.Errorf("version %d; versions count from 1", in.Version)
	}
	if in.Previous != "" {
		if _, err := blob.ParseRef(in.Previous); err != nil {
			return fmt.Errorf("previous version: %w", err)
		}
	}
	if in.Now.IsZero() {
		return errors.New("a set is sealed at a time; none is given")
	}
	if len(officer) != ed25519.PrivateKeySize {
		return errors.New("there is no officer's key to sign with")
	}
	return nil
}

// draw fills b from Rand. The data key is drawn first, the canary seed second.
func (in SealInput) draw(b []byte) error {
	r := in.Rand
	if r == nil {
		r = rand.Reader
	}
	if _, err := io.ReadFull(r, b); err != nil {
		return fmt.Errorf("draw a key: %w", err)
	}
	return nil
}

// parts makes the tables of all parts, in the order of partNames.
func (in SealInput) parts(p paper, reserve, practice rows.Table) ([]rows.Table, error) {
	s, n := in.Spec, p.sealed.Len()
	seed := in.CanarySeed
	if seed == [32]byte{} {
		if err := in.draw(seed[:]); err != nil {
			return nil, err
		}
	}
	want := s.Canaries
	if want == 0 {
		want = min(DefaultCanaries, n/10)
	}
	if 2*want > n {
		return nil, fmt.Errorf("canaries: %d are more than half of the %d rows", want, n)
	}
	canaries, flipped := Canaries(p.features, p.labels, len(s.Classes), want, seed)
	if canaries.Len() < minCount {
		return nil, fmt.Errorf("canary.missing: only %d canaries could be made, at least %d are needed to see a model that learned the set by heart; the features have too few different values", canaries.Len(), minCount)
	}
	wantTwins := s.Twins
	if wantTwins == 0 {
		wantTwins = min(DefaultTwins, n/4)
	}
	twins, of := Twins(p.features, wantTwins, seed)

	answers := make([]string, len(flipped))
	for i, k := range flipped {
		answers[i] = s.Classes[k]
	}
	originals := make([]float64, len(of))
	for i, r := range of {
		originals[i] = float64(r)
	}
	c, err := with(canaries, rows.Column{Name: flippedColumn, Strings: answers})
	if err != nil {
		return nil, err
	}
	w, err := with(twins, rows.Column{Name: originalColumn, Floats: originals})
	if err != nil {
		return nil, err
	}
	return []rows.Table{p.sealed, c, w, reserve, practice}, nil
}

// Columns that Seal adds to canaries and twins.
const (
	flippedColumn  = reserved + "flipped"
	originalColumn = reserved + "original"
)

func with(t rows.Table, c rows.Column) (rows.Table, error) {
	return rows.New(append(append([]rows.Column(nil), t.Columns()...), c)...)
}

func sealPart(ctx context.Context, c Commitment, name string, dek []byte, t rows.Table, store blob.Store) (part, error) {
	p := part{Name: name, Fields: t.Fields(), Rows: t.Len(), Root: rowRoot(dek, name, t), Chunks: []chunk{}}
	sizes, err := cut(t)
	if err != nil {
		return p, fmt.Errorf("part %s: %w", name, err)
	}
	key := partKey(dek, name)
	first := 0
	var sealed []byte
	for i, n := range sizes {
		at := place{c.Name, c.Version, name, i, len(sizes), first, n}
		sealed = sealChunk(key, at, t.Slice(first, first+n), sealed)
		ref, err := store.Put(ctx, sealed)
		if err != nil {
			return p, fmt.Errorf("seal %s: %w", at, err)
		}
		p.Chunks = append(p.Chunks, chunk{ref, len(sealed), n})
		first += n
	}
	return p, nil
}
