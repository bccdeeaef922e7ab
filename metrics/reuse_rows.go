package metrics

import (
	"fmt"
	"math"
)

// Adaptivity says what the author of the next model knows about the last one's result.
type Adaptivity uint8

const (
	// AdaptNone: results go to a third party; models do not depend on them.
	AdaptNone Adaptivity = iota + 1
	// AdaptFull: each result, pass or fail, is seen before the next model is made.
	AdaptFull
	// AdaptFirstChange: each result is seen, and the set is retired at the first pass.
	// Until then every result was the same, so there was nothing to adapt to.
	AdaptFirstChange
)

// A Reuse is a promise for a set's whole life: over Runs evaluations no bound fails,
// with probability 1-Delta (Renggli et al. 2019, ease.ml/ci).
type Reuse struct {
	Runs       int        // at least 1
	Delta      float64    // in (0, 1)
	Adaptivity Adaptivity // the zero value is refused
}

// lnEvents is ln of the number of events that Delta is split over: the runs, or all
// the sequences of results that can be.
func (r Reuse) lnEvents() (float64, error) {
	if r.Runs < 1 || !(r.Delta > 0 && r.Delta < 1) {
		return 0, fmt.Errorf("reuse: %d runs at delta %v: need at least 1 run and delta in (0, 1)", r.Runs, r.Delta)
	}
	switch r.Adaptivity {
	case AdaptNone, AdaptFirstChange:
		return math.Log(float64(r.Runs)), nil
	case AdaptFull:
		return float64(r.Runs) * math.Ln2, nil
	}
	return 0, fmt.Errorf("reuse: unknown adaptivity %d", r.Adaptivity)
}

// HoeffdingRows is the number of rows, before rounding up, on which the estimate of a
// sum of means stays within eps > 0 of the truth, one-sided. width > 0 is the range of
// the sum: each mean's coefficient times its range, added up: 2 for the difference of
// two accuracies, whose variables are 2. Each variable is bounded on its own rows'
// noise, so delta is split over them.
func (r Reuse) HoeffdingRows(eps, width float64, variables int) (float64, error) {
	events, err := r.lnEvents()
	if err != nil {
		return 0, err
	}
	if !(eps > 0 && width > 0) || variables < 1 {
		return 0, fmt.Errorf("reuse: tolerance %v, range %v, %d variables: need all above 0", eps, width, variables)
	}
	u := width / eps
	return finiteRows(u * u / 2 * (events + math.Log(float64(variables)) - math.Log(r.Delta)))
}

// BennettRows is the number of rows, before rounding up, for the difference of two
// models' accuracies within eps where at most a share p of the predictions differs
// (Bennett's inequality; pattern 1 of ease.ml/ci). p and eps are in (0, 1].
func (r Reuse) BennettRows(eps, p float64) (float64, error) {
	events, err := r.lnEvents()
	if err != nil {
		return 0, err
	}
	if !(eps > 0 && eps <= 1 && p > 0 && p <= 1) {
		return 0, fmt.Errorf("reuse: tolerance %v and share %v of changed predictions: need both in (0, 1]", eps, p)
	}
	u := eps / p
	h := float64((1+u)*math.Log1p(u)) - u
	if u < 1e-3 { // where the difference loses its digits
		h = u * u / 2 * (1 - float64(u/3*(1-float64(u/2))))
	}
	return finiteRows((events + math.Log(4) - math.Log(r.Delta)) / (p * h))
}

// ActiveLabels is the number of rows to label for one evaluation, before rounding up,
// where only changed predictions are labelled: the share p of [Reuse.BennettRows] for
// one run.
func (r Reuse) ActiveLabels(eps, p float64) (float64, error) {
	r.Runs, r.Adaptivity = 1, AdaptNone
	n, err := r.BennettRows(eps, p)
	return n * p, err
}

func finiteRows(n float64) (float64, error) {
	if !(n >= 0) || math.IsInf(n, 0) {
		return 0, fmt.Errorf("reuse: no number of rows is enough")
	}
	return n, nil
}
