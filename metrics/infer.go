package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// A Comparison is one metric of both models on the same rows.
type Comparison struct {
	Def                         Def
	Baseline, Candidate, Change Estimate // Change = candidate - baseline, paired
}

// Limits bound a change, candidate minus baseline, each from one side at level
// alpha. PWorse is the one-sided p-value of "the candidate is not worse": small
// where it is. An undefined change has the limits -Inf and +Inf and PWorse 1, so
// that a comparison with them neither clears nor accuses anyone.
type Limits struct {
	Change, Lower, Upper, PWorse float64
	N                            int64
	Method, Undefined            string
}

func noLimits(why string) Limits {
	return Limits{Lower: math.Inf(-1), Upper: math.Inf(1), PWorse: 1, Undefined: why}
}

// Estimate computes a metric with its two-sided interval. It is an error to name
// an unknown metric or a confidence outside (0, 1).
func (f *Frame) Estimate(name string, confidence float64) (Estimate, error) {
	m, err := find(name)
	if err != nil {
		return Estimate{}, err
	}
	if err := checkConfidence(confidence); err != nil {
		return Estimate{}, err
	}
	r := m.read(f.alone().tally(m.family))
	return m.estimate(&r.candidate, confidence), nil
}

// Compare computes a metric of both models and its change, with two-sided
// intervals. Errors as [Frame.Estimate].
func (p *Pair) Compare(name string, confidence float64) (Comparison, error) {
	m, err := find(name)
	if err != nil {
		return Comparison{}, err
	}
	return p.tally(m.family).Compare(name, confidence)
}

// Limits computes one-sided limits of a metric's change, each at level alpha in
// (0, 1/2]. They are closed forms, good for any alpha: Tango's score limits and
// the exact McNemar test for accuracy and for recall of the positive class,
// DeLong's variance for AUC, Student's t on the rows' differences for Brier score
// and log loss, the delta method for ratios of counts, and normal limits with a
// seeded bootstrap's variance for ece.
func (p *Pair) Limits(name string, alpha float64) (Limits, error) {
	m, err := find(name)
	if err != nil {
		return Limits{}, err
	}
	return p.tally(m.family).Limits(name, alpha)
}

// Estimate is [Frame.Estimate] of the candidate, for a metric that the tally was made
// for.
func (t *Tally) Estimate(name string, confidence float64) (Estimate, error) {
	m, err := t.find(name)
	if err != nil {
		return Estimate{}, err
	}
	if err := checkConfidence(confidence); err != nil {
		return Estimate{}, err
	}
	r := m.read(t)
	return m.estimate(&r.candidate, confidence), nil
}

// Compare is [Pair.Compare], for a metric that the tally of two models was made for.
func (t *Tally) Compare(name string, confidence float64) (Comparison, error) {
	m, err := t.findPaired(name)
	if err != nil {
		return Comparison{}, err
	}
	if err := checkConfidence(confidence); err != nil {
		return Comparison{}, err
	}
	r := m.read(t)
	l := m.limits(&r, (1-confidence)/2)
	change := Estimate{
		Value: l.Change, Undefined: l.Undefined, N: l.N, Method: l.Method,
		Low: l.Lower, High: l.Upper, Interval: true, Confidence: confidence, Warnings: r.candidate.warnings,
	}
	if l.Undefined != "" {
		change = undefined(l.Undefined, 0)
	}
	return Comparison{Def: m.Def, Baseline: m.estimate(&r.baseline, confidence), Candidate: m.estimate(&r.candidate, confidence), Change: change}, nil
}

// Limits is [Pair.Limits], for a metric that the tally of two models was made for.
func (t *Tally) Limits(name string, alpha float64) (Limits, error) {
	m, err := t.findPaired(name)
	if err != nil {
		return Limits{}, err
	}
	if !(alpha > 0 && alpha <= 0.5) {
		return Limits{}, fmt.Errorf("level %v is not in (0, 0.5]", alpha)
	}
	r := m.read(t)
	return m.limits(&r, alpha), nil
}

func (t *Tally) find(name string) (metric, error) {
	m, err := find(name)
	if err == nil && m.family&^t.families != 0 {
		err = fmt.Errorf("the tally was not made for %q", name)
	}
	return m, err
}

