package policy

import (
	"proctor/harness/report"
	"proctor/metrics"
	"proctor/regress"
)

// Bindings: whether the bytes that ran are the bytes that were hashed.
const (
	BindingPackage = "package"
	BindingConfig  = "config"
	BindingNone    = "none"
)

// Probes are counts of how a model answered rows that are not scored, and of the
// questions as a whole.
type Probes struct {
	Asked, Answered                         int64
	Repeated, RepeatsDiffer                 int64   // rows asked twice in other batches and places; answered differently
	Canaries, CanaryAgree                   int64   // the candidate agrees with the flipped label
	CanaryOnlyCandidate, CanaryOnlyBaseline int64   // agreement of one model only, where there is a baseline
	Twins, TwinOriginalOnly, TwinTwinOnly   int64   // the candidate is right on the original only, on the twin only
	LabelCounts                             []int64 // the candidate's answers by class; last: none of them

	// Rows asked again in a second process: in the same batches at the same place,
	// in another order and company, alone in a batch; and at other dates.
	Same, Moved, Alone Asked
	Runs               int     // of the whole exam; more than 1: the model is declared stochastic
	Lowest, Highest    float64 // accuracy of those runs; this evidence is of the worst
	Clock              Clock

	Trained *Trained // nil: the package declares nothing
}

// Trained is what a package declares to be trained on, held against the scored rows.
type Trained struct {
	Rows, Shared int64
	MostPct      float64 // that may be shared by chance, in percent of the rows
	Missing      string  // why nothing was compared; "": it was
}

// Asked counts rows that were asked again, and those of them that got another answer.
type Asked struct{ Rows, Differ int64 }

// A Clock is Asked at other dates than today's. Missing says in words why nothing
// was; "" with no rows: the model's code has no clock.
type Clock struct {
	Asked
	Missing string
}

// Evidence is what one run gave.
type Evidence struct {
	Attempt   int               // 1: first run of the lineage on this holdout
	Candidate *metrics.Frame    //
	Diff      *regress.Diff     // nil: first model, nothing was compared
	Anchor    *metrics.Pair     // the best approved model as baseline; nil: none, or it is the baseline
	Judged    []*regress.Judged // the candidate on the policy's suites, in their order
	Probes    *Probes           // nil only with binding none
	Binding   string
	Tier      string // how the candidate was confined
	Code      bool   // whether its package brings code

	// Where the set declares clusters or weights:
	Dependence Dependence
	Best       *metrics.Frame // the model that Anchor compares with, or the baseline; nil: none
}

// sane says whether counts can be counts of one model.
func (p *Probes) sane() bool {
	for _, n := range []int64{p.Asked, p.Answered, p.Repeated, p.RepeatsDiffer, p.Canaries, p.CanaryAgree, p.CanaryOnlyCandidate, p.CanaryOnlyBaseline, p.Twins, p.TwinOriginalOnly, p.TwinTwinOnly, p.Same.Differ, p.Moved.Differ, p.Alone.Differ, p.Clock.Differ} {
		if n < 0 {
			return false
		}
	}
	for _, n := range p.LabelCounts {
		if n < 0 {
			return false
		}
	}
	for _, a := range []Asked{p.Same, p.Moved, p.Alone, p.Clock.Asked} {
		if a.Differ > a.Rows {
			return false
		}
	}
	return p.Answered <= p.Asked && p.RepeatsDiffer <= p.Repeated && p.CanaryAgree <= p.Canaries &&
		p.CanaryOnlyCandidate <= p.CanaryAgree && p.CanaryAgree-p.CanaryOnlyCandidate+p.CanaryOnlyBaseline <= p.Canaries &&
		p.TwinOriginalOnly+p.TwinTwinOnly <= p.Twins
}

// An effect is a measured change of one hypothesis.
type effect struct {
	cells     *metrics.Cells // counts, where the hypothesis is about counts
	value     float64        // candidate - baseline, in the metric's own scale
	n         int64
	undefined string
	worse     float64 // one-sided p of "the candidate is not worse"
	limits    func(alpha float64) (lower, upper float64, ok bool)
}

func undefined(n int64, why string) effect { return effect{n: n, undefined: why} }

