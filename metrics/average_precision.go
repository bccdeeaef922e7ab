package metrics

import (
	"fmt"
	"math"
)

func (t *Tally) averagePrecision() reading {
	return t.onRanks("influence function", (*rankScore).addPrecision)
}

// addPrecision adds the average precision of a column, times weight, with the rows'
// influences. It is U/P, the mean over positives of the precision t/m among
// the m rows that score at least as high, of which t are positive. A row more
// counts among those of every positive that scores no higher: there a positive
// adds (m-t)/m^2 and another takes t/m^2 off. A positive adds its own term too,
// and one to P. With a few hundred rows the value is skewed: limits at level .1
// miss a change for the worse in .13 of samples.
func (s *rankScore) addPrecision(c scoreColumn, class string, weight float64) string {
	pos, neg := c.sides()
	if pos == 0 {
		return fmt.Sprintf("no row is of class %q", class)
	}
	P := float64(pos)
	scale := weight / P
	total, gain, loss := 0.0, 0.0, 0.0 // over the positives so far, ascending
	t, f := float64(pos), float64(neg)
	c.influences(s.room, s.parts, func(rows sortedRows) {
		for from := 0; from < len(rows.keys); {
			to, in := rows.run(from)
			n, m := float64(in), t+f
			total += float64(n * (t / m))
			gain += float64(n * (f / m / m))
			loss += float64(n * (t / m / m))
			rows.influence(from, to, [2]float64{-scale * loss, scale * (t/m + gain)})
			t -= n
			f -= float64(to-from) - n
			from = to
		}
	})
	value := math.Min(1, total/P)
	s.value += float64(weight * value)
	s.least += float64(weight * weight / (P * P)) // one positive's own term
	if pos < 2 || neg < 1 {
		s.few = "need at least 2 rows of the class and 1 other for an interval"
	}
	s.centre(c, [2]float64{0, scale * value})
	return ""
}
