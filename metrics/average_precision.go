package metrics

import (
	"fmt"
	"math"
)

// averagePrecision is that of the positive class, or the mean of those of all
// classes.
func (v view) averagePrecision() score {
	return v.oneVsRest("influence function", view.addPrecision)
}

func (v view) addPrecision(s *score, k int, weight float64) string {
	order := v.ascending(k)
	pos, neg := sides(order)
	if pos == 0 {
		return fmt.Sprintf("no row is of class %q", v.classes[k])
	}
	s.addPrecisions(order, weight, pos, neg)
	return ""
}

// addPrecisions adds the average precision of sorted rows, times weight, with
// their influences. It is U/P, the mean over positives of the precision t/m among
// the m rows that score at least as high, of which t are positive. A row more
// counts among those of every positive that scores no higher: there a positive
// adds (m-t)/m^2 and another takes t/m^2 off. A positive adds its own term too,
// and one to P. With a few hundred rows the value is skewed: limits at level .1
// miss a change for the worse in .13 of samples.
func (s *score) addPrecisions(order []scored, weight float64, pos, neg int64) {
	P := float64(pos)
	total := 0.0
	ties(order, func(_ []scored, below, at [2]int64) {
		if at[1] > 0 {
			t := float64(pos - below[1])
			total += float64(float64(at[1]) * (t / (t + float64(neg-below[0]))))
		}
	})
	value := math.Min(1, total/P)
	s.value += float64(weight * value)
	s.least += float64(weight * weight / (P * P)) // one positive's own term
	if pos < 2 || neg < 1 {
		s.few = "need at least 2 rows of the class and 1 other for an interval"
		return
	}
	gain, loss := 0.0, 0.0 // summed over the positives so far, ascending
	ties(order, func(rows []scored, below, at [2]int64) {
		t := float64(pos - below[1])
		m := t + float64(neg-below[0])
		if at[1] > 0 {
			gain += float64(float64(at[1]) * ((m - t) / m / m))
			loss += float64(float64(at[1]) * (t / m / m))
		}
		part := [2]float64{float64(-weight * loss / P), float64(weight * (t/m + gain - value) / P)}
		for _, r := range rows {
			s.parts[r.row] += part[r.key&1]
		}
	})
}
