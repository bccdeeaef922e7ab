package metrics

import (
	"fmt"
	"math"
)

// margins are the table as shares of its weight.
type margins struct {
	right       float64   // observed agreement
	truth, said []float64 // by class; the last of said is none of the classes
	chance      float64   // agreement expected of independent labels with these margins
}

func (c *Confusion) margins() margins {
	m := margins{right: c.right() / c.total, truth: make([]float64, c.classes+1), said: make([]float64, c.classes+1)}
	for k := range m.truth {
		m.truth[k], m.said[k] = c.truth[k]/c.total, c.said[k]/c.total
		m.chance += float64(m.truth[k] * m.said[k])
	}
	return m
}

// left is 1 less the sum of squares: the chance that two rows differ.
func left(shares []float64) float64 {
	s := 0.0
	for _, p := range shares {
		s += float64(p * (1 - p))
	}
	return s
}

const constantLabels = "the true or the predicted classes are all the same"

// MCC is Matthews' correlation of true and predicted classes ("mcc@1"; for more
// than two classes Gorodkin 2004), in [-1, 1], higher is better. Undefined where
// either is constant, where scikit-learn has 0.
func (c *Confusion) MCC() Estimate {
	if why := c.missing(); why != "" {
		return undefined(why, 0)
	}
	m := c.margins()
	v, ok := m.mcc()
	if !ok {
		return undefined(constantLabels, int64(c.rows))
	}
	return number("mcc@1", v, c.rows)
}

func (m margins) mcc() (float64, bool) {
	b, t := left(m.said), left(m.truth)
	if !(b > 0 && t > 0) {
		return 0, false
	}
	return math.Max(-1, math.Min(1, (m.right-m.chance)/(math.Sqrt(b)*math.Sqrt(t)))), true
}

// Kappa is Cohen's kappa (o - e)/(1 - e) of the observed agreement o and that of
// independent labels e ("kappa@1"), in [-1, 1], higher is better. Undefined
// where e is 1: both say one class throughout.
func (c *Confusion) Kappa() Estimate {
	return c.kappa("kappa@1", func(i, j int) float64 { return float64(oneIf(i != j)) })
}

// A Distance is how far apart two ordered classes are in [Confusion.WeightedKappa].
type Distance string

// The distances: |i - j|, and its square.
const (
	LinearDistance    Distance = "linear"
	QuadraticDistance Distance = "quadratic"
)

// WeightedKappa is 1 - observed / expected distance between true and predicted
// classes, in their order ("kappa_linear@1", "kappa_quadratic@1"), at most 1,
// higher is better. An answer that is none of the classes is as far off as two
// classes can be. Undefined where the expected distance is 0.
func (c *Confusion) WeightedKappa(d Distance) Estimate {
	if d != LinearDistance && d != QuadraticDistance {
		return undefined(fmt.Sprintf("no distance %q", d), int64(c.rows))
	}
	return c.kappa("kappa_"+string(d)+"@1", func(i, j int) float64 {
		x := math.Abs(float64(i - j))
		if j == c.classes {
			x = float64(c.classes - 1)
		}
		if d == QuadraticDistance {
			x *= x
		}
		return x
	})
}

func (c *Confusion) kappa(id string, distance func(i, j int) float64) Estimate {
	if why := c.missing(); why != "" {
		return undefined(why, 0)
	}
	m := c.margins()
	seen, expected := 0.0, 0.0
	for i := range c.classes {
		for j := range c.classes + 1 {
			d := distance(i, j)
			seen += float64(d * c.at(i, j))
			expected += float64(d * m.truth[i] * m.said[j])
		}
	}
	if !(expected > 0) {
		return undefined("true and predicted classes are all the same one", int64(c.rows))
	}
	return number(id, 1-seen/c.total/expected, c.rows)
}
