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
		declared(p, &out[0])
		varies(p, &out[1], p.Moved, false)
		varies(p, &out[2], p.Alone, false)
	}
	if p.Clock.Rows > 0 {
		f := report.Finding{Subject: "invariance.clock"}
		again(&f, p.Clock.Asked, "asked again at another date")
		if p.Runs > 1 {
			varies(p, &f, p.Clock.Asked, false)
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
// it is judged on the worst of its runs, and may differ within one process as often
// as between two, no more and no less. Who differs in one of them alone does not
// draw: it knows that it is asked again, or is another model in each process.
func declared(p *Probes, f *report.Finding) {
	varies(p, f, Asked{p.Repeated, p.RepeatsDiffer}, true)
	f.Sentence += fmt.Sprintf(" This verdict is that of the worst of %d runs, whose accuracies go from %.2f to %.2f %%.", p.Runs, 100*p.Lowest, 100*p.Highest)
}

// varies lets a stochastic model differ as often as it does in the same batches of
// another process: only what was changed may not matter. seldom: nor less often.
func varies(p *Probes, f *report.Finding, a Asked, seldom bool) {
	if f.Outcome != report.Violated {
		return
	}
	pv, words := oftener(a, p.Same), "more often than"
	if seldom {
		if less := oftener(p.Same, a); less < pv {
			pv, words = less, "less often than"
		}
		pv = min(1, 2*pv)
	}
	f.P = finite(pv)
	switch {
	case pv < probeLevel:
	case min(a.Rows, p.Same.Rows) < minRepeats:
		f.Outcome, f.Bound, words = report.Undecided, nil, "too few to compare with those"
	default:
		f.Outcome, f.Bound, words = report.Holds, nil, "as often as"
	}
	f.Sentence = fmt.Sprintf("The model is declared stochastic: %d of %d rows got another answer here, %s in the same batches of another process (%d of %d, p = %s).",
		a.Differ, a.Rows, words, p.Same.Differ, p.Same.Rows, pText(pv))
}

// oftener is the one-sided p of "a differs no more often than b": given all
// differences, the share that falls to one of two equal rates is binomial, or less
// spread.
func oftener(a, b Asked) float64 {
	return metrics.BinomialUpper(a.Differ, a.Differ+b.Differ, float64(a.Rows)/float64(a.Rows+b.Rows))
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
