package regress

import (
	"errors"
	"fmt"
	"math/bits"

	"proctor/metrics"
)

// Bounds of [Search.Where]. They are counted, not timed, so that a search gives the
// same on every machine.
const (
	// maxWhereWords bounds the bitmaps of all predicates: 64 MB.
	maxWhereWords = 8 << 20
	// maxWhereTested bounds the slices that are counted and corrected over: 20 MB.
	maxWhereTested = 1 << 18
	// maxWhereWork bounds the words of bitmaps that are read to test every slice:
	// about a second. A search that selects first may read four times as many.
	maxWhereWork = 1 << 31
)

// Where looks as far as time and memory allow, and says in Cut what it left out.
// Every slice is tested where they can all be; where there are too many, slices are
// discovered on one half of the rows and confirmed on the other; where even that is
// too much, single predicates are tested. Which of these it is follows from the
// features alone, never from who was right, so that the correction stays honest.
func (s Search) Where(features []metrics.Dimension, changes []int8, seed [32]byte) (*Found, error) {
	if err := s.check(changes); err != nil {
		return nil, err
	}
	if err := checkFeatures(features, len(changes)); err != nil {
		return nil, err
	}
	kept, predicates := s.affordable(features, len(changes))
	if len(kept) == 0 {
		return nil, errors.New("not one feature fits into the memory of a search")
	}
	f, err := s.look(kept, predicates, changes, seed)
	if err != nil {
		return nil, err
	}
	if left := len(features) - len(kept); left > 0 {
		f.Cut = joinCuts(fmt.Sprintf("%d of %d features, the last ones, were not searched", left, len(features)), f.Cut)
	}
	s.explain(f, kept, changes, seed)
	return f, nil
}

func joinCuts(a, b string) string {
	if b == "" {
		return a
	}
	return a + "; " + b
}

// affordable keeps the first features whose predicates fit, and counts those.
func (s Search) affordable(features []metrics.Dimension, rows int) (kept []metrics.Dimension, predicates int) {
	words := (rows + 63) / 64
	for i, d := range features {
		sizes := make([]int, len(d.Values))
		for _, c := range d.Codes {
			sizes[c]++
		}
		n := predicates
		for _, size := range sizes {
			n += oneIf(size >= s.MinRows)
		}
		if n*words > maxWhereWords {
			return features[:i], predicates
		}
		predicates = n
	}
	return features, predicates
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

// look chooses the deepest search within the bounds.
func (s Search) look(features []metrics.Dimension, predicates int, changes []int8, seed [32]byte) (*Found, error) {
	levels := min(s.Levels, len(features))
	tests, work := effort(predicates, levels, (len(changes)+63)/64)
	if tests <= maxWhereTested && work <= maxWhereWork {
		return s.All(features, changes)
	}
	if work <= 4*maxWhereWork {
		f, err := s.Confirmed(features, changes, seed)
		if err == nil {
			f.Cut = fmt.Sprintf("some %d slices are too many to test each one", tests)
			return f, nil
		}
		if !errors.Is(err, errTooMany) {
			return nil, err
		}
	}
	s.Levels = 1
	f, err := s.All(features, changes)
	if err == nil && levels > 1 {
		f.Cut = "combinations of conditions are too many and were not searched"
	}
	return f, err
}

// effort is at most how many slices of up to levels predicates there are, and how
// many words of bitmaps are read to count them all; both stop where they are beyond
// any bound.
func effort(predicates, levels, words int) (tests, work uint64) {
	const beyond = 1 << 40
	combinations := uint64(1)
	for l := 1; l <= levels && combinations > 0; l++ {
		high, low := bits.Mul64(combinations, uint64(max(0, predicates-l+1)))
		if high > 0 || low/uint64(l) > beyond {
			return beyond, beyond
		}
		combinations = low / uint64(l)
		tests += combinations
	}
	if high, low := bits.Mul64(tests, uint64(words)); high == 0 && low < beyond {
		return tests, low
	}
	return tests, beyond
}

// explain finds, of the slices that stand, those that are worse only because they
// share rows with slices listed before.
func (s Search) explain(f *Found, features []metrics.Dimension, changes []int8, seed [32]byte) {
	rows := make([]int, len(changes))
	for i := range rows {
		rows[i] = i
	}
	if f.Method == methodSplit {
		_, rows = halves(len(changes), seed)
	}
	owner := make(map[int]int, 1024) // row -> the first slice that has it
	for i := range f.Slices {
		x := &f.Slices[i]
		if !(x.Holm <= 1-s.Confidence) {
			continue
		}
		var left, shared []int
		in := inSlice(features, rows, x.Predicates)
		for _, row := range in {
			if _, taken := owner[row]; taken {
				shared = append(shared, row)
			} else {
				left = append(left, row)
			}
		}
		if broke, fixed := changed(changes, left); len(shared) > 0 && metrics.McNemarWorse(broke, fixed) > 1-s.Confidence {
			x.Within = mostShared(changes, shared, owner, i)
			continue
		}
		for _, row := range left {
			owner[row] = i
		}
	}
}

// mostShared is the earlier slice that has the most of some broken rows, the first
// of equals.
func mostShared(changes []int8, rows []int, owner map[int]int, slices int) int {
	broke := make([]int, slices)
	for _, row := range rows {
		if changes[row] < 0 {
			broke[owner[row]]++
		}
	}
	best := 0
	for i, n := range broke {
		if n > broke[best] {
			best = i
		}
	}
	return best
}
