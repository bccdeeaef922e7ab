package policy

import (
	"github.com/apache/arrow/go/v15/arrow/memory"

	"proctor/harness/report"
	"proctor/metrics"
)

// How far a finding is from letting a run pass.
const (
	rankHolds = iota
	rankUndecided
	rankViolated
)

// ranks are those of every hypothesis in order, then of the critical cases, then of
// the anchor.
type ranks []int

func rankOf(outcome string) int {
	switch outcome {
	case report.Holds, report.NotApplicable:
		return rankHolds
	case report.Violated:
		return rankViolated
	}
	return rankUndecided
}

// judge gives the outcomes that Judge gives for these effects. It is the same
// arithmetic by the same functions, on effects that are counted once and not anew
// for each harm; the tests hold it to Judge itself.
func (p *planter) judge(effects []effect, all metrics.Cells, criticalFailed bool) ranks {
	var ps []float64
	var at []int
	for i, h := range p.r.Hypotheses {
		if h.List == report.Watch {
			ps, at = append(ps, p.r.pValue(h, effects[i])), append(at, i)
		}
	}
	adjust := make([]float64, len(effects))
	for k, q := range metrics.Holm(ps) {
		adjust[at[k]] = q
	}
	out := make(ranks, 0, len(effects)+2)
	for i, h := range p.r.Hypotheses {
		f := p.r.judge(h, effects[i], adjust[i], p.e)
		small := !h.Judged && (h.Dimension != "" || h.Suite != "")
		if small && f.Outcome != report.Violated && effects[i].n == expected(h, effects[i]) {
			f.Outcome = report.Holds // quiet: tested for harm, and none was shown
		}
		out = append(out, rankOf(f.Outcome))
	}
	return append(out, p.criticalRank(criticalFailed), p.anchorRank(all))
}

func (p *planter) criticalRank(failed bool) int {
	if failed {
		return rankViolated
	}
	for _, f := range p.fixed {
		if f.Claim == findCritical {
			return rankOf(f.Outcome)
		}
	}
	return rankUndecided
}

// anchored says whether the anchor is the baseline.
func (p *planter) anchored() bool { return p.e.Anchor == nil || p.e.Anchor == p.e.Diff.Pair }

// anchorRank is the outcome of the comparison with the best version ever approved,
// where that is the baseline and the whole of its cells is known.
func (p *planter) anchorRank(all metrics.Cells) int {
	if !p.anchored() || p.r.Policy.Anchor == nil {
		return rankHolds // what it is in the real run is not changed by a harm
	}
	x, bound := counted(all), p.r.Policy.Anchor.ChangeAtLeastPP
	low, _, ok := x.limits(p.r.level(max(1, p.e.Attempt)))
	_, highest, ok2 := x.limits(p.r.alpha())
	switch {
	case ok && ok2 && 100*low > bound:
		return rankHolds
	case ok && ok2 && 100*highest < bound:
		return rankViolated
	}
	return rankUndecided
}

// remembered returns an effect that computes the limits at each level once.
func (e effect) remembered() effect {
	if e.limits == nil {
		return e
	}
	type limits struct {
		low, up float64
		ok      bool
	}
	known, compute := map[float64]limits{}, e.limits
	e.limits = func(alpha float64) (float64, float64, bool) {
		l, ok := known[alpha]
		if !ok {
			l.low, l.up, l.ok = compute(alpha)
			known[alpha] = l
		}
		return l.low, l.up, l.ok
	}
	return e
}

// nothing is what there is to release where no frame was made.
func nothing() {}

// withWrong returns the effects after rows that the candidate had right are wrong.
// They may be used until release.
func (p *planter) withWrong(rows []int) (out []effect, release func(), err error) {
	out = append(out, p.effects...)
	cells := map[int]metrics.Cells{}
	drop := func(i, row int) {
		if p.effects[i].cells == nil {
			return // undefined
		}
		c, ok := cells[i]
		if !ok {
			c = *p.effects[i].cells
		}
		cells[i] = lose(c, p.changes[row] > 0)
	}
	for i, h := range p.r.Hypotheses {
		if h.Suite == "" && h.Dimension == "" && h.Metric == "accuracy" {
			for _, row := range rows {
				drop(i, row)
			}
		}
	}
	for dimension, members := range p.members { // a hypothesis is of one dimension, so the order does not matter
		c := p.crossings[dimension]
		for _, row := range rows {
			for _, i := range members[c.at(row)] {
				drop(i, row)
			}
		}
	}
	for i, c := range cells {
		out[i] = counted(c).remembered()
	}
	onAnswers := func(d metrics.Def) bool { return d.Name != "accuracy" && !d.NeedsProbs }
	if !p.asks(onAnswers) {
		return out, nothing, nil
	}
	labels := append([]int32(nil), p.e.Candidate.Labels()...)
	for _, row := range rows {
		labels[row] = (labels[row] + 1) % int32(len(p.e.Candidate.Classes()))
	}
	release, err = p.measure(out, metrics.Predictions{Labels: labels, Probs: p.e.Candidate.Probs()}, onAnswers)
	return out, release, err
}

// asks says whether a claim is on a metric of a sort.
func (p *planter) asks(sort func(metrics.Def) bool) bool {
	for _, h := range p.r.Hypotheses {
		if onAll(h, sort) {
			return true
		}
	}
	return false
}

func onAll(h Hypothesis, sort func(metrics.Def) bool) bool {
	d, ok := metrics.Lookup(h.Metric)
	return ok && h.Suite == "" && h.Dimension == "" && sort(d)
}

// measure replaces the effects on metrics of a sort by those of other predictions,
// which may be used until release.
func (p *planter) measure(out []effect, q metrics.Predictions, sort func(metrics.Def) bool) (release func(), err error) {
	f := p.e.Candidate
	frame, err := metrics.Join(memory.DefaultAllocator, metrics.Answers{Classes: f.Classes(), Positive: f.Positive(), Labels: f.Answers(), Dimensions: f.Dimensions()}, q)
	if err != nil {
		return nothing, err
	}
	pair, err := p.e.Diff.Against(frame)
	if err != nil {
		frame.Release()
		return nothing, err
	}
	for i, h := range p.r.Hypotheses {
		if onAll(h, sort) {
			out[i] = metric(pair, h.Metric).remembered()
		}
	}
	return frame.Release, nil
}

// withFailed returns the effects after cases of a test fail that the candidate passed.
func (p *planter) withFailed(h harm) []effect {
	t := p.e.Diff.Tests[h.at.test]
	c := t.Cells
	for range h.k {
		c = lose(c, p.rnd.Int64N(c.BothRight+c.Fixed) < c.Fixed)
	}
	out := append([]effect(nil), p.effects...)
	for i, y := range p.r.Hypotheses {
		if y.Suite == t.Suite && y.Test == t.Test.Name && p.effects[i].cells != nil {
			out[i] = failures(c).remembered()
		}
	}
	return out
}
