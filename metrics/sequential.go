package metrics

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// The files named sequential watch a stream: their intervals and tests hold at
// every moment at once, so that somebody may look after each row and stop when he
// likes. A p-value made for a fixed number of rows may not be looked at so, and
// the two kinds are not mixed on one stream.

// A Mixture bounds a sum of centred rows S by its intrinsic time V, for example
// the sum of the rows' variances. It holds the logarithm of a wealth that starts
// at 1 and, while the true mean of the rows is what S was centred by, is as a
// whole no larger than fair: it reaches 1/alpha, ever, with probability alpha at
// most (Howard, Ramdas, McAuliffe and Sekhon 2021). The functions below make one;
// the zero value refuses.
type Mixture struct {
	log  func(s, v float64) float64 // NaN outside its domain
	most func(v float64) float64    // the largest S that can be at V
}

var errNoMixture = errors.New("mixture: the zero value is none")

// Log is the logarithm of the wealth at sum s and intrinsic time v >= 0. It may be
// -Inf, no evidence. It is an error if s cannot be at v, or a number is not finite.
func (m Mixture) Log(s, v float64) (float64, error) {
	if m.log == nil {
		return 0, errNoMixture
	}
	if !(v >= 0) || s-s != 0 || v-v != 0 {
		return 0, fmt.Errorf("mixture: sum %v at intrinsic time %v: both must be finite, the time at least 0", s, v)
	}
	l := m.log(s, v)
	if math.IsNaN(l) || math.IsInf(l, 1) {
		return 0, fmt.Errorf("mixture: sum %v at intrinsic time %v is outside the range", s, v)
	}
	return l, nil
}

// Bound is the sum that S exceeds at any time v with probability alpha at most, of
// either sign for a two-sided mixture: where the wealth is 1/alpha. Where even the
// largest possible sum is worth less, it is that sum. It is an error if v is
// negative or not finite, or alpha is outside (0, 1).
func (m Mixture) Bound(v, alpha float64) (float64, error) {
	if err := checkLevel(alpha); err != nil {
		return 0, err
	}
	if _, err := m.Log(0, v); err != nil {
		return 0, err
	}
	threshold, hi := -math.Log(alpha), v+1
	below := func(s float64) bool { return m.log(s, v) < threshold }
	for hi < m.most(v) && below(hi) {
		hi *= 2
	}
	if hi >= m.most(v) {
		hi = m.most(v)
	}
	if math.IsInf(hi, 1) {
		return 0, fmt.Errorf("mixture: no bound at intrinsic time %v", v)
	}
	if below(hi) {
		return hi, nil
	}
	return bisect(0, hi, below), nil
}

func checkLevel(alpha float64) error {
	if !(alpha > 0 && alpha < 1) {
		return fmt.Errorf("level %v is not in (0, 1)", alpha)
	}
	return nil
}

// A MixtureTuning says where a mixture's bound is to be tightest: at intrinsic time
// VOpt > 0 for the level AlphaOpt in (0, 1). It holds for every time and level; it
// must be chosen before the stream is seen.
type MixtureTuning struct{ VOpt, AlphaOpt float64 }

// rho is the normal mixture's parameter for the tuning. A one-sided mixture spends
// no level on the other side.
func (t MixtureTuning) rho(oneSided bool) (float64, error) {
	if !(t.VOpt > 0) || math.IsInf(t.VOpt, 0) {
		return 0, fmt.Errorf("mixture: tightest at intrinsic time %v, which is not above 0 and finite", t.VOpt)
	}
	if err := checkLevel(t.AlphaOpt); err != nil {
		return 0, fmt.Errorf("mixture: tuning: %w", err)
	}
	a := t.AlphaOpt
	if oneSided {
		a = 2 * a
		if a >= 1 {
			return 0, fmt.Errorf("mixture: tuning: level %v of one side is not below 1/2", t.AlphaOpt)
		}
	}
	l := float64(-2 * math.Log(a))
	return t.VOpt / (l + math.Log1p(l)), nil
}

func noLimit(float64) float64 { return math.Inf(1) }

// NormalMixture mixes over a normal prior: for sums whose increments are
// sub-Gaussian with variance proxies that add to V. One-sided it has wealth for
// positive sums only (Howard et al. 2021, propositions 5 and 6).
func NormalMixture(t MixtureTuning, oneSided bool) (Mixture, error) {
	rho, err := t.rho(oneSided)
	if err != nil {
		return Mixture{}, err
	}
	if oneSided {
		return Mixture{func(s, v float64) float64 {
			return math.Ln2 + lnNormalWealth(rho, s, v) + lnNormalUpper(-s/math.Sqrt(v+rho))
		}, noLimit}, nil
	}
	return Mixture{func(s, v float64) float64 { return lnNormalWealth(rho, s, v) }, noLimit}, nil
}

func lnNormalWealth(rho, s, v float64) float64 {
	return float64(0.5*math.Log(rho/(v+rho))) + float64(s/(v+rho)*s/2)
}

// GammaExponentialMixture is for positive sums whose increments are sub-gamma (and
// so for sub-exponential ones) with scale c > 0 (Howard et al. 2021, proposition 9).
func GammaExponentialMixture(t MixtureTuning, c float64) (Mixture, error) {
	rho, err := t.rho(true)
	if err != nil {
		return Mixture{}, err
	}
	if !(c > 0) || math.IsInf(c, 0) {
		return Mixture{}, fmt.Errorf("mixture: scale %v is not above 0 and finite", c)
	}
	k := rho / c / c
	constant := float64(k*math.Log(k)) - lnGamma(k) - lnGammaLower(k, k)
	return Mixture{func(s, v float64) float64 {
		x, a := (s/c+v/c/c)+k, v/c/c+k
		if x <= 0 { // below any sum that the mixture bets on
			return math.Inf(-1)
		}
		return constant + lnGamma(a) + lnGammaLower(a, x) - float64(a*math.Log(x)) + x - k
	}, noLimit}, nil
}

func lnGamma(x float64) float64 {
	l, _ := math.Lgamma(x)
	return l
}

// lnGammaLower is ln of the regularised lower incomplete gamma function.
func lnGammaLower(a, x float64) float64 {
	if !(a > 0) || math.IsInf(a, 0) || math.IsInf(x, 0) {
		return math.NaN()
	}
	return math.Log(mathext.GammaIncReg(a, x))
}
