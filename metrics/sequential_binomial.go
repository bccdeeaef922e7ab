package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// BetaBinomialMixture is for sums whose increments lie in [-g, h], such as centred
// rows of 0 and 1: then g = p, h = 1-p and V = n p (1-p). The sum cannot pass V/g.
// One-sided it has wealth for positive sums only (Howard et al. 2021, propositions
// 7 and 8). It is an error if g or h is not above 0 and finite.
func BetaBinomialMixture(t MixtureTuning, g, h float64, oneSided bool) (Mixture, error) {
	rho, err := t.rho(oneSided)
	if err != nil {
		return Mixture{}, err
	}
	if !(g > 0 && h > 0) || math.IsInf(g, 0) || math.IsInf(h, 0) {
		return Mixture{}, fmt.Errorf("mixture: increments in [-%v, %v]: both must be above 0 and finite", g, h)
	}
	r, x := math.Max(rho-float64(g*h), 1e-3*g*h), 1.0
	if oneSided {
		x = h / (g + h)
	}
	normalizer := lnBetaLower(r/g/(g+h), r/h/(g+h), x)
	return Mixture{func(s, v float64) float64 {
		down, up := (v/g-s)/(g+h), (v/h+s)/(g+h) // of n rows, those at -g and those at h
		if !(down >= -1e-9*(1+v/g/(g+h)) && up >= -1e-9*(1+v/h/(g+h))) {
			return math.NaN()
		}
		return float64(v/g/h*math.Log(g+h)) - float64(up*math.Log(g)) - float64(down*math.Log(h)) +
			lnBetaLower(r/g/(g+h)+down, r/h/(g+h)+up, x) - normalizer
	}, func(v float64) float64 { return v / g }}, nil
}

// lnBetaLower is ln of the incomplete beta function, not regularised.
func lnBetaLower(a, b, x float64) float64 {
	if !(a > 0 && b > 0) || math.IsInf(a+b, 0) {
		return math.NaN()
	}
	if x == 1 {
		return mathext.Lbeta(a, b)
	}
	return mathext.Lbeta(a, b) + math.Log(mathext.RegIncBeta(a, b, x))
}

// maxStream is up to where the wealth keeps three decimals.
const maxStream = 1 << 40

const methodBernoulli = "beta-binomial confidence sequence"

// BernoulliSequence estimates a share from the first n rows of a stream, k of them
// hits, with an interval that covers the true share at all n at once with
// probability 1-alpha. It is for accuracies and flip rates under watch, and
// tightest near tOpt >= 1 rows. Before the first row it is undefined. It is an
// error if k is outside [0, n], alpha outside (0, 1) or tOpt below 1 or not finite.
func BernoulliSequence(k, n int64, alpha, tOpt float64) (Estimate, error) {
	if err := checkLevel(alpha); err != nil {
		return Estimate{}, err
	}
	if k < 0 || k > n || n > maxStream {
		return Estimate{}, fmt.Errorf("%d hits in %d rows: need hits in [0, rows], rows at most 2^40", k, n)
	}
	if !(tOpt >= 1) || math.IsInf(tOpt, 0) {
		return Estimate{}, fmt.Errorf("tightest at %v rows, which is not at least 1 and finite", tOpt)
	}
	if n == 0 {
		return undefined(noRows, 0), nil
	}
	return Estimate{
		Value: float64(k) / float64(n), N: n, Interval: true, Confidence: 1 - alpha, Method: methodBernoulli,
		Low: bernoulliLower(k, n, alpha, tOpt, alpha), High: 1 - bernoulliLower(n-k, n, alpha, tOpt, alpha),
	}, nil
}

// bernoulliLower is the share below which k of n are worth 1/alpha. Shares below
// 10^-15 are not told from 0.
func bernoulliLower(k, n int64, alpha, tOpt, alphaOpt float64) float64 {
	const least = 1e-15
	share, threshold := float64(k)/float64(n), -math.Log(alpha)
	excluded := func(p float64) bool { return bernoulliWealth(k, n, p, tOpt, alphaOpt) >= threshold }
	if share <= least || !excluded(least) {
		return 0
	}
	return bisect(least, share, excluded)
}

// bernoulliWealth is the log wealth against a true share p in (0, 1).
func bernoulliWealth(k, n int64, p, tOpt, alphaOpt float64) float64 {
	l := float64(-2 * math.Log(alphaOpt))
	prior := math.Max(tOpt/(l+math.Log1p(l))-1, 1e-3) // rows that the prior is worth
	hit, miss := float64(k), float64(n-k)
	return -float64(hit*math.Log(p)) - float64(miss*math.Log1p(-p)) +
		mathext.Lbeta(float64(prior*(1-p))+miss, float64(prior*p)+hit) - mathext.Lbeta(prior*(1-p), prior*p)
}
