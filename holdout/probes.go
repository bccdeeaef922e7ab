package holdout

import (
	"fmt"
	"slices"

	"proctor/holdout/rows"
)

// readCanaries splits the canaries part into features and flipped labels.
func readCanaries(s Spec, t rows.Table) (rows.Table, []int32, error) {
	features, err := t.Select(s.Features...)
	if err != nil {
		return rows.Table{}, nil, fmt.Errorf("canaries: %w", err)
	}
	c, ok := t.Column(flippedColumn)
	if !ok || c.IsNumber() {
		return rows.Table{}, nil, fmt.Errorf("canaries have no column %q", flippedColumn)
	}
	labels := make([]int32, len(c.Strings))
	for r, v := range c.Strings {
		k := slices.Index(s.Classes, v)
		if k < 0 {
			return rows.Table{}, nil, fmt.Errorf("canary %d has a label that is no class", r+1)
		}
		labels[r] = int32(k)
	}
	return features, labels, nil
}

// readTwins splits the twins part into features and the rows that they are copies of.
func readTwins(s Spec, t rows.Table, scored int) (rows.Table, []int, error) {
	features, err := t.Select(s.Features...)
	if err != nil {
		return rows.Table{}, nil, fmt.Errorf("twins: %w", err)
	}
	c, ok := t.Column(originalColumn)
	if !ok || !c.IsNumber() {
		return rows.Table{}, nil, fmt.Errorf("twins have no column %q", originalColumn)
	}
	of := make([]int, len(c.Floats))
	for r, v := range c.Floats {
		of[r] = int(v)
		if !(v >= 0 && v < float64(scored)) || float64(of[r]) != v {
			return rows.Table{}, nil, fmt.Errorf("twin %d is a copy of no scored row", r+1)
		}
	}
	return features, of, nil
}
