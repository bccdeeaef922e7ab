package holdout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"proctor/holdout/blob"
	"proctor/holdout/rows"
)

// A draft is a set before it is encrypted: what will be public, but for the row root,
// and the tables of all parts in the order of partNames.
type draft struct {
	public Commitment
	parts  []rows.Table
}

// Preview checks a table as Seal does and returns what the set would say of itself,
// without digest and row root. It writes nothing.
func Preview(ctx context.Context, in SealInput, keys Keyring) (Commitment, error) {
	d, err := in.draft(ctx, keys)
	return d.public, err
}

// draft checks the tables and makes all parts of them.
func (in SealInput) draft(ctx context.Context, keys Keyring) (draft, error) {
	if err := in.check(); err != nil {
		return draft{}, err
	}
	s := in.Spec
	p, err := readPaper(s, in.Table)
	if err != nil {
		return draft{}, err
	}
	repeats, err := checkScored(s, in.Table, p)
	if err != nil {
		return draft{}, err
	}
	p, practice, err := in.split(p)
	if err != nil {
		return draft{}, err
	}
	if practice.Len() > 0 && len(in.Practice.Columns()) == 0 {
		repeats, _, _ = countRepeats(p.sealed)
	}
	reserve := p.sealed.Slice(0, 0)
	if in.Reserve.Len() > 0 {
		if reserve, err = in.Reserve.Select(s.sealed()...); err != nil {
			return draft{}, fmt.Errorf("reserve: %w", err)
		}
		if err := checkReserve(s, p.sealed, reserve); err != nil {
			return draft{}, err
		}
		if err := s.apart("reserve", reserve, practice); err != nil {
			return draft{}, err
		}
	}
	var d draft
	if d.parts, err = in.parts(p, reserve, practice); err != nil {
		return draft{}, err
	}
	if d.public, err = describe(ctx, s, p, keys); err != nil {
		return draft{}, err
	}
	c := &d.public
	c.Version, c.Previous, c.Amends, c.Erased = in.Version, in.Previous, in.Amends, in.Erased
	c.SealedAt, c.Repeats = in.Now.UTC().Format(time.RFC3339), repeats
	c.Canaries, c.Twins, c.ReserveRows, c.Practice = d.parts[1].Len(), d.parts[2].Len(), d.parts[3].Len(), d.parts[4].Len()
	return d, nil
}

func (in SealInput) check() error {
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
