package metrics

import "fmt"

const methodDelta = "delta method, one row added to each discordant cell"

// classCounts count the rows of one class: those that are of it, those predicted to
// be, and those that are both.
type classCounts struct{ right, truth, said int64 }

func (m oneModel) byClass() []classCounts {
	t := make([]classCounts, len(m.classes))
	for _, x := range m.cells {
		t[x.truth].truth += x.n
		if x.said >= 0 {
			t[x.said].said += x.n
		}
		if x.said == x.truth {
			t[x.truth].right += x.n
		}
	}
	return t
}

// accuracy is read from the cells alone.
func (t *Tally) accuracy() reading {
	r := reading{candidate: shareScore(t.cells.BothRight+t.cells.Fixed, t.N(), noRows), cells: &t.cells}
	if !t.alone {
		r.baseline = shareScore(t.cells.BothRight+t.cells.Broke, t.N(), noRows)
	}
	return r
}

func (t *Tally) balancedAccuracy() reading { return t.onLabels(oneModel.balancedAccuracy) }
func (t *Tally) precision() reading        { return t.onLabels(oneModel.precision) }
func (t *Tally) f1() reading               { return t.onLabels(oneModel.f1) }

// recall of the positive class is accuracy on its rows.
func (t *Tally) recall() reading {
	r := t.onLabels(oneModel.recall)
	if t.positive >= 0 {
		c := t.labels.cells(func(class int32) bool { return int(class) == t.positive })
		r.cells = &c
	}
	return r
}

func (m oneModel) balancedAccuracy() labelScore {
	var in []int
	var warnings []string
	for k, t := range m.byClass() {
		if t.truth > 0 {
			in = append(in, k)
		} else {
			warnings = append(warnings, fmt.Sprintf("class %q has no rows and is left out of the mean", m.classes[k]))
		}
	}
	if len(in) == 0 {
		return labelScore{score: noScore(noRows)}
	}
	s := m.mean(in, recallOf)
	s.warnings = append(warnings, s.warnings...)
	return s
}

func (m oneModel) precision() labelScore {
	if m.positive < 0 {
		return m.macro(precisionOf)
	}
	t := m.byClass()[m.positive]
	s := labelScore{score: shareScore(t.right, t.said, "no row is predicted to be of the positive class")}
	if s.undefined == "" { // an exact share, whose change needs influences
		ratio := m.mean([]int{m.positive}, precisionOf)
		s.influence, s.extra = ratio.influence, ratio.extra
	}
	return s
}

func (m oneModel) recall() labelScore {
	if m.positive < 0 {
		return m.macro(recallOf)
	}
	t := m.byClass()[m.positive]
	return labelScore{score: shareScore(t.right, t.truth, "no row is of the positive class")}
}

func (m oneModel) f1() labelScore {
	if m.positive < 0 {
		return m.macro(f1Of)
	}
	if t := m.byClass()[m.positive]; t.truth+t.said == 0 {
		return labelScore{score: noScore("no row is of the positive class or predicted to be")}
	}
	return m.mean([]int{m.positive}, f1Of)
}

func (m oneModel) macro(r ratio) labelScore {
	if m.rows == 0 {
		return labelScore{score: noScore(noRows)}
	}
	all := make([]int, len(m.classes))
	for k := range all {
		all[k] = k
	}
	return m.mean(all, r)
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

func (r ratio) den(t classCounts) float64 {
	return float64(r.truth*float64(t.truth)) + float64(r.said*float64(t.said))
}

// An effect is what a row adds to the influences of a class's ratio.
type effect struct{ right, truth, said float64 }

// mean is the mean of a ratio over classes, by the delta method: a row that adds
// a to num and b to den of a ratio R = num/den has the influence (a - R b)/den.
// To the variance comes that of one row turned right and one turned wrong in each
// class, so that few rows or equal models never look certain; for accuracy this is
// Bonett and Price's variance.
func (m oneModel) mean(classes []int, r ratio) labelScore {
	s := labelScore{score: score{n: m.rows, method: methodDelta}}
	effects := make([]effect, len(m.classes))
	counts, w := m.byClass(), 1/float64(len(classes))
	for _, k := range classes {
		t := counts[k]
		den := r.den(t)
		if den == 0 {
			s.warnings = append(s.warnings, fmt.Sprintf("%s of class %q is 0/0 and counts as 0", r.name, m.classes[k]))
			den = 1 // with influence on the added rows only
		} else {
			R := r.right * float64(t.right) / den
			s.value += float64(w * R)
			effects[k] = effect{w * (r.right - float64(R*r.both)) / den, -w * R * r.truth / den, -w * R * r.said / den}
		}
		unit := w * r.right / den
		s.extra += float64(2 * unit * unit)
	}
	s.influence = func(truth, said int32) float64 {
		switch {
		case said == truth:
			return effects[truth].right
		case said < 0:
			return effects[truth].truth
		}
		return effects[truth].truth + effects[said].said
	}
	return s
}
