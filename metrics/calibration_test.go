package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func drawCalibration(t *testing.T, seed uint64, n int, slope, intercept float64) *Calibration {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 31))
	p, hit := make([]float64, n), make([]bool, n)
	for i := range p {
		p[i] = .02 + .96*rnd.Float64()
		z := intercept + slope*math.Log(p[i]/(1-p[i]))
		hit[i] = rnd.Float64() < 1/(1+math.Exp(-z))
	}
	c, err := NewCalibration(p, hit)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestEdgesOfBins: a probability on an edge goes up in left-closed bins and down
// in right-closed ones; 0 and 1 are in the first and last.
func TestEdgesOfBins(t *testing.T) {
	c, err := NewCalibration([]float64{0, .2, .2, .4, 1, 1}, []bool{true, true, false, false, true, false})
	if err != nil {
		t.Fatal(err)
	}
	rows := func(b Bins) (out []int) {
		for _, x := range b.All() {
			out = append(out, x.N)
		}
		return out
	}
	for name, v := range map[string][2][]int{
		"left": {rows(c.EqualWidth(5)), {1, 2, 1, 2}}, "right": {rows(c.EqualWidthRight(5)), {3, 1, 2}},
		"mass": {rows(c.EqualMass(3)), {3, 1, 2}}, "mass, more bins than rows": {rows(c.EqualMass(100)), {1, 2, 1, 2}},
	} {
		if !slices.Equal(v[0], v[1]) {
			t.Errorf("%s: %v, want %v", name, v[0], v[1])
		}
	}
	if b := c.EqualWidth(0); b.ECE().Undefined == "" || b.RMS().Undefined == "" || b.Max().Undefined == "" || b.DebiasedRMS().Undefined == "" || len(b.All()) != 0 {
		t.Error("no bins have an error")
	}
	if e := new(Calibration).EqualMass(3).ECE(); e.Undefined == "" {
		t.Errorf("no rows: %+v", e)
	}
}

// TestDebiasedIsNearTheTruth: of calibrated probabilities the plug-in error of
// many small bins is far from 0, the debiased one near.
func TestDebiasedIsNearTheTruth(t *testing.T) {
	plain, debiased := 0.0, 0.0
	for seed := range uint64(20) {
		b := drawCalibration(t, seed, 1000, 1, 0).EqualMass(100)
		plain += b.RMS().Value / 20
		debiased += b.DebiasedRMS().Value / 20
	}
	if plain < .1 || debiased > .05 {
		t.Errorf("plug-in %v, debiased %v", plain, debiased)
	}
}

// TestDebiasedByHand: two rows, one of them true, at .9, and a bin of one row that
// counts nothing: (.4^2 - .25/1) 2/3 is negative, of .1 it is (.9^2 - 0) 2/3.
func TestDebiasedByHand(t *testing.T) {
	for _, v := range []struct {
		p    []float64
		hit  []bool
		want float64
	}{
		{[]float64{.9, .9, .2}, []bool{true, false, true}, 0},
		{[]float64{.1, .1, .7}, []bool{true, true, false}, math.Sqrt(.81 * 2 / 3)},
	} {
		c, err := NewCalibration(v.p, v.hit)
		if err != nil {
			t.Fatal(err)
		}
		if e := c.EqualWidth(2).DebiasedRMS(); math.Abs(e.Value-v.want) > 1e-15 {
			t.Errorf("%v: %+v, want %v", v.p, e, v.want)
		}
	}
}

// TestSmoothAgreesWithItsTwin: the residuals smoothed by the reflected Gaussian
// itself, without grids, and integrated.
func TestSmoothAgreesWithItsTwin(t *testing.T) {
	for _, sigma := range []float64{.05, .1} {
		c := drawCalibration(t, 3, 200, .4, .5)
		const steps = 2000
		wrong, dense := 0.0, 0.0
		for s := range steps {
			x := (float64(s) + .5) / steps
			r, d := 0.0, 0.0
			for i, p := range c.p {
				for _, image := range []float64{p, -p, 2 - p} {
					k := math.Exp(-(x - image) * (x - image) / (2 * sigma * sigma))
					r += k * (p - truth(c.hit[i]))
					d += k
				}
			}
			wrong += math.Abs(r)
			dense += d
		}
		if got, want := c.SmoothAt(sigma).Value, wrong/dense; math.Abs(got/want-1) > .005 {
			t.Errorf("bandwidth %v: %v, the twin has %v", sigma, got, want)
		}
	}
	e, sigma := drawCalibration(t, 4, 500, .5, 0).Smooth()
	if !(e.Value > 0 && e.Value <= sigma && sigma < e.Value+2.0/1024) {
		t.Errorf("%+v at bandwidth %v", e, sigma)
	}
}

// TestCoxFindsWhatWasDrawn, and at its fit the residuals are orthogonal to both
// columns: the equations of the maximum.
func TestCoxFindsWhatWasDrawn(t *testing.T) {
	for _, want := range [][2]float64{{1, 0}, {.5, .7}, {2, -1}} {
		c := drawCalibration(t, 9, 40_000, want[0], want[1])
		f := c.Cox()
		if math.Abs(f.Slope.Value-want[0]) > .06 || math.Abs(f.Intercept.Value-want[1]) > .06 {
			t.Errorf("slope, intercept %v: %+v", want, f)
		}
		g0, g1, large := 0.0, 0.0, 0.0
		for i, p := range c.p {
			x := math.Log(p / (1 - p))
			r := truth(c.hit[i]) - 1/(1+math.Exp(-f.Intercept.Value-f.Slope.Value*x))
			g0 += r
			g1 += r * x
			large += truth(c.hit[i]) - 1/(1+math.Exp(-f.InLarge.Value-x))
		}
		if math.Abs(g0)+math.Abs(g1)+math.Abs(large) > 1e-6 {
			t.Errorf("residuals %v, %v, %v are left", g0, g1, large)
		}
	}
}

// TestCoxIsUndefined where no finite fit is best.
func TestCoxIsUndefined(t *testing.T) {
	for name, v := range map[string]struct {
		p   []float64
		hit []bool
	}{
		"a probability of 1": {[]float64{.5, 1}, []bool{false, true}}, "of 0": {[]float64{.5, 0}, []bool{false, true}}, "all": {[]float64{.2, .8}, []bool{true, true}},
		"none": {[]float64{.2, .8}, []bool{false, false}}, "separated": {[]float64{.2, .3, .8}, []bool{false, false, true}}, "reversed": {[]float64{.2, .8}, []bool{true, false}},
		"touching": {[]float64{.2, .5, .5, .8}, []bool{false, false, true, true}}, "equal": {[]float64{.5, .5}, []bool{false, true}},
	} {
		c, err := NewCalibration(v.p, v.hit)
		if err != nil {
			t.Fatal(err)
		}
		if f := c.Cox(); f.Slope.Undefined == "" || f.Intercept.Undefined == "" || f.Slope.Value != 0 {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestCalibrationRefuses(t *testing.T) {
	for name, p := range map[string][]float64{"none": {}, "NaN": {math.NaN()}, "above 1": {1.01}, "below 0": {-.01}, "lengths": {.1, .2}} {
		if _, err := NewCalibration(p, make([]bool, min(1, len(p)))); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
