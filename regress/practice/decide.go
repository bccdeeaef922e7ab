package practice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"proctor/harness/report"
)

// decide adds what the tests say to the findings so far, and ends the result.
func (r *Result) decide() {
	for i := range r.Tests {
		if f, ok := r.tell(&r.Tests[i]); ok {
			r.Findings = append(r.Findings, f)
		}
	}
	rank := map[string]int{report.Violated: 0, report.Undecided: 1}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Compare(rankOf(rank, a.Outcome), rankOf(rank, b.Outcome))
	})
	r.Result = report.Pass
	for _, f := range r.Findings {
		switch {
		case f.Outcome == report.Violated:
			r.Result = report.Fail
		case f.Outcome != report.Holds && r.Result == report.Pass:
			r.Result = report.Inconclusive
		}
	}
	r.Matrix = cells(r.Tests, func(t *Test) [2]string { return [2]string{t.Capability, t.Kind} })
	r.ByCapability = cells(r.Tests, func(t *Test) [2]string { return [2]string{t.Capability, ""} })
	r.Sentence = r.sentence()
}

func rankOf(rank map[string]int, outcome string) int {
	if n, ok := rank[outcome]; ok {
		return n
	}
	return len(rank)
}

// tell returns what one test has to say, unless it holds.
func (r *Result) tell(t *Test) (Finding, bool) {
	f := Finding{Outcome: report.Undecided, Suite: t.Suite, Test: t.Name, Cases: t.BrokeCases}
	switch {
	case t.CandidateCases == 0 || r.Baseline && t.BaselineCases == 0:
		f.Rule, f.Sentence = "not-asked", fmt.Sprintf("none of its %d cases applies, so nothing was shown", t.Cases)
	case !r.Baseline && t.CandidateFailed > 0:
		f.Rule, f.Cases = "no-baseline", t.FailedCases
		f.Sentence = fmt.Sprintf("%d of %d cases fail, and there is no baseline to hold them against", t.CandidateFailed, t.CandidateCases)
	case !r.Baseline:
		return f, false
	case t.Verdict == Worse:
		f.Rule, f.Outcome = "worse", report.Violated
		f.Sentence = fmt.Sprintf("failures %s (p %s over all tests)", t.Shares(), t.PValue())
	case !t.shown(r.Paired, r.Options):
		f.Rule = "undecided"
		f.Sentence = fmt.Sprintf("failures %s; a loss of up to %.1f points is not excluded, %v are allowed", t.Shares(), 100*t.upper, r.Options.DetectPP)
	default:
		return f, false
	}
	return f, true
}

// Shares writes old -> new: "11.22 -> 29.59 % of 7644 cases", with ~ where undecided.
func (t *Test) Shares() string {
	if t.Verdict == "" {
		return fmt.Sprintf("%.2f %% of %d cases", percent(t.CandidateFailed, t.CandidateCases), t.CandidateCases)
	}
	arrow := "->"
	if t.Verdict == Undecided {
		arrow = "~"
	}
	n := fmt.Sprintf("%d", t.CandidateCases)
	if t.BaselineCases != t.CandidateCases {
		n = fmt.Sprintf("%d and %d", t.BaselineCases, t.CandidateCases)
	}
	return fmt.Sprintf("%.2f %s %.2f %% of %s cases", percent(t.BaselineFailed, t.BaselineCases), arrow, percent(t.CandidateFailed, t.CandidateCases), n)
}

// PValue writes the adjusted p: "0.039", "< 1e-300", "-" where there is none.
func (t *Test) PValue() string {
	switch {
	case t.Adjusted == nil:
		return "-"
	case *t.Adjusted < 1e-300: // too small for the numbers that computed it
		return "< 1e-300"
	}
	return fmt.Sprintf("%.2g", *t.Adjusted)
}

func percent(k, n int64) float64 {
	if n == 0 {
		return 0
	}
	return 100 * float64(k) / float64(n)
}

// Count returns how many tests are worse, better, shown to hold and undecided.
func (r *Result) Count() (worse, better, hold, undecided int) {
	for _, t := range r.Tests {
		switch t.Verdict {
		case Worse:
			worse++
		case Better:
			better++
		case Holds:
			hold++
		case Undecided:
			undecided++
		}
	}
	return worse, better, hold, undecided
}

// sentence is one line, the result first.
func (r *Result) sentence() string {
	var parts []string
	count := map[string]int{}
	for _, f := range r.Findings {
		count[f.Rule]++
	}
	if r.Baseline {
		worse, better, hold, undecided := r.Count()
		s := fmt.Sprintf("%d of %d tests worse, %d better", worse, len(r.Tests), better)
		if r.Paired {
			s += fmt.Sprintf(", %d hold", hold)
		}
		parts = append(parts, fmt.Sprintf("%s, %d undecided", s, undecided))
	}
	for _, rule := range []struct{ name, words string }{
		{"critical", "a critical case failed"}, {"degenerate", "one answer to everything"}, {"unanswered", "answers that are none"},
		{"no-baseline", "failures without a baseline"}, {"not-asked", "tests that apply to nothing"},
		{"judge", "tests that a judge alone does not decide"},
	} {
		if count[rule.name] > 0 {
			parts = append(parts, rule.words)
		}
	}
	p := r.Pooled
	if r.Baseline {
		parts = append(parts, "pooled failures "+p.String())
	} else {
		parts = append(parts, fmt.Sprintf("%d of %d cases fail", p.CandidateFailed, p.CandidateCases))
	}
	return r.Result + ": " + strings.Join(parts, "; ")
}

func (p *Pooled) add(t *Test) {
	p.BaselineFailed += t.BaselineFailed
	p.BaselineCases += t.BaselineCases
	p.CandidateFailed += t.CandidateFailed
	p.CandidateCases += t.CandidateCases
}

// String writes old -> new in percent; the average says nothing about a test.
func (p Pooled) String() string {
	now := fmt.Sprintf("%.2f %%", percent(p.CandidateFailed, p.CandidateCases))
	if p.BaselineCases == 0 {
		return now
	}
	return fmt.Sprintf("%.2f -> %s", percent(p.BaselineFailed, p.BaselineCases), now)
}

// cells sums up tests of one key, in the order in which the tests come.
func cells(ts []Test, keyOf func(*Test) [2]string) []Cell {
	var out []Cell
	at := map[[2]string]int{}
	for i := range ts {
		t := &ts[i]
		key := keyOf(t)
		k, ok := at[key]
		if !ok {
			k = len(out)
			at[key] = k
			out = append(out, Cell{Capability: key[0], Kind: key[1], Test: i})
		}
		c := &out[k]
		c.Tests++
		c.Pooled.add(t)
		switch t.Verdict {
		case Worse:
			c.Worse++
		case Better:
			c.Better++
		}
		if t.worseThan(&ts[c.Test]) {
			c.Test = i
		}
	}
	return out
}

// worseThan orders tests of a cell.
func (t *Test) worseThan(o *Test) bool {
	if a, b := t.Verdict == Worse, o.Verdict == Worse; a != b {
		return a
	}
	if t.Verdict == Worse {
		return *t.Change.Value > *o.Change.Value
	}
	return percent(t.CandidateFailed, t.CandidateCases) > percent(o.CandidateFailed, o.CandidateCases)
}
