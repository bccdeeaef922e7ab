package metrics

import (
	"errors"
	"fmt"
	"math"
)

// A CalibrationChange is how two models' calibration differs on the same rows, the
// candidate's less the baseline's. The intervals are normal, with the paired standard
// error of the rows' influences.
type CalibrationChange struct {
	Intercept Estimate // of [CoxFit.Intercept] ("cox_intercept_change@1")
	Slope     Estimate // of [CoxFit.Slope] ("cox_slope_change@1")
	InLarge   Estimate // of [CoxFit.InLarge] ("calibration_in_the_large_change@1")
	Smooth    Estimate // of [Calibration.Smooth] ("smece_change@1"), in [-1, 1], lower is better
}

// CompareCalibration compares both models on n rows in the same order. It is an error if
// there are no rows, their numbers differ or the confidence is outside (0, 1). A number
// that is undefined for either model has no change, nor has one that no row moves.
//
// A row's influence is the derivative of the number by the row's weight (Hampel 1974),
// and the variance of a change the sum of squares of the differences of both models'
// influences: what a paired bootstrap over rows tends to, in one pass. For Cox's fits it
// is the sandwich, which does not ask that the fit be true (Huber 1967); by simulation
// .93 to .97 of the intervals at .95 hold the truth from 100 rows on.
//
// The smooth error is biased upwards where it is near what chance alone gives. One below
// 2/sqrt(n) may be nothing but that: its interval then allows for all of it, and a
// warning says so. With that .95 and more hold the truth; without it .8 do where one of
// the models is calibrated.
func CompareCalibration(baseline, candidate *Calibration, confidence float64) (CalibrationChange, error) {
	if err := checkConfidence(confidence); err != nil {
		return CalibrationChange{}, fmt.Errorf("compare calibration: %w", err)
	}
	if baseline == nil || candidate == nil || len(baseline.p) == 0 {
		return CalibrationChange{}, errors.New("compare calibration: no rows")
	}
	if len(baseline.p) != len(candidate.p) {
		return CalibrationChange{}, fmt.Errorf("compare calibration: the baseline has %d rows, the candidate %d", len(baseline.p), len(candidate.p))
	}
	b, c := baseline.influences(), candidate.influences()
	return CalibrationChange{
		Intercept: influencedChange("cox_intercept_change@1", b.intercept, c.intercept, confidence),
		Slope:     influencedChange("cox_slope_change@1", b.slope, c.slope, confidence),
		InLarge:   influencedChange("calibration_in_the_large_change@1", b.level, c.level, confidence),
		Smooth:    smoothChange(b.smooth, c.smooth, confidence),
	}, nil
}

// CalibrationChange is [CompareCalibration] of the pair's models, by the probabilities
// that [Frame.Calibration] takes. It is an error if a model gave none.
func (p *Pair) CalibrationChange(confidence float64) (CalibrationChange, error) {
	b, err := p.baseline.calibration()
	if err != nil {
		return CalibrationChange{}, fmt.Errorf("baseline: %w", err)
	}
	c, err := p.candidate.calibration()
	if err != nil {
		return CalibrationChange{}, fmt.Errorf("candidate: %w", err)
	}
	return CompareCalibration(b, c, confidence)
}

// An influenced number is one with the derivative by each row's weight.
type influenced struct {
	value float64
	rows  []float64
	why   string // there is none
}

type calibrationInfluences struct{ intercept, slope, level, smooth influenced }

func (c *Calibration) influences() calibrationInfluences {
	f := c.fits()
	var out calibrationInfluences
	out.intercept, out.slope = c.ofFit(f.x, f.free, true)
	out.level, _ = c.ofFit(f.x, f.level, false)
	_, sigma := c.Smooth()
	out.smooth = c.ofSmooth(sigma)
	return out
}

