package policy

import (
	"math"

	"proctor/metrics"
)

// What one point of accuracy is in other metrics, and how far they move between
// equal models. Both are rules of thumb for policies, never used to judge.
//
// brierPerAccuracy: in a model calibrated by construction, -0.3 pp of accuracy is
// +0.0021 of Brier (facts, threats c.1); on the census models here v1 -> v2 gives
// 0.74. logLossPerAccuracy likewise.
//
// Spread: the standard deviation of the paired difference of one row, over the
// root of the churn. Measured on four pairs of census models with 1 to 6 % churn:
// Brier 0.18 to 0.52, log loss 0.49 to 1.9, roc_auc 0.31 to 1.2, average_precision
// 0.78 to 1.85, ece 1.55 to 2.33, the highest with a poisoned model. The numbers here
// are above all honest pairs.
//
// agreementSpread: mcc and kappa move as accuracy does, over what is not agreement by
// chance; the same pairs moved 1.08 to 1.14 times as far.
const (
	brierPerAccuracy   = 0.7
	logLossPerAccuracy = 2.3
	brierSpread        = 0.4
	logLossSpread      = 1.3
	rocAUCSpread       = 0.8
	precisionSpread    = 2 // of average_precision
	eceSpread          = 2.5
	agreementSpread    = 1.15
)

// perAccuracy says how much of a metric goes with a change of accuracy by 1; false:
// there is no rule.
func perAccuracy(metric string) (float64, bool) {
	switch metric {
	case "accuracy":
		return 1, true
	case "brier":
		return -brierPerAccuracy, true
	case "log_loss":
		return -logLossPerAccuracy, true
	}
	return 0, false
}

// standardError returns the standard error of the change of a metric between equal
// models; false: there is no rule, and a claim on the metric has no known power.
//
// Metrics of classes: half of the changed rows fall on each of two classes however
// rare it is (54 % were positive in the census models, with 24 % of the rows), so
// rare classes churn more. Precision and F1 move no more than recall does.
func standardError(d metrics.Def, churn float64, counts []int64, positive int) (float64, bool) {
	n, k := 0.0, float64(len(counts))
	for _, c := range counts {
		n += float64(c)
	}
	perRow := func(spread float64) (float64, bool) { return spread * math.Sqrt(churn/n), n > 0 }
	changed := churn * n / k // rows of one class that change
	switch d.Name {
	case "brier":
		return perRow(brierSpread)
	case "log_loss":
		return perRow(logLossSpread)
	case "roc_auc":
		return perRow(rocAUCSpread)
	case "average_precision":
		return perRow(precisionSpread)
	case "ece":
		return perRow(eceSpread)
	case "mcc", "kappa":
		chance := 0.0
		for _, c := range counts {
			chance += float64(c) / n * float64(c) / n
		}
		se, _ := perRow(agreementSpread)
		return se / (1 - chance), chance < 1
	case "recall", "precision", "f1":
		if positive >= 0 {
			c := float64(counts[positive])
			return math.Sqrt(changed) / c, c > 0
		}
		fallthrough
	case "balanced_accuracy":
		sum := 0.0
		for _, c := range counts {
			sum += changed / (float64(c) * float64(c))
		}
		return math.Sqrt(sum) / k, !math.IsInf(sum, 0) && k > 0
	}
	return 0, false
}
