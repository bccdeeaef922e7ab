package metrics

import (
	"fmt"
	"math"
)

// rankRows are what metrics of rank need: the rows themselves, for where a row ranks
// depends on all others. A model's probs are nil where it gave none; else row i has
// step numbers there, of the classes from first on.
type rankRows struct {
	answers     []int32
	probs       [2][]float64 // baseline, candidate
	step, first int
}

func (r rankRows) column(model, class int) scoreColumn {
	return scoreColumn{r.probs[model][min(class-r.first, len(r.probs[model])):], r.step, r.answers, int32(class)}
}

// join appends the rows of u, with the numbers of the positive class alone where there
// is one.
func (r *rankRows) join(u *rankRows, positive int) *rankRows {
	a, b := r.compact(positive), u.compact(positive)
	out := &rankRows{answers: append(a.answers, b.answers...), step: a.step, first: a.first}
	for i := range out.probs {
		out.probs[i] = append(a.probs[i], b.probs[i]...)
	}
	return out
}

// compact returns the rows with the positive class's numbers alone, or as they are
// where there is none. What is borrowed is not appended to in place.
func (r *rankRows) compact(positive int) *rankRows {
	out := *r
	if positive < 0 || r.step == 1 {
		return &out
	}
	for i, p := range r.probs {
		if p == nil {
			continue
		}
		out.probs[i] = make([]float64, len(r.answers))
		for row := range r.answers {
			out.probs[i][row] = p[row*r.step+positive-r.first]
		}
	}
	out.step, out.first = 1, positive
	return &out
}

// A rankScore is a score with the influence of each row: the value moves by their
// sum when rows come in again, so that the variance of a change is the sum of the
// squares of their differences.
type rankScore struct {
	score
	parts []float64
	least float64 // the variance is no less than this: two rows that move, one up and one down
	room  *sorter
}

func newRankScore(n int, method string, room *sorter) rankScore {
	return rankScore{score: score{n: int64(n), method: method}, parts: make([]float64, n), room: room}
}

func (t *Tally) rocAUC() reading { return t.onRanks("DeLong", (*rankScore).addAUC) }

// A rankMetric adds the value of a column, of the named class, times weight to a score,
// or says why there is none.
type rankMetric func(s *rankScore, c scoreColumn, class string, weight float64) (why string)

// onRanks reads what add gives for the positive class against the rest, or the mean
// over all classes.
func (t *Tally) onRanks(method string, add rankMetric) reading {
	var s [2]rankScore
	var room sorter
	for model := range s {
		if model == 0 && t.alone {
			continue
		}
		s[model] = t.rankScore(model, method, add, &room)
		s[model].variance = max(s[model].least, sumSquares(s[model].parts, nil))
	}
	r := reading{baseline: s[0].score, candidate: s[1].score}
	if s[0].parts != nil && s[1].parts != nil {
		r.variance = max(s[1].least, sumSquares(s[1].parts, s[0].parts))
	}
	return r
}

func (t *Tally) rankScore(model int, method string, add rankMetric, room *sorter) rankScore {
	switch {
	case t.N() == 0:
		return rankScore{score: noScore(noRows)}
	case !t.probs[model]:
		return rankScore{score: noScore(noProbs)}
	}
	from, to := t.positive, t.positive+1
	if t.positive < 0 {
		from, to = 0, len(t.classes)
	}
	s := newRankScore(len(t.ranks.answers), method, room)
	for k := from; k < to; k++ {
		if why := add(&s, t.ranks.column(model, k), t.classes[k], 1/float64(to-from)); why != "" {
			return rankScore{score: noScore(why)}
		}
	}
	return s
}

// addAUC adds the area of a column, times weight, with the rows' influences in
// DeLong's form (DeLong 1988; one sorted pass after Sun and Xu 2014): a row's
// placement is the share of the other side that it beats. Their squares sum to
// DeLong's variance, sample covariances over class sizes. Pairs are counted in whole
// numbers, halves doubled, so that the area has no rounding up to 10^9 rows.
func (s *rankScore) addAUC(c scoreColumn, class string, weight float64) string {
	pos, neg := c.sides()
	if pos == 0 || neg == 0 {
		return fmt.Sprintf("one class: %d rows of class %q and %d of others", pos, class, neg)
	}
	P, N := float64(pos), float64(neg)
	halfP, halfN := 0.5/P, 0.5/N
	scale := [2]float64{weight / math.Sqrt(N*max(1, N-1)), weight / math.Sqrt(P*max(1, P-1))}
	var posBelow, negBelow, twice int64
	c.influences(s.room, s.parts, func(rows sortedRows) {
		for from := 0; from < len(rows.keys); {
			to, in := rows.run(from)
			out := int64(to-from) - in
			lost, won := 1-float64(float64(2*posBelow+in)*halfP), float64(2*negBelow+out)*halfN
			rows.influence(from, to, [2]float64{scale[0] * lost, scale[1] * won})
			twice += in * (2*negBelow + out)
			posBelow += in
			negBelow += out
			from = to
		}
	})
	area := float64(twice) / 2 / P / N
	s.value += float64(weight * area)
	s.least += float64(weight * weight * (1/(P*P) + 1/(N*N)) / 2)
	if pos < 2 || neg < 2 {
		s.few = "need at least 2 rows on each side for an interval"
	}
	s.centre(c, [2]float64{scale[0] * area, scale[1] * area})
	return ""
}

// centre takes what the influences of a side have in common off them.
func (s *rankScore) centre(c scoreColumn, middle [2]float64) {
	for i, y := range c.labels {
		s.parts[i] -= middle[oneIf(y == c.class)]
	}
}
