package metrics

import (
	"errors"
	"fmt"
	"math"
)

// A RegressionTally is what rows say about how far predicted numbers are from true ones:
// sums that are exact, so that tallies of parts of the rows add up to the tally of all
// of them in any order, bit for bit, and give the same numbers. [TallyRegression] makes
// one, [DecodeRegressionTally] reads one; the metrics of [Regression] that are sums are
// read from one.
//
// A row's error y - p, its two ratios and its difference of logarithms are rounded once
// to float64. Their squares, their products with weights and all sums are never rounded,
// and a metric is rounded once when it is read. Rows of weight 0 count in N alone. A
// tally that leaves out rows between those that it has gives no number.
//
// Its estimates have no interval, which takes more of the rows than these sums: the
// spread of squares for mse, and their products with the truth for r2. [Regression] has.
type RegressionTally struct {
	rows      []rowSpan
	weighted  bool
	negatives int64   // rows with a negative value or prediction, which have no logarithm
	worst     float64 // the largest |y - p|
	weight    exactSum
	sums      [regressionSums]exactSum
}

// A regressionSum is one of the sums over rows, each times the row's weight.
type regressionSum int

const (
	errorTerms     regressionSum = iota // y - p
	absoluteTerms                       // |y - p|
	truthTerms                          // y
	ratioTerms                          // |y - p| / max(|y|, 2^-52)
	evenRatioTerms                      // 2|y - p| / (|y| + |p|)
	squareTerms                         // (y - p)^2
	truthSquareTerms
	logSquareTerms // (ln(1+y) - ln(1+p))^2
	regressionSums
)

func (k regressionSum) squared() bool { return k >= squareTerms }

// leastTruth keeps the quotient of [Regression.MAPE] finite.
const leastTruth = 0x1p-52

// terms puts what each row adds to a sum into out, before it is squared and weighted.
func (k regressionSum) terms(truth, predicted, out []float64) {
	truth, predicted = truth[:len(out)], predicted[:len(out)]
	switch k {
	case truthTerms, truthSquareTerms:
		copy(out, truth)
	case errorTerms, squareTerms:
		for i, y := range truth {
			out[i] = y - predicted[i]
		}
	case absoluteTerms:
		for i, y := range truth {
			out[i] = math.Abs(y - predicted[i])
		}
	case ratioTerms:
		for i, y := range truth {
			out[i] = math.Abs(y-predicted[i]) / math.Max(math.Abs(y), leastTruth)
		}
	case evenRatioTerms:
		for i, y := range truth {
			out[i] = evenRatio(y, predicted[i])
		}
	case logSquareTerms:
		for i, y := range truth {
			out[i] = 0
			if y >= 0 && predicted[i] >= 0 {
				out[i] = math.Log1p(y) - math.Log1p(predicted[i])
			}
		}
	}
}

// evenRatio is 2|y - p| / (|y| + |p|), of half of both where the sum overflows.
func evenRatio(y, p float64) float64 {
	size := math.Abs(y) + math.Abs(p)
	switch {
	case size == 0:
		return 0
	case math.IsInf(size, 0):
		y, p = y/2, p/2
		size = math.Abs(y) + math.Abs(p)
	}
	return 2 * (math.Abs(y-p) / size)
}

// TallyRegression counts rows, the first of which has the number from, as
// [NewRegression] takes them. Here all weights may be 0: other parts have the others.
func TallyRegression(from int64, truth, predicted, weights []float64) (*RegressionTally, error) {
	err := checkColumns("true values", truth, "predictions", predicted)
	if err == nil {
		err = checkPartWeights(len(truth), weights)
	}
	if err == nil && (from < 0 || from > maxTallyRows-int64(len(truth))) {
		err = fmt.Errorf("the first of %d rows is %d", len(truth), from)
	}
	if err != nil {
		return nil, fmt.Errorf("tally regression: %w", err)
	}
	t := newRegressionTally(from, len(truth), weights)
	t.countEdges(truth, predicted, weights)
	for k := range regressionSums {
		t.count(k, truth, predicted, weights)
	}
	return t, nil
}

func checkPartWeights(n int, weights []float64) error {
	if weights == nil {
		return nil
	}
	if len(weights) != n {
		return fmt.Errorf("%d rows, %d weights", n, len(weights))
	}
	for _, w := range weights {
		if !(w >= 0) || math.IsInf(w, 0) {
			return errors.New("a weight is negative, NaN or infinite")
		}
	}
	return nil
}

// newRegressionTally counts the weights of n rows.
func newRegressionTally(from int64, n int, weights []float64) *RegressionTally {
	t := &RegressionTally{weighted: weights != nil}
	if n > 0 {
		t.rows = []rowSpan{{from, from + int64(n)}}
	}
	if weights == nil {
		t.weight.add(float64(n))
	}
	for at := 0; at < len(weights); at += block {
		t.weight.addBlock(weights[at:min(len(weights), at+block)])
	}
	return t
}

// countEdges counts what is no sum.
func (t *RegressionTally) countEdges(truth, predicted, weights []float64) {
	for i, y := range truth {
		p := predicted[i]
		if y < 0 || p < 0 {
			t.negatives++
		}
		if weights == nil || weights[i] > 0 {
			t.worst = max(t.worst, math.Abs(y-p))
		}
	}
}

// count adds the rows to one sum.
func (t *RegressionTally) count(k regressionSum, truth, predicted, weights []float64) {
	var buffer [block]float64
	for from := 0; from < len(truth); from += block {
		x := buffer[:min(block, len(truth)-from)]
		k.terms(truth[from:], predicted[from:], x)
		switch s := &t.sums[k]; {
		case weights != nil:
			s.addWeighted(weights[from:from+len(x)], x, k.squared())
		case k.squared():
			s.addSquares(x)
		default:
			s.addBlock(x)
		}
	}
}

func (s *exactSum) addWeighted(weights, x []float64, squared bool) {
	for i, w := range weights {
		switch {
		case w == 0: // times infinity it is 0 too
		case squared:
			s.addSquare(w, x[i])
		default:
			s.addProduct(w, x[i])
		}
	}
}

// N returns the number of rows.
func (t *RegressionTally) N() int64 {
	n := int64(0)
	for _, r := range t.rows {
		n += r.to - r.from
	}
	return n
}

// Add adds the tally of other rows, in any order. Rows that both have, and weights on
// one side alone, are an error, and nothing is added then.
func (t *RegressionTally) Add(u *RegressionTally) error {
	rows, err := joinRows(t.rows, u.rows)
	switch {
	case err != nil:
		return fmt.Errorf("add regression tally: %w", err)
	case len(t.rows) == 0 || len(u.rows) == 0:
		return errors.New("add regression tally: there is none")
	case t.weighted != u.weighted:
		return errors.New("add regression tally: one part has weights and the other none")
	}
	t.rows = rows
	t.negatives += u.negatives
	t.worst = max(t.worst, u.worst)
	t.weight.join(u.weight)
	for k := range t.sums {
		t.sums[k].join(u.sums[k])
	}
	return nil
}
