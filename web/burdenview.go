package web

import (
	"math"
	"strconv"

	"proctor/harness/report"
)

// burdenView shows what flips cost, where the policy says so, and on whom the rows
// that broke fall.
type burdenView struct {
	Costs     []costView
	Weighted  bool // by the policy's costs
	Unevenly  []unevenView
	Undefined string // why there is nothing to share
}

type costView struct{ What, Value, Interval string }

type unevenView struct{ Dimension, Worst, Lift, Index string }

func newBurdenView(r *report.Report) *burdenView {
	if r.Cost == nil && len(r.Burden) == 0 {
		return nil
	}
	v := &burdenView{Weighted: r.Cost != nil}
	if c := r.Cost; c != nil {
		v.Costs = []costView{
			{"rows that broke", number.write(c.Broke.Value), ""},
			{"rows that were fixed", number.write(c.Fixed.Value), ""},
			{"change over all rows", number.signed(c.Change.Value), number.interval(c.Change.Low, c.Change.High)},
		}
	}
	for _, b := range r.Burden {
		if b.Index.Value == nil {
			v.Undefined = b.Index.Undefined
			continue
		}
		v.Unevenly = append(v.Unevenly, unevenView{b.Dimension, b.Worst, times(b.Lift.Value), percent.write(b.Index.Value)})
	}
	return v
}

// times writes a factor: "2.3 times".
func times(x *float64) string {
	if !finite(x) {
		return none
	}
	return strconv.FormatFloat(*x, 'f', 1, 64) + " times"
}

// tiny writes a p-value, by its logarithm where it is too small for a number.
func tiny(p, log10 *float64) string {
	if finite(p) && *p == 0 && finite(log10) && *log10 < 0 {
		return "10⁻" + superscript(strconv.FormatFloat(math.Floor(-*log10), 'f', 0, 64))
	}
	return probability(p)
}
