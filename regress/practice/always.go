package practice

import (
	"fmt"
	"slices"

	"proctor/harness/report"
	"proctor/metrics"
	"proctor/regress"
)

// few examples show nothing about a model that answers the same to all.
const fewExamples = 20

// always adds what is looked at whatever the tests say.
func (r *Result) always(suites []*regress.Suite, candidate *Answers, b, c *outcomes) {
	if f, ok := critical(suites, c); ok {
		r.Findings = append(r.Findings, f)
	}
	if f, ok := degenerate(suites, candidate); ok {
		r.Findings = append(r.Findings, f)
	}
	if f, ok := r.unanswered(suites, b, c); ok {
		r.Findings = append(r.Findings, f)
	}
}

// critical names failed cases of critical tests: one is enough.
func critical(suites []*regress.Suite, c *outcomes) (Finding, bool) {
	f := Finding{Rule: "critical", Outcome: report.Violated}
	n, at := 0, 0
	for _, s := range suites {
		for i := range s.Tests {
			for k, o := range c.tests[at] {
				if s.Tests[i].Critical && o == regress.Failed {
					n++
					f.Cases = name(f.Cases, s.Tests[i].CaseID, k)
				}
			}
			at++
		}
	}
	f.Sentence = fmt.Sprintf("%d critical cases fail; one is enough", n)
	return f, n > 0
}

// degenerate finds a model that gives one answer to everything. It is no fault where the
// suites expect nothing else.
func degenerate(suites []*regress.Suite, a *Answers) (Finding, bool) {
	if len(a.labels)/a.k < fewExamples {
		return Finding{}, false
	}
	for _, l := range a.labels {
		if l != a.labels[0] {
			return Finding{}, false
		}
	}
	if !a.text && onlyExpected(suites, a.labels[0]) {
		return Finding{}, false
	}
	return Finding{Rule: "degenerate", Outcome: report.Violated, Sentence: fmt.Sprintf("all %d examples get one and the same answer", len(a.labels))}, true
}

// onlyExpected says whether every case of every suite expects that class.
func onlyExpected(suites []*regress.Suite, class string) bool {
	for _, s := range suites {
		for i := range s.Tests {
			t := &s.Tests[i]
			if t.Expected == nil || slices.ContainsFunc(t.Expected, func(e string) bool { return e != class }) {
				return false
			}
		}
	}
	return true
}

// unanswered counts examples with an answer that is none of the classes, or none at all.
// They fail their cases anyhow; here they are named, and more of them than the deployed
// model has is a loss of its own.
func (r *Result) unanswered(suites []*regress.Suite, b, c *outcomes) (Finding, bool) {
	f := Finding{Rule: "unanswered", Outcome: report.Holds}
	ids := ExampleIDs(suites)
	var before, now, broke, fixed int64
	for i, none := range c.none {
		was := b != nil && b.none[i]
		if was {
			before++
		}
		if none {
			now++
			f.Cases = name(f.Cases, func(k int) string { return ids[k] }, i)
		}
		if none && !was {
			broke++
		}
		if was && !none {
			fixed++
		}
	}
	n := int64(len(c.none))
	f.Sentence = fmt.Sprintf("%d of %d answers of the candidate are none of the classes, or empty", now, n)
	if b != nil {
		f.Sentence += fmt.Sprintf("; %d of the baseline", before)
		if metrics.McNemarWorse(broke, fixed) <= r.Options.alpha() && percent(broke-fixed, n) > r.Options.HarmPP {
			f.Outcome = report.Violated
		}
	}
	return f, now > 0
}

// repeats tells how stable the answers were, where there were several.
func (r *Result) repeats(suites []*regress.Suite, k int, b, c *outcomes) {
	if k == 1 {
		return
	}
	var applied, passed int64
	for _, t := range c.tests {
		for _, o := range t {
			if o != regress.NotApplicable {
				applied++
			}
			if o == regress.Passed {
				passed++
			}
		}
	}
	rep := &Repeats{K: k, CandidatePass: share(c.passes, c.applied), CandidatePassK: share(passed, applied)}
	rep.CandidateUnstable, rep.Unstable = unstable(suites, c)
	if b != nil {
		rep.BaselineUnstable, _ = unstable(suites, b)
	}
	r.Repeats = rep
}

func share(k, n int64) float64 { return float64(k) / float64(max(1, n)) }

func unstable(suites []*regress.Suite, o *outcomes) (n int64, named []string) {
	at := 0
	for _, s := range suites {
		for i := range s.Tests {
			for k, m := range o.mixed[at] {
				if m {
					n++
					named = name(named, s.Tests[i].CaseID, k)
				}
			}
			at++
		}
	}
	return n, named
}
