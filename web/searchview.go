package web

import (
	"strings"

	"proctor/harness/report"
)

// searchView shows what a search found, and how far it looked. It is marked as
// found by search: nothing here is a claim.
type searchView struct {
	Sentence, Method, Cut string
	Features              string
	MinRows, Tested       string
	Own, Others           []foundView // worse, by rows of their own and by rows of those; all where none is worse
	Shown                 bool
	Level                 string
}

type foundView struct {
	Sentence            string
	Conditions          []conditionView
	N, Broke, Fixed     string
	Change, Interval, P string
	Direction           direction
	Bar                 bar
}

type conditionView struct{ Text, Adds string }

func newSearchView(s *report.Search) *searchView {
	if s == nil {
		return nil
	}
	v := &searchView{
		Sentence: s.Sentence, Method: s.Method, Cut: s.Cut, Features: strings.Join(s.Features, ", "),
		MinRows: count(s.MinRows), Tested: count(s.Tested), Shown: s.Shown > 0, Level: level(s.Confidence),
	}
	scale := foundScale(s.Slices)
	for _, x := range s.Slices {
		switch {
		case x.Shown && x.Within < 0:
			v.Own = append(v.Own, newFoundView(x, scale))
		case x.Shown == v.Shown: // with something shown, chance is left out
			v.Others = append(v.Others, newFoundView(x, scale))
		}
	}
	return v
}

func newFoundView(x report.FoundSlice, scale float64) foundView {
	v := foundView{
		Sentence: x.Sentence, N: count(x.N), Broke: count(x.Broke), Fixed: count(x.Fixed), Change: points.signed(x.Change.Value),
		Interval: points.interval(x.Change.Low, x.Change.High), P: probability(x.Adjusted), Direction: unclear, Bar: newBar(x.Change, true, scale),
	}
	if x.Shown {
		v.Direction = worse
	}
	for _, c := range x.Conditions {
		v.Conditions = append(v.Conditions, conditionView{c.Feature + " is " + c.Value, points.signed(c.Adds)})
	}
	return v
}

// foundScale is the end of the axis for found slices.
func foundScale(list []report.FoundSlice) float64 {
	all := make([]report.Slice, len(list))
	for i, x := range list {
		all[i] = report.Slice{Flips: report.Flips{Change: x.Change}, Covered: true}
	}
	return scaleOf(all)
}
