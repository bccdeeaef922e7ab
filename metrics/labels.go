package metrics

import (
	"slices"
)

// A labelCell counts the rows of one true class with one answer of each model, -1
// being none of the classes.
type labelCell struct {
	truth, baseline, candidate int32
	n                          int64
}

// A labelTable is the cells that have rows, in the order of [labelCell.compare]. All
// that metrics of labels need is in it, in whole numbers.
type labelTable []labelCell

// denseCells is up to how many cells are counted in an array, and not by sorting rows.
const denseCells = 1 << 16

// countLabels counts the rows of a pair. A nil baseline is a model alone.
func countLabels(classes int, truth, baseline, candidate []int32) labelTable {
	if baseline == nil {
		baseline = candidate
	}
	side := uint64(classes + 1)
	key := func(i int) uint64 { // in the order of the cells
		return (uint64(truth[i])*side+uint64(baseline[i]+1))*side + uint64(candidate[i]+1)
	}
	var t labelTable
	add := func(key uint64, n int64) {
		t = append(t, labelCell{int32(key / side / side), int32(key/side%side) - 1, int32(key%side) - 1, n})
	}
	if all := uint64(classes) * side * side; classes < 1<<8 && all <= denseCells {
		counts := make([]int64, all)
		for i := range truth {
			counts[key(i)]++
		}
		for k, n := range counts {
			if n > 0 {
				add(uint64(k), n)
			}
		}
		return t
	}
	keys := make([]uint64, len(truth))
	for i := range keys {
		keys[i] = key(i)
	}
	slices.Sort(keys)
	for from, to := 0, 0; from < len(keys); from = to {
		for to = from; to < len(keys) && keys[to] == keys[from]; to++ {
		}
		add(keys[from], int64(to-from))
	}
	return t
}

func (c labelCell) compare(d labelCell) int {
	return slices.Compare([]int32{c.truth, c.baseline, c.candidate}, []int32{d.truth, d.baseline, d.candidate})
}

// join returns the rows of both.
func (t labelTable) join(u labelTable) labelTable {
	out := make(labelTable, 0, len(t)+len(u))
	for len(t) > 0 && len(u) > 0 {
		switch order := t[0].compare(u[0]); {
		case order < 0:
			out, t = append(out, t[0]), t[1:]
		case order > 0:
			out, u = append(out, u[0]), u[1:]
		default:
			c := t[0]
			c.n += u[0].n
			out, t, u = append(out, c), t[1:], u[1:]
		}
	}
	return append(append(out, t...), u...)
}

// cells counts the rows of some of the classes by who was right; nil: all.
func (t labelTable) cells(of func(class int32) bool) Cells {
	var c Cells
	for _, x := range t {
		if of != nil && !of(x.truth) {
			continue
		}
		var one Cells
		one.count(x.baseline == x.truth, x.candidate == x.truth, x.baseline == x.candidate)
		c = c.Add(one.times(x.n))
	}
	return c
}

func (c Cells) times(n int64) Cells {
	return Cells{n * c.BothRight, n * c.Broke, n * c.Fixed, n * c.SameWrong, n * c.OtherWrong}
}

// An answerCell counts rows of one true class with one answer.
type answerCell struct {
	truth, said int32
	n           int64
}

// oneModel is what one model said: cells in the order of the table, some of them of
// the same class and answer.
type oneModel struct {
	classes  []string
	positive int
	rows     int64
	cells    []answerCell
}

func (t *Tally) model(baseline bool) oneModel {
	m := oneModel{classes: t.classes, positive: t.positive, rows: t.N()}
	for _, c := range t.labels {
		said := c.candidate
		if baseline {
			said = c.baseline
		}
		m.cells = append(m.cells, answerCell{c.truth, said, c.n})
	}
	return m
}

// A labelScore is a score with the influence of a row of class truth that was
// answered said: the value moves by their sum when rows come in again, so the
// variance of the value is the sum of their squares, and that of a change the sum of
// the squares of their differences, row by row.
type labelScore struct {
	score
	influence func(truth, said int32) float64
	extra     float64 // added to the variance: one row more in each discordant cell
}

// onLabels reads a metric of labels: the variances are those of the delta method.
func (t *Tally) onLabels(of func(oneModel) labelScore) reading {
	c := of(t.model(false))
	if t.alone {
		c.variance = c.extra + t.squares(nil, c.influence)
		return reading{candidate: c.score}
	}
	b := of(t.model(true))
	b.variance, c.variance = b.extra+t.squares(b.influence, nil), c.extra+t.squares(nil, c.influence)
	return reading{baseline: b.score, candidate: c.score, variance: max(b.extra, c.extra) + t.squares(b.influence, c.influence)}
}

// squares is the sum over rows of the squared difference of the models' influences,
// or of those of one where the other is nil.
func (t *Tally) squares(baseline, candidate func(truth, said int32) float64) float64 {
	s := 0.0
	for _, x := range t.labels {
		d := 0.0
		if candidate != nil {
			d = candidate(x.truth, x.candidate)
		}
		if baseline != nil {
			d -= baseline(x.truth, x.baseline)
		}
		s += float64(float64(x.n) * float64(d*d))
	}
	return s
}
