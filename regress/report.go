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

// flips describes paired cells. Shares have exact Clopper-Pearson intervals, the
// change of accuracy has Tango's. BTC and BEC are those of the paper
// (Träuble et al.): of the rows that the baseline had right, how many the
// candidate has right; of the candidate's errors, how many are not new.
func flips(c metrics.Cells, confidence float64) report.Flips {
	n, wrong := c.N(), c.SameWrong+c.OtherWrong
	f := report.Flips{
		N: n, BothRight: c.BothRight, Broke: c.Broke, Fixed: c.Fixed, BothWrong: wrong, WrongOtherwise: c.OtherWrong,
		Change: netChange(c.Broke, c.Fixed, n, confidence, "there are no rows"),
		NFR:    share(c.Broke, n, confidence, "there are no rows"),
		PFR:    share(c.Fixed, n, confidence, "there are no rows"),
		BTC:    share(c.BothRight, c.BothRight+c.Broke, confidence, "the baseline has no row right"),
		BEC:    share(wrong, wrong+c.Broke, confidence, "the candidate has no row wrong"),
		// Rows that both have right, or wrong in the same way, are the only ones with equal answers.
		Churn: share(c.Broke+c.Fixed+c.OtherWrong, n, confidence, "there are no rows"),
	}
	if n > 0 {
		f.P = number64(metrics.McNemar(c.Broke, c.Fixed))
	}
	return f
}

// netChange estimates (fixed - broke) / n.
func netChange(broke, fixed, n int64, confidence float64, none string) report.Estimate {
	if n == 0 {
		return report.Estimate{Undefined: none}
	}
	low, high := metrics.Tango(broke, fixed, n, confidence)
	return interval(float64(fixed-broke)/float64(n), low, high, n, confidence, "Tango")
}

func share(k, n int64, confidence float64, none string) report.Estimate {
	if n == 0 {
		return report.Estimate{Undefined: none}
	}
	low, high := metrics.ClopperPearson(k, n, confidence)
	return interval(float64(k)/float64(n), low, high, n, confidence, "Clopper-Pearson")
}

func interval(v, low, high float64, n int64, confidence float64, method string) report.Estimate {
	return estimate(metrics.Estimate{Value: v, Low: low, High: high, Interval: true, N: n, Confidence: confidence, Method: method})
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
