package web

import (
	"cmp"
	"slices"

	"proctor/harness/report"
)

// flipsView is the table of who was right, with counts and shares.
type flipsView struct {
	N                                            string
	BothRight, BothRightShare, Broke, BrokeShare string
	Fixed, FixedShare, BothWrong, BothWrongShare string
	Otherwise, Churn, P, NFR, PFR, BTC, BEC      string
	BaselineRight, CandidateRight                string
	BrokeWidth, BrokeX, FixedWidth               string // the drawing of broke against fixed
}

func flips(f report.Flips) *flipsView {
	v := &flipsView{
		N: count(f.N), BothRight: count(f.BothRight), Broke: count(f.Broke), Fixed: count(f.Fixed), BothWrong: count(f.BothWrong),
		BothRightShare: share(f.BothRight, f.N), BrokeShare: share(f.Broke, f.N), FixedShare: share(f.Fixed, f.N), BothWrongShare: share(f.BothWrong, f.N),
		Otherwise: count(f.WrongOtherwise), Churn: percent.write(f.Churn.Value), P: tiny(f.P, f.Log10P),
		NFR: percent.write(f.NFR.Value), PFR: percent.write(f.PFR.Value), BTC: percent.write(f.BTC.Value), BEC: percent.write(f.BEC.Value),
		BaselineRight: share(f.BothRight+f.Broke, f.N), CandidateRight: share(f.BothRight+f.Fixed, f.N),
	}
	most := float64(max(f.Broke, f.Fixed, 1))
	b, x := 240*float64(max(f.Broke, 0))/most, 240*float64(max(f.Fixed, 0))/most // the drawing has its middle at 300
	v.BrokeWidth, v.BrokeX, v.FixedWidth = at(b), at(300-b), at(x)
	return v
}

// sliceTable holds the slices in order of harm: first those whose interval leaves
// the least room for no harm. A small slice with a wild estimate so stands behind
// a large one that is certainly worse.
type sliceTable struct {
	Covered, Pooled        []sliceView
	Scale                  string // what the ends of the bars stand for, without sign
	Worse, Better, Unclear int
	ByChance               string
}

type sliceView struct {
	Dimension, Value    string
	N, Broke, Fixed     string
	Baseline, Candidate string
	Change, Interval, P string
	Direction           direction
	Bar                 bar
	Note                string
	rows                int64
	most                float64 // upper end of the change, in pp
}

// firstSlices is how many slices stand on the page unfolded.
const firstSlices = 12

// First and More part the covered slices: the worst stand unfolded.
func (t sliceTable) First() []sliceView { return t.Covered[:min(firstSlices, len(t.Covered))] }
func (t sliceTable) More() []sliceView  { return t.Covered[min(firstSlices, len(t.Covered)):] }

func slicesOf(r *report.Report) sliceTable {
	var t sliceTable
	scale := scaleOf(r.Slices)
	for _, s := range r.Slices {
		v := newSliceView(s, scale)
		if !s.Covered {
			t.Pooled = append(t.Pooled, v)
			continue
		}
		t.Covered = append(t.Covered, v)
		switch v.Direction {
		case worse:
			t.Worse++
		case better:
			t.Better++
		default:
			t.Unclear++
		}
	}
	t.Scale = trim(scale)
	t.ByChance = byChance(r.Slices)
	for _, list := range [][]sliceView{t.Covered, t.Pooled} {
		slices.SortStableFunc(list, func(a, b sliceView) int { return cmp.Compare(a.most, b.most) })
	}
	return t
}

func newSliceView(s report.Slice, scale float64) sliceView {
	f, e := s.Flips, s.Flips.Change
	v := sliceView{
		Dimension: s.Dimension, Value: s.Value, N: count(f.N), Broke: count(f.Broke), Fixed: count(f.Fixed),
		Baseline: share(f.BothRight+f.Broke, f.N), Candidate: share(f.BothRight+f.Fixed, f.N),
		Change: points.signed(e.Value), Interval: points.interval(e.Low, e.High), P: probability(f.P),
		Direction: directionOf(e, true), Bar: newBar(e, true, scale), Note: notes(e), rows: f.N, most: 200,
	}
	if finite(e.High) {
		v.most = 100 * *e.High
	}
	return v
}

