package web

import (
	"strings"

	"proctor/harness/report"
)

// curvesView is the drawings of scores and answers. Every coordinate is decided here;
// colour is never the only sign: the baseline is dashed with rings, the candidate is
// drawn through with dots.
type curvesView struct {
	Of         string // the class whose probability is drawn; "": the most probable one
	Bins       []binView
	Candidate  curveView
	Baseline   *curveView // nil: nothing to compare with
	Before     string     // outline of the baseline's scores; "": none
	After      string     // area of the candidate's
	Shares     []shiftView
	Confusion  confusionView
	ScoresMost string // the share that the top of the score drawing stands for
}

type curveView struct {
	Line string // points of a polyline
	Dots []pointView
}

type pointView struct{ X, Y, R string }

// binView is a bin in words, for those who do not see the drawing.
type binView struct{ Range, BaselineN, BaselineRight, CandidateN, CandidateRight string }

type shiftView struct{ Range, Before, After string }

// The drawings are 300 by 300 and 460 by 300 with the axes at 40 and 260.
const (
	plotLow, plotHigh = 40.0, 280.0
	plotBottom        = 260.0
	plotHeight        = 240.0
	shiftWidth        = 400.0
)

func newCurvesView(r *report.Report) *curvesView {
	c := r.Curves
	if c == nil {
		return nil
	}
	v := &curvesView{}
	if square(c.Confusion, c.Confusion.Candidate) && (c.Confusion.Baseline == nil || square(c.Confusion, c.Confusion.Baseline)) {
		v.Confusion = newConfusionView(c.Confusion)
	}
	if c.Scores == nil {
		return v
	}
	s := c.Scores
	v.Of = s.Of
	v.Candidate = curve(s.Candidate)
	if s.Baseline != nil {
		b := curve(s.Baseline)
		v.Baseline = &b
	}
	v.Bins = binViews(s)
	v.shift(s)
	return v
}

func curve(bins []report.ReliabilityBin) curveView {
	var v curveView
	var line []string
	n := int64(0)
	for _, b := range bins {
		n += b.N
	}
	for _, b := range bins {
		x, y := plotLow+(plotHigh-plotLow)*unitOnly(b.Score), plotBottom-plotHeight*unitOnly(b.Right)
		radius := 2.5
		if n > 0 {
			radius = 2.5 + 5*float64(b.N)/float64(n)
		}
		v.Dots = append(v.Dots, pointView{at(x), at(y), at(radius)})
		line = append(line, at(x)+","+at(y))
	}
	v.Line = strings.Join(line, " ")
	return v
}

// unitOnly holds a number in [0, 1]: a report from elsewhere draws inside its frame.
func unitOnly(x float64) float64 {
	if !finite(&x) {
		return 0
	}
	return max(0, min(1, x))
}

func binViews(s *report.Scores) []binView {
	out := make([]binView, report.ReliabilityBins)
	fill := func(bins []report.ReliabilityBin, set func(v *binView, n, right string)) {
		for _, b := range bins {
			k := min(int(unitOnly(b.Score)*report.ReliabilityBins), report.ReliabilityBins-1)
			set(&out[k], count(b.N), percent.write(&b.Right))
		}
	}
	for i := range out {
		out[i] = binView{tenths(i, report.ReliabilityBins), none, none, none, none}
	}
	fill(s.Baseline, func(v *binView, n, right string) { v.BaselineN, v.BaselineRight = n, right })
	fill(s.Candidate, func(v *binView, n, right string) { v.CandidateN, v.CandidateRight = n, right })
	return out
}

// tenths writes the range of a bin: "0.1 to 0.2".
func tenths(i, of int) string {
	return trim(float64(i)/float64(of)) + " to " + trim(float64(i+1)/float64(of))
}

