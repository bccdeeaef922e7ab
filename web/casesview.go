package web

import (
	"proctor/harness"
	"proctor/harness/report"
	"proctor/regress"
)

// casesPage lists the cases of a run's suites. They are no secret of the sealed set:
// suites are given away whole.
type casesPage struct {
	Page                 page
	Run, Back, Candidate string
	Baseline             string // "": nothing was compared
	Digest               string // of the report that names these outcomes
	Query                caseQuery
	Tests                []testChoice
	Chips                []chip
	Cells                *caseCells // nil: nothing was compared
	Cases                []caseView
	Shown                string // "26 to 50 of 60 filtered (900 in all)"
	Before, After, CSV   string // addresses; "": none
}

type testChoice struct {
	Name     string
	Selected bool
}

// A chip is a filter with how many cases it would leave.
type chip struct {
	Name, N, Link string
	On            bool
}

// caseCells is the table of who passed, each count a filter.
type caseCells struct{ Right, Broke, Fixed, Wrong, BrokeLink, FixedLink, WrongLink string }

type caseView struct {
	ID, Suite, Kind, Capability, Asks string
	State                             string
	Trend                             direction
	Critical, Different, Errored      bool
	Examples                          []exampleView
	Values                            []valueView // of the first example, all columns
}

// An exampleView is one row that both models were asked.
type exampleView struct {
	Name                string
	Changes             []changeOf // against the first
	Baseline, Candidate string
	Differ              bool
}

type changeOf struct {
	Column string
	Pieces []piece
}

type valueView struct{ Column, Value string }

func newCasesPage(p page, id string, v harness.CasesView, q caseQuery) casesPage {
	at := runAddress(id)
	all := selected(v, q)
	out := casesPage{Page: p, Run: id, Back: at, Candidate: v.Report.Candidate.Name, Digest: v.Digest, Query: q, CSV: q.address(at, ".csv")}
	if v.Report.Baseline != nil {
		out.Baseline = v.Report.Baseline.Name
	}
	for _, s := range v.Suites {
		for i := range s.Tests {
			name := s.Name + "/" + s.Tests[i].Name
			out.Tests = append(out.Tests, testChoice{name, name == q.Test})
		}
	}
	out.Chips = chips(at, q, all, out.Baseline != "")
	out.Cells = cells(at, q, all, out.Baseline != "")
	list := filtered(all, q.Show)
	from := min((q.Page-1)*casesPerPage, len(list))
	to := min(from+casesPerPage, len(list))
	for _, c := range list[from:to] {
		out.Cases = append(out.Cases, newCaseView(v, c))
	}
	out.Shown = shownOf(from, to, len(list), len(all))
	if q.Page > 1 {
		before := q
		before.Page--
		out.Before = before.address(at, "")
	}
	if to < len(list) {
		after := q
		after.Page++
		out.After = after.address(at, "")
	}
	return out
}

func filtered(all []caseRef, show string) (out []caseRef) {
	for _, c := range all {
		if c.matches(show) {
			out = append(out, c)
		}
	}
	return out
}

func shownOf(from, to, filtered, all int) string {
	if filtered == 0 {
		return "No case of " + count(int64(all)) + " is left."
	}
	return count(int64(from+1)) + " to " + count(int64(to)) + " of " + count(int64(filtered)) + " filtered (" + count(int64(all)) + " in all)"
}

func chips(at string, q caseQuery, all []caseRef, compared bool) (out []chip) {
	for _, f := range filters {
		if !compared && (f.key == caseBroke || f.key == caseFixed || f.key == "different") {
			continue
		}
		to := caseQuery{Test: q.Test, Show: f.key, Search: q.Search}
		name := f.name
		if !compared && f.key == caseWrong {
			name = "Failed"
		}
		out = append(out, chip{name, count(int64(len(filtered(all, f.key)))), to.address(at, ""), f.key == q.Show})
	}
	return out
}

func cells(at string, q caseQuery, all []caseRef, compared bool) *caseCells {
	if !compared {
		return nil
	}
	n := func(state string) string { return count(int64(len(filtered(all, state)))) }
	link := func(state string) string {
		return caseQuery{Test: q.Test, Show: state, Search: q.Search}.address(at, "")
	}
	return &caseCells{n(caseRight), n(caseBroke), n(caseFixed), n(caseWrong), link(caseBroke), link(caseFixed), link(caseWrong)}
}

var stateWords = map[string]struct {
	word  string
	trend direction
}{caseBroke: {"broke", worse}, caseFixed: {"fixed", better}, caseWrong: {"both wrong", unclear}, caseRight: {"both right", unclear}, caseAbsent: {"not applicable", unclear}}

func newCaseView(v harness.CasesView, c caseRef) caseView {
	s := v.Suites[c.suite]
	t, o := &s.Tests[c.test], v.Cases.Suites[c.suite].Tests[c.test]
	words := stateWords[c.state]
	out := caseView{
		ID: t.CaseID(c.n), Suite: s.Name, Kind: string(t.Kind), Capability: t.Capability, Critical: t.Critical, Asks: asks(t, c.n),
		State: words.word, Trend: words.trend, Different: c.different, Errored: c.errored,
	}
	if v.Report.Baseline == nil {
		out.State = map[string]string{caseWrong: "failed", caseRight: "passed"}[c.state]
		if out.State == "" {
			out.State = words.word
		}
	}
	for k := range examplesOf(t, c.n) {
		out.Examples = append(out.Examples, newExampleView(v.Cases.Classes, t, o, c.at, k))
	}
	for _, col := range t.Examples.Columns() {
		out.Values = append(out.Values, valueView{col.Name, valueAt(col, c.at)})
	}
	return out
}

func newExampleView(classes []string, t *regress.Test, o report.TestCases, at, k int) exampleView {
	x := exampleView{Name: "as it is", Candidate: className(classes, o.After[at+k])}
	if o.Before != nil {
		x.Baseline, x.Differ = className(classes, o.Before[at+k]), o.Before[at+k] != o.After[at+k]
	}
	if k == 0 {
		return x
	}
	x.Name = "changed"
	for _, col := range t.Examples.Columns() {
		from, to := valueAt(col, at), valueAt(col, at+k)
		if from != to {
			x.Changes = append(x.Changes, changeOf{col.Name, wordDiff(from, to)})
		}
	}
	return x
}

func className(classes []string, i int32) string {
	if i < 0 || int(i) >= len(classes) {
		return "none of the classes"
	}
	return classes[i]
}

// asks says what a case demands of a model.
func asks(t *regress.Test, i int) string {
	switch t.Kind {
	case regress.INV:
		return "The answer stays what it is when the example changes."
	case regress.DIR:
		verb := "fall"
		if t.Expect == regress.NotIncrease {
			verb = "rise"
		}
		return "The probability of " + t.Class + " does not " + verb + " when the example changes."
	case regress.Trigger:
		return "The change does not turn the answer to " + t.Target + "."
	case regress.Stress:
		return "It is answered with one of the classes."
	}
	if i < len(t.Expected) && t.Expected[i] != "" {
		return "The answer is " + t.Expected[i] + "."
	}
	if i < len(t.Forbidden) {
		return "The answer is anything but " + t.Forbidden[i] + "."
	}
	return ""
}
