package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// A Regression holds true numbers and predictions of the same rows, finite and
// complete, with weights or without. Only [NewRegression] makes one; the zero
// value has no metric. The method of an estimate begins with the id of its definition.
// Estimates are undefined where a row's error overflows or the value does.
//
// Every value but one is read from the sums of a [RegressionTally], whose parts add up:
// there is no second way of computing them. The median needs the rows: how many errors
// are below one is known of all rows, not of parts.
//
// Estimates have an interval at .95, or a warning that says why not: Student's t on the
// rows' losses for means, the delta method for rmse, r2 and explained_variance, order
// statistics for the median without weights. The largest error has none. Rows are taken
// as independent of each other; for rows in clusters there is [ClusteredMean]. Under
// normal errors an interval covers .94 and more from 500 rows on; with 50 rows mse and
// msle cover .91, rmse, r2, explained_variance and pinball .92 to .94, and all cover less
// where errors have heavy tails.
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

// tally counts the rows for some sums alone.
func (r *Regression) tally(of ...regressionSum) *RegressionTally {
	t := newRegressionTally(0, r.N(), r.weights)
	for _, k := range of {
		t.count(k, r.truth, r.predicted, r.weights)
	}
	return t
}

// MAE is the mean absolute error ("mae@1"), in [0, inf), lower is better.
func (r *Regression) MAE() Estimate {
	return r.meanInterval(r.tally(absoluteTerms).MAE(), absoluteTerms, math.Inf(1))
}

// MSE is the mean squared error ("mse@1"), in [0, inf), lower is better.
func (r *Regression) MSE() Estimate {
	return r.meanInterval(r.tally(squareTerms).MSE(), squareTerms, math.Inf(1))
}

// RMSE is the root of the mean squared error ("rmse@1").
func (r *Regression) RMSE() Estimate { return r.rootInterval(r.tally(squareTerms).RMSE()) }

// MAPE is the mean of |y - p| / max(|y|, 2^-52) ("mape@1"), a ratio and not in
// percent, as scikit-learn has it. True values of 0 make it astronomic.
func (r *Regression) MAPE() Estimate {
	return r.meanInterval(r.tally(ratioTerms).MAPE(), ratioTerms, math.Inf(1))
}

// SMAPE is the mean of 2|y - p| / (|y| + |p|) ("smape@1"), in [0, 2]; a row with
// y = p = 0 counts 0. Other libraries divide by their mean or show percent.
func (r *Regression) SMAPE() Estimate {
	return r.meanInterval(r.tally(evenRatioTerms).SMAPE(), evenRatioTerms, 2)
}

// Pinball is the mean quantile loss ("pinball@1"): alpha (y-p) where y >= p, else
// (1-alpha) (p-y). alpha in (0, 1), else undefined.
func (r *Regression) Pinball(alpha float64) Estimate {
	return r.pinballInterval(r.tally(errorTerms, absoluteTerms).Pinball(alpha), alpha)
}

// MSLE is the mean of (ln(1+y) - ln(1+p))^2 ("msle@1"). Undefined where a value
// or a prediction is negative.
func (r *Regression) MSLE() Estimate {
	t := r.tally(logSquareTerms)
	t.countEdges(r.truth, r.predicted, r.weights)
	return r.meanInterval(t.MSLE(), logSquareTerms, math.Inf(1))
}

// MaxError is the largest absolute error ("max_error@1"). Rows of weight 0 do
// not count.
func (r *Regression) MaxError() Estimate {
	t := r.tally()
	t.countEdges(r.truth, r.predicted, r.weights)
	return withoutInterval(t.MaxError(), "errors of rows that are not here may be larger")
}

// R2 is 1 - squared error / squared deviation of the truth from its mean
// ("r2@1"), in (-inf, 1], higher is better. Where the truth is constant over the rows
// that have weight it is 1 for perfect predictions and 0 for others, scikit-learn's
// force_finite. With fewer than 2 rows it is undefined.
func (r *Regression) R2() Estimate {
	t := r.tally(squareTerms, truthTerms, truthSquareTerms)
	return r.explainedInterval(t.R2(), t, 0)
}

// ExplainedVariance is 1 - variance of the errors / variance of the truth
// ("explained_variance@1"): R2 that forgives a constant bias. Edges as
// [Regression.R2].
func (r *Regression) ExplainedVariance() Estimate {
	t := r.tally(errorTerms, squareTerms, truthTerms, truthSquareTerms)
	e := t.ExplainedVariance()
	if e.Undefined != "" {
		return e
	}
	return r.explainedInterval(e, t, t.meanOf(errorTerms))
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
		return withoutInterval(number("median_ae@1", r.weightedMedian(e), r.N()), "the rows have weights")
	}
	e = sorted(e)
	low, high := e[(len(e)-1)/2], e[len(e)/2]
	return orderInterval(number("median_ae@1", float64(low/2)+float64(high/2), r.N()), e)
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
