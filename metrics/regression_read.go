package metrics

import (
	"fmt"
	"math"
	"math/big"
)

// without says why there is no number of these rows, or "".
func (t *RegressionTally) without() string {
	switch {
	case len(t.rows) == 0:
		return noRows
	case len(t.rows) > 1:
		return fmt.Sprintf("rows %d to %d are missing", t.rows[0].to, t.rows[1].from)
	}
	switch total := quotient(t.weight.big(), unitOfSums); {
	case total == 0:
		return "all weights are 0"
	case math.IsInf(total, 0):
		return "the weights are too large to compute with"
	}
	return ""
}

// mean is the weighted mean of a sum's terms.
func (t *RegressionTally) mean(id string, k regressionSum) Estimate {
	if why := t.without(); why != "" {
		return undefined(why, t.N())
	}
	return number(id, t.meanOf(k), int(t.N()))
}

func (t *RegressionTally) meanOf(k regressionSum) float64 {
	if t.sums[k].infinites > 0 {
		return math.Inf(1)
	}
	return quotient(t.sums[k].big(), t.weight.big())
}

// MAE is [Regression.MAE].
func (t *RegressionTally) MAE() Estimate { return t.mean("mae@1", absoluteTerms) }

// MSE is [Regression.MSE].
func (t *RegressionTally) MSE() Estimate { return t.mean("mse@1", squareTerms) }

// RMSE is [Regression.RMSE].
func (t *RegressionTally) RMSE() Estimate {
	e := t.mean("rmse@1", squareTerms)
	e.Value = math.Sqrt(e.Value)
	return e
}

// MAPE is [Regression.MAPE].
func (t *RegressionTally) MAPE() Estimate { return t.mean("mape@1", ratioTerms) }

// SMAPE is [Regression.SMAPE].
func (t *RegressionTally) SMAPE() Estimate { return t.mean("smape@1", evenRatioTerms) }

// MSLE is [Regression.MSLE].
func (t *RegressionTally) MSLE() Estimate {
	if t.negatives > 0 {
		return undefined("a value or a prediction is negative", t.N())
	}
	return t.mean("msle@1", logSquareTerms)
}

// MaxError is [Regression.MaxError].
func (t *RegressionTally) MaxError() Estimate {
	if why := t.without(); why != "" {
		return undefined(why, t.N())
	}
	return number("max_error@1", t.worst, int(t.N()))
}

// Pinball is [Regression.Pinball]: alpha times the errors above 0 and 1 - alpha times
// those below are half of |e| + (2 alpha - 1) e.
func (t *RegressionTally) Pinball(alpha float64) Estimate {
	if !(alpha > 0 && alpha < 1) {
		return undefined(fmt.Sprintf("quantile %v is not in (0, 1)", alpha), t.N())
	}
	if why := t.without(); why != "" {
		return undefined(why, t.N())
	}
	if t.sums[errorTerms].infinites > 0 {
		return number("pinball@1", math.Inf(1), int(t.N()))
	}
	lean := new(big.Int).Lsh(whole(alpha), 1)
	lean.Sub(lean, whole(1)).Mul(lean, t.sums[errorTerms].big())
	all := t.sums[absoluteTerms].big()
	lean.Add(lean, all.Mul(all, whole(1)))
	twice := t.weight.big()
	twice.Mul(twice.Lsh(twice, 1), whole(1))
	return number("pinball@1", quotient(lean, twice), int(t.N()))
}

// R2 is [Regression.R2].
func (t *RegressionTally) R2() Estimate {
	left := t.sums[squareTerms].big()
	return t.explained("r2@1", left.Mul(left, t.weight.big()))
}

// ExplainedVariance is [Regression.ExplainedVariance].
func (t *RegressionTally) ExplainedVariance() Estimate {
	return t.explained("explained_variance@1", t.deviation(errorTerms, squareTerms))
}

// deviation is the squared deviation of terms from their mean, times the square of the
// weight.
func (t *RegressionTally) deviation(of, squares regressionSum) *big.Int {
	x, xx := t.sums[of].big(), t.sums[squares].big()
	return xx.Sub(xx.Mul(xx, t.weight.big()), x.Mul(x, x))
}

func (t *RegressionTally) explained(id string, left *big.Int) Estimate {
	if why := t.without(); why != "" {
		return undefined(why, t.N())
	}
	all, n := t.deviation(truthTerms, truthSquareTerms), int(t.N())
	switch {
	case n < 2:
		return undefined("need at least 2 rows", t.N())
	case t.sums[errorTerms].infinites+t.sums[squareTerms].infinites > 0:
		return number(id, math.Inf(-1), n)
	case all.Sign() == 0 && left.Sign() == 0:
		return number(id, 1, n)
	case all.Sign() == 0:
		return number(id, 0, n)
	}
	return number(id, quotient(left.Sub(all, left), all), n)
}
