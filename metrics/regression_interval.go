package metrics

import (
	"math"
	"math/big"
	"sort"
)

// rowsConfidence is that of the intervals of [Regression] and [MultiLabel].
const rowsConfidence = 0.95

const (
	methodDeltaT = "delta method, Student t"
	methodOrders = "order statistics"
	tooLarge     = "the numbers are too large for an interval"
)

// interval adds Student's interval to a number that moves by w ψ / W for a row of weight
// w and influence ψ, W being the sum of the weights: its variance is the sum of squares
// of these, times m/(m-1), with m - 1 degrees of freedom. m = W^2 / sum of w^2 are the
// rows that the weights are worth (Kish 1965); without weights m is n, and the variance
// of a mean is s^2/n. Weights say how much a row counts, not how often it was seen.
//
// influences puts ψ of some rows into out. The squares are added exactly, so that the
// interval has no order of rows. It is cut to [least, most].
func (r *Regression) interval(e Estimate, method string, least, most float64, influences func(truth, predicted, out []float64)) Estimate {
	if e.Undefined != "" {
		return e
	}
	worth, variance, why := r.spread(influences)
	half := float64((&score{df: worth - 1}).quantile((1-rowsConfidence)/2) * math.Sqrt(variance))
	low, high := math.Max(least, e.Value-half), math.Min(most, e.Value+half)
	switch {
	case why != "":
	case math.IsInf(variance, 0) || math.IsInf(low, 0) || math.IsInf(high, 0):
		why = tooLarge
	case variance == 0:
		why = noVariance
	}
	if why != "" {
		return withoutInterval(e, why)
	}
	return withInterval(e, method, low, high)
}

func withInterval(e Estimate, method string, low, high float64) Estimate {
	e.Method += ", " + method
	e.Interval, e.Confidence, e.Low, e.High = true, rowsConfidence, low, high
	return e
}

func withoutInterval(e Estimate, why string) Estimate {
	if e.Undefined == "" {
		e.Warnings = append(e.Warnings, "no interval: "+why)
	}
	return e
}

// spread returns the rows that the weights are worth and the variance, or why there is
// none.
func (r *Regression) spread(influences func(truth, predicted, out []float64)) (worth, variance float64, why string) {
	var squares, ofWeights exactSum
	var buffer [block]float64
	for from := 0; from < r.N(); from += block {
		to := min(from+block, r.N())
		x := buffer[:to-from]
		influences(r.truth[from:to], r.predicted[from:to], x)
		if r.weights != nil {
			ofWeights.addSquares(r.weights[from:to])
			weigh(x, r.weights[from:to])
		}
		squares.addSquares(x)
	}
	if r.weights == nil {
		ofWeights.add(float64(r.N()))
	}
	total := newRegressionTally(0, r.N(), r.weights).weight.big()
	total.Mul(total, total)
	worth = quotient(total, new(big.Int).Mul(ofWeights.big(), unitOfSums))
	switch {
	case worth < 2:
		return 2, 0, fewRows
	case squares.infinites > 0:
		return 2, 0, tooLarge
	}
	sum := squares.big()
	return worth, quotient(sum.Mul(sum, unitOfSums), total) * (worth / (worth - 1)), ""
}

func weigh(x, weights []float64) {
	for i, w := range weights {
		if x[i] = float64(x[i] * w); w == 0 {
			x[i] = 0 // be it infinite
		}
	}
}

// meanInterval is that of the mean of a sum's terms.
func (r *Regression) meanInterval(e Estimate, k regressionSum, most float64) Estimate {
	return r.interval(e, methodMean, 0, most, func(truth, predicted, out []float64) {
		k.terms(truth, predicted, out)
		for i, x := range out {
			if k.squared() {
				x = float64(x * x)
			}
			out[i] = x - e.Value
		}
	})
}

// rootInterval is that of the root of the mean squared error: the error moves it by
// (error^2 - mse) / 2 rmse.
func (r *Regression) rootInterval(e Estimate) Estimate {
	if e.Value == 0 {
		return withoutInterval(e, noVariance)
	}
	return r.interval(e, methodDeltaT, 0, math.Inf(1), func(truth, predicted, out []float64) {
		for i, y := range truth {
			d := y - predicted[i]
			out[i] = float64((d-e.Value)/2) * ((d + e.Value) / e.Value)
		}
	})
}

func (r *Regression) pinballInterval(e Estimate, alpha float64) Estimate {
	return r.interval(e, methodMean, 0, math.Inf(1), func(truth, predicted, out []float64) {
		for i, y := range truth {
			d := y - predicted[i]
			out[i] = math.Max(float64(alpha*d), float64((alpha-1)*d)) - e.Value
		}
	})
}

// explainedInterval is that of 1 - E/S, with E the mean squared distance of the errors
// from bias and S that of the truth from its mean: a row moves it by
// (E/S (y - mean)^2 - (y - p - bias)^2) / S.
func (r *Regression) explainedInterval(e Estimate, t *RegressionTally, bias float64) Estimate {
	if e.Undefined != "" {
		return e
	}
	mean, weight := t.meanOf(truthTerms), t.weight.big()
	scale := quotient(t.deviation(truthTerms, truthSquareTerms), weight.Mul(weight, weight))
	if scale == 0 {
		return withoutInterval(e, "the truth is constant")
	}
	return r.interval(e, methodDeltaT, math.Inf(-1), 1, func(truth, predicted, out []float64) {
		for i, y := range truth {
			d, far := y-predicted[i]-bias, y-mean
			out[i] = float64((1-e.Value)*(far*far/scale)) - float64(d*d/scale)
		}
	})
}

// orderInterval is from the k-th smallest to the k-th largest of the errors, for the
// largest k of which a binomial count with p 1/2 is below k with a probability of at most
// half of what is left to miss: it covers a median whatever the errors' distribution
// (Thompson 1936).
func orderInterval(e Estimate, ascending []float64) Estimate {
	n := int64(len(ascending))
	k := sort.Search(len(ascending)/2, func(k int) bool { // k+1 is too much
		return BinomialUpper(n-int64(k), n, 0.5) > (1-rowsConfidence)/2
	})
	if k == 0 {
		return withoutInterval(e, "need at least 6 rows")
	}
	return withInterval(e, methodOrders, ascending[k-1], ascending[len(ascending)-k])
}
