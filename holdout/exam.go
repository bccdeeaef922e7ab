package holdout

import (
	"context"
	"fmt"

	"proctor/holdout/rows"
)

// An Exam is what one run needs of an opened set: what a model is asked, and what
// is right. Only Inputs, Canaries and Twins may be shown to a model; their fields
// are the commitment's Features, in that order. The reserve is not part of it.
type Exam struct {
	Inputs rows.Table    // features of the scored rows
	Labels []int32       // their classes, indices into the commitment's Classes
	Slices []SliceColumn // their slice columns, in the order of the spec

	DuplicatesAtMostPct float64 // rows, in percent, that may repeat others by chance

	Clusters []int32   // of the scored rows; nil: every row is one
	Weights  []float64 // of the scored rows; nil: every row counts 1

	Canaries     rows.Table
	CanaryLabels []int32 // the flipped labels: a model that agrees often has seen them

	Twins  rows.Table
	TwinOf []int // TwinOf[i] is the scored row that twin i is a copy of
}

// Open reads the scored rows, canaries and twins of the set. It gives all of them
// or an error: a set of which a part is missing or changed examines nobody.
func (g Grant) Open(ctx context.Context) (*Exam, error) {
	parts, err := g.open(ctx, partScored, partCanaries, partTwins)
	if err != nil {
		return nil, err
	}
	e, err := g.m.exam(parts[0], parts[1], parts[2])
	if err != nil {
		return nil, fmt.Errorf("open %s version %d: %w", g.m.Public.Name, g.m.Public.Version, err)
	}
	return e, nil
}

// exam gives the parts their meaning and checks it against the commitment.
func (m *manifest) exam(scored, canaries, twins rows.Table) (*Exam, error) {
	p, err := readPaper(m.Spec, scored)
	if err != nil {
		return nil, err
	}
	e := &Exam{Inputs: p.features, Labels: p.labels, Slices: p.slices, Clusters: p.clusters, Weights: p.weights, DuplicatesAtMostPct: m.Spec.Duplicates}
	if e.Canaries, e.CanaryLabels, err = readCanaries(m.Spec, canaries); err != nil {
		return nil, err
	}
	if e.Twins, e.TwinOf, err = readTwins(m.Spec, twins, scored.Len()); err != nil {
		return nil, err
	}
	c := m.Public
	for _, part := range []struct {
		name string
		rows rows.Table
		want int
	}{{partScored, e.Inputs, c.Rows}, {partCanaries, e.Canaries, c.Canaries}, {partTwins, e.Twins, c.Twins}} {
		if part.rows.Len() != part.want {
			return nil, fmt.Errorf("%w: part %s has %d rows, committed are %d", ErrDigestMismatch, part.name, part.rows.Len(), part.want)
		}
		if err := part.rows.SameFields(c.Features); err != nil {
			return nil, fmt.Errorf("%w: part %s: %w", ErrDigestMismatch, part.name, err)
		}
	}
	return e, nil
}
