package metrics

import (
	"fmt"
	"math"
)

// A MultiLabel holds rows of which each has any number of k labels, with a score
// for every label. A label is predicted where its score is above a threshold. Only
// [NewMultiLabel] makes one; the zero value has no metric. The method of an
// estimate is the id of its definition.
type MultiLabel struct {
	n, k   int
	truth  []bool    // row-major, k a row
	scores []float64 // likewise
	said   []bool    // likewise
}

// NewMultiLabel takes n*labels truths and scores, row-major, and the threshold
// that a predicted label's score exceeds. It is an error if the numbers do not
// fit, there are no rows or labels, or a number is NaN or infinite. The slices are
// kept: the caller does not change them.
func NewMultiLabel(labels int, truth []bool, scores []float64, threshold float64) (*MultiLabel, error) {
	if labels < 1 || labels > maxClasses || len(truth)%labels != 0 || len(truth) != len(scores) {
		return nil, fmt.Errorf("multi-label: %d truths and %d scores of %d labels", len(truth), len(scores), labels)
	}
	if err := checkNumbers("multi-label scores", scores); err != nil {
		return nil, err
	}
	if threshold-threshold != 0 {
		return nil, fmt.Errorf("multi-label: the threshold is %v", threshold)
	}
	m := &MultiLabel{n: len(truth) / labels, k: labels, truth: truth, scores: scores, said: make([]bool, len(truth))}
	for i, s := range scores {
		m.said[i] = s > threshold
	}
	return m, nil
}

// mean is the mean over rows of what of gives for the row's truths, predictions
// and scores, with Student's interval at .95, cut to where the metric
// can be. Its variance is no less than that of two rows that move.
func (m *MultiLabel) mean(id string, of func(truth, said []bool, scores []float64) float64) Estimate {
	if m.n == 0 {
		return undefined(noRows, 0)
	}
	x := make([]float64, m.n)
	for i := range x {
		from, to := i*m.k, (i+1)*m.k
		x[i] = of(m.truth[from:to], m.said[from:to], m.scores[from:to])
	}
	s := columnMean(x)
	if s.few != "" {
		return withoutInterval(number(id, s.value, m.n), s.few)
	}
	most := 1.0
	if id == coverageError {
		most = float64(m.k)
	}
	half := float64(s.quantile((1-rowsConfidence)/2) * math.Sqrt(max(s.variance, leastMean(s.df+1))))
	return withInterval(number(id, s.value, m.n), methodMean, math.Max(0, s.value-half), math.Min(most, s.value+half))
}

const coverageError = "coverage_error@1"

// SubsetAccuracy is the share of rows with every label right
// ("subset_accuracy@1"), in [0, 1], higher is better.
func (m *MultiLabel) SubsetAccuracy() Estimate {
	return m.mean("subset_accuracy@1", func(truth, said []bool, _ []float64) float64 {
		return float64(oneIf(wrongLabels(truth, said) == 0))
	})
}

// HammingLoss is the share of labels that are wrong ("hamming_loss@1"), in
// [0, 1], lower is better.
func (m *MultiLabel) HammingLoss() Estimate {
	return m.mean("hamming_loss@1", func(truth, said []bool, _ []float64) float64 {
		return float64(wrongLabels(truth, said)) / float64(m.k)
	})
}

func wrongLabels(truth, said []bool) int {
	wrong := 0
	for j, y := range truth {
		wrong += oneIf(y != said[j])
	}
	return wrong
}

// Confusion counts each label's rows by whether they have it (first index, 1 =
// they do) and whether it is predicted (second).
func (m *MultiLabel) Confusion() [][2][2]int64 {
	out := make([][2][2]int64, m.k)
	for i, y := range m.truth {
		out[i%m.k][oneIf(y)][oneIf(m.said[i])]++
	}
	return out
}

