package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// rocAUC is the area for the positive class against the rest, or the mean of
// those of all classes.
func (v view) rocAUC() score {
	if why := v.withoutProbs(); why != "" {
		return noScore(why)
	}
	classes := []int{v.positive}
	if v.positive < 0 {
		classes = classes[:0]
		for k := range v.classes {
			classes = append(classes, k)
		}
	}
	s := score{n: int64(len(v.answers)), parts: make([]float64, len(v.answers)), method: "DeLong"}
	for _, k := range classes {
		if why := v.addAUC(&s, k, 1/float64(len(classes))); why != "" {
			return noScore(why)
		}
	}
	return s
}

// addAUC adds the area of class k against the rest, times weight, with its
// influences in DeLong's form (DeLong 1988; one sorted pass after Sun and Xu
// 2014): a row's placement is the share of the other side that it beats. Their
// squares sum to DeLong's variance, sample covariances over class sizes.
func (v view) addAUC(s *score, k int, weight float64) string {
	var pos int64
	for _, y := range v.answers {
		pos += int64(oneIf(int(y) == k))
	}
	neg := int64(len(v.answers)) - pos
	if pos == 0 || neg == 0 {
		return fmt.Sprintf("one class: %d rows of class %q and %d of others", pos, v.classes[k], neg)
	}
	P, N := float64(pos), float64(neg)
	order := v.ascending(k)
	area := areaUnder(order, pos, neg)
	s.value += float64(weight * area)
	s.least += float64(weight * weight * (1/(P*P) + 1/(N*N)) / 2)
	if pos < 2 || neg < 2 {
		s.few = "need at least 2 rows on each side for an interval"
		return ""
	}
	wp, wn := weight/math.Sqrt(P*(P-1)), weight/math.Sqrt(N*(N-1))
	ties(order, func(rows []scored, below, at [2]int64) {
		beats := (float64(below[0]) + float64(at[0])/2) / N
		beaten := 1 - (float64(below[1])+float64(at[1])/2)/P
		for _, r := range rows {
			if r.in == 1 {
				s.parts[r.row] += float64(wp * (beats - area))
			} else {
				s.parts[r.row] += float64(wn * (beaten - area))
			}
		}
	})
	return ""
}

// areaUnder counts pairs in whole numbers, halves doubled, so that it has no
// rounding up to 10^9 rows.
func areaUnder(order []scored, pos, neg int64) float64 {
	var twice int64
	ties(order, func(_ []scored, below, at [2]int64) {
		twice += at[1] * (2*below[0] + at[0])
	})
	return float64(twice) / 2 / float64(pos) / float64(neg)
}

// ties calls f for each run of equal scores, with the numbers of rows outside
// the class (index 0) and of it (index 1) below it and in it.
func ties(order []scored, f func(rows []scored, below, at [2]int64)) {
	var below [2]int64
	for from := 0; from < len(order); {
		to := from
		var at [2]int64
		for to < len(order) && order[to].p == order[from].p {
			at[order[to].in&1]++
			to++
		}
		f(order[from:to], below, at)
		below[0] += at[0]
		below[1] += at[1]
		from = to
	}
}

// A scored row carries its truth along: to look it up in sorted order would cost
// more than the sort.
type scored struct {
	p       float64
	row, in int32 // in is 1 for a row of the class
}

// ascending sorts the rows by the probability of class k: scattered into buckets
// of equal width, then sorted within each.
func (v view) ascending(k int) []scored {
	n, step := len(v.answers), len(v.classes)
	buckets := min(n, 1<<16)
	at := func(p float64) int { return int(p * float64(buckets)) }
	start := make([]int32, buckets+2)
	for i := range n {
		start[at(v.probs[i*step+k])+1]++
	}
	for b := range buckets + 1 {
		start[b+1] += start[b]
	}
	out := make([]scored, n)
	for i := range n {
		p := v.probs[i*step+k]
		b := at(p)
		out[start[b]] = scored{p, int32(i), int32(oneIf(int(v.answers[i]) == k))}
		start[b]++ // start[b] ends as the end of bucket b
	}
	from := int32(0)
	for b := range buckets + 1 {
		sortScored(out[from:start[b]])
		from = start[b]
	}
	return out
}

// sortScored sorts a bucket; its order within equal scores does not matter.
func sortScored(s []scored) {
	if len(s) > 24 {
		slices.SortFunc(s, func(a, b scored) int { return cmp.Compare(a.p, b.p) })
		return
	}
	for i := 1; i < len(s); i++ {
		x, j := s[i], i
		for ; j > 0 && s[j-1].p > x.p; j-- {
			s[j] = s[j-1]
		}
		s[j] = x
	}
}
