package policy

import (
	"math"

	"gonum.org/v1/gonum/mathext"

	"proctor/metrics"
)

// enough is the power that every claim on all rows has: an equal model passes it
// with at least this probability, and what is called visible fails to pass with it.
const enough = 0.95

// steady is the power of what there are many of: a slice or a test is judged on its
// own only if an equal model passes it with this probability at the last run. With
// .95, as for all rows, seventy slices stopped 11 % of equal models in the sixth run.
const steady = 0.995

// A sight is one hypothesis on paired counts as a candidate with a loss meets it: of
// n rows, m are right under one model only, and the candidate passes while no more
// than most(m) of those are rows that broke. Numbers are shares of rows.
type sight struct {
	n       int64
	detect  float64 // passes only while the upper limit of the loss is below this,
	hold    float64 // at this one-sided level; 0: there is no such condition
	harm    float64 // fails when the estimate is beyond this and
	violate float64 // the exact test rejects at this level; 0: there is no such test
	cache   map[int64]int64
}

// most returns the most broken rows of m changed ones that pass, -1 for none.
// Limits and p-values are monotone in the broken rows, so that bisection finds it.
func (g *sight) most(m int64) int64 {
	if b, ok := g.cache[m]; ok {
		return b
	}
	low, high := int64(-1), m+1 // low passes, high does not
	for high-low > 1 {
		mid := low + (high-low)/2
		if g.passes(mid, m-mid) {
			low = mid
		} else {
			high = mid
		}
	}
	if g.cache == nil {
		g.cache = map[int64]int64{}
	}
	g.cache[m] = low
	return low
}

func (g *sight) passes(broke, fixed int64) bool {
	if g.violate > 0 && float64(broke-fixed)/float64(g.n) > g.harm && metrics.McNemarWorse(broke, fixed) <= g.violate {
		return false
	}
	if g.hold == 0 {
		return true
	}
	lower, _ := metrics.TangoLimits(broke, fixed, g.n, g.hold)
	return -lower < g.detect
}

// power returns the probability that a candidate passes that loses a share loss of
// the rows, where an equal model would change a share churn of them: rows break
// with churn/2 + loss and are fixed with churn/2, as far as there is room.
//
// The number of changed rows is binomial, and so are the broken ones among them:
// the sum is exact, but for at most 100 values of m that stand for their
// neighbours, and tails beyond six standard deviations.
func (g *sight) power(churn, loss float64) float64 {
	broke := min(float64(churn/2)+loss, 1)
	fixed := min(churn/2, 1-broke)
	changed := broke + fixed
	if g.n < 1 || !(changed > 0) {
		return 0
	}
	mean := float64(float64(g.n) * changed)
	wide := float64(6*math.Sqrt(mean*(1-changed))) + 3
	from, to := max(0, int64(mean-wide)), min(g.n, int64(mean+wide)+1)
	step := max(1, (to-from)/100)
	sum, weight := 0.0, 0.0
	for m := from - from%step; m <= to; m += step { // multiples, so that the cache is met again
		w := binomial(m, g.n, changed)
		if w < 1e-12 {
			continue
		}
		weight += w
		sum += float64(w * (1 - metrics.BinomialUpper(g.most(m)+1, m, broke/changed)))
	}
	if !(weight > 0) {
		return 0
	}
	return min(1, max(0, sum/weight))
}

// binomial returns P(X = k) of n trials.
func binomial(k, n int64, p float64) float64 {
	if p >= 1 {
		if k == n {
			return 1
		}
		return 0
	}
	lg := func(x int64) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	return math.Exp(lg(n) - lg(k) - lg(n-k) + float64(float64(k)*math.Log(p)) + float64(float64(n-k)*math.Log1p(-p)))
}

// visible returns the smallest loss, to a twentieth of a point, that does not pass
// with probability enough; false: not even the loss of all rows.
func (g *sight) visible(churn float64) (float64, bool) {
	low, high := 0.0, 1.0
	if !(g.power(churn, high) <= 1-enough) {
		return 0, false
	}
	for high-low > 5e-4 {
		mid := (low + high) / 2
		if g.power(churn, mid) <= 1-enough {
			high = mid
		} else {
			low = mid
		}
	}
	return high, true
}

// A smooth is one hypothesis on a metric that is no paired count: the change has a
// normal distribution with standard error se.
type smooth struct{ se, detect, hold, harm, violate float64 }

func (s smooth) power(loss float64) float64 {
	if !(s.se > 0) {
		return 0
	}
	pass := phi((s.detect-loss)/s.se - quantile(s.hold))
	if s.violate > 0 {
		pass = min(pass, phi((max(s.harm, quantile(s.violate)*s.se)-loss)/s.se))
	}
	return pass
}

func (s smooth) visible() float64 {
	z := quantile(1 - enough)
	v := s.detect + float64((z-quantile(s.hold))*s.se)
	if s.violate > 0 {
		v = min(v, max(s.harm, quantile(s.violate)*s.se)+float64(z*s.se))
	}
	return max(0, v)
}

// needed scales the rows: the standard error falls with their root.
func (s smooth) needed(n int64) (int64, bool) {
	if !(s.detect > 0) || !(s.se > 0) {
		return 0, false
	}
	r := (quantile(s.hold) + quantile(1-enough)) * s.se / s.detect
	need := math.Ceil(float64(n) * r * r)
	return int64(need), need < 1e9
}

// phi is the standard normal distribution; quantile(p) its upper p point. The
// lower tail is used, where the library keeps its digits.
func phi(x float64) float64      { return float64(math.Erfc(-x/math.Sqrt2) / 2) }
func quantile(p float64) float64 { return -mathext.NormalQuantile(p) }
