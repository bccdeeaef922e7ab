package metrics

import "fmt"

// A LabelRatio is a ratio of one class's counts: rows right, of the class, and
// predicted to be. Methods of [Confusion] take it for a class or averaged.
type LabelRatio struct {
	name string // averaged ids are name_macro@1, name_weighted@1, name_micro@1
	of   func(right, truth, said float64) (num, den float64)
	// Empty is what 0/0 of a class counts as in an average. It is 0 in the
	// ratios here; another value gives another definition.
	Empty float64
}

// Ratios of one class, in [0, 1], higher is better.
var (
	Precision = LabelRatio{name: "precision", of: func(right, _, said float64) (float64, float64) { return right, said }}
	Recall    = LabelRatio{name: "recall", of: func(right, truth, _ float64) (float64, float64) { return right, truth }}
	F1        = FBeta(1)
	// Jaccard is rows right over rows of the class, predicted to be, or both.
	Jaccard = LabelRatio{name: "jaccard", of: func(right, truth, said float64) (float64, float64) { return right, truth + said - right }}
)

// FBeta is (1+b^2) right / (b^2 truth + said), the harmonic mean of precision and
// recall with recall weighed b times. beta is positive and finite; else every
// value is undefined.
func FBeta(beta float64) LabelRatio {
	name, b := fmt.Sprintf("fbeta_%v", beta), float64(beta*beta)
	if beta == 1 {
		name = "f1"
	}
	return LabelRatio{name: name, of: func(right, truth, said float64) (float64, float64) {
		if !(beta > 0) || b-b != 0 {
			return 0, 0
		}
		return (1 + b) * right, float64(b*truth) + said
	}}
}

// An Averaging says how the ratios of the classes become one number.
type Averaging string

// The averagings: Macro is the unweighted mean over all declared classes,
// Weighted the mean by each class's true weight, Micro the ratio of the pooled
// counts. A macro or weighted mean warns of the classes whose ratio is 0/0.
const (
	Macro    Averaging = "macro"
	Weighted Averaging = "weighted"
	Micro    Averaging = "micro"
)

// Of is the ratio of one class, in [0, 1] ("precision@1", ..., of that class);
// 0/0 is undefined.
func (c *Confusion) Of(class int, r LabelRatio) Estimate {
	if r.of == nil || class < 0 || class >= c.classes {
		return undefined(fmt.Sprintf("no ratio, or class %d of %d", class, c.classes), 0)
	}
	num, den := r.of(c.at(class, class), c.truth[class], c.said[class])
	if !(den > 0) {
		return undefined(r.name+" of the class is 0/0", int64(c.rows))
	}
	return number(r.name+"@1", num/den, c.rows)
}

// Average is the averaged ratio ("f1_macro@1", ...), in [0, 1]. With an Empty
// other than 0 the id says so ("f1_macro_empty1@1").
func (c *Confusion) Average(r LabelRatio, a Averaging) Estimate {
	id := fmt.Sprintf("%s_%s@1", r.name, a)
	if r.Empty != 0 {
		id = fmt.Sprintf("%s_%s_empty%v@1", r.name, a, r.Empty)
	}
	switch {
	case c.missing() != "":
		return undefined(c.missing(), 0)
	case r.of == nil || !(r.Empty >= 0 && r.Empty <= 1):
		return undefined("no ratio to average", int64(c.rows))
	case a == Micro:
		return c.pooled(id, r)
	case a != Macro && a != Weighted:
		return undefined(fmt.Sprintf("no averaging %q", a), int64(c.rows))
	}
	value, empty := c.averaged(r, a)
	e := number(id, value, c.rows)
	if empty > 0 {
		e.Warnings = []string{fmt.Sprintf("%s of %d classes is 0/0 and counts as %v", r.name, empty, r.Empty)}
	}
	return e
}

func (c *Confusion) averaged(r LabelRatio, a Averaging) (value float64, empty int) {
	for k := range c.classes {
		x, weight := r.Empty, 1/float64(c.classes)
		if num, den := r.of(c.at(k, k), c.truth[k], c.said[k]); den > 0 {
			x = num / den
		} else {
			empty++
		}
		if a == Weighted {
			weight = c.truth[k] / c.total
		}
		value += float64(weight * x)
	}
	return value, empty
}

// pooled takes the ratio of the sums over the classes; rows that were answered
// with none of the classes are in truth and not in said.
func (c *Confusion) pooled(id string, r LabelRatio) Estimate {
	num, den := r.of(c.right(), c.total, sum(c.said[:c.classes]))
	if !(den > 0) {
		return undefined(r.name+" over all classes is 0/0", int64(c.rows))
	}
	return number(id, num/den, c.rows)
}
