package metrics

import (
	"fmt"
	"math"
)

// Costs says what it costs to answer class h where y is true: Costs[y][h], with
// one more column for an answer that is none of the classes. Costs are finite and
// not negative, and 0 where right.
type Costs [][]float64

func (c Costs) check(classes int) error {
	if len(c) != classes {
		return fmt.Errorf("costs: %d rows for %d classes", len(c), classes)
	}
	for y, row := range c {
		if len(row) != classes+1 {
			return fmt.Errorf("costs: %d columns for %d classes and none of them", len(row), classes)
		}
		for h, v := range row {
			if v < 0 || v-v != 0 {
				return fmt.Errorf("costs: a cost is negative, NaN or infinite")
			}
			if h == y && v != 0 {
				return fmt.Errorf("costs: to be right costs %v", v)
			}
		}
	}
	return nil
}

func (c Costs) of(y, h int32) float64 {
	if h < 0 {
		h = int32(len(c))
	}
	return c[y][h]
}

// A FlipCost is what flips cost a row, on average over all rows.
type FlipCost struct {
	Broke  Estimate // cost of the answers of the rows that broke ("flip_cost_broke@1"), >= 0, lower is better
	Fixed  Estimate // cost that the baseline's answers had of the rows that were fixed ("flip_cost_fixed@1"), >= 0, higher is better
	Change Estimate // of the cost of all rows, other wrong answers included ("flip_cost_change@1"), with the paired t interval; lower is better
}

// FlipCost weighs flips by their costs. With all costs 1 these are NFR, PFR and
// minus the change of accuracy. It is an error if the costs are none of the
// pair's classes, or the confidence is outside (0, 1).
func (p *Pair) FlipCost(costs Costs, confidence float64) (FlipCost, error) {
	if err := costs.check(len(p.baseline.classes)); err != nil {
		return FlipCost{}, err
	}
	if err := checkConfidence(confidence); err != nil {
		return FlipCost{}, err
	}
	n := int(p.N())
	if n == 0 {
		e := undefined(noRows, 0)
		return FlipCost{e, e, e}, nil
	}
	d := make([]float64, n)
	broke, fixed := make([]float64, n), make([]float64, n)
	for i, y := range p.baseline.answers {
		was, is := costs.of(y, p.baseline.labels[i]), costs.of(y, p.candidate.labels[i])
		d[i] = is - was
		switch {
		case bit(p.baseline.correct, i) && !bit(p.candidate.correct, i):
			broke[i] = is
		case bit(p.candidate.correct, i) && !bit(p.baseline.correct, i):
			fixed[i] = was
		}
	}
	out := FlipCost{Broke: number("flip_cost_broke@1", sum(broke)/float64(n), n), Fixed: number("flip_cost_fixed@1", sum(fixed)/float64(n), n)}
	out.Change = changeOfMeans("flip_cost_change@1", d, confidence)
	return out, nil
}

// changeOfMeans is the mean of paired differences with Student's interval.
func changeOfMeans(id string, d []float64, confidence float64) Estimate {
	s := columnMean(d)
	e := number(id, s.value, len(d))
	if e.Undefined != "" || s.few != "" {
		if s.few != "" {
			e.Warnings = []string{s.few}
		}
		return e
	}
	half := float64(s.quantile((1-confidence)/2) * math.Sqrt(s.variance))
	if math.IsNaN(half) || math.IsInf(half, 0) {
		return undefined(id+": the numbers are too large to compute with", int64(len(d)))
	}
	e.Interval, e.Confidence, e.Low, e.High = true, confidence, s.value-half, s.value+half
	return e
}

// A Concentration says how unevenly the cost of broken rows falls on the groups of
// a dimension.
type Concentration struct {
	Index Estimate // half the sum over groups of |share of the cost - share of the rows| ("flip_concentration@1"): the share of the cost that other groups would have to bear to be even; in [0, 1), 0 is even
	Worst string   // the group whose rows cost most on average, the first of equals
	Lift  Estimate // how many times its rows cost the average row ("flip_lift@1"), >= 1
}

// FlipConcentration tells how unevenly the cost of broken rows falls on the values
// of a dimension, as [Pair.By] has them. Undefined where no broken row costs
// anything. Nil costs count every broken row 1. Errors as [Pair.By] and [Pair.FlipCost].
func (p *Pair) FlipConcentration(dimension string, costs Costs) (Concentration, error) {
	d, err := p.baseline.dimension(dimension)
	if err != nil {
		return Concentration{}, err
	}
	if costs != nil {
		if err := costs.check(len(p.baseline.classes)); err != nil {
			return Concentration{}, err
		}
	}
	rows, cost := make([]float64, len(d.Values)), make([]float64, len(d.Values))
	for i, v := range d.Codes {
		rows[v]++
		if bit(p.baseline.correct, i) && !bit(p.candidate.correct, i) {
			if costs == nil {
				cost[v]++
			} else {
				cost[v] += costs.of(p.baseline.answers[i], p.candidate.labels[i])
			}
		}
	}
	return concentration(d.Values, rows, cost), nil
}

func concentration(values []string, rows, cost []float64) Concentration {
	n, total := sum(rows), sum(cost)
	if !(total > 0) || math.IsInf(total, 0) {
		e := undefined("no broken row costs anything that can be summed", int64(n))
		return Concentration{Index: e, Lift: e}
	}
	var out Concentration
	apart, most := 0.0, 0.0
	for v, r := range rows {
		if r == 0 {
			continue
		}
		apart += math.Abs(cost[v]/total - r/n)
		if lift := cost[v] / total / (r / n); lift > most {
			most, out.Worst = lift, values[v]
		}
	}
	out.Index, out.Lift = number("flip_concentration@1", apart/2, int(n)), number("flip_lift@1", most, int(n))
	return out
}
