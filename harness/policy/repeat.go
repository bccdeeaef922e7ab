package policy

import (
	"fmt"

	"proctor/harness/report"
	"proctor/metrics"
)

// repeat returns what became of rows that were asked again: a model whose answer
// hangs on anything but the row sees more than the row. One finding, named in its
// subject, for each thing that was changed; the clock's only where it was moved.
func repeat(e Evidence) []report.Finding {
	p := e.Probes
	if p == nil {
		return []report.Finding{noProbes(findRepeat, e)}
	}
	out := []report.Finding{
		{Subject: "repeat.mismatch"}, {Subject: "invariance.order"}, {Subject: "invariance.batch"},
	}
	twice := Asked{p.Repeated + p.Same.Rows, p.RepeatsDiffer + p.Same.Differ}
	again(&out[0], twice, "asked again, in another batch of the same process or in the same batch of a second one,")
	again(&out[1], p.Moved, "asked again by a second process, in another order and company,")
	again(&out[2], p.Alone, "asked again by a second process, alone in a batch,")
	if min(p.Repeated, p.Same.Rows) < minRepeats && out[0].Outcome == report.Holds {
		out[0].Outcome = report.Undecided
		out[0].Sentence = fmt.Sprintf("Only %d rows were asked twice of one process and %d of a second one; %d each are needed.", p.Repeated, p.Same.Rows, minRepeats)
	}
	if p.Runs > 1 {
		declared(p, &out[0], twice)
		varies(p, &out[1], p.Moved)
		varies(p, &out[2], p.Alone)
	}
	if p.Clock.Rows > 0 {
		f := report.Finding{Subject: "invariance.clock"}
		again(&f, p.Clock.Asked, "asked again at another date")
		if p.Runs > 1 {
			varies(p, &f, p.Clock.Asked)
		}
		out = append(out, f)
	}
	for i := range out {
		out[i].Claim = findRepeat
	}
	return out
}

// again judges one way of asking again.
func again(f *report.Finding, a Asked, how string) {
	f.Outcome, f.N, f.Value, f.Bound = report.Holds, a.Rows, finite(float64(a.Differ)), finite(0)
	switch {
	case a.Differ > 0:
		f.Outcome = report.Violated
		f.Sentence = fmt.Sprintf("%d of %d rows %s got another answer.", a.Differ, a.Rows, how)
	case a.Rows < minRepeats:
		f.Outcome = report.Undecided
		f.Sentence = fmt.Sprintf("Only %d rows were %s; %d are needed.", a.Rows, how, minRepeats)
	default:
		f.Sentence = fmt.Sprintf("All %d rows %s got the same answer.", a.Rows, how)
	}
}

// declared is the finding on a model that says of itself that it answers at random:
// that it does is no mismatch, and it is judged on the worst of its runs.
func declared(p *Probes, f *report.Finding, twice Asked) {
	if f.Outcome == report.Violated {
		f.Outcome, f.Bound = report.Holds, nil
	}
	f.Sentence = fmt.Sprintf("The model is declared stochastic: %d of %d rows asked again got another answer. This verdict is that of the worst of %d runs, whose accuracies go from %.2f to %.2f %%.",
		twice.Differ, twice.Rows, p.Runs, 100*p.Lowest, 100*p.Highest)
}

// varies lets a stochastic model differ as often as it does in the same batches of
// another process: only what was changed may not matter. Given all differences, the
// share that falls to one of two equal rates is binomial, or less spread.
func varies(p *Probes, f *report.Finding, a Asked) {
	if f.Outcome != report.Violated || p.Same.Rows < minRepeats {
		return
	}
	pv := metrics.BinomialUpper(a.Differ, a.Differ+p.Same.Differ, float64(a.Rows)/float64(a.Rows+p.Same.Rows))
	f.P = finite(pv)
	words := "as often as"
	if pv < probeLevel {
		words = "more often than"
	} else {
		f.Outcome, f.Bound = report.Holds, nil
	}
	f.Sentence = fmt.Sprintf("The model is declared stochastic: %d of %d rows got another answer here, %s in the same batches (%d of %d, p = %s).",
		a.Differ, a.Rows, words, p.Same.Differ, p.Same.Rows, pText(pv))
}

// clockLine says what the verdict does not cover of the clock; "": nothing, the
// model's code has none.
func clockLine(p *Probes) string {
	switch {
	case p == nil:
		return ""
	case p.Clock.Rows > 0:
		return "clock: code that asks the kernel itself for the time saw today's date in every process."
	case p.Clock.Missing != "":
		return "clock: answers at another date, for " + p.Clock.Missing + "."
	}
	return ""
}