// shift draws how scores lie: shares of the rows, so that both models have one scale.
func (v *curvesView) shift(s *report.Scores) {
	before, after := shares(s.Before), shares(s.After)
	most := 0.0
	for _, list := range [][]float64{before, after} {
		for _, x := range list {
			most = max(most, x)
		}
	}
	if most == 0 || after == nil {
		return
	}
	v.ScoresMost = percent.write(&most)
	v.After = steps(after, most)
	if before != nil {
		v.Before = steps(before, most)
	}
	for i := range after {
		row := shiftView{Range: tenths(i, len(after)), Before: none, After: percent.write(&after[i])}
		if before != nil {
			row.Before = percent.write(&before[i])
		}
		v.Shares = append(v.Shares, row)
	}
}

func shares(counts []int64) []float64 {
	n := int64(0)
	for _, c := range counts {
		n += max(c, 0)
	}
	if n == 0 || len(counts) != report.ScoreBins {
		return nil
	}
	out := make([]float64, len(counts))
	for i, c := range counts {
		out[i] = float64(max(c, 0)) / float64(n)
	}
	return out
}

// steps is the outline of a histogram from the axis and back to it.
func steps(list []float64, most float64) string {
	width := shiftWidth / float64(len(list))
	var b strings.Builder
	b.WriteString("M" + at(plotLow) + " " + at(plotBottom))
	for i, x := range list {
		b.WriteString("V" + at(plotBottom-plotHeight*x/most) + "H" + at(plotLow+width*float64(i+1)))
	}
	b.WriteString("V" + at(plotBottom))
	return b.String()
}

// confusionView is where answers went: rows by right answer, columns by what was
// given, each with its change.
type confusionView struct {
	Columns []string
	Rows    []confusionRow
	Others  int // classes that stand together in the last row
	Changed bool
}

type confusionRow struct {
	Class string
	Cells []confusionCell
}

// confusionCell has a tone by how much of its row moved: good or bad, from 0 to 4.
type confusionCell struct {
	Before, After, Change string
	Tone                  string
	Right                 bool
}

// square says whether a table has a row and a column a class, and one for none.
func square(c report.Confusion, cells [][]int64) bool {
	for _, row := range cells {
		if len(row) != len(c.Classes)+1 {
			return false
		}
	}
	return len(cells) == len(c.Classes)
}

func newConfusionView(c report.Confusion) confusionView {
	v := confusionView{Others: c.Others, Changed: c.Baseline != nil}
	names := append([]string(nil), c.Classes...)
	if c.Others > 0 {
		names[len(names)-1] = plural(int64(c.Others), "other class")
		if c.Others > 1 {
			names[len(names)-1] = count(int64(c.Others)) + " other classes"
		}
	}
	none := false
	for y, row := range c.Candidate {
		none = none || row[len(row)-1] > 0 || v.Changed && c.Baseline[y][len(row)-1] > 0
	}
	v.Columns = names
	if none {
		v.Columns = append(append([]string(nil), names...), "none of them")
	}
	for y, row := range c.Candidate {
		r := confusionRow{Class: names[y]}
		for h := range v.Columns {
			var before []int64
			if v.Changed {
				before = c.Baseline[y]
			}
			r.Cells = append(r.Cells, newConfusionCell(before, row, h, h == y))
		}
		v.Rows = append(v.Rows, r)
	}
	return v
}

func newConfusionCell(before, after []int64, h int, right bool) confusionCell {
	c := confusionCell{After: count(after[h]), Right: right, Tone: "tone-0"}
	if before == nil {
		return c
	}
	d, n := after[h]-before[h], int64(0)
	for _, k := range after {
		n += k
	}
	c.Before, c.Change = count(before[h]), signedCount(d)
	if d == 0 || n == 0 {
		return c
	}
	moved := float64(max(d, -d)) / float64(n)
	step := 1
	for _, edge := range []float64{.01, .03, .1} {
		if moved >= edge {
			step++
		}
	}
	kind := "bad"
	if d > 0 == right {
		kind = "good"
	}
	c.Tone = kind + "-" + trim(float64(step))
	return c
}

func signedCount(n int64) string {
	if n > 0 {
		return "+" + count(n)
	}
	return count(n)
}