// counted measures accuracy: rows that only one model has right.
func counted(c metrics.Cells) effect {
	n := c.N()
	if n <= 0 {
		return undefined(n, "there are no rows")
	}
	return effect{
		cells: &c, n: n, value: float64(c.Fixed-c.Broke) / float64(n), worse: metrics.McNemarWorse(c.Broke, c.Fixed),
		limits: func(alpha float64) (float64, float64, bool) {
			low, up := metrics.TangoLimits(c.Broke, c.Fixed, n, alpha)
			return low, up, low <= up // false for NaN too
		},
	}
}

// failures measures a test of a suite: the share of cases that fail.
func failures(c metrics.Cells) effect {
	e := counted(c)
	if e.undefined != "" {
		return undefined(e.n, "no case is applicable under both models")
	}
	passed := e.limits
	e.value = -e.value
	e.limits = func(alpha float64) (float64, float64, bool) {
		low, up, ok := passed(alpha)
		return -up, -low, ok
	}
	return e
}

// metric measures any other metric on the rows of both models.
func metric(p *metrics.Pair, name string) effect {
	first, err := p.Limits(name, 0.05)
	if err != nil {
		return undefined(int64(p.N()), err.Error())
	}
	if first.Undefined != "" {
		return undefined(first.N, first.Undefined)
	}
	return effect{
		n: first.N, value: first.Change, worse: first.PWorse,
		limits: func(alpha float64) (float64, float64, bool) {
			l, err := p.Limits(name, alpha)
			return l.Lower, l.Upper, err == nil && l.Undefined == "" && l.Lower <= l.Upper
		},
	}
}

// of measures a hypothesis.
func (r *Resolved) of(h Hypothesis, e Evidence) effect {
	d := e.Diff
	switch {
	case h.Suite == "" && r.otherwise(e) != "":
		return undefined(0, r.otherwise(e))
	case h.Suite == "" && r.Holdout.dependent():
		return dependent(h, e)
	case h.Suite != "":
		for _, t := range d.Tests {
			if t.Suite == h.Suite && t.Test != nil && t.Test.Name == h.Test {
				return failures(t.Cells)
			}
		}
		return undefined(0, "the test was not run")
	case d.Pair == nil:
		return undefined(0, "there are no rows of both models")
	case h.Dimension == "" && h.Metric == "accuracy":
		return counted(d.Pair.Cells())
	case h.Dimension == "":
		return metric(d.Pair, h.Metric)
	}
	groups, err := d.Pair.By(h.Dimension)
	if err != nil {
		return undefined(0, err.Error())
	}
	var sum metrics.Cells
	for _, g := range groups {
		if g.Value == h.Value && h.Pooled == nil || contains(h.Pooled, g.Value) {
			sum = sum.Add(g.Cells)
		}
	}
	if sum.N() != h.Rows {
		return undefined(sum.N(), "the rows are not those that were committed")
	}
	return counted(sum)
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

// turned returns the effect as a loss: sign -1 where more of the metric is wanted.
func (e effect) loss(sign float64) float64 { return sign * e.value }

// lossLimits returns one-sided limits of the loss at a level.
func (e effect) lossLimits(sign, alpha float64) (lower, upper float64, ok bool) {
	low, up, ok := e.limits(alpha)
	if sign < 0 {
		low, up = -up, -low
	}
	return low, up, ok
}

// pBeyond returns the one-sided p of "the loss is at most bound": the smallest level
// at which the lower limit is beyond it, found by bisection over the exponent.
func (e effect) pBeyond(sign, bound float64) float64 {
	beyond := func(exponent float64) bool {
		low, _, ok := e.lossLimits(sign, pow10(exponent))
		return ok && low > bound
	}
	high, low := -0.302, -12.0 // level .499 and the smallest that limits know
	if !beyond(high) {
		return 1
	}
	if beyond(low) {
		return pow10(low)
	}
	for range 40 {
		if mid := (low + high) / 2; beyond(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return pow10(high)
}

// finding returns the part of a finding that an effect alone fills.
func (e effect) finding(r *Resolved, h Hypothesis, level float64) report.Finding {
	c := r.claim(h.Claim)
	f := report.Finding{Claim: h.Claim, List: h.List, Subject: h.subject(), Metric: metricID(h.Metric), Unit: c.Unit, N: e.n}
	if e.undefined != "" {
		return f
	}
	f.Value = finite(e.value / c.scale())
	if low, up, ok := e.limits(level); ok {
		f.Low, f.High = finite(low/c.scale()), finite(up/c.scale())
	}
	return f
}

func metricID(name string) string {
	if d, ok := metrics.Lookup(name); ok {
		return d.ID
	}
	return name
}
