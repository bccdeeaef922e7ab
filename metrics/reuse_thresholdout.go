package metrics

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// ErrReuseBudget says that a set has answered as often from its sealed rows as it may.
var ErrReuseBudget = errors.New("the set's budget of answers is spent")

// Noise draws from a distribution centred at 0 with the given scale. A Thresholdout
// asks it with three scales: 2 sigma for the threshold, 4 sigma for a comparison,
// sigma for an answer. It must come from a secret seed: who can predict the noise can
// take it off.
type Noise func(scale float64) float64

// Laplace is the noise of the published algorithm.
func Laplace(src rand.Source) Noise {
	r := rand.New(src)
	return func(scale float64) float64 {
		u := float64((float64(r.Uint64()>>11)+0.5)*0x1p-53) - 0.5 // never -1/2, whose noise has no end
		return -scale * math.Copysign(math.Log1p(-2*math.Abs(u)), u)
	}
}

// A Thresholdout answers questions about a mean with its value on training rows, and
// with a noisy value on sealed rows only where the two differ by more than a noisy
// threshold (Dwork, Feldman, Hardt, Pitassi, Reingold and Roth 2015, the form of
// CACM 2017). It answers so from the sealed rows a limited number of times. Only
// [NewThresholdout] makes one.
//
// Forms of other hands double the scales of the noise; these are the published ones.
type Thresholdout struct {
	threshold, sigma, current float64
	budget                    int
	noise                     Noise
	answers                   map[string]ThresholdAnswer
}

// A ThresholdAnswer is what the asker sees.
type ThresholdAnswer struct {
	Value  float64
	Sealed bool // it comes from the sealed rows and was charged
}

// NewThresholdout starts with a budget of at least 0 answers from the sealed rows.
// Threshold and sigma are in units of the means, finite and at least 0.
func NewThresholdout(threshold, sigma float64, budget int, noise Noise) (*Thresholdout, error) {
	if !(threshold >= 0 && sigma >= 0) || math.IsInf(threshold+sigma, 0) {
		return nil, fmt.Errorf("thresholdout: threshold %v and sigma %v: need both at least 0 and finite", threshold, sigma)
	}
	if budget < 0 || noise == nil {
		return nil, fmt.Errorf("thresholdout: budget %d, or no noise given", budget)
	}
	t := &Thresholdout{threshold: threshold, sigma: sigma, budget: budget, noise: noise, answers: map[string]ThresholdAnswer{}}
	t.redraw()
	return t, nil
}

func (t *Thresholdout) redraw() { t.current = t.threshold + t.noise(2*t.sigma) }

// Budget is how many answers from the sealed rows are left.
func (t *Thresholdout) Budget() int { return t.budget }

// Ask takes a question's name, unique to what it asks, and its mean on the training
// and on the sealed rows. The same name gets the same answer, at no charge: asked
// anew it would give fresh noise, and the mean of many answers has none. It is
// [ErrReuseBudget] where the budget is spent, and an error if a mean is not finite.
func (t *Thresholdout) Ask(question string, training, sealed float64) (ThresholdAnswer, error) {
	if t.noise == nil {
		return ThresholdAnswer{}, errors.New("thresholdout: the zero value answers nothing")
	}
	if a, ok := t.answers[question]; ok {
		return a, nil
	}
	if t.budget < 1 {
		return ThresholdAnswer{}, ErrReuseBudget
	}
	if training-training != 0 || sealed-sealed != 0 {
		return ThresholdAnswer{}, errors.New("thresholdout: a mean is not finite")
	}
	a := ThresholdAnswer{Value: training}
	if math.Abs(sealed-training) > t.current+t.noise(4*t.sigma) {
		a = ThresholdAnswer{Value: sealed + t.noise(t.sigma), Sealed: true}
		t.budget--
		t.redraw()
	}
	t.answers[question] = a
	return a, nil
}

// ThresholdoutScale is the threshold and sigma of theorem 9 of the paper: answers
// within tau in (0, 1] of the truth for all of m >= 1 questions, with probability
// 1-beta, on enough rows: T = 3 tau/4 and sigma = tau/(96 ln(4m/beta)).
func ThresholdoutScale(tau float64, m int, beta float64) (threshold, sigma float64, err error) {
	if err := checkLevel(beta); err != nil {
		return 0, 0, fmt.Errorf("thresholdout: %w", err)
	}
	if !(tau > 0 && tau <= 1) || m < 1 {
		return 0, 0, fmt.Errorf("thresholdout: tolerance %v is not in (0, 1], or %d questions", tau, m)
	}
	return 3 * tau / 4, tau / (96 * (math.Log(4*float64(m)) - math.Log(beta))), nil
}
