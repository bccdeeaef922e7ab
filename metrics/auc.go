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
	rows, room := v.ascending(k)
	pos, neg := rows.sides()
	if pos == 0 || neg == 0 {
		return fmt.Sprintf("one class: %d rows of class %q and %d of others", pos, v.classes[k], neg)
	}
	s.addPlacements(rows, room, pos, neg, weight)
	return ""
}

// ascending are the rows by the probability of class k, with their numbers.
func (v view) ascending(k int) (rows, room sortedRows) {
	return sortRows(v.probs[k:], len(v.classes), v.answers, int32(k), allRows(len(v.answers)))
}

// addPlacements adds the area of sorted rows of both sides, times weight, with
// their influences in DeLong's form (DeLong 1988; one sorted pass after Sun and Xu
// 2014): a row's placement is the share of the other side that it beats. Their
// squares sum to DeLong's variance, sample covariances over class sizes. Pairs are
// counted in whole numbers, halves doubled, so that the area has no rounding up to
// 10^9 rows.
func (s *score) addPlacements(rows, room sortedRows, pos, neg int64, weight float64) {
	P, N := float64(pos), float64(neg)
	spread, halfP, halfN := newByRow(room), 0.5/P, 0.5/N
	var posBelow, negBelow, twice int64
	for from := 0; from < len(rows.keys); {
		to, in := rows.run(from)
		out := int64(to-from) - in
		x := [2]float64{1 - float64(float64(2*posBelow+in)*halfP), float64(float64(2*negBelow+out) * halfN)}
		for i := from; i < to; i++ {
			spread.put(rows.tags[i], rows.keys[i], x[rows.keys[i]&1])
		}
		twice += in * (2*negBelow + out)
		posBelow += in
		negBelow += out
		from = to
	}
	area := float64(twice) / 2 / P / N
	s.value += float64(weight * area)
	s.least += float64(weight * weight * (1/(P*P) + 1/(N*N)) / 2)
	if pos < 2 || neg < 2 {
		s.few = "need at least 2 rows on each side for an interval"
		return
	}
	spread.add(s.parts, [2]float64{weight / math.Sqrt(N*(N-1)), weight / math.Sqrt(P*(P-1))}, [2]float64{area, area})
}
