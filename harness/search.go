package harness

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"proctor/harness/report"
	"proctor/holdout/rows"
	"proctor/metrics"
	"proctor/regress"
)

// whereItBroke searches for slices in which the candidate broke rows: over slice
// columns, and columns of numbers in groups. Texts that are not declared as slices
// are left out, since one of them could be about a single person; so are groups of
// few rows. The numbers stand in place of a slice column that is the same and has
// many values. nil where nothing was compared.
func whereItBroke(d *regress.Diff, table rows.Table, declared []metrics.Dimension, confidence float64, seed []byte) (*report.Search, error) {
	if d == nil {
		return nil, nil
	}
	var names []string
	for _, f := range table.Fields() {
		if f.Number && !slices.ContainsFunc(declared, func(d metrics.Dimension) bool { return d.Name == f.Name && len(d.Values) <= fewValues }) {
			names = append(names, f.Name)
		}
	}
	numbers, err := table.Select(names...)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	features, err := regress.NumberFeatures(numbers, numberGroups)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	return d.WhereItBroke(features, confidence, sha256.Sum256(append([]byte("proctor/run/1/search"), seed...))), nil
}

const (
	// numberGroups is in how many groups of about the same size numbers are searched.
	numberGroups = 5
	// fewValues is up to how many values a slice column of numbers is searched as it is.
	fewValues = 8
)
