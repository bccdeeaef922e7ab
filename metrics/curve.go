package metrics

import (
	"fmt"
	"math"
)

// A Curve is the rows of two sides, positive and others, in the order of their
// scores: one sort, from which ROC, precision-recall and their areas follow. Only
// [NewCurve] and [Frame.Curve] make one; the zero value has no metric. The method
// of an estimate is the id of its definition. Rows of weight 0 are not there. Each
// metric is undefined where a side that it divides by has no weight.
type Curve struct {
	sorted   sortedRows // none: the levels are there instead
	levels   []level
	rows     int
	pos, neg float64
	ordered  float64 // pairs in order, ties half
	ap       float64 // sum over the positives of the precision at their score
	ks       float64
}

// A level is the weight of each side at one score.
type level struct{ score, pos, neg float64 }

// NewCurve takes the class and the score of n rows, higher for more positive, and
// n weights or nil. It is an error if lengths differ, there are no rows, a number
// is NaN or infinite, a weight is negative or all weights are 0.
func NewCurve(labels []int32, positive int32, scores, weights []float64) (*Curve, error) {
	if len(labels) != len(scores) {
		return nil, fmt.Errorf("curve: %d labels, %d scores", len(labels), len(scores))
	}
	if err := checkNumbers("scores", scores); err != nil {
		return nil, fmt.Errorf("curve: %w", err)
	}
	if _, err := checkWeights(len(labels), weights); err != nil {
		return nil, fmt.Errorf("curve: %w", err)
	}
	if weights != nil {
		return weightedCurve(labels, positive, scores, weights), nil
	}
	return plainCurve(labels, positive, scores), nil
}

// plainCurve is that of finite scores without weights.
func plainCurve(labels []int32, positive int32, scores []float64) *Curve {
	if inUnit(scores) {
		return curveOf(scoreColumn{scores, 1, labels, positive})
	}
	return weightedCurve(labels, positive, scores, nil)
}

// Curve is that of a class's probability against the rest. It is an error if the
// model gave no probabilities or there is no such class.
func (f *Frame) Curve(class int) (*Curve, error) {
	if why := f.withoutProbs(); why != "" {
		return nil, fmt.Errorf("curve: %s", why)
	}
	if class < 0 || class >= len(f.classes) {
		return nil, fmt.Errorf("curve: class %d of %d", class, len(f.classes))
	}
	return curveOf(scoreColumn{f.probs[class:], len(f.classes), f.answers, int32(class)}), nil
}

func inUnit(x []float64) bool {
	for _, v := range x {
		if !(v >= 0 && v <= 1) { // so put that NaN is none
			return false
		}
	}
	return true
}

func curveOf(scores scoreColumn) *Curve {
	var s sorter
	s.all(scores, nil, false)
	rows := s.rows
	pos, neg := rows.sides()
	c := &Curve{sorted: rows, rows: len(rows.keys), pos: float64(pos), neg: float64(neg)}
	var twice, most int64       // in whole numbers: exact up to 10^9 rows
	above := [2]int64{neg, pos} // rows from here up
	for from := 0; from < len(rows.keys); {
		to, in := rows.run(from)
		out := int64(to-from) - in
		c.ap += float64(float64(in) * (float64(above[1]) / float64(above[0]+above[1])))
		most = max(most, above[1]*neg-above[0]*pos)
		above[0] -= out
		above[1] -= in
		twice += out * (2*above[1] + in)
		from = to
	}
	c.ordered = float64(twice) / 2
	if pos > 0 && neg > 0 {
		c.ks = float64(most) / c.pos / c.neg
	}
	return c
}

func weightedCurve(labels []int32, positive int32, scores, weights []float64) *Curve {
	keys, order := sortByKey(sortKeys(scores), allRows(len(scores)))
	c := &Curve{rows: len(labels)}
	runs(keys, func(from, to int) {
		s := level{score: scores[order[from]] + 0}
		for _, i := range order[from:to] {
			w := 1.0
			if weights != nil {
				w = weights[i]
			}
			if labels[i] == positive {
				s.pos += w
			} else {
				s.neg += w
			}
		}
		if s.pos+s.neg > 0 {
			c.levels = append(c.levels, s)
		}
	})
	for _, s := range c.levels {
		c.pos += s.pos
		c.neg += s.neg
	}
	tp, fp := 0.0, 0.0
	c.each(func(s level) {
		c.ordered += float64(s.neg * (tp + float64(s.pos/2)))
		tp += s.pos
		fp += s.neg
		if s.pos > 0 {
			c.ap += float64(s.pos * (tp / (tp + fp)))
		}
		if c.pos > 0 && c.neg > 0 {
			c.ks = math.Max(c.ks, tp/c.pos-fp/c.neg)
		}
	})
	return c
}

