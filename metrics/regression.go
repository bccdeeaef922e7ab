package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// A Regression holds true numbers and predictions of the same rows, finite and
// complete, with weights or without. Only [NewRegression] makes one; the zero
// value has no metric. The method of an estimate is the id of its definition.
// Estimates are undefined where a sum overflows.
//
// Parts of the rows do not add up to all of them as a [Tally]'s do. A tally rounds each
// row's number to fixed point once, which needs a bound on it; a loss in [0, 1] has one,
// the error of a number in any unit has none, and a unit chosen from the rows would
// depend on the cut. Medians and largest errors by weight need the rows anyhow.
type Regression struct {
	truth, predicted []float64
	weights          []float64 // nil: every row counts once
	total            float64   // of the weights
}

// NewRegression takes n true numbers, n predictions and n weights, or nil for
// the weights. It is an error if their lengths differ, there are no rows, a
// number is NaN or infinite, a weight is negative or all weights are 0. The
// slices are kept: the caller does not change them.
func NewRegression(truth, predicted, weights []float64) (*Regression, error) {
	if err := checkColumns("true values", truth, "predictions", predicted); err != nil {
		return nil, fmt.Errorf("regression: %w", err)
	}
	total, err := checkWeights(len(truth), weights)
	if err != nil {
		return nil, fmt.Errorf("regression: %w", err)
	}
	return &Regression{truth, predicted, weights, total}, nil
}

const noRows = "no rows"

// N is the number of rows.
func (r *Regression) N() int { return len(r.truth) }

func (r *Regression) weight(i int) float64 {
	if r.weights == nil {
		return 1
	}
	return r.weights[i]
}

// mean is the weighted mean of a loss over the rows.
func (r *Regression) mean(id string, loss func(y, p float64) float64) Estimate {
	if r.N() == 0 {
		return undefined(noRows, 0)
	}
	return number(id, r.meanOf(loss), r.N())
}

func (r *Regression) meanOf(loss func(y, p float64) float64) float64 {
	return blockSum(r.N(), func(i int) float64 {
		return float64(r.weight(i) * loss(r.truth[i], r.predicted[i]))
	}) / r.total
}

// MAE is the mean absolute error ("mae@1"), in [0, inf), lower is better.
func (r *Regression) MAE() Estimate {
	return r.mean("mae@1", func(y, p float64) float64 { return math.Abs(y - p) })
}

// MSE is the mean squared error ("mse@1"), in [0, inf), lower is better.
func (r *Regression) MSE() Estimate { return r.mean("mse@1", squaredError) }

func squaredError(y, p float64) float64 { return (y - p) * (y - p) }

// RMSE is the root of the mean squared error ("rmse@1").
func (r *Regression) RMSE() Estimate {
	if r.N() == 0 {
		return undefined(noRows, 0)
	}
	return number("rmse@1", math.Sqrt(r.meanOf(squaredError)), r.N())
}

// leastTruth keeps the quotient of [Regression.MAPE] finite.
const leastTruth = 0x1p-52

// MAPE is the mean of |y - p| / max(|y|, 2^-52) ("mape@1"), a ratio and not in
// percent, as scikit-learn has it. True values of 0 make it astronomic.
func (r *Regression) MAPE() Estimate {
	return r.mean("mape@1", func(y, p float64) float64 { return math.Abs(y-p) / math.Max(math.Abs(y), leastTruth) })
}

// SMAPE is the mean of 2|y - p| / (|y| + |p|) ("smape@1"), in [0, 2]; a row with
// y = p = 0 counts 0. Other libraries divide by their mean or show percent.
func (r *Regression) SMAPE() Estimate {
	return r.mean("smape@1", func(y, p float64) float64 {
		if y == 0 && p == 0 {
			return 0
		}
		return 2 * math.Abs(y-p) / (math.Abs(y) + math.Abs(p))
	})
}

