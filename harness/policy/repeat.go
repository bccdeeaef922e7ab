package policy

import (
	"fmt"

	"proctor/harness/report"
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
	if p.Clock.Rows > 0 {
		f := report.Finding{Subject: "invariance.clock"}
		again(&f, p.Clock.Asked, "asked again at another date")
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
