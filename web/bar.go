package web

import (
	"math"
	"strconv"

	"proctor/harness/report"
)

// A bar draws an interval as SVG: a line from low to high, a mark at the value,
// on a scale with zero in the middle. The mark's shape tells the direction, so
// that colour is never the only sign: a triangle down is worse, one up is better,
// a ring is unclear. All coordinates are decided here; equal reports draw equal bytes.
type bar struct {
	Drawn           bool
	X1, X2, X       string
	CutLow, CutHigh bool // the interval goes on beyond the scale
	Mark            string
	Direction       direction
}

// The drawing is 200 wide with zero at 100 and the ends of the scale at 10 and 190.
const (
	barZero  = 100.0
	barReach = 90.0
)

// newBar draws the change of a share; scale is the end of the axis in pp.
func newBar(e report.Estimate, higherBetter bool, scale float64) bar {
	if !finite(e.Value) || !finite(e.Low) || !finite(e.High) || scale <= 0 {
		return bar{}
	}
	place := func(x float64) float64 { return barZero + barReach*max(-1, min(1, 100*x/scale)) }
	b := bar{Drawn: true, X1: at(place(*e.Low)), X2: at(place(*e.High)), X: at(place(*e.Value)),
		CutLow: 100**e.Low < -scale, CutHigh: 100**e.High > scale, Direction: directionOf(e, higherBetter)}
	x := place(*e.Value)
	switch b.Direction {
	case worse:
		b.Mark = at(x-4.5) + ",8 " + at(x+4.5) + ",8 " + at(x) + ",16.5"
	case better:
		b.Mark = at(x-4.5) + ",16 " + at(x+4.5) + ",16 " + at(x) + ",7.5"
	}
	return b
}

// scaleOf returns the end of the axis in pp: the smallest round number that holds
// the intervals of the covered slices.
func scaleOf(list []report.Slice) float64 {
	most := 0.0
	for _, s := range list {
		for _, x := range []*float64{s.Flips.Change.Low, s.Flips.Change.High} {
			if s.Covered && finite(x) {
				most = max(most, 100*math.Abs(*x))
			}
		}
	}
	for _, end := range []float64{1, 2, 5, 10, 15, 20, 25, 30, 40, 50, 75} {
		if most <= end {
			return end
		}
	}
	return 100
}

// at writes a coordinate with at most one decimal.
func at(x float64) string { return trim(math.Round(x*10) / 10) }

func trim(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
