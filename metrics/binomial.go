package metrics

import "math"

// BinomialUpper is P(X >= k) of n trials with probability p. It keeps its
// relative accuracy in both tails. Of a p that is NaN it is 1: no evidence.
func BinomialUpper(k, n int64, p float64) float64 {
	if math.IsNaN(p) {
		return 1
	}
	return math.Exp(lnBinomialUpper(k, n, p, 1-p))
}

// lnBinomialUpper is ln P(X >= k) for p and q = 1-p. It does not underflow: the
// tail is the term at k times a sum of ratios. Below the mean the other tail is
// the small one: X <= k-1 means at least n-k+1 failures.
func lnBinomialUpper(k, n int64, p, q float64) float64 {
	switch {
	case k <= 0:
		return 0
	case k > n || p <= 0:
		return math.Inf(-1)
	case q <= 0:
		return 0
	case float64(k) > float64(n)*p:
		return lnBinomial(k, n, p, q) + math.Log(tailSum(k, n, p/q))
	}
	j := n - k + 1
	return math.Log1p(-math.Exp(lnBinomial(j, n, q, p)) * tailSum(j, n, q/p))
}

// tailSum is the sum over i >= k of P(X = i)/P(X = k), from the largest term on.
func tailSum(k, n int64, odds float64) float64 {
	sum, term := 1.0, 1.0
	for i := k; i < n; i++ {
		term = float64(term * (float64(n-i) / float64(i+1) * odds))
		next := sum + term
		if next == sum {
			break
		}
		sum = next
	}
	return sum
}

// lnBinomial is ln P(X = k) by Loader's saddle-point expansion (Loader 2000),
// accurate to a few units in the last place where differences of log-gammas lose
// their digits.
func lnBinomial(k, n int64, p, q float64) float64 {
	x, m := float64(k), float64(n)
	switch {
	case p == 0 || q == 0: // all or none
		if x == m*p {
			return 0
		}
		return math.Inf(-1)
	case k == 0:
		return m * lnOf(q, p)
	case k == n:
		return m * lnOf(p, q)
	}
	lc := stirlingError(m) - stirlingError(x) - stirlingError(m-x) - deviance(x, m*p) - deviance(m-x, m*q)
	return lc + float64(0.5*math.Log(m/(2*math.Pi*x*(m-x))))
}

// lnOf is ln p for p = 1-q, by whichever of the two has more digits.
func lnOf(p, q float64) float64 {
	if q < 0.5 {
		return math.Log1p(-q)
	}
	return math.Log(p)
}

// stirlingError is ln n! minus Stirling's formula for it.
func stirlingError(n float64) float64 {
	if n < 16 {
		lg, _ := math.Lgamma(n + 1)
		return lg - float64((n+0.5)*math.Log(n)) + n - float64(0.5*math.Log(2*math.Pi))
	}
	s := n * n
	return (1.0/12 - (1.0/360-(1.0/1260-(1.0/1680-1.0/1188/s)/s)/s)/s) / n
}

// deviance is x ln(x/m) + m - x without cancellation near x = m (Loader's bd0).
func deviance(x, m float64) float64 {
	if math.Abs(x-m) >= 0.1*(x+m) {
		return float64(x*math.Log(x/m)) + m - x
	}
	v := (x - m) / (x + m)
	s := (x - m) * v
	term := 2 * x * v
	for j := 3.0; ; j += 2 {
		term *= v * v
		next := s + term/j
		if next == s {
			return s
		}
		s = next
	}
}

// ClopperPearson is the exact two-sided interval of a share of k in n. Without
// rows, and for counts or a confidence that are none, it is [0, 1].
func ClopperPearson(k, n int64, confidence float64) (low, high float64) {
	if n <= 0 || k < 0 || k > n || !(confidence >= 0 && confidence < 1) {
		return 0, 1
	}
	a := (1 - confidence) / 2
	return shareLower(k, n, a), shareUpper(k, n, a)
}

// shareUpper is the one-sided Clopper-Pearson upper limit at level alpha: the
// share at which k or fewer of n have probability alpha. It is bisected on the
// tail itself: gonum's inverse of the incomplete beta function gives .054 for 10
// of 10^6 at 5e-10, where the limit is .000037.
func shareUpper(k, n int64, alpha float64) float64 {
	if k >= n || !(alpha > 0) {
		return 1
	}
	ln := math.Log(alpha)
	return bisect(float64(k)/float64(n), 1, func(p float64) bool { return lnBinomialUpper(n-k, n, 1-p, p) > ln })
}

// shareLower is the lower limit: the share at which k or more have probability alpha.
func shareLower(k, n int64, alpha float64) float64 {
	if k <= 0 || !(alpha > 0) {
		return 0
	}
	ln := math.Log(alpha)
	return bisect(0, float64(k)/float64(n), func(p float64) bool { return lnBinomialUpper(k, n, p, 1-p) < ln })
}

// bisect finds where below, true at lo, turns false, to the last bit.
func bisect(lo, hi float64, below func(x float64) bool) float64 {
	for {
		mid := lo + float64((hi-lo)/2)
		if mid <= lo || mid >= hi {
			return lo
		}
		if below(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
}