func (t *Tally) findPaired(name string) (metric, error) {
	m, err := t.find(name)
	if err == nil && t.alone {
		err = fmt.Errorf("%q has no change: the tally is of one model", name)
	}
	return m, err
}

const noVariance = "these rows leave the value without any variance"

func checkConfidence(c float64) error {
	if !(c > 0 && c < 1) {
		return fmt.Errorf("confidence %v is not in (0, 1)", c)
	}
	return nil
}

func (m metric) estimate(s *score, confidence float64) Estimate {
	if s.undefined != "" {
		return undefined(s.undefined, 0)
	}
	if s.share[1] > 0 {
		e := Share(s.share[0], s.share[1], confidence, "")
		e.Warnings = s.warnings
		return e
	}
	e := Estimate{Value: s.value, N: s.n, Confidence: confidence, Method: s.method, Warnings: s.warnings}
	why := s.few
	if why == "" && !(s.variance > 0) {
		why = noVariance
	}
	if why != "" {
		e.Warnings = append(e.Warnings[:len(e.Warnings):len(e.Warnings)], why)
		return e
	}
	half := float64(s.quantile((1-confidence)/2) * math.Sqrt(s.variance))
	e.Interval, e.Low, e.High = true, math.Max(m.low, s.value-half), s.value+half
	if m.span > 0 {
		e.High = math.Min(m.low+m.span, e.High)
	}
	return e
}

func (m metric) limits(r *reading, alpha float64) Limits {
	b, c := &r.baseline, &r.candidate
	switch {
	case b.undefined != "" && b.undefined == c.undefined:
		return noLimits(b.undefined)
	case b.undefined != "":
		return noLimits("baseline: " + b.undefined)
	case c.undefined != "":
		return noLimits("candidate: " + c.undefined)
	case r.cells != nil:
		return r.cells.limits(alpha)
	case b.few != "":
		return noLimits(b.few)
	case !(r.variance > 0): // as certain as no rows can make it
		return noLimits(noVariance)
	}
	return m.change(r, alpha)
}

// limits of accuracy on some rows, of which there are some.
func (c Cells) limits(alpha float64) Limits {
	l := Limits{N: c.N(), Change: float64(c.Fixed-c.Broke) / float64(c.N()), Method: methodTango + ", exact McNemar"}
	l.Lower, l.Upper = TangoLimits(c.Broke, c.Fixed, c.N(), alpha)
	l.PWorse = McNemarWorse(c.Broke, c.Fixed)
	return l
}

// change bounds the change by its paired standard error.
func (m metric) change(r *reading, alpha float64) Limits {
	b, c, se := &r.baseline, &r.candidate, math.Sqrt(r.variance)
	l := Limits{Change: c.value - b.value, N: min(b.n, c.n), Method: c.method}
	if c.share[1] > 0 {
		l.Method = methodDelta
	}
	half := float64(c.quantile(alpha) * se)
	l.Lower, l.Upper = l.Change-half, l.Change+half
	if m.span > 0 {
		l.Lower, l.Upper = math.Max(-m.span, l.Lower), math.Min(m.span, l.Upper)
	}
	better := l.Change / se
	if !m.HigherBetter {
		better = -better
	}
	l.PWorse = c.tail(-better)
	return l
}

// quantile is the point that the score's error exceeds with probability alpha, at
// most 1/2, in standard errors. Student's is bisected on the tail: gonum's inverse
// is off by half a percent of the tail at 10,000 rows and a level of 1e-12.
func (s *score) quantile(alpha float64) float64 {
	if s.df == 0 || s.df >= manyRows {
		return upperZ(alpha)
	}
	hi := 1.0
	for s.tail(hi) > alpha {
		hi *= 2
	}
	return bisect(0, hi, func(x float64) bool { return s.tail(x) > alpha })
}

// tail is the probability to exceed x standard errors.
func (s *score) tail(x float64) float64 {
	if s.df > 0 && s.df < manyRows {
		return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: s.df}.CDF(-x)
	}
	return normalUpper(x)
}

// manyRows is from where Student's t is taken as normal.
const manyRows = 10_000
