package metrics

import (
	"fmt"
	"math"
)

// checkProbabilities checks of n true sides, probabilities and weights.
func checkProbabilities(labels []int32, p, weights []float64) (total float64, err error) {
	if len(labels) != len(p) {
		return 0, fmt.Errorf("%d labels, %d probabilities", len(labels), len(p))
	}
	if err := checkNumbers("probabilities", p); err != nil {
		return 0, err
	}
	if !inUnit(p) {
		return 0, fmt.Errorf("some probabilities are outside [0, 1]")
	}
	return checkWeights(len(p), weights)
}

// Brier is the weighted mean of (p - y)^2, y being 1 for rows of the positive
// class and else 0 ("brier@1"), in [0, 1], lower is better. It is an error if
// lengths differ, there are no rows, p is not in [0, 1], or the weights are not
// finite, >= 0 and of positive sum.
func Brier(labels []int32, positive int32, p, weights []float64) (Estimate, error) {
	return meanLoss("brier@1", labels, positive, p, weights, func(y bool, p float64) float64 {
		d := p - float64(oneIf(y))
		return d * d
	})
}

// LogLoss is the weighted mean of -ln of the probability of what was true, with
// p in [2^-52, 1 - 2^-52] ("log_loss@1"), in [0, 36.05), lower is better. Errors
// as [Brier].
func LogLoss(labels []int32, positive int32, p, weights []float64) (Estimate, error) {
	return meanLoss("log_loss@1", labels, positive, p, weights, func(y bool, p float64) float64 {
		if !y {
			p = 1 - p
		}
		return -math.Log(math.Min(1-logClip, math.Max(logClip, p)))
	})
}

func meanLoss(id string, labels []int32, positive int32, p, weights []float64, loss func(y bool, p float64) float64) (Estimate, error) {
	total, err := checkProbabilities(labels, p, weights)
	if err != nil {
		return Estimate{}, fmt.Errorf("%s: %w", id, err)
	}
	s := blockSum(len(p), func(i int) float64 {
		w := 1.0
		if weights != nil {
			w = weights[i]
		}
		return float64(w * loss(labels[i] == positive, p[i]))
	})
	return number(id, s/total, len(p)), nil
}
