package metrics

import (
	"fmt"
	"math"
)

// An Equivalence tests a change against a margin on either side, each with one
// one-sided test (TOST: Schuirmann 1987). PLower is the p-value against "worse by the
// margin or more": by it alone the candidate is shown not inferior. PUpper is that
// against "better by the margin or more". Both small shows the change to lie between.
type Equivalence struct{ PLower, PUpper float64 }

// P is the p-value of equivalence: the larger of the two.
func (e Equivalence) P() float64 { return math.Max(e.PLower, e.PUpper) }

// TestMargin tests the change of accuracy against a margin in (0, 1) by Tango's score
// statistic: P is at most alpha just where the Tango interval at 1-2 alpha lies inside.
// It is an error without rows, with a negative count or with another margin.
func (c Cells) TestMargin(margin float64) (Equivalence, error) {
	if err := c.check(); err != nil {
		return Equivalence{}, err
	}
	if !(margin > 0 && margin < 1) {
		return Equivalence{}, fmt.Errorf("margin %v is not in (0, 1)", margin)
	}
	n := c.N()
	return Equivalence{normalUpper(tangoZ(c.Broke, c.Fixed, n, -margin)), normalUpper(tangoZ(c.Fixed, c.Broke, n, -margin))}, nil
}

// check refuses cells that no rows can have.
func (c Cells) check() error {
	least := min(c.BothRight, c.Broke, c.Fixed, c.SameWrong, c.OtherWrong)
	most := max(c.BothRight, c.Broke, c.Fixed, c.SameWrong, c.OtherWrong)
	if least < 0 || most > 1<<53 || c.N() == 0 { // beyond, sums may wrap
		return fmt.Errorf("cells: from %d to %d rows: need rows, no negative cell, at most 2^53 in one", least, most)
	}
	return nil
}

// Differences are a number of each row under the candidate less that under the
// baseline, finite; at least 2. Only [NewDifferences] makes them; the zero value has
// no test. Everything about them is by Student's t, which is exact for normal
// differences and near for many: at .95 the interval covers .93 of the means of 50
// exponential rows and .95 from 500 on. It says nothing where a few rows hold most of the
// spread.
type Differences struct {
	d []float64
	s score
}

// NewDifferences takes the numbers of the same n rows.
func NewDifferences(baseline, candidate []float64) (*Differences, error) {
	if err := checkColumns("baseline numbers", baseline, "candidate numbers", candidate); err != nil {
		return nil, fmt.Errorf("differences: %w", err)
	}
	if len(baseline) < 2 {
		return nil, fmt.Errorf("differences: %d rows, need at least 2", len(baseline))
	}
	d := make([]float64, len(baseline))
	for i := range d {
		d[i] = candidate[i] - baseline[i]
	}
	if err := checkNumbers("differences", d); err != nil {
		return nil, err
	}
	return &Differences{d, columnMean(d)}, nil
}

// se is the standard error of the mean difference, or why there is none.
func (x *Differences) se() (float64, string) {
	if len(x.d) == 0 {
		return 0, noRows
	}
	se := math.Sqrt(x.s.variance)
	switch {
	case se-se != 0 || x.s.value-x.s.value != 0:
		return 0, "the numbers are too large to compute with"
	case constant(x.d):
		return 0, "all differences are equal"
	}
	return se, ""
}

const methodPairedT = "paired Student's t"

// Mean is the mean difference with its interval. Without spread the interval is
// undefined, and so the estimate.
func (x *Differences) Mean(confidence float64) (Estimate, error) {
	if err := checkConfidence(confidence); err != nil {
		return Estimate{}, err
	}
	se, why := x.se()
	if why != "" {
		return undefined(why, int64(len(x.d))), nil
	}
	half := float64(x.s.quantile((1-confidence)/2) * se)
	return Estimate{
		Value: x.s.value, N: int64(len(x.d)), Interval: true, Confidence: confidence, Method: methodPairedT,
		Low: x.s.value - half, High: x.s.value + half,
	}, nil
}

// T is Student's statistic of no difference and its two-sided p-value. It is an error
// where all differences are equal.
func (x *Differences) T() (t, p float64, err error) {
	se, why := x.se()
	if why != "" {
		return 0, 1, fmt.Errorf("differences: %s", why)
	}
	t = x.s.value / se
	return t, math.Min(1, 2*x.s.tail(math.Abs(t))), nil
}

// TestMargin tests the mean difference against a margin above 0, where a higher number
// is better. It is an error where all differences are equal.
func (x *Differences) TestMargin(margin float64) (Equivalence, error) {
	if !(margin > 0) || math.IsInf(margin, 0) {
		return Equivalence{}, fmt.Errorf("margin %v is not above 0 and finite", margin)
	}
	se, why := x.se()
	if why != "" {
		return Equivalence{}, fmt.Errorf("differences: %s", why)
	}
	return Equivalence{x.s.tail((x.s.value + margin) / se), x.s.tail((margin - x.s.value) / se)}, nil
}
