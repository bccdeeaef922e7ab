package web

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"proctor/harness"
	"proctor/harness/report"
	"proctor/holdout/rows"
	"proctor/regress"
)

// A caseRef is one case of a run: where it lies and what came of it.
type caseRef struct {
	suite, test, n, at int // at: its first example in the test
	state              string
	different, errored bool
}

// States of a case, the worst first. Where nothing was compared a case failed or passed.
const (
	caseBroke  = "broke"
	caseWrong  = "wrong" // under both, or failed where nothing was compared
	caseFixed  = "fixed"
	caseRight  = "right"
	caseAbsent = "not-applicable"
)

var caseStates = []string{caseBroke, caseWrong, caseFixed, caseRight, caseAbsent}

// A caseQuery is what a reader asks of the cases. It is the address of the page.
type caseQuery struct {
	Test   string // "suite/test", "": all
	Show   string // a filter, "": all
	Search string
	Page   int // from 1
}

// filters are the chips in their order. "different" and "errors" may be of any state.
var filters = []struct{ key, name string }{{"", "All"}, {caseBroke, "Broken"}, {caseFixed, "Fixed"}, {caseWrong, "Both wrong"}, {"different", "Different"}, {"errors", "Errors"}}

const (
	casesPerPage = 25
	maxSearch    = 200
)

func parseCaseQuery(v url.Values) (caseQuery, error) {
	q := caseQuery{Test: v.Get("test"), Show: v.Get("show"), Search: v.Get("q"), Page: 1}
	if q.Show == "all" {
		q.Show = ""
	}
	if !slices.ContainsFunc(filters, func(f struct{ key, name string }) bool { return f.key == q.Show }) {
		return q, usage("show is one of all, broke, fixed, wrong, different and errors")
	}
	if len(q.Search) > maxSearch || !utf8.ValidString(q.Search) {
		return q, usage(fmt.Sprintf("the search takes at most %d bytes of UTF-8", maxSearch))
	}
	if p := v.Get("page"); p != "" {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 || n > 1_000_000 {
			return q, usage("page is a number from 1 on")
		}
		q.Page = n
	}
	return q, nil
}

// address is the page that a query is of; what is not said is left out.
func (q caseQuery) address(at, form string) string {
	v := url.Values{}
	for _, x := range []struct{ key, value string }{{"test", q.Test}, {"show", q.Show}, {"q", q.Search}} {
		if x.value != "" {
			v.Set(x.key, x.value)
		}
	}
	if q.Page > 1 {
		v.Set("page", strconv.Itoa(q.Page))
	}
	at += "/cases" + form
	if len(v) == 0 {
		return at
	}
	return at + "?" + v.Encode()
}

// selected are the cases of a test and a search, before the chips: each is counted on
// its chip. The worst come first.
func selected(v harness.CasesView, q caseQuery) []caseRef {
	var out []caseRef
	needle := strings.ToLower(q.Search)
	for s, suite := range v.Suites {
		for t := range suite.Tests {
			if q.Test != "" && suite.Name+"/"+suite.Tests[t].Name != q.Test {
				continue
			}
			for _, c := range casesOf(&suite.Tests[t], v.Cases.Suites[s].Tests[t]) {
				c.suite, c.test = s, t
				if needle == "" || found(&suite.Tests[t], c, needle) {
					out = append(out, c)
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b caseRef) int {
		return cmp.Compare(slices.Index(caseStates, a.state), slices.Index(caseStates, b.state))
	})
	return out
}

// casesOf lays the outcomes of a test over its cases.
func casesOf(t *regress.Test, o report.TestCases) []caseRef {
	out := make([]caseRef, len(o.Candidate))
	at := 0
	for i := range out {
		end := at + examplesOf(t, i)
		c := caseRef{n: i, at: at, state: stateOf(o, i)}
		for k := at; k < end; k++ {
			c.different = c.different || o.Before != nil && o.Before[k] != o.After[k]
			c.errored = c.errored || o.After[k] < 0
		}
		out[i] = c
		at = end
	}
	return out
}

func examplesOf(t *regress.Test, i int) int {
	if t.Changed == nil {
		return 1
	}
	return 1 + int(t.Changed[i])
}

func stateOf(o report.TestCases, i int) string {
	after, before := o.Candidate[i], byte(0)
	if o.Baseline != "" {
		before = o.Baseline[i]
	}
	switch {
	case after == 'n' || before == 'n':
		return caseAbsent
	case after == 'f' && before == 'p':
		return caseBroke
	case after == 'f':
		return caseWrong
	case before == 'f':
		return caseFixed
	}
	return caseRight
}

func (c caseRef) matches(show string) bool {
	switch show {
	case "":
		return true
	case "different":
		return c.different
	case "errors":
		return c.errored
	}
	return c.state == show
}

// found says whether a case has the text in its name or in a value of its examples.
func found(t *regress.Test, c caseRef, needle string) bool {
	if strings.Contains(strings.ToLower(t.CaseID(c.n)), needle) {
		return true
	}
	for _, col := range t.Examples.Columns() {
		for k := c.at; k < c.at+examplesOf(t, c.n); k++ {
			if strings.Contains(strings.ToLower(valueAt(col, k)), needle) {
				return true
			}
		}
	}
	return false
}

func valueAt(c rows.Column, r int) string {
	if c.IsNumber() {
		return strconv.FormatFloat(c.Floats[r], 'g', -1, 64)
	}
	return c.Strings[r]
}
