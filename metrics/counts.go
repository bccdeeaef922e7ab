package metrics

import "fmt"

const methodDelta = "delta method, one row added to each discordant cell"

// A tally counts the rows of one class: those that are of it, those predicted to
// be, and those that are both.
type tally struct{ right, truth, said int64 }

func (v view) tallies() []tally {
	t := make([]tally, len(v.classes))
	for i, y := range v.answers {
		h := v.labels[i]
		t[y].truth++
		if h >= 0 {
			t[h].said++
		}
		if h == y {
			t[y].right++
		}
	}
	return t
}

func (v view) accuracy() score {
	right := countCells(v.correct, v.correct, v.correct, len(v.answers)).BothRight
	return shareScore(right, int64(len(v.answers)), "no rows")
}

func (v view) balancedAccuracy() score {
	var in []int
	var warnings []string
	for k, t := range v.tallies() {
		if t.truth > 0 {
			in = append(in, k)
		} else {
			warnings = append(warnings, fmt.Sprintf("class %q has no rows and is left out of the mean", v.classes[k]))
		}
	}
	if len(in) == 0 {
		return noScore("no rows")
	}
	s := v.mean(in, recallOf)
	s.warnings = append(warnings, s.warnings...)
	return s
}

func (v view) precision() score {
	if v.positive < 0 {
		return v.macro(precisionOf)
	}
	t := v.tallies()[v.positive]
	s := shareScore(t.right, t.said, "no row is predicted to be of the positive class")
	if s.undefined == "" {
		s.addRatio(v, precisionOf)
	}
	return s
}

func (v view) recall() score {
	if v.positive < 0 {
		return v.macro(recallOf)
	}
	t := v.tallies()[v.positive]
	return shareScore(t.right, t.truth, "no row is of the positive class")
}

func (v view) f1() score {
	if v.positive < 0 {
		return v.macro(f1Of)
	}
	if t := v.tallies()[v.positive]; t.truth+t.said == 0 {
		return noScore("no row is of the positive class or predicted to be")
	}
	return v.mean([]int{v.positive}, f1Of)
}

// addRatio gives an exact share the influences that its change needs.
func (s *score) addRatio(v view, r ratio) {
	m := v.mean([]int{v.positive}, r)
	s.parts, s.extra = m.parts, m.extra
}

func (v view) macro(r ratio) score {
	if len(v.answers) == 0 {
		return noScore("no rows")
	}
	all := make([]int, len(v.classes))
	for k := range all {
		all[k] = k
	}
	return v.mean(all, r)
}

// A ratio is num(t)/den(t) with small whole factors, told by what one row adds:
// right to num and den when right, truth or said to den when wrong.
type ratio struct {
	name              string
	right             float64 // of num, for a right row
	truth, said, both float64 // of den, for a row of the class, predicted to be, and both
}

var (
	precisionOf = ratio{name: "precision", right: 1, said: 1, both: 1}
	recallOf    = ratio{name: "recall", right: 1, truth: 1, both: 1}
	f1Of        = ratio{name: "f1", right: 2, truth: 1, said: 1, both: 2}
)

func (r ratio) den(t tally) float64 { return r.truth*float64(t.truth) + r.said*float64(t.said) }

// An effect is what a row adds to the influences of a class's ratio.
type effect struct{ right, truth, said float64 }

// mean is the mean of a ratio over classes, by the delta method: a row that adds
// a to num and b to den of a ratio R = num/den has the influence (a - R b)/den.
// To the variance comes that of one row turned right and one turned wrong in each
// class, so that few rows or equal models never look certain; for accuracy this is
// Bonett and Price's variance.
func (v view) mean(classes []int, r ratio) score {
	s := score{n: int64(len(v.answers)), method: methodDelta}
	effects := make([]effect, len(v.classes))
	tallies, w := v.tallies(), 1/float64(len(classes))
	for _, k := range classes {
		t := tallies[k]
		den := r.den(t)
		if den == 0 {
			s.warnings = append(s.warnings, fmt.Sprintf("%s of class %q is 0/0 and counts as 0", r.name, v.classes[k]))
			den = 1 // with influence on the added rows only
		} else {
			R := r.right * float64(t.right) / den
			s.value += float64(w * R)
			effects[k] = effect{w * (r.right - R*r.both) / den, -w * R * r.truth / den, -w * R * r.said / den}
		}
		unit := w * r.right / den
		s.extra += float64(2 * unit * unit)
	}
	s.parts = v.influences(effects)
	return s
}

func (v view) influences(effects []effect) []float64 {
	parts := make([]float64, len(v.answers))
	for i, y := range v.answers {
		h := v.labels[i]
		switch {
		case h == y:
			parts[i] = effects[y].right
		case h < 0:
			parts[i] = effects[y].truth
		default:
			parts[i] = effects[y].truth + effects[h].said
		}
	}
	return parts
}
