package metrics

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// BinomialUpper is P(X >= k) of n trials with probability p. It keeps its
// relative accuracy in both tails.
func BinomialUpper(k, n int64, p float64) float64 {
	return math.Exp(lnBinomialUpper(k, n, p))
}

// lnBinomialUpper is ln P(X >= k). It does not underflow: the tail is the term
// at k times a sum of ratios. Below the mean the other tail is the small one.
func lnBinomialUpper(k, n int64, p float64) float64 {
	switch {
	case k <= 0:
		return 0
	case k > n || p <= 0:
		return math.Inf(-1)
	case p >= 1:
		return 0
	case float64(k) > float64(n)*p:
		return lnBinomial(k, n, p) + math.Log(tailSum(k, n, p))
	}
	// P(X <= k-1) of successes is P(Y >= n-k+1) of failures.
	j := n - k + 1
	return math.Log1p(-math.Exp(lnBinomial(j, n, 1-p)) * tailSum(j, n, 1-p))
}

// tailSum is sum over i >= k of pmf(i)/pmf(k), added from the largest term.
func tailSum(k, n int64, p float64) float64 {
	sum, term, odds := 1.0, 1.0, p/(1-p)
	for i := k; i < n; i++ {
		term *= float64(n-i) / float64(i+1) * odds
		next := sum + term
		if next == sum {
			break
		}
		sum = next
	}
	return sum
}

// lnBinomial is the log of the binomial probability of k in n by Loader's
// saddle-point expansion (Loader 2000), accurate to a few units in the last
// place where differences of log-gammas lose their digits.
func lnBinomial(k, n int64, p float64) float64 {
	x, m := float64(k), float64(n)
	switch k {
	case 0:
		return m * math.Log1p(-p)
	case n:
		return m * math.Log(p)
	}
	lc := stirlingError(m) - stirlingError(x) - stirlingError(m-x) - deviance(x, m*p) - deviance(m-x, m*(1-p))
	return lc + 0.5*math.Log(m/(2*math.Pi*x*(m-x)))
}

// stirlingError is ln n! minus Stirling's formula for it.
func stirlingError(n float64) float64 {
	if n < 16 {
		lg, _ := math.Lgamma(n + 1)
		return lg - (n+0.5)*math.Log(n) + n - 0.5*math.Log(2*math.Pi)
	}
	s := n * n
	return (1.0/12 - (1.0/360-(1.0/1260-(1.0/1680-1.0/1188/s)/s)/s)/s) / n
}

// deviance is x ln(x/m) + m - x without cancellation near x = m (Loader's bd0).
func deviance(x, m float64) float64 {
	if math.Abs(x-m) >= 0.1*(x+m) {
		return x*math.Log(x/m) + m - x
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

// ClopperPearson is the exact two-sided interval of a share of k in n: the
// quantiles of Beta(k, n-k+1) and Beta(k+1, n-k). Without rows it is [0, 1].
func ClopperPearson(k, n int64, confidence float64) (low, high float64) {
	a := (1 - confidence) / 2
	return 1 - shareUpper(n-k, n, a), shareUpper(k, n, a)
}

// shareUpper is the one-sided Clopper-Pearson upper limit at level alpha: the
// share at which k or fewer of n have probability alpha.
func shareUpper(k, n int64, alpha float64) float64 {
	if k >= n || !(alpha > 0) {
		return 1
	}
	if k == 0 {
		return -math.Expm1(math.Log(alpha) / float64(n))
	}
	return 1 - mathext.InvRegIncBeta(float64(n-k), float64(k+1), alpha)
}
