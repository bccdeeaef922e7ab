package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// A Stitching is a boundary of the order sqrt(V log log V) for sums whose
// increments are sub-gamma with scale C >= 0 (sub-Gaussian at 0), the tightest as
// V grows without end. It starts at intrinsic time VMin > 0; S > 1 and Eta > 1
// shape it, 1.4 and 2 are good (Howard, Ramdas, McAuliffe and Sekhon 2021,
// theorem 1).
type Stitching struct{ VMin, C, S, Eta float64 }

// Bound is the sum that is exceeded at any time with probability alpha at most. It
// is an error if v is negative or not finite, alpha outside (0, 1), or the shape
// outside its ranges.
func (b Stitching) Bound(v, alpha float64) (float64, error) {
	if err := checkLevel(alpha); err != nil {
		return 0, err
	}
	if !(v >= 0) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("stitching: intrinsic time %v is not at least 0 and finite", v)
	}
	if !(b.VMin > 0 && b.C >= 0 && b.S > 1 && b.Eta > 1) || math.IsInf(b.VMin+b.C+b.S+b.Eta, 0) {
		return 0, fmt.Errorf("stitching: shape %+v: need VMin > 0, C >= 0, S > 1, Eta > 1, all finite", b)
	}
	v = math.Max(v, b.VMin)
	k1 := (math.Pow(b.Eta, 0.25) + math.Pow(b.Eta, -0.25)) / math.Sqrt2
	k2 := (math.Sqrt(b.Eta) + 1) / 2
	l := float64(b.S*math.Log(math.Log(b.Eta)+math.Log(v/b.VMin))) +
		math.Log(mathext.Zeta(b.S, 1)) - math.Log(alpha) - float64(b.S*math.Log(math.Log(b.Eta)))
	c := float64(k2 * b.C * l)
	u := math.Sqrt(float64(k1*k1*v*l)+float64(c*c)) + c
	if math.IsNaN(u) || math.IsInf(u, 0) {
		return 0, fmt.Errorf("stitching: no bound at intrinsic time %v", v)
	}
	return u, nil
}