// Pinball is the mean quantile loss ("pinball@1"): alpha (y-p) where y >= p, else
// (1-alpha) (p-y). alpha in (0, 1), else undefined.
func (r *Regression) Pinball(alpha float64) Estimate {
	if !(alpha > 0 && alpha < 1) {
		return undefined(fmt.Sprintf("quantile %v is not in (0, 1)", alpha), int64(r.N()))
	}
	return r.mean("pinball@1", func(y, p float64) float64 {
		if y >= p {
			return alpha * (y - p)
		}
		return (1 - alpha) * (p - y)
	})
}

// MSLE is the mean of (ln(1+y) - ln(1+p))^2 ("msle@1"). Undefined where a value
// or a prediction is negative.
func (r *Regression) MSLE() Estimate {
	for i := range r.truth {
		if r.truth[i] < 0 || r.predicted[i] < 0 {
			return undefined("a value or a prediction is negative", int64(r.N()))
		}
	}
	return r.mean("msle@1", func(y, p float64) float64 {
		d := math.Log1p(y) - math.Log1p(p)
		return d * d
	})
}

// MaxError is the largest absolute error ("max_error@1"). Rows of weight 0 do
// not count.
func (r *Regression) MaxError() Estimate {
	if r.N() == 0 {
		return undefined(noRows, 0)
	}
	worst := 0.0
	for i, y := range r.truth {
		if r.weight(i) > 0 {
			worst = math.Max(worst, math.Abs(y-r.predicted[i]))
		}
	}
	return number("max_error@1", worst, r.N())
}

// MedianAE is the median absolute error ("median_ae@1"): without weights the
// mean of the middle two where n is even; with weights the least error at which
// half of the weight is reached, as scikit-learn has both.
func (r *Regression) MedianAE() Estimate {
	if r.N() == 0 {
		return undefined(noRows, 0)
	}
	e := make([]float64, r.N())
	for i, y := range r.truth {
		e[i] = math.Abs(y - r.predicted[i])
		if math.IsInf(e[i], 0) {
			return number("median_ae@1", e[i], r.N())
		}
	}
	if r.weights != nil {
		return number("median_ae@1", r.weightedMedian(e), r.N())
	}
	e = sorted(e)
	low, high := e[(len(e)-1)/2], e[len(e)/2]
	return number("median_ae@1", low/2+high/2, r.N())
}

func (r *Regression) weightedMedian(e []float64) float64 {
	rows := allRows(len(e))
	slices.SortStableFunc(rows, func(a, b int32) int { return cmp.Compare(e[a], e[b]) })
	reached, last := 0.0, 0.0
	for _, i := range rows {
		if r.weights[i] == 0 {
			continue
		}
		reached += r.weights[i]
		last = e[i]
		if reached >= r.total/2 {
			break
		}
	}
	return last
}

// R2 is 1 - squared error / squared deviation of the truth from its mean
// ("r2@1"), in (-inf, 1], higher is better. Where the truth is constant it is 1
// for perfect predictions and 0 for others, scikit-learn's force_finite. With
// fewer than 2 rows it is undefined.
func (r *Regression) R2() Estimate {
	return r.explained("r2@1", r.meanOf(squaredError))
}

// ExplainedVariance is 1 - variance of the errors / variance of the truth
// ("explained_variance@1"): R2 that forgives a constant bias. Edges as
// [Regression.R2].
func (r *Regression) ExplainedVariance() Estimate {
	bias := r.meanOf(func(y, p float64) float64 { return y - p })
	return r.explained("explained_variance@1", r.meanOf(func(y, p float64) float64 {
		d := y - p - bias
		return d * d
	}))
}

func (r *Regression) explained(id string, left float64) Estimate {
	if r.N() < 2 {
		return undefined("need at least 2 rows", int64(r.N()))
	}
	mean := r.meanOf(func(y, _ float64) float64 { return y })
	all := r.meanOf(func(y, _ float64) float64 { return (y - mean) * (y - mean) })
	switch {
	case constant(r.truth) && left == 0:
		return number(id, 1, r.N())
	case constant(r.truth):
		return number(id, 0, r.N())
	case all == 0:
		return undefined("the truth varies by less than its rounding", int64(r.N()))
	case math.IsInf(all, 0):
		return number(id, all, r.N())
	}
	return number(id, 1-left/all, r.N())
}
