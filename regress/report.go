package regress

import (
	"fmt"
	"math"

	"proctor/harness/report"
	"proctor/metrics"
)

// noClass stands in a report for an answer that is none of the classes.
const noClass = "(none of the classes)"

// Flips counts all rows of the holdout by who was right.
func (d *Diff) Flips(confidence float64) report.Flips { return flips(d.Pair.Cells(), confidence) }

func flips(c metrics.Cells, confidence float64) report.Flips {
	f := report.Flips{
		N: c.N(), BothRight: c.BothRight, Broke: c.Broke, Fixed: c.Fixed, BothWrong: c.BothWrong(), WrongOtherwise: c.OtherWrong,
		Change: estimate(c.Change(confidence)),
		NFR:    estimate(c.NFR(confidence)),
		PFR:    estimate(c.PFR(confidence)),
		BTC:    estimate(c.BTC(confidence)),
		BEC:    estimate(c.BEC(confidence)),
		Churn:  estimate(c.Churn(confidence)),
	}
	if c.N() > 0 {
		f.P, f.Log10P = number64(metrics.McNemar(c.Broke, c.Fixed)), number64(metrics.McNemarLog10(c.Broke, c.Fixed))
	}
	return f
}

// estimate turns a number into the form of a report, which cannot hold NaN: what
// is not finite is undefined, and one lost end of an interval loses both.
func estimate(e metrics.Estimate) report.Estimate {
	out := report.Estimate{Undefined: e.Undefined, N: e.N, Method: e.Method, Warnings: e.Warnings}
	if e.Undefined != "" {
		return out
	}
	if out.Value = number64(e.Value); out.Value == nil {
		out.Undefined = "the result is not a finite number"
		return out
	}
	if low, high := number64(e.Low), number64(e.High); e.Interval && low != nil && high != nil {
		out.Low, out.High, out.Confidence = low, high, e.Confidence
	}
	return out
}

func number64(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// Slices counts the rows of each value of each dimension: a slice column, "class"
// (the true class), or two columns as "sex*race". Values without rows are left
// out. covered says which slices the policy judges on their own.
func (d *Diff) Slices(dimensions []string, covered func(dimension, value string) bool, confidence float64) ([]report.Slice, error) {
	var out []report.Slice
	for _, name := range dimensions {
		groups, err := d.Pair.By(name)
		if err != nil {
			return nil, fmt.Errorf("slices: %w", err)
		}
		for _, g := range groups {
			out = append(out, report.Slice{Dimension: name, Value: g.Value, Flips: flips(g.Cells, confidence), Covered: covered(name, g.Value)})
		}
	}
	return out, nil
}

// Costs weighs the flips by what each wrong answer costs, and says for each dimension
// who bears the rows that broke. Without costs every broken row counts 1, and cost is
// nil.
func (d *Diff) Costs(costs metrics.Costs, dimensions []string, confidence float64) (cost *report.Cost, burden []report.Burden, err error) {
	if costs != nil {
		c, err := d.Pair.FlipCost(costs, confidence)
		if err != nil {
			return nil, nil, fmt.Errorf("cost of flips: %w", err)
		}
		cost = &report.Cost{Broke: estimate(c.Broke), Fixed: estimate(c.Fixed), Change: estimate(c.Change)}
	}
	for _, name := range dimensions {
		c, err := d.Pair.FlipConcentration(name, costs)
		if err != nil {
			return nil, nil, fmt.Errorf("burden: %w", err)
		}
		burden = append(burden, report.Burden{Dimension: name, Index: estimate(c.Index), Worst: c.Worst, Lift: estimate(c.Lift)})
	}
	return cost, burden, nil
}
