package metrics

import (
	"fmt"
	"math"
)

// rocAUC is the area for the positive class against the rest, or the mean of
// those of all classes.
func (v view) rocAUC() score { return v.oneVsRest("DeLong", view.addAUC) }

// oneVsRest is what add gives for the positive class, or the mean over all classes.
func (v view) oneVsRest(method string, add func(v view, s *score, class int, weight float64) (why string)) score {
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
	s := score{n: int64(len(v.answers)), parts: make([]float64, len(v.answers)), method: method}
	for _, k := range classes {
		if why := add(v, &s, k, 1/float64(len(classes))); why != "" {
			return noScore(why)
		}
	}
	return s
}

func (v view) addAUC(s *score, k int, weight float64) string {
	order := v.ascending(k)
	if pos, neg := sides(order); pos == 0 || neg == 0 {
		return fmt.Sprintf("one class: %d rows of class %q and %d of others", pos, v.classes[k], neg)
	}
	s.addPlacements(order, weight)
	return ""
}

// addPlacements adds the area of sorted rows of both sides, times weight, with their influences
// in DeLong's form (DeLong 1988; one sorted pass after Sun and Xu 2014): a row's
// placement is the share of the other side that it beats. Their squares sum to
// DeLong's variance, sample covariances over class sizes.
func (s *score) addPlacements(order []scored, weight float64) {
	pos, neg := sides(order)
	P, N := float64(pos), float64(neg)
	area := areaUnder(order, pos, neg)
	s.value += float64(weight * area)
	s.least += float64(weight * weight * (1/(P*P) + 1/(N*N)) / 2)
	if pos < 2 || neg < 2 {
		s.few = "need at least 2 rows on each side for an interval"
		return
	}
	wp, wn := weight/math.Sqrt(P*(P-1)), weight/math.Sqrt(N*(N-1))
	ties(order, func(rows []scored, below, at [2]int64) {
		beats := (float64(below[0]) + float64(at[0])/2) / N
		beaten := 1 - (float64(below[1])+float64(at[1])/2)/P
		part := [2]float64{float64(wn * (beaten - area)), float64(wp * (beats - area))}
		for _, r := range rows {
			s.parts[r.row] += part[r.key&1]
		}
	})
}

// sides counts the rows of the class and the others.
func sides(order []scored) (pos, neg int64) {
	for _, r := range order {
		pos += int64(r.key & 1)
	}
	return pos, int64(len(order)) - pos
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
		to, key, in := from, order[from].key>>1, int64(0)
		for to < len(order) && order[to].key>>1 == key {
			in += int64(order[to].key & 1)
			to++
		}
		at := [2]int64{int64(to-from) - in, in}
		f(order[from:to], below, at)
		below[0] += at[0]
		below[1] += at[1]
		from = to
	}
}

func (v view) ascending(k int) []scored {
	return ascendingScores(v.probs[k:], len(v.classes), v.answers, int32(k))
}
