package web

import (
	"math"
	"testing"

	"proctor/harness/report"
)

// Whatever a report says, drawings stay in their frame and tables have a cell a class.
func TestCurvesView(t *testing.T) {
	r := poisoned()
	v := newCurvesView(r)
	if len(v.Candidate.Dots) != 10 || v.Baseline == nil || v.Before == "" || v.Of != ">50K" {
		t.Fatalf("%+v", v)
	}
	if p := v.Candidate.Dots[0]; p.X != "51.5" || p.Y != "249.8" {
		t.Errorf("the first bin is at %s, %s", p.X, p.Y)
	}
	c := v.Confusion.Rows[1].Cells
	if c[0].Change != "+104" || c[0].Tone != "bad-2" || c[1].Change != "−104" || c[1].Tone != "bad-2" || !c[1].Right || len(v.Confusion.Columns) != 2 {
		t.Errorf("%+v", c)
	}
	if c := v.Confusion.Rows[0].Cells; c[0].Tone != "good-2" || c[1].Tone != "good-2" {
		t.Errorf("%+v", c)
	}
	r.Curves.Confusion.Candidate[0][2] = 4
	if v = newCurvesView(r); len(v.Confusion.Columns) != 3 {
		t.Errorf("answers that are no class are not shown: %q", v.Confusion.Columns)
	}
	for _, bad := range []report.Confusion{{Classes: []string{"a"}}, {Classes: []string{"a"}, Candidate: [][]int64{{1}}}, {Candidate: [][]int64{{1, 2}}}, {Classes: []string{"a"}, Candidate: [][]int64{{1, 0}}, Baseline: [][]int64{}}} {
		r.Curves.Confusion = bad
		if v := newCurvesView(r); v.Confusion.Rows != nil {
			t.Errorf("%+v is drawn", bad)
		}
	}
	for _, x := range []float64{-7, 7, math.NaN(), math.Inf(1)} {
		v := curve([]report.ReliabilityBin{{Score: x, Right: x}})
		if p := v.Dots[0]; p.X != "40" && p.X != "280" || p.Y != "260" && p.Y != "20" {
			t.Errorf("%v is drawn at %s, %s", x, p.X, p.Y)
		}
	}
	r.Curves.Scores.After = []int64{1, 2}
	if v := newCurvesView(r); v.After != "" {
		t.Error("two bins are drawn as twenty")
	}
}

// With many classes the last name stands for the others.
func TestConfusionOfManyClasses(t *testing.T) {
	v := newConfusionView(report.Confusion{Classes: []string{"a", ""}, Others: 30, Candidate: [][]int64{{3, 1, 0}, {2, 9, 0}}})
	if v.Columns[1] != "30 other classes" || v.Rows[1].Class != "30 other classes" || v.Changed || v.Rows[0].Cells[0].After != "3" {
		t.Errorf("%+v", v)
	}
}