// each calls f for each distinct score, descending.
func (c *Curve) each(f func(level)) {
	for i := len(c.levels) - 1; i >= 0; i-- {
		f(c.levels[i])
	}
	keys := c.sorted.keys
	for to := len(keys); to > 0; {
		from, key, pos := to, keys[to-1]>>1, 0
		for from > 0 && keys[from-1]>>1 == key {
			from--
			pos += int(keys[from] & 1)
		}
		f(level{scoreOf(keys[from]), float64(pos), float64(to - from - pos)})
		to = from
	}
}

// oneSided is why a metric of both sides is undefined, or "".
func (c *Curve) oneSided() string {
	if !(c.pos > 0 && c.neg > 0) {
		return fmt.Sprintf("one class: the positive side weighs %v and the other %v", c.pos, c.neg)
	}
	return ""
}

const noPositives = "no row is of the positive class"

// AUC is the share of pairs of a positive and another row that are in order, ties
// half ("roc_auc@1"), in [0, 1], higher is better.
func (c *Curve) AUC() Estimate { return c.area("roc_auc@1", func(a float64) float64 { return a }) }

// Gini is 2 AUC - 1 ("gini@1"), in [-1, 1], higher is better.
func (c *Curve) Gini() Estimate { return c.area("gini@1", func(a float64) float64 { return 2*a - 1 }) }

func (c *Curve) area(id string, of func(auc float64) float64) Estimate {
	if why := c.oneSided(); why != "" {
		return undefined(why, int64(c.rows))
	}
	return number(id, of(math.Min(1, c.ordered/c.pos/c.neg)), c.rows)
}

// KS is the largest difference of true and false positive rate over all
// thresholds ("ks_separation@1"), in [0, 1], higher is better.
func (c *Curve) KS() Estimate {
	if why := c.oneSided(); why != "" {
		return undefined(why, int64(c.rows))
	}
	return number("ks_separation@1", c.ks, c.rows)
}

// AveragePrecision is the sum over distinct thresholds, descending, of the gain in
// recall times the precision there, without interpolation
// ("average_precision@1"), in [0, 1], higher is better. Undefined without
// positive rows, where scikit-learn has 0.
func (c *Curve) AveragePrecision() Estimate {
	if !(c.pos > 0) {
		return undefined(noPositives, int64(c.rows))
	}
	return number("average_precision@1", math.Min(1, c.ap/c.pos), c.rows)
}

// TrapezoidPR is the area under the straight lines between the points of recall
// and precision, from recall 0 with precision 1 ("pr_auc_trapezoid@1"), in
// [0, 1]. It is too kind to models with few thresholds (Davis and Goadrich 2006);
// [Curve.AveragePrecision] is not.
func (c *Curve) TrapezoidPR() Estimate {
	if !(c.pos > 0) {
		return undefined(noPositives, int64(c.rows))
	}
	tp, fp, last, twice := 0.0, 0.0, 1.0, 0.0
	c.each(func(s level) {
		tp += s.pos
		fp += s.neg
		precision := tp / (tp + fp)
		twice += float64(s.pos * (precision + last))
		last = precision
	})
	return number("pr_auc_trapezoid@1", math.Min(1, twice/2/c.pos), c.rows)
}

// PartialAUC is the area up to a false positive rate of most in (0, 1],
// standardised so that chance is 1/2 and perfect is 1 ("partial_auc@1"; McClish
// 1989), higher is better. It is below 1/2, and may be 0, for models worse than
// chance there.
func (c *Curve) PartialAUC(most float64) Estimate {
	if !(most > 0 && most <= 1) {
		return undefined(fmt.Sprintf("a false positive rate up to %v is not in (0, 1]", most), int64(c.rows))
	}
	if why := c.oneSided(); why != "" {
		return undefined(why, int64(c.rows))
	}
	fpr, tp, area := 0.0, 0.0, 0.0
	fp := 0.0
	c.each(func(s level) {
		tpr := tp / c.pos
		tp += s.pos
		fp += s.neg
		next := fp / c.neg
		if fpr >= most || next == fpr {
			return
		}
		end, share := next, 1.0
		if next > most {
			end, share = most, (most-fpr)/(next-fpr)
		}
		top := tpr + float64(share*(tp/c.pos-tpr))
		area += float64((end - fpr) * (tpr + top) / 2)
		fpr = next
	})
	least := float64(most * most / 2)
	return number("partial_auc@1", (1+(area-least)/(most-least))/2, c.rows)
}

// A Threshold is a point of the ROC curve: what is said of rows with at least
// this score.
type Threshold struct{ Score, FPR, TPR float64 }

// ROC is the curve's points, one for each distinct score, descending. It is nil
// where a side has no weight.
func (c *Curve) ROC() []Threshold {
	if c.oneSided() != "" {
		return nil
	}
	var out []Threshold
	tp, fp := 0.0, 0.0
	c.each(func(s level) {
		tp += s.pos
		fp += s.neg
		out = append(out, Threshold{s.score, math.Min(1, fp/c.neg), math.Min(1, tp/c.pos)})
	})
	return out
}
