package metrics

import (
	"fmt"
	"math"
)

// A Confusion is the table of true classes against predicted ones, in rows or
// in weights of rows. Only [CountConfusion] and [Frame.Table] make one; the zero
// value has no metric. The method of an estimate is the id of its definition.
// Weighted tables have values and no intervals: McNemar's and other tests of
// counts do not hold for them.
type Confusion struct {
	classes int
	rows    int
	cells   []float64 // true class * (classes+1) + predicted one; the last column is none of the classes
	truth   []float64 // sums over each row of cells
	said    []float64 // sums over each column of cells
	total   float64
}

// maxClasses bounds the table to 2^24 cells.
const maxClasses = 4095

// CountConfusion counts n rows by their true and predicted class, each with its
// weight, or once where weights is nil. A predicted class of -1 is an answer
// that is none of the classes: wrong for its row, and right for no other. It is
// an error if lengths differ, there are no rows, a class is outside [0, classes),
// a weight is negative, NaN or infinite, or all weights are 0.
func CountConfusion(classes int, truth, predicted []int32, weights []float64) (*Confusion, error) {
	switch {
	case classes < 1 || classes > maxClasses:
		return nil, fmt.Errorf("confusion: %d classes, need 1 to %d", classes, maxClasses)
	case len(truth) == 0:
		return nil, fmt.Errorf("confusion: no rows")
	case len(truth) != len(predicted):
		return nil, fmt.Errorf("confusion: %d true classes, %d predicted ones", len(truth), len(predicted))
	}
	for i, y := range truth {
		if h := predicted[i]; y < 0 || int(y) >= classes || h < -1 || int(h) >= classes {
			return nil, fmt.Errorf("confusion: some labels are none of the %d classes", classes)
		}
	}
	if _, err := checkWeights(len(truth), weights); err != nil {
		return nil, fmt.Errorf("confusion: %w", err)
	}
	c := &Confusion{classes: classes, rows: len(truth), cells: make([]float64, classes*(classes+1))}
	c.count(truth, predicted, weights)
	return c, nil
}

// Table is the frame's [Confusion], every row counted once.
func (f *Frame) Table() (*Confusion, error) {
	return CountConfusion(len(f.classes), f.answers, f.labels, nil)
}

// checkWeights refuses weights that are not n finite numbers >= 0 with a finite
// sum > 0, and returns the sum. No weights sum to n.
func checkWeights(n int, weights []float64) (float64, error) {
	if weights == nil {
		return float64(n), nil
	}
	if len(weights) != n {
		return 0, fmt.Errorf("%d rows, %d weights", n, len(weights))
	}
	if err := checkNumbers("weights", weights); err != nil {
		return 0, err
	}
	for _, w := range weights {
		if w < 0 {
			return 0, fmt.Errorf("a weight is negative")
		}
	}
	total := sum(weights)
	if !(total > 0) || math.IsInf(total, 0) {
		return 0, fmt.Errorf("the weights sum to %v", total)
	}
	return total, nil
}

// count fills the cells in row order: within a cell that is a fixed order of sums.
func (c *Confusion) count(truth, predicted []int32, weights []float64) {
	side := c.classes + 1
	for i, y := range truth {
		h := int(predicted[i])
		if h < 0 {
			h = c.classes
		}
		w := 1.0
		if weights != nil {
			w = weights[i]
		}
		c.cells[int(y)*side+h] += w
	}
	c.addUp()
}

// addUp fills the sums over the cells.
func (c *Confusion) addUp() {
	side := c.classes + 1
	c.truth, c.said = make([]float64, side), make([]float64, side)
	for k := range c.classes {
		for j := range side {
			c.truth[k] += c.at(k, j)
			c.said[j] += c.at(k, j)
		}
	}
	c.total = sum(c.truth)
}

// at is the weight of the rows of class k predicted to be of class j; j = classes
// for none of them.
func (c *Confusion) at(k, j int) float64 { return c.cells[k*(c.classes+1)+j] }

// Cells is the table by true class (first index) and predicted one. The last
// column is none of the classes.
func (c *Confusion) Cells() [][]float64 {
	out := make([][]float64, c.classes)
	for k := range out {
		out[k] = append(out[k], c.cells[k*(c.classes+1):(k+1)*(c.classes+1)]...)
	}
	return out
}

// Support is the weight of the rows of each true class.
func (c *Confusion) Support() []float64 { return append([]float64(nil), c.truth[:c.classes]...) }

func (c *Confusion) right() float64 {
	s := 0.0
	for k := range c.classes {
		s += c.at(k, k)
	}
	return s
}

// missing is why an empty table has no metric, or "".
func (c *Confusion) missing() string {
	if !(c.total > 0) {
		return noRows
	}
	return ""
}

// Accuracy is the share of the weight that is right ("accuracy@1"), in [0, 1].
func (c *Confusion) Accuracy() Estimate {
	if why := c.missing(); why != "" {
		return undefined(why, 0)
	}
	return number("accuracy@1", c.right()/c.total, c.rows)
}

// BalancedAccuracy is the mean recall over the classes that have rows
// ("balanced_accuracy@1"), in [0, 1].
func (c *Confusion) BalancedAccuracy() Estimate {
	v, _, warnings := c.balanced()
	if why := c.missing(); why != "" {
		return undefined(why, 0)
	}
	e := number("balanced_accuracy@1", v, c.rows)
	e.Warnings = warnings
	return e
}

func (c *Confusion) balanced() (value float64, seen int, warnings []string) {
	for k := range c.classes {
		if c.truth[k] > 0 {
			seen++
			value += c.at(k, k) / c.truth[k]
		}
	}
	if seen < c.classes {
		warnings = append(warnings, fmt.Sprintf("%d classes have no rows and are left out of the mean", c.classes-seen))
	}
	return value / float64(max(1, seen)), seen, warnings
}

// belowInfinite starts the reason of an estimate that other tools give as -Inf.
const belowInfinite = "minus infinite: "

// AdjustedBalancedAccuracy is (b - 1/K)/(1 - 1/K) of the balanced accuracy b over
// the K classes that have rows ("balanced_accuracy_adjusted@1"), 0 for chance
// and 1 for perfect. Undefined with fewer than two such classes.
func (c *Confusion) AdjustedBalancedAccuracy() Estimate {
	v, seen, warnings := c.balanced()
	switch {
	case c.missing() != "":
		return undefined(c.missing(), 0)
	case seen < 2 && v < 1:
		return undefined(belowInfinite+"only one class has rows", int64(c.rows))
	case seen < 2:
		return undefined("only one class has rows", int64(c.rows))
	}
	chance := 1 / float64(seen)
	e := number("balanced_accuracy_adjusted@1", (v-chance)/(1-chance), c.rows)
	e.Warnings = warnings
	return e
}