// ofFit are the influences on a fit: the inverse curvature times the row's gradient.
func (c *Calibration) ofFit(x []float64, at coxPoint, free bool) (intercept, slope influenced) {
	if at.why != "" {
		return influenced{why: at.why}, influenced{why: at.why}
	}
	intercept = influenced{value: at.v[0], rows: make([]float64, len(x))}
	slope = influenced{value: at.v[1], rows: make([]float64, len(x))}
	l := c.likelihood(x, at.v)
	for i, v := range x {
		z := at.v[0] + float64(at.v[1]*v)
		r := float64(oneIf(c.hit[i])) - 1/(1+math.Exp(-z))
		row := likelihood{g: [2]float64{r, r * v}, h: l.h}
		step, ok := row.newton(free)
		if !ok {
			why := influenced{why: "the fit has no curvature"}
			return why, why
		}
		intercept.rows[i], slope.rows[i] = step[0], step[1]
	}
	return intercept, slope
}

// ofSmooth are the influences on the smooth error at a bandwidth. With G(p) the sum over
// the points of the sign of the residual there times the kernel, and U(p) the same
// without the sign, a row at p with residual r adds r G(p) to what is wrong and U(p) to
// the density.
func (c *Calibration) ofSmooth(sigma float64) influenced {
	s := c.smoothing(sigma)
	out := influenced{value: s.wrong / s.dense, rows: make([]float64, len(c.p))}
	signed, all := make([]float64, s.grid), make([]float64, s.grid)
	for i, r := range s.residual {
		j, frac := s.point(i)
		s.spread(signed, all, j, sign(r), 1-frac)
		s.spread(signed, all, j+1, sign(r), frac)
	}
	for i, p := range c.p {
		j, frac := between(p, s.grid)
		g := float64(signed[j]*(1-frac)) + float64(signed[j+1]*frac)
		u := float64(all[j]*(1-frac)) + float64(all[j+1]*frac)
		r := p - float64(oneIf(c.hit[i]))
		out.rows[i] = (float64(r*g) - float64(out.value*u)) / s.dense
	}
	return out
}

func sign(x float64) float64 { return float64(oneIf(x > 0) - oneIf(x < 0)) }

// spread is the other way of at: what grid point j takes is put where it takes it from,
// times of, and with the sign.
func (k kernel) spread(signed, all []float64, j int, sign, of float64) {
	from := j + k.grid/2 - k.first
	for i, w := range k.w {
		at := k.inside(from - i)
		all[at] += float64(w * of)
		signed[at] += float64(w * of * sign)
	}
}

// influencedChange is the change of a number between two models.
func influencedChange(id string, b, c influenced, confidence float64) Estimate {
	n := int64(max(len(b.rows), len(c.rows)))
	switch {
	case b.why != "":
		return undefined("baseline: "+b.why, n)
	case c.why != "":
		return undefined("candidate: "+c.why, n)
	case n < 2:
		return undefined(fewRows, n)
	}
	d := make([]float64, n)
	for i := range d {
		d[i] = c.rows[i] - b.rows[i]
	}
	mean := sum(d) / float64(n)
	for i := range d {
		d[i] -= mean
	}
	se := math.Sqrt(sumSquares(d, nil) * (float64(n) / float64(n-1)))
	e := number(id, c.value-b.value, int(n))
	half := float64(upperZ((1-confidence)/2) * se)
	switch {
	case e.Undefined != "":
		return e
	case !(se > 0):
		return undefined(noVariance, n)
	case math.IsInf(half, 0):
		return undefined("the numbers are too large to compute with", n)
	}
	e.Interval, e.Confidence, e.Low, e.High = true, confidence, e.Value-half, e.Value+half
	return e
}

func smoothChange(b, c influenced, confidence float64) Estimate {
	e := influencedChange("smece_change@1", b, c, confidence)
	if e.Undefined != "" {
		return e
	}
	chance := 2 / math.Sqrt(float64(e.N))
	if b.value < chance {
		e.High += b.value
	}
	if c.value < chance {
		e.Low -= c.value
	}
	if math.Min(b.value, c.value) < chance {
		e.Warnings = append(e.Warnings, "an error is near what chance alone gives: the interval allows that it is 0")
	}
	e.Low, e.High = math.Max(-1, e.Low), math.Min(1, e.High)
	return e
}
