package metrics

import (
	"fmt"
	"math"
)

// checkProbabilities checks n true sides, probabilities and weights, and returns
// the sum of the weights.
func checkProbabilities(labels []int32, p, weights []float64) (total float64, err error) {
	if len(labels) != len(p) {
		return 0, fmt.Errorf("%d labels, %d probabilities", len(labels), len(p))
	}
	if !inUnit(p) || len(p) == 0 {
		if err := checkNumbers("probabilities", p); err != nil {
			return 0, err
		}
		return 0, fmt.Errorf("some probabilities are outside [0, 1]")
	}
	return checkWeights(len(p), weights)
}

// Brier is the weighted mean of (p - y)^2, y being 1 for rows of the positive
// class and else 0 ("brier@1"), in [0, 1], lower is better. It is an error if
// lengths differ, there are no rows, p is not in [0, 1], or the weights are not
// finite, >= 0 and of positive sum.
func Brier(labels []int32, positive int32, p, weights []float64) (Estimate, error) {
	total, err := checkProbabilities(labels, p, weights)
	if err != nil {
		return Estimate{}, fmt.Errorf("brier@1: %w", err)
	}
	s := 0.0
	for from := 0; from < len(p); from += block {
		part := 0.0
		for i := from; i < min(from+block, len(p)); i++ {
			d := p[i] - float64(oneIf(labels[i] == positive))
			d *= d
			if weights != nil {
				d *= weights[i]
			}
			part += float64(d)
		}
		s += part
	}
	return number("brier@1", s/total, len(p)), nil
}

// factors is how many probabilities are multiplied before a logarithm is taken:
// as many as cannot underflow when none is below 2^-52.
const factors = 16

// LogLoss is the weighted mean of -ln of the probability of what was true, with
// p in [2^-52, 1 - 2^-52] ("log_loss@1"), in [0, 36.05), lower is better. Errors
// as [Brier].
func LogLoss(labels []int32, positive int32, p, weights []float64) (Estimate, error) {
	total, err := checkProbabilities(labels, p, weights)
	if err != nil {
		return Estimate{}, fmt.Errorf("log_loss@1: %w", err)
	}
	s := 0.0
	for from := 0; from < len(p); from += block {
		to := min(from+block, len(p))
		if weights == nil {
			s -= lnProduct(labels[from:to], positive, p[from:to])
			continue
		}
		part := 0.0
		for i := from; i < to; i++ {
			part += float64(weights[i] * math.Log(ofTruth(labels[i] == positive, p[i])))
		}
		s -= part
	}
	return number("log_loss@1", s/total, len(p)), nil
}

// ofTruth is the clipped probability of what was true.
func ofTruth(y bool, p float64) float64 {
	if !y {
		p = 1 - p
	}
	return min(1-logClip, max(logClip, p))
}

// lnProduct is the sum of the logarithms of the probabilities of what was true:
// one logarithm for every product of some of them.
func lnProduct(labels []int32, positive int32, p []float64) float64 {
	s := 0.0
	for from := 0; from < len(p); from += factors {
		x := 1.0
		for i := from; i < min(from+factors, len(p)); i++ {
			y := float64(oneIf(labels[i] == positive))
			x *= min(1-logClip, max(logClip, (1-y)+float64((2*y-1)*p[i])))
		}
		s += math.Log(x)
	}
	return s
}
