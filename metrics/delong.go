package metrics

import (
	"fmt"
	"math"
)

// An AUCChange compares two models' ROC AUC on the same rows ("roc_auc@1") by
// DeLong's covariances. Change is the candidate's less the baseline's, with a
// normal interval cut to [-1, 1]; z is Change over its standard error.
type AUCChange struct {
	Baseline, Candidate, Change                 Estimate
	BaselineVariance, CandidateVariance, Shared float64 // Shared: their covariance
	Z, P, Log10P                                float64 // two-sided; without any variance 0, 1, 0 if there is no change
}

// CompareAUC takes the class and both models' scores of n rows, any finite
// numbers, higher for more positive. It is an error if lengths differ, there are no
// rows, a number is NaN or infinite, or the confidence is outside (0, 1). With
// fewer than two rows on a side nothing is defined but the values.
func CompareAUC(labels []int32, positive int32, baseline, candidate []float64, confidence float64) (AUCChange, error) {
	if err := checkColumns("baseline scores", baseline, "candidate scores", candidate); err != nil {
		return AUCChange{}, fmt.Errorf("compare AUC: %w", err)
	}
	if len(labels) != len(baseline) {
		return AUCChange{}, fmt.Errorf("compare AUC: %d labels, %d scores", len(labels), len(baseline))
	}
	if err := checkConfidence(confidence); err != nil {
		return AUCChange{}, fmt.Errorf("compare AUC: %w", err)
	}
	var room sorter
	b, why := placements(labels, positive, baseline, &room)
	c, _ := placements(labels, positive, candidate, &room)
	if why != "" {
		e := undefined(why, int64(len(labels)))
		return AUCChange{Baseline: e, Candidate: e, Change: e, P: 1}, nil
	}
	return delong(&b, &c, confidence), nil
}

// placements are those of scores of any size: of their ranks, which have the same
// order and ties and lie in [0, 1].
func placements(labels []int32, positive int32, x []float64, room *sorter) (rankScore, string) {
	if !inUnit(x) {
		ranks, _ := midranks(x)
		for i := range ranks {
			ranks[i] /= float64(len(x))
		}
		x = ranks
	}
	s, c := newRankScore(len(x), "DeLong", room), scoreColumn{x, 1, labels, positive}
	if pos, neg := c.sides(); pos == 0 || neg == 0 {
		return s, fmt.Sprintf("one class: %d positive rows and %d others", pos, neg)
	}
	s.addAUC(c, "positive", 1)
	return s, ""
}

func delong(b, c *rankScore, confidence float64) AUCChange {
	n := int(b.n)
	out := AUCChange{Baseline: number("roc_auc@1", b.value, n), Candidate: number("roc_auc@1", c.value, n), P: 1}
	if b.few != "" {
		out.Change = undefined(b.few, b.n)
		return out
	}
	out.BaselineVariance, out.CandidateVariance = sumSquares(b.parts, nil), sumSquares(c.parts, nil)
	out.Shared = blockSum(n, func(i int) float64 { return float64(b.parts[i] * c.parts[i]) })
	change, se := c.value-b.value, math.Sqrt(sumSquares(c.parts, b.parts))
	half := float64(upperZ((1-confidence)/2) * se)
	out.Change = number("roc_auc@1", change, n)
	out.Change.Interval, out.Change.Confidence = true, confidence
	out.Change.Low, out.Change.High = math.Max(-1, change-half), math.Min(1, change+half)
	out.test(change, se)
	return out
}

func (a *AUCChange) test(change, se float64) {
	switch {
	case se > 0:
		a.Z = change / se
	case change == 0:
		return
	default: // certain as far as these rows can tell: no test has such a number
		a.Change = undefined("the change has no variance", a.Change.N)
		return
	}
	a.P = math.Min(1, 2*normalUpper(math.Abs(a.Z)))
	a.Log10P = math.Min(0, (math.Ln2+lnNormalUpper(math.Abs(a.Z)))/math.Ln10)
}
