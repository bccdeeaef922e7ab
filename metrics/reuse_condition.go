package metrics

import (
	"fmt"
	"math"
)

// A Tri is the truth of a condition on numbers that are known within bounds. The zero
// value is TriUnknown.
type Tri int8

const (
	TriUnknown Tri = 0
	TriTrue    Tri = 1
	TriFalse   Tri = -1
)

func (t Tri) String() string {
	switch t {
	case TriTrue:
		return "true"
	case TriFalse:
		return "false"
	}
	return "unknown"
}

// And is true where both are, false where one is (Kleene's logic).
func (t Tri) And(u Tri) Tri { return min(t, u) }

// WithoutFalsePass counts only what is certainly true as a pass: a bad model passes
// with no more than the bounds' probability of failing. Gates use this one.
func (t Tri) WithoutFalsePass() bool { return t == TriTrue }

// WithoutFalseFail counts what may be true as a pass: no good model fails.
func (t Tri) WithoutFalseFail() bool { return t != TriFalse }

// A Range is all that a number may be, from Low to High with both ends. One with NaN, or
// with its ends in the wrong order, says nothing: it stands for every number.
type Range struct{ Low, High float64 }

// said is the range, or all numbers where it says nothing.
func (r Range) said() Range {
	if !(r.Low <= r.High) {
		return Range{math.Inf(-1), math.Inf(1)}
	}
	return r
}

// Within is the range of what lies at most eps >= 0 from x. It is an error if a number
// is not finite or eps is negative.
func Within(x, eps float64) (Range, error) {
	if x-x != 0 || !(eps >= 0) || math.IsInf(eps, 0) {
		return Range{}, fmt.Errorf("range: %v within %v: need finite numbers, the second at least 0", x, eps)
	}
	return Range{x - eps, x + eps}, nil
}

// Plus is the range of a sum.
func (r Range) Plus(s Range) Range {
	r, s = r.said(), s.said()
	return Range{r.Low + s.Low, r.High + s.High}.said()
}

// Minus is the range of a difference.
func (r Range) Minus(s Range) Range { return r.Plus(s.Times(-1)) }

// Times is the range of a multiple.
func (r Range) Times(c float64) Range {
	r = r.said()
	a, b := c*r.Low, c*r.High
	return Range{math.Min(a, b), math.Max(a, b)}.said()
}

// Above is the truth of "the number is above c".
func (r Range) Above(c float64) Tri {
	r = r.said()
	switch {
	case r.Low > c:
		return TriTrue
	case r.High <= c:
		return TriFalse
	}
	return TriUnknown
}

// Below is the truth of "the number is below c".
func (r Range) Below(c float64) Tri { return r.Times(-1).Above(-c) }