// Average is a ratio of the labels' counts ("f1_multilabel_macro@1", ...), in
// [0, 1], higher is better: averaged over labels, weighted by their true rows, or
// of the pooled counts. 0/0 counts as the ratio's Empty and is warned about.
func (m *MultiLabel) Average(r LabelRatio, a Averaging) Estimate {
	id := fmt.Sprintf("%s_multilabel_%s@1", r.name, a)
	switch {
	case m.n == 0:
		return undefined(noRows, 0)
	case r.of == nil:
		return undefined("no ratio to average", int64(m.n))
	case a != Macro && a != Weighted && a != Micro:
		return undefined(fmt.Sprintf("no averaging %q", a), int64(m.n))
	}
	c := &Confusion{classes: m.k, rows: m.n, cells: make([]float64, m.k*(m.k+1)), truth: make([]float64, m.k+1), said: make([]float64, m.k+1)}
	for j, t := range m.Confusion() {
		c.cells[j*(m.k+1)+j] = float64(t[1][1])
		c.truth[j], c.said[j] = float64(t[1][0]+t[1][1]), float64(t[0][1]+t[1][1])
	}
	if c.total = sum(c.truth); c.total == 0 && a == Weighted {
		return undefined("no row has a label", int64(m.n))
	}
	e := c.Average(r, a)
	if c.total == 0 { // nothing is true: the ratios are still those of what is predicted
		v, _ := c.averaged(r, Macro)
		e = number(id, v, m.n)
	}
	if e.Undefined == "" {
		e.Method = id
	}
	return e
}

// Samples is the mean over rows of a ratio of the row's own labels
// ("f1_samples@1", ...), in [0, 1], higher is better. 0/0, as of a row without
// labels, counts as the ratio's Empty.
func (m *MultiLabel) Samples(r LabelRatio) Estimate {
	if r.of == nil {
		return undefined("no ratio to average", int64(m.n))
	}
	return m.mean(r.name+"_samples@1", func(truth, said []bool, _ []float64) float64 {
		right, has, says := 0, 0, 0
		for j, y := range truth {
			right += oneIf(y && said[j])
			has += oneIf(y)
			says += oneIf(said[j])
		}
		num, den := r.of(float64(right), float64(has), float64(says))
		if !(den > 0) {
			return r.Empty
		}
		return num / den
	})
}

// AUC averages the AUC of each label's scores ("auc_multilabel_macro@1", ...), in
// [0, 1], higher is better. Undefined where a label is on no row or on all, or for
// Micro where all pooled truths are equal.
func (m *MultiLabel) AUC(a Averaging) Estimate {
	return m.averaged("auc_multilabel", a, (*Curve).AUC)
}

// AveragePrecision averages the average precision of each label's scores
// ("ap_multilabel_macro@1", ...), in [0, 1], higher is better.
func (m *MultiLabel) AveragePrecision(a Averaging) Estimate {
	return m.averaged("ap_multilabel", a, (*Curve).AveragePrecision)
}

func (m *MultiLabel) averaged(name string, a Averaging, of func(*Curve) Estimate) Estimate {
	id := fmt.Sprintf("%s_%s@1", name, a)
	switch {
	case m.n == 0:
		return undefined(noRows, 0)
	case a == Micro:
		return pooledEstimate(of(m.curve(0, 1)), id, m.n)
	case a != Macro && a != Weighted:
		return undefined(fmt.Sprintf("no averaging %q", a), int64(m.n))
	}
	total, weights := 0.0, 0.0
	for j := range m.k {
		c := m.curve(j, m.k)
		e, weight := of(c), 1.0
		if e.Undefined != "" {
			return undefined(fmt.Sprintf("label %d: %s", j, e.Undefined), int64(m.n))
		}
		if a == Weighted {
			weight = c.pos
		}
		total += float64(weight * e.Value)
		weights += weight
	}
	return number(id, math.Min(1, total/weights), m.n)
}

// curve is that of every step-th truth and score.
func (m *MultiLabel) curve(from, step int) *Curve {
	var y []int32
	var x []float64
	for i := from; i < len(m.truth); i += step {
		y, x = append(y, int32(oneIf(m.truth[i]))), append(x, m.scores[i])
	}
	return plainCurve(y, 1, x)
}
