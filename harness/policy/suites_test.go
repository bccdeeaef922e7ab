package policy

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"proctor/harness/report"
	"proctor/holdout"
	"proctor/metrics"
	"proctor/regress"
)

// suiteOf makes a suite of one MFT test with n cases that expect yes.
func suiteOf(t *testing.T, name string, n int, critical bool) *regress.Suite {
	t.Helper()
	table := "x,expect\n" + strings.Repeat("1,yes\n", n)
	s, err := regress.Load(fstest.MapFS{
		"s.yaml": {Data: fmt.Appendf(nil, "suite: %s\ntests:\n  - {name: t, kind: MFT, critical: %v, cases: t.csv}\n", name, critical)},
		"t.csv":  {Data: []byte(table)},
	}, "s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// judged answers no on the first so many cases, from a place on.
func judged(t *testing.T, s *regress.Suite, from, failed int) *regress.Judged {
	t.Helper()
	p := metrics.Predictions{Labels: make([]int32, s.Cases())}
	for i := range p.Labels {
		if i < from || i >= from+failed {
			p.Labels[i] = 1
		}
	}
	j, err := s.Judge([]string{"no", "yes"}, p)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestSuites(t *testing.T) {
	for _, c := range []struct {
		name         string
		cases        int
		critical     bool
		base, cand   int // failures
		change       func(*Evidence)
		want, covers string
	}{
		{name: "as before", cases: 400, base: 5, cand: 5, want: "PASS"},
		{name: "many more failures", cases: 400, base: 5, cand: 60, want: "FAIL by checks s/t"},
		{name: "more than harm, not shown", cases: 400, base: 0, cand: 0, change: func(e *Evidence) { e.Diff.Tests[0].Cells = metrics.Cells{BothRight: 250, Broke: 85, Fixed: 65} }, want: "INCONCLUSIVE by checks s/t"},
		{name: "one critical case", cases: 400, critical: true, base: 0, cand: 1, want: "FAIL by critical s/t/1"},
		{name: "the same case, not critical", cases: 400, base: 0, cand: 1, want: "PASS"},
		{name: "too few to judge", cases: 20, base: 1, cand: 1, want: "PASS", covers: "s/t: 20 rows or cases are too few"},
		{name: "too few, all broken", cases: 20, base: 0, cand: 20, want: "FAIL by checks s/t"},
		{name: "not run", cases: 400, change: func(e *Evidence) { e.Judged, e.Diff.Tests = nil, nil }, want: "FAIL by coverage"},
		{name: "not run, not bound", cases: 400, change: func(e *Evidence) {
			e.Judged, e.Diff.Tests, e.Probes, e.Binding = nil, nil, nil, BindingNone
		}, want: "PASS"},
		{name: "no case applies", cases: 400, change: func(e *Evidence) { e.Diff.Tests[0].Cells = metrics.Cells{} }, want: "INCONCLUSIVE by checks s/t"},
		{name: "another suite of the name", cases: 400, change: func(e *Evidence) {
			e.Judged = []*regress.Judged{judged(t, suiteOf(t, "s", 399, false), 0, 0)}
		}, want: "FAIL by coverage"},
	} {
		w := newWorld(t)
		w.rows(0, 0, 2000, 20, 20, 100)
		s := suiteOf(t, "s", c.cases, c.critical)
		p, err := Parse([]byte("policy: p\nlineage: l\nholdouts: [s]\nsuites: [s]\nconfidence: 0.99\nprove:\n  - {id: overall, metric: accuracy, change_at_least_pp: -3}\n" +
			"watch:\n  - {id: checks, suite: s, harm_pp: 2, detect_pp: 10}\n" +
			"tier_at_least: jail\nbudget_runs: 6\nreview: {people: 1}\nvalid_days: 7\non_missing: fail\n"))
		if err != nil {
			t.Fatal(err)
		}
		suites := []*regress.Suite{s}
		r, err := Resolve(p, []holdout.Commitment{commitment("s", w.answers)}, suites)
		if err != nil {
			t.Fatal(err)
		}
		e := w.evidence()
		bs := []*regress.Judged{judged(t, s, 0, c.base)}
		e.Judged = []*regress.Judged{judged(t, s, 0, c.cand)}
		base := join(t, w.answers, metrics.Predictions{Labels: w.base})
		if e.Diff, err = regress.Compare(base, e.Candidate, bs, e.Judged); err != nil {
			t.Fatal(err)
		}
		if c.change != nil {
			c.change(&e)
		}
		d := Judge(r, e)
		checkDecision(t, c.name, d)
		if got := tell(d, c.want); got != c.want {
			t.Errorf("%s: %s, want %s\n%s", c.name, got, c.want, d.Sentence)
		}
		if c.covers != "" && tell(d, "not-covered "+c.covers) != "not-covered "+c.covers {
			t.Errorf("%s: %q", c.name, d.NotCovered)
		}
	}
}

// With a binding of none a suite that was not run is no violation, and no pass of it.
func TestUnboundSuite(t *testing.T) {
	h := Hypothesis{Claim: "checks", List: report.Watch, Metric: "failures", Suite: "s", Test: "t", Rows: 400, Judged: true}
	w := newWorld(t)
	w.policy = "prove:\n  - {id: overall, metric: accuracy, change_at_least_pp: -3}\n"
	w.rows(0, 0, 2000, 20, 20, 100)
	r := w.resolve()
	r.Suites, r.Hypotheses = []Suite{{"s", "sha256:x"}}, append(r.Hypotheses, h)
	w.change(t, []string{"probes=none", "binding=none"})
	d := Judge(r, w.evidence())
	if got := tell(d, "NOT_APPLICABLE checks s/t"); got != "NOT_APPLICABLE checks s/t" {
		t.Error(got)
	}
}
