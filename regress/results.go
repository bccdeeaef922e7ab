package regress

import (
	"fmt"

	"proctor/harness/report"
	"proctor/metrics"
)

const noBaseline = "there is no baseline"

// TestResults describes each test, suites and tests in order. Counts are over the
// cases applicable to both models. P is the one-sided exact McNemar p of "the
// candidate fails no more often". Change is the candidate's failure share minus
// the baseline's, so that harm is positive, with Tango's interval.
func (d *Diff) TestResults(confidence float64) []report.Test {
	out := make([]report.Test, len(d.Tests))
	for i, t := range d.Tests {
		c := t.Cells
		r := describeTest(t.Suite, t.Test)
		r.Cases, r.NotApplicable = t.Cases, t.NotApplicable
		r.BaselineFailed, r.CandidateFailed = t.BaselineFailed, t.CandidateFailed
		r.Broke, r.Fixed = c.Broke, c.Fixed
		r.Change = report.Estimate{Undefined: "no case is applicable to both models"}
		if c.N() > 0 {
			r.Change = estimate(failures(c).Change(confidence))
			r.P = number64(metrics.McNemarWorse(c.Broke, c.Fixed))
		}
		out[i] = r
	}
	return out
}

// failures are the cells with failing counted instead of passing: what broke adds
// to the share of failures.
func failures(c metrics.Cells) metrics.Cells {
	return metrics.Cells{BothRight: c.BothWrong(), Broke: c.Fixed, Fixed: c.Broke, SameWrong: c.BothRight}
}

// FirstResults describes each test of a model that has no baseline: its failures,
// over the cases applicable to it, and no change.
func FirstResults(js []*Judged) []report.Test {
	var out []report.Test
	for _, j := range js {
		for i := range j.suite.Tests {
			r := describeTest(j.suite.Name, &j.suite.Tests[i])
			r.Cases = int64(len(j.outcomes[i]))
			for _, o := range j.outcomes[i] {
				switch o {
				case NotApplicable:
					r.NotApplicable++
				case Failed:
					r.CandidateFailed++
				}
			}
			r.Change = report.Estimate{Undefined: noBaseline}
			out = append(out, r)
		}
	}
	return out
}

func describeTest(suite string, t *Test) report.Test {
	return report.Test{Suite: suite, Name: t.Name, Capability: t.Capability, Kind: string(t.Kind), Critical: t.Critical}
}

// Metrics compares every metric that is applicable, in the order of
// [metrics.All]; one that is undefined on these rows is there with its reason.
// A metric of probabilities is applicable when a model gives any: that the other
// one does not is a change to be seen.
func (d *Diff) Metrics(confidence float64) ([]report.Metric, error) {
	var out []report.Metric
	for _, def := range metrics.All() {
		if !applicable(def, d.baseline) && !applicable(def, d.candidate) {
			continue
		}
		c, err := d.Pair.Compare(def.Name, confidence)
		if err != nil {
			return nil, fmt.Errorf("compare %s: %w", def.Name, err)
		}
		m := describeMetric(def)
		m.Baseline, m.Candidate, m.Change = estimate(c.Baseline), estimate(c.Candidate), estimate(c.Change)
		out = append(out, m)
	}
	return out, nil
}

// FirstMetrics gives the applicable metrics of a model that has no baseline.
func FirstMetrics(f *metrics.Frame, confidence float64) ([]report.Metric, error) {
	var out []report.Metric
	for _, def := range metrics.All() {
		if !applicable(def, f) {
			continue
		}
		e, err := f.Estimate(def.Name, confidence)
		if err != nil {
			return nil, fmt.Errorf("estimate %s: %w", def.Name, err)
		}
		m := describeMetric(def)
		m.Baseline, m.Candidate, m.Change = report.Estimate{Undefined: noBaseline}, estimate(e), report.Estimate{Undefined: noBaseline}
		out = append(out, m)
	}
	return out, nil
}

func applicable(def metrics.Def, f *metrics.Frame) bool {
	return (!def.NeedsProbs || f.Probs() != nil) && (!def.NeedsPositive || f.Positive() >= 0)
}

func describeMetric(def metrics.Def) report.Metric {
	return report.Metric{ID: def.ID, Name: def.Name, HigherBetter: def.HigherBetter}
}

// BrokeRows lists rows that only the baseline has right, ascending by index: at
// most limit and never more than [report.MaxRows].
func (d *Diff) BrokeRows(limit int) []report.RowFlip {
	classes := d.baseline.Classes()
	name := func(label int32) string {
		if label < 0 {
			return noClass
		}
		return classes[label]
	}
	rows := d.Pair.Broke(max(0, min(limit, report.MaxRows)))
	out := make([]report.RowFlip, len(rows))
	for i, r := range rows {
		out[i] = report.RowFlip{
			Row:       int64(r),
			Answer:    name(d.baseline.Answers()[r]),
			Baseline:  name(d.baseline.Labels()[r]),
			Candidate: name(d.candidate.Labels()[r]),
		}
	}
	return out
}
