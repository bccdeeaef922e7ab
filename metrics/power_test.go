package metrics

import (
	"math"
	"testing"
)

// TestHoldPowerAgreesWithEnumeration of every table, through the limit itself.
func TestHoldPowerAgreesWithEnumeration(t *testing.T) {
	for _, c := range []struct {
		n                    int64
		churn, margin, alpha float64
	}{{1, .5, .9, .4}, {40, .1, .1, .05}, {60, .3, .15, .1}, {80, .05, .06, .05}, {50, 1, .3, .05}, {50, 0, .2, .05}, {50, .1, 1, .05}} {
		want := 0.0
		for b := int64(0); b <= c.n; b++ {
			for f := int64(0); f+b <= c.n; f++ {
				if lower, _ := TangoLimits(b, f, c.n, c.alpha); -lower >= c.margin {
					continue
				}
				m := b + f
				want += math.Exp(lnBinomial(m, c.n, c.churn, 1-c.churn) + lnBinomial(b, m, 0.5, 0.5))
			}
		}
		if got := HoldPower(c.n, c.churn, c.margin, c.alpha); math.Abs(got-want) > 1e-9 {
			t.Errorf("%+v: power %v, the enumeration has %v", c, got, want)
		}
	}
}

// TestHoldPowerMeetsItsApproximation where one takes over from the other.
func TestHoldPowerMeetsItsApproximation(t *testing.T) {
	for _, c := range []struct{ churn, margin, alpha float64 }{{.05, .002, .01}, {.2, .004, 1e-4}, {.01, .0008, .05}, {.001, .0003, .01}} {
		exact, normal := HoldPower(exactRows, c.churn, c.margin, c.alpha), HoldPower(exactRows+1, c.churn, c.margin, c.alpha)
		if exact < .3 || math.Abs(exact-normal) > .005 {
			t.Errorf("%+v: exact %v, normal %v", c, exact, normal)
		}
	}
}

func TestRowsToHold(t *testing.T) {
	for _, c := range []struct{ churn, margin, alpha float64 }{{.049, .01, .01}, {.049, .01, .01 / 243}, {.3, .05, .05}, {0, .02, .01}} {
		n := RowsToHold(c.churn, c.margin, c.alpha, .95)
		at, before, twice := HoldPower(n, c.churn, c.margin, c.alpha), HoldPower(n-1, c.churn, c.margin, c.alpha), HoldPower(2*n, c.churn, c.margin, c.alpha)
		if at < .95 || before >= .95 || twice < .95 {
			t.Errorf("%+v: %d rows have power %v, one less %v, twice as many %v", c, n, at, before, twice)
		}
	}
	// Without churn the limit is z^2/(n+z^2): solved for n.
	z2 := upperZ(.01) * upperZ(.01)
	if n, want := RowsToHold(0, .02, .01, .95), int64(z2*(1-.02)/.02)+1; n != want {
		t.Errorf("no churn: %d rows, want %d", n, want)
	}
	for name, n := range map[string]int64{
		"no margin": RowsToHold(.05, 0, .01, .95), "a margin that is NaN": RowsToHold(.05, math.NaN(), .01, .95),
		"power above 1": RowsToHold(.05, .01, .01, 1.1), "churn that is NaN": RowsToHold(math.NaN(), .01, .01, .95),
	} {
		if n != math.MaxInt64 {
			t.Errorf("%s: %d rows would do", name, n)
		}
	}
}

// TestDesignNumbers: 16,281 rows, 4.9 % churn, a margin of one point. Three
// results widen the level by 3 each run.
func TestDesignNumbers(t *testing.T) {
	for run, want := range map[int]float64{1: .9997, 6: .962, 8: .897} {
		if got := HoldPower(16281, .049, .01, .01/math.Pow(3, float64(run-1))); math.Abs(got-want) > .001 {
			t.Errorf("run %d: power %v, want %v", run, got, want)
		}
	}
}

// TestNothingHoldsWithoutAMargin, nor from numbers that are none.
func TestNothingHoldsWithoutAMargin(t *testing.T) {
	nan := math.NaN()
	for _, p := range []float64{
		HoldPower(1000, .3, 0, .05), HoldPower(1000, .3, -.1, .05), HoldPower(1000, .3, nan, .05), HoldPower(0, .3, .1, .05), HoldPower(-1, .3, .1, .05),
		HoldPower(1000, -.1, .1, .05), HoldPower(1000, 1.1, .1, .05), HoldPower(1000, nan, .1, .05), HoldPower(1000, .3, .1, 0), HoldPower(1000, .3, .1, nan),
	} {
		if p != 0 {
			t.Errorf("power %v", p)
		}
	}
}

func TestMcNemarRowsWithoutAnswer(t *testing.T) {
	for _, change := range []float64{0, .2, -.2} {
		if n := McNemarRows(.1, change, .05, .8); !math.IsInf(n, 1) {
			t.Errorf("change %v of .1 discordant: %v rows", change, n)
		}
	}
}
