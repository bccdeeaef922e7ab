package regress

import (
	"errors"
	"fmt"
	"math"

	"proctor/metrics"
)

// A SliceLine finds the slices in which errors are large and many (Sagadeeva and
// Boehm 2021). A slice S of n rows with the mean error e_S, where all N rows have
// the mean e, scores
//
//	Alpha (e_S/e - 1) - (1 - Alpha) (N/n - 1)
//
// and is reported where that is above 0.
type SliceLine struct {
	Alpha   float64 // in (0, 1]: weight of the mean error against size
	Top     int     // slices reported, and those that tie with the last
	Levels  int     // most predicates of a slice, 1 to 8
	MinRows int     // fewest rows of a slice
}

// A ScoredSlice is one that a [SliceLine] found.
type ScoredSlice struct {
	Predicates     []Predicate
	Score          float64
	Rows           int
	Sum, Max, Mean float64 // of the errors
}

// A lineNode is a slice that was counted, as a parent of longer ones.
type lineNode struct {
	ids      [maxLevels]int32
	rows     int
	sum, max float64
	score    float64
}

// Find reports slices by score, highest first; of equal ones those with fewer
// predicates, then in the order of the features and their values. Errors are
// finite and not negative, one a row. Where there are none at all nothing is found.
//
// The lattice is searched level by level. A slice is counted only if all its
// parents were, and only if the best score that their sizes and errors leave room
// for reaches the last of the slices found so far: the result is the same as
// without that bound. Scores that differ by rounding alone tie.
func (s SliceLine) Find(features []metrics.Dimension, errs []float64) ([]ScoredSlice, error) {
	if err := s.check(errs); err != nil {
		return nil, err
	}
	var events []int
	for i, e := range errs {
		if e > 0 {
			events = append(events, i)
		}
	}
	t, err := newPredicateTable(features, len(errs), s.MinRows, events)
	if err != nil || len(events) == 0 {
		return nil, err
	}
	l := newLine(s, t, errs, events)
	for level := 1; level <= s.Levels && (level == 1 || len(l.level) > 1); level++ {
		if err := l.next(level); err != nil {
			return nil, err
		}
	}
	return l.found(), nil
}

func (s SliceLine) check(errs []float64) error {
	switch {
	case !(s.Alpha > 0 && s.Alpha <= 1):
		return fmt.Errorf("alpha %v is not in (0, 1]", s.Alpha)
	case s.Top < 1 || s.MinRows < 1:
		return fmt.Errorf("top %d slices of at least %d rows: both are at least 1", s.Top, s.MinRows)
	case s.Levels < 1 || s.Levels > maxLevels:
		return fmt.Errorf("%d predicates a slice; it is 1 to %d", s.Levels, maxLevels)
	}
	for _, e := range errs {
		if !(e >= 0) || math.IsInf(e, 0) {
			return errors.New("an error is not a finite number of at least 0")
		}
	}
	return nil
}
