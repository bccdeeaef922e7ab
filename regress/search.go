package regress

import (
	"fmt"

	"proctor/metrics"
)

// A Search looks for slices in which a candidate broke rows: conjunctions of
// predicates over any features, whether or not a policy names them. It finds what
// nobody thought to declare; it decides nothing.
type Search struct {
	Levels     int     // most predicates of a slice, 1 to 8
	MinRows    int     // fewest rows of a slice
	Top        int     // slices listed
	Confidence float64 // of what is called significant
}

// A BrokenSlice is a slice with its paired counts. P is the one-sided exact
// McNemar p of "the candidate is not worse here"; Holm and BH are P after
// correction over all slices that were tested.
type BrokenSlice struct {
	Predicates  []Predicate
	Words       string // "sex is Female and education is Masters"
	Rows        int64
	Broke       int64
	Fixed       int64
	P, Holm, BH float64
	// Within is the place in the list of an earlier slice that explains this one:
	// without the rows of those listed before it is not worse. -1: there is none.
	// Only [Search.Where] fills it in.
	Within int
}

// A Found is what a search gave. Tested counts the slices over which it corrects,
// SignificantHolm and SignificantBH those that stand at its confidence. Slices are
// the first of those tested: by P, of equal P the one with fewer predicates, then
// with more rows, then in the order of the features and their values.
type Found struct {
	Method                         string
	Levels                         int    // most predicates of a slice that was looked at
	Cut                            string // what was left out for its size, "" if nothing
	Rows, Broke, Fixed             int64  // that the tests are over
	Tested                         int64
	SignificantHolm, SignificantBH int64
	Slices                         []BrokenSlice
}

const (
	methodAll   = "exact McNemar, corrected over all slices with enough rows"
	methodSplit = "found by SliceLine on one half of the rows, exact McNemar on the other, corrected over those found"
	// discoverAlpha weighs how bad a slice is against how large.
	discoverAlpha = 0.95
)

// All tests every slice that has enough rows. Which slices those are does not
// depend on who was right, so that the correction covers every choice that there
// was. changes are those of [Diff.Changes].
func (s Search) All(features []metrics.Dimension, changes []int8) (*Found, error) {
	if err := s.check(changes); err != nil {
		return nil, err
	}
	var events, broke []int // rows that changed; places among them of those that broke
	for i, c := range changes {
		if c < 0 {
			broke = append(broke, len(events))
		}
		if c != 0 {
			events = append(events, i)
		}
	}
	t, err := newPredicateTable(features, len(changes), s.MinRows, events)
	if err != nil {
		return nil, err
	}
	var all []sliceCount
	wanted := bitsOf(broke, t.evtWords)
	err = t.walk(min(s.Levels, len(features)), s.MinRows, func(ids []int32, rows int, events []uint64) {
		c := sliceCount{levels: int32(len(ids)), rows: int32(rows), broke: int32(countBoth(events, wanted))}
		c.fixed = int32(popcount(events)) - c.broke
		copy(c.ids[:], ids)
		all = append(all, c)
	})
	if err != nil {
		return nil, err
	}
	f := &Found{Method: methodAll, Levels: min(s.Levels, len(features)), Rows: int64(len(changes)), Broke: int64(len(broke)), Fixed: int64(len(events) - len(broke))}
	f.list(s, all, func(c sliceCount) []Predicate { return t.predicates(c.ids[:c.levels]) })
	return f, nil
}

// Confirmed discovers slices on one half of the rows and tests only those, on the
// other half, which had no say in the choice. The seed decides the halves. It can
// afford many features, where correcting over all slices leaves little power.
func (s Search) Confirmed(features []metrics.Dimension, changes []int8, seed [32]byte) (*Found, error) {
	if err := s.check(changes); err != nil {
		return nil, err
	}
	if err := checkFeatures(features, len(changes)); err != nil {
		return nil, err
	}
	first, second := halves(len(changes), seed)
	errs := make([]float64, len(first))
	for i, row := range first {
		if changes[row] < 0 {
			errs[i] = 1
		}
	}
	if len(first) == 0 || len(second) == 0 {
		return &Found{Method: methodSplit, Levels: min(s.Levels, len(features))}, nil
	}
	finder := SliceLine{Alpha: discoverAlpha, Top: s.Top, Levels: min(s.Levels, len(features)), MinRows: (s.MinRows + 1) / 2}
	discovered, err := finder.Find(pickRows(features, first), errs)
	if err != nil {
		return nil, fmt.Errorf("discover: %w", err)
	}
	f := &Found{Method: methodSplit, Levels: finder.Levels, Rows: int64(len(second))}
	f.Broke, f.Fixed = changed(changes, second)
	all := make([]sliceCount, len(discovered))
	for i, d := range discovered {
		all[i] = countSlice(features, changes, second, d.Predicates)
		all[i].ids[0] = int32(i)
	}
	f.list(s, all, func(c sliceCount) []Predicate { return discovered[c.ids[0]].Predicates })
	return f, nil
}

func (s Search) check(changes []int8) error {
	switch {
	case s.Levels < 1 || s.Levels > maxLevels:
		return fmt.Errorf("%d predicates a slice; it is 1 to %d", s.Levels, maxLevels)
	case s.MinRows < 1 || s.Top < 1:
		return fmt.Errorf("at least %d rows a slice, %d listed: both are at least 1", s.MinRows, s.Top)
	case !(s.Confidence > 0 && s.Confidence < 1):
		return fmt.Errorf("confidence %v is not in (0, 1)", s.Confidence)
	}
	for _, c := range changes {
		if c < -1 || c > 1 {
			return fmt.Errorf("change %d is none of -1, 0 and 1", c)
		}
	}
	return nil
}
