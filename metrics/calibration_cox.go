package metrics

import "math"

// A CoxFit is the logistic regression of what came true on the logits of the
// probabilities (Cox 1958): logit P = Intercept + Slope * logit p.
type CoxFit struct {
	Intercept Estimate // "cox_intercept@1", 0 is best
	Slope     Estimate // "cox_slope@1", 1 is best; below 1 the probabilities are too extreme
	InLarge   Estimate // "calibration_in_the_large@1": the intercept with slope 1, 0 is best
}

// Cox fits by maximum likelihood. Each number is undefined where a probability
// is 0 or 1, where all or none came true, where no finite fit is best (the
// probabilities separate the rows, or are all equal), or where the fit does not
// converge.
func (c *Calibration) Cox() CoxFit {
	f, n := c.fits(), len(c.p)
	return CoxFit{
		Intercept: f.free.number("cox_intercept@1", 0, n),
		Slope:     f.free.number("cox_slope@1", 1, n),
		InLarge:   f.level.number("calibration_in_the_large@1", 0, n),
	}
}

// A coxPoint is an intercept and slope of the highest likelihood, or why there are none.
type coxPoint struct {
	v   [2]float64
	why string
}

func (p coxPoint) number(id string, at, n int) Estimate {
	if p.why != "" {
		return undefined(p.why, int64(n))
	}
	return number(id, p.v[at], n)
}

// coxFits are both fits on the logits x: of intercept and slope, and of the intercept
// with slope 1.
type coxFits struct {
	x           []float64
	free, level coxPoint
}

func (c *Calibration) fits() coxFits {
	x, why := c.logits()
	if why != "" {
		return coxFits{nil, coxPoint{why: why}, coxPoint{why: why}}
	}
	f := coxFits{x: x, level: c.highest(x, false)}
	if f.free.why = c.separated(x); f.free.why == "" {
		f.free = c.highest(x, true)
	}
	return f
}

func (c *Calibration) highest(x []float64, free bool) coxPoint {
	v, ok := c.fit(x, free)
	if !ok {
		return coxPoint{why: "the fit does not converge"}
	}
	return coxPoint{v: v}
}

func (c *Calibration) logits() ([]float64, string) {
	if len(c.p) == 0 {
		return nil, noRows
	}
	x, hits := make([]float64, len(c.p)), 0
	for i, p := range c.p {
		if p <= 0 || p >= 1 {
			return nil, "a probability is 0 or 1 and has no logit"
		}
		x[i] = math.Log(p) - math.Log1p(-p)
		hits += oneIf(c.hit[i])
	}
	if hits == 0 || hits == len(x) {
		return nil, "all or none came true"
	}
	return x, ""
}

// separated is why no finite slope and intercept are best, or "": one side's
// logits do not overlap the other's, but for single points.
func (c *Calibration) separated(x []float64) string {
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for i, v := range x {
		k := oneIf(c.hit[i])
		lo[k], hi[k] = math.Min(lo[k], v), math.Max(hi[k], v)
	}
	switch {
	case lo[0] == hi[1] && lo[1] == hi[0]:
		return "all probabilities are equal"
	case hi[0] <= lo[1] || hi[1] <= lo[0]:
		return "the probabilities separate what came true from what did not"
	}
	return ""
}

// fit maximises the log likelihood of (intercept, slope), or of the intercept with
// slope 1, by Newton's method with halved steps: the likelihood is concave.
func (c *Calibration) fit(x []float64, free bool) (v [2]float64, ok bool) {
	v = [2]float64{0, 1}
	at := c.likelihood(x, v)
	for range 100 {
		step, ok := at.newton(free)
		if !ok {
			return v, false
		}
		if math.Abs(step[0]) <= smallStep*(1+math.Abs(v[0])) && math.Abs(step[1]) <= smallStep*(1+math.Abs(v[1])) {
			return v, true
		}
		size, least := 1.0, at.log-float64(1e-14*math.Abs(at.log)) // less by rounding alone
		for {
			to := [2]float64{v[0] + float64(size*step[0]), v[1] + float64(size*step[1])}
			if next := c.likelihood(x, to); next.log >= least {
				v, at = to, next
				break
			}
			if size /= 2; size < smallStep {
				return v, false
			}
		}
	}
	return v, false
}

// smallStep ends the fit: the error after a step is of the order of its square.
const smallStep = 1e-10

// A likelihood is the logarithm with its gradient and curvature, sums over rows.
type likelihood struct {
	log float64
	g   [2]float64
	h   [3]float64 // minus the second derivatives: intercept twice, both, slope twice
}

func (c *Calibration) likelihood(x []float64, v [2]float64) likelihood {
	var all likelihood
	for from := 0; from < len(x); from += block {
		var l likelihood
		for i := from; i < min(from+block, len(x)); i++ {
			z := v[0] + float64(v[1]*x[i])
			y := float64(oneIf(c.hit[i]))
			p := 1 / (1 + math.Exp(-z))
			w := float64(p * (1 - p))
			l.log -= math.Log1p(math.Exp(-math.Abs(z))) + math.Max(0, z) - float64(y*z)
			l.g[0] += y - p
			l.g[1] += float64((y - p) * x[i])
			l.h[0] += w
			l.h[1] += float64(w * x[i])
			l.h[2] += float64(w * x[i] * x[i])
		}
		all.log += l.log
		for j := range all.g {
			all.g[j] += l.g[j]
		}
		for j := range all.h {
			all.h[j] += l.h[j]
		}
	}
	return all
}

// newton is the step to the top of the parabola, if there is one.
func (l likelihood) newton(free bool) (step [2]float64, ok bool) {
	if !free {
		step[0] = l.g[0] / l.h[0]
		return step, l.h[0] > 0 && step[0]-step[0] == 0
	}
	det := float64(l.h[0]*l.h[2]) - float64(l.h[1]*l.h[1])
	step[0] = (float64(l.h[2]*l.g[0]) - float64(l.h[1]*l.g[1])) / det
	step[1] = (float64(l.h[0]*l.g[1]) - float64(l.h[1]*l.g[0])) / det
	return step, det > 0 && step[0]-step[0] == 0 && step[1]-step[1] == 0
}
