package metrics

import (
	"fmt"
	"math"
)

// ClassScores are n rows with a true class each and a score for every class, and
// the curves of each class against the rest. Only [NewClassScores] makes them; the
// zero value has no metric. The method of an estimate is the id of its definition.
type ClassScores struct {
	k       int
	labels  []int32
	scores  []float64 // row-major, k a row
	support []int64
}

// NewClassScores takes the true class of n rows and n*classes scores, row-major,
// higher for more likely. It is an error if the numbers do not fit, there are no
// rows or fewer than two classes, a label is no class, or a score is NaN or
// infinite. The slices are kept: the caller does not change them.
func NewClassScores(classes int, labels []int32, scores []float64) (*ClassScores, error) {
	switch {
	case classes < 2 || classes > maxClasses:
		return nil, fmt.Errorf("class scores: %d classes, need 2 to %d", classes, maxClasses)
	case len(labels)*classes != len(scores):
		return nil, fmt.Errorf("class scores: %d scores for %d rows of %d classes", len(scores), len(labels), classes)
	case outside(labels, classes) > 0:
		return nil, fmt.Errorf("class scores: some labels are none of the %d classes", classes)
	}
	if err := checkNumbers("class scores", scores); err != nil {
		return nil, err
	}
	c := &ClassScores{classes, labels, scores, make([]int64, classes)}
	for _, y := range labels {
		c.support[y]++
	}
	return c, nil
}

// Scores are the frame's probabilities as [ClassScores]. It is an error if the
// model gave none.
func (f *Frame) Scores() (*ClassScores, error) {
	if why := f.withoutProbs(); why != "" {
		return nil, fmt.Errorf("class scores: %s", why)
	}
	return NewClassScores(len(f.classes), f.answers, f.probs)
}

// OneVsRest averages the AUC of each class's score against the other classes
// ("auc_ovr_macro@1", "auc_ovr_weighted@1"), in [0, 1], higher is better. Micro
// pools all scores of all classes into one curve ("auc_ovr_micro@1"). Undefined
// where a class has no rows or all of them.
func (c *ClassScores) OneVsRest(a Averaging) Estimate {
	return c.averaged("auc_ovr", a, (*Curve).AUC)
}

// AveragePrecision averages the average precision of each class's score against
// the others ("ap_macro@1", "ap_weighted@1", "ap_micro@1"), as [ClassScores.OneVsRest].
func (c *ClassScores) AveragePrecision(a Averaging) Estimate {
	return c.averaged("ap", a, (*Curve).AveragePrecision)
}

func (c *ClassScores) averaged(name string, a Averaging, of func(*Curve) Estimate) Estimate {
	n := len(c.labels)
	if n == 0 {
		return undefined(noRows, 0)
	}
	if a != Macro && a != Weighted && a != Micro {
		return undefined(fmt.Sprintf("no averaging %q", a), int64(n))
	}
	if a == Micro {
		return pooledEstimate(of(c.pooled()), name+"_micro@1", n)
	}
	total := 0.0
	for k := range c.k {
		e := of(c.curve(k))
		if e.Undefined != "" {
			return undefined(fmt.Sprintf("class %d: %s", k, e.Undefined), int64(n))
		}
		weight := 1 / float64(c.k)
		if a == Weighted {
			weight = float64(c.support[k]) / float64(n)
		}
		total += float64(weight * e.Value)
	}
	return number(fmt.Sprintf("%s_%s@1", name, a), math.Min(1, total), n)
}

// pooledEstimate is the metric of pooled scores under its own id, with the number
// of rows, not of scores.
func pooledEstimate(e Estimate, id string, n int) Estimate {
	if e.Undefined != "" {
		return undefined(e.Undefined, int64(n))
	}
	return number(id, e.Value, n)
}

// curve is that of class k's score against the others.
func (c *ClassScores) curve(k int) *Curve {
	x := make([]float64, len(c.labels))
	for i := range x {
		x[i] = c.scores[i*c.k+k]
	}
	return plainCurve(c.labels, int32(k), x)
}

// pooled is the curve of all scores, each against whether its class is the true one.
func (c *ClassScores) pooled() *Curve {
	hit := make([]int32, len(c.scores))
	for i, y := range c.labels {
		hit[i*c.k+int(y)] = 1
	}
	return plainCurve(hit, 1, c.scores)
}

// OneVsOne averages over pairs of classes {k, l} the mean of the AUC of k's score
// and of l's, among the rows of these two (Hand and Till 2001; "auc_ovo_macro@1"),
// in [0, 1], higher is better. Weighted weighs each pair by its rows
// ("auc_ovo_weighted@1"). Undefined where a class has no rows.
func (c *ClassScores) OneVsOne(a Averaging) Estimate {
	n := int64(len(c.labels))
	switch {
	case n == 0:
		return undefined(noRows, 0)
	case a != Macro && a != Weighted:
		return undefined(fmt.Sprintf("no averaging %q of pairs", a), n)
	}
	for k, s := range c.support {
		if s == 0 {
			return undefined(fmt.Sprintf("class %d has no rows", k), n)
		}
	}
	total, weights := 0.0, 0.0
	for k := range c.k {
		for l := k + 1; l < c.k; l++ {
			weight := 1.0
			if a == Weighted {
				weight = float64(c.support[k] + c.support[l])
			}
			total += float64(weight * (c.between(k, l) + c.between(l, k)) / 2)
			weights += weight
		}
	}
	return number(fmt.Sprintf("auc_ovo_%s@1", a), total/weights, int(n))
}

// between is the AUC of k's score among the rows of k and l.
func (c *ClassScores) between(k, l int) float64 {
	var y []int32
	var x []float64
	for i, label := range c.labels {
		if int(label) == k || int(label) == l {
			y = append(y, label)
			x = append(x, c.scores[i*c.k+k])
		}
	}
	return plainCurve(y, int32(k), x).AUC().Value
}

// TopK is the share of rows whose true class is among the k highest scores
// ("top_k_accuracy@1"), in [0, 1], higher is better, with the Clopper-Pearson
// interval at confidence. Of equal scores the lower class comes first, where
// scikit-learn keeps the later one. Undefined unless 1 <= k <= classes.
func (c *ClassScores) TopK(k int, confidence float64) Estimate {
	if k < 1 || k > c.k || checkConfidence(confidence) != nil {
		return undefined(fmt.Sprintf("top %d of %d classes at confidence %v", k, c.k, confidence), int64(len(c.labels)))
	}
	var hits int64
	for i, y := range c.labels {
		row, above := c.scores[i*c.k:(i+1)*c.k], 0
		for j, s := range row {
			if s > row[y] || s == row[y] && j < int(y) {
				above++
			}
		}
		hits += int64(oneIf(above < k))
	}
	return Share(hits, int64(len(c.labels)), confidence, noRows)
}