// byChance says how many intervals of that many leave out zero where nothing changed.
func byChance(list []report.Slice) string {
	for _, s := range list {
		if c := s.Flips.Change.Confidence; s.Covered && c > 0 && c < 1 {
			return level(1 - c)
		}
	}
	return ""
}

// testTable holds the behavioural tests by suite, those that got worse first.
type testTable struct {
	Suites                 []suiteView
	Worse, Better, Unclear int
	First                  bool // no baseline
}

type suiteView struct {
	Name  string
	Tests []testView
}

type testView struct {
	Suite, Name, Capability, Kind string
	Critical                      bool
	Cases, NotApplicable          string
	Old, New, Broke, Fixed        string
	Change, Interval, P           string
	Direction                     direction
	Note                          string
	cases                         int64
}

// All lists the tests of all suites.
func (t testTable) All() (all []testView) {
	for _, s := range t.Suites {
		all = append(all, s.Tests...)
	}
	return all
}

func tests(r *report.Report) testTable {
	t := testTable{First: r.Baseline == nil}
	for _, x := range r.Tests {
		if len(t.Suites) == 0 || t.Suites[len(t.Suites)-1].Name != x.Suite {
			t.Suites = append(t.Suites, suiteView{Name: x.Suite})
		}
		v := newTestView(x, t.First)
		switch v.Direction {
		case worse:
			t.Worse++
		case better:
			t.Better++
		default:
			t.Unclear++
		}
		s := &t.Suites[len(t.Suites)-1]
		s.Tests = append(s.Tests, v)
	}
	for _, s := range t.Suites {
		slices.SortStableFunc(s.Tests, func(a, b testView) int { return cmp.Compare(rank(a.Direction), rank(b.Direction)) })
	}
	return t
}

func newTestView(x report.Test, first bool) testView {
	n := x.Cases - x.NotApplicable
	v := testView{
		Suite: x.Suite, Name: x.Name, Capability: x.Capability, Kind: x.Kind, Critical: x.Critical,
		Cases: count(n), NotApplicable: count(x.NotApplicable), cases: n,
		New: share(x.CandidateFailed, n),
		Old: none, Change: none, Broke: none, Fixed: none, P: none, Direction: unclear,
	}
	if first {
		return v
	}
	v.Old, v.Broke, v.Fixed, v.P = share(x.BaselineFailed, n), count(x.Broke), count(x.Fixed), probability(x.P)
	v.Note = notes(x.Change)
	v.Direction = directionOf(x.Change, false) // of the share of cases that fail
	v.Change, v.Interval = points.signed(x.Change.Value), points.interval(x.Change.Low, x.Change.High)
	return v
}

// brokeView groups the rows that broke by what was answered.
type brokeView struct {
	Total, Listed string
	Cut           bool
	Groups        []brokeGroup
}

type brokeGroup struct {
	Answer, Baseline, Candidate string
	N                           string
	Rows                        []string
	n                           int
}

func broke(r *report.Report) brokeView {
	v := brokeView{Total: count(r.Shown), Listed: count(int64(len(r.BrokeRows))), Cut: int64(len(r.BrokeRows)) < r.Shown}
	for _, row := range r.BrokeRows {
		i := slices.IndexFunc(v.Groups, func(g brokeGroup) bool {
			return g.Answer == row.Answer && g.Baseline == row.Baseline && g.Candidate == row.Candidate
		})
		if i < 0 {
			i = len(v.Groups)
			v.Groups = append(v.Groups, brokeGroup{Answer: row.Answer, Baseline: row.Baseline, Candidate: row.Candidate})
		}
		g := &v.Groups[i]
		g.n++
		g.N = count(int64(g.n))
		g.Rows = append(g.Rows, trim(float64(row.Row+1))) // as rows are asked for, from 1
	}
	slices.SortStableFunc(v.Groups, func(a, b brokeGroup) int { return cmp.Compare(b.n, a.n) })
	return v
}
