package metrics

import (
	"cmp"
	"math"
	"slices"
)

// A scored row carries its truth along: to look it up in sorted order would cost
// more than the sort. The key is the probability's bits, shifted by one, and the
// truth in the lowest: probabilities are at most 1 and not negative, so that the
// shift loses nothing and keys are in the order of the probabilities.
type scored struct {
	key uint64
	row int32
}

func (s scored) p() float64 { return math.Float64frombits(s.key >> 1) }

// coarse is the number of buckets of the first pass: few enough that each is
// written through the cache.
const coarse = 256

// ascendingScores sorts the rows i by p[i*step] in [0, 1], each with whether its
// label is class: scattered into equal parts of [0, 1], then each part into about
// as many parts as it has rows, then sorted within those. The order of equal
// scores does not matter.
func ascendingScores(p []float64, step int, labels []int32, class int32) []scored {
	n := len(labels)
	var start [coarse + 2]int32
	for i := range n {
		start[int(p[i*step]*coarse)+1]++
	}
	for b := range coarse + 1 {
		start[b+1] += start[b]
	}
	rough := make([]scored, n)
	for i, y := range labels {
		x := p[i*step]
		at := &start[int(x*coarse)]
		rough[*at] = scored{(math.Float64bits(x)&^(1<<63))<<1 | uint64(oneIf(y == class)), int32(i)}
		*at++ // ends as the end of its bucket
	}
	out := make([]scored, n)
	var ends []int32
	from := int32(0)
	for b := range coarse + 1 {
		ends = finer(out[from:start[b]], rough[from:start[b]], float64(b), ends)
		from = start[b]
	}
	return out
}

// finer sorts one bucket into out. ends is room to count in; it is returned to be
// used again.
func finer(out, in []scored, bucket float64, ends []int32) []int32 {
	m := len(in)
	if m < 2 {
		copy(out, in)
		return ends
	}
	if cap(ends) < m+1 {
		ends = make([]int32, m+m/2+1)
	}
	ends = ends[:m+1]
	clear(ends)
	part := func(s scored) int { return min(m-1, int(float64(s.p()*coarse-bucket)*float64(m))) }
	for _, s := range in {
		ends[part(s)+1]++
	}
	for i := range m {
		ends[i+1] += ends[i]
	}
	for _, s := range in {
		at := part(s)
		out[ends[at]] = s
		ends[at]++
	}
	from := int32(0)
	for _, to := range ends[:m] {
		if to-from > 1 {
			sortScored(out[from:to])
		}
		from = to
	}
	return ends
}

// sortScored sorts a few rows.
func sortScored(s []scored) {
	if len(s) > 24 {
		slices.SortFunc(s, func(a, b scored) int { return cmp.Compare(a.key>>1, b.key>>1) })
		return
	}
	for i := 1; i < len(s); i++ {
		x, j := s[i], i
		for ; j > 0 && s[j-1].key>>1 > x.key>>1; j-- {
			s[j] = s[j-1]
		}
		s[j] = x
	}
}
