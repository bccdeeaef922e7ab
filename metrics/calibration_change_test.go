package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// drawModels draws n rows whose true logit is normal, and two models that see it with
// some noise: the logits that they give are slope times it plus shift.
func drawModels(t *testing.T, rnd *rand.Rand, n int, slope, shift [2]float64) (models [2]*Calibration) {
	t.Helper()
	hit, p := make([]bool, n), [2][]float64{make([]float64, n), make([]float64, n)}
	for i := range hit {
		z := 1.5*rnd.NormFloat64() - .3
		hit[i] = rnd.Float64() < 1/(1+math.Exp(-z))
		for m := range p {
			p[m][i] = 1 / (1 + math.Exp(-(shift[m] + slope[m]*(z+.4*rnd.NormFloat64()))))
		}
	}
	for m := range models {
		models[m] = must(NewCalibration(p[m], hit))
	}
	return models
}

// TestInfluencesOnCalibration: a row more of the same, and one less, move each number by
// its influence.
func TestInfluencesOnCalibration(t *testing.T) {
	m := drawModels(t, rand.New(rand.NewPCG(5, 5)), 3000, [2]float64{1.5, .6}, [2]float64{.3, -.4})
	for _, c := range m {
		base := c.influences()
		_, sigma := c.Smooth()
		for i := range 6 {
			more := must(NewCalibration(append(slices.Clone(c.p), c.p[i]), append(slices.Clone(c.hit), c.hit[i])))
			less := must(NewCalibration(slices.Delete(slices.Clone(c.p), i, i+1), slices.Delete(slices.Clone(c.hit), i, i+1)))
			up, down := more.Cox(), less.Cox()
			for what, v := range map[string][2]float64{
				"intercept": {up.Intercept.Value - down.Intercept.Value, base.intercept.rows[i]}, "slope": {up.Slope.Value - down.Slope.Value, base.slope.rows[i]},
				"in the large": {up.InLarge.Value - down.InLarge.Value, base.level.rows[i]}, "smooth": {more.smooth(sigma) - less.smooth(sigma), base.smooth.rows[i]},
			} {
				if math.Abs(v[0]/2-v[1]) > .02*math.Abs(v[1])+1e-7 { // residuals near 0 change their sign
					t.Errorf("%s, row %d: it moves by %v, its influence is %v", what, i, v[0]/2, v[1])
				}
			}
		}
	}
}

// TestCalibrationChangesCover: of the intervals at .95 that many hold the change that a
// million rows have. Without the allowance for chance those of the smooth error do not:
// the baseline is calibrated there.
func TestCalibrationChangesCover(t *testing.T) {
	const runs, n = 300, 200
	slope, shift := [2]float64{1, 2}, [2]float64{0, .5}
	truth := [4]float64{-.2275, -.4558, -.3683, .1023}
	rnd, in, plain, smooth := rand.New(rand.NewPCG(7, 7)), [4]int{}, 0, 30
	holds := func(at int, e Estimate) int { return oneIf(e.Low <= truth[at] && truth[at] <= e.High) }
	for run := range runs {
		var of [2]calibrationInfluences
		for i, c := range drawModels(t, rnd, n, slope, shift) {
			f := c.fits()
			of[i].intercept, of[i].slope = c.ofFit(f.x, f.free, true)
			of[i].level, _ = c.ofFit(f.x, f.level, false)
			if run < smooth {
				_, sigma := c.Smooth()
				of[i].smooth = c.ofSmooth(sigma)
			}
		}
		b, c := of[0], of[1]
		in[0] += holds(0, influencedChange("cox_intercept_change@1", b.intercept, c.intercept, .95))
		in[1] += holds(1, influencedChange("cox_slope_change@1", b.slope, c.slope, .95))
		in[2] += holds(2, influencedChange("calibration_in_the_large_change@1", b.level, c.level, .95))
		if run < smooth {
			in[3] += holds(3, smoothChange(b.smooth, c.smooth, .95))
			plain += holds(3, influencedChange("smece_change@1", b.smooth, c.smooth, .95))
		}
	}
	for at, of := range [4]int{runs, runs, runs, smooth} {
		if share := float64(in[at]) / float64(of); share < .92 {
			t.Errorf("number %d: %v of the intervals hold the truth", at, share)
		}
	}
	if plain*100 > 92*smooth {
		t.Errorf("without the allowance %d of %d hold the truth", plain, smooth)
	}
}

// TestCalibrationChangeIsThatOfItsParts, from a pair and the other way around.
func TestCalibrationChangeIsThatOfItsParts(t *testing.T) {
	p := randomPair(t, 77, 400, 2)
	c, err := p.CalibrationChange(.9)
	if err != nil {
		t.Fatal(err)
	}
	back := must((&Pair{baseline: p.candidate, candidate: p.baseline}).CalibrationChange(.9))
	b, a := must(p.baseline.calibration()), must(p.candidate.calibration())
	smoothB, _ := b.Smooth()
	smoothA, _ := a.Smooth()
	for what, v := range map[string]struct {
		change, back  Estimate
		before, after Estimate
	}{
		"intercept": {c.Intercept, back.Intercept, b.Cox().Intercept, a.Cox().Intercept}, "slope": {c.Slope, back.Slope, b.Cox().Slope, a.Cox().Slope},
		"in the large": {c.InLarge, back.InLarge, b.Cox().InLarge, a.Cox().InLarge}, "smooth": {c.Smooth, back.Smooth, smoothB, smoothA},
	} {
		if v.change.Value != v.after.Value-v.before.Value || !v.change.Interval {
			t.Errorf("%s: %+v, from %v to %v", what, v.change, v.before.Value, v.after.Value)
		}
		if near := func(x, y float64) bool { return math.Abs(x-y) < 1e-12 }; !near(v.back.Value, -v.change.Value) || !near(v.back.Low, -v.change.High) || !near(v.back.High, -v.change.Low) {
			t.Errorf("%s: %+v, the other way around %+v", what, v.change, v.back)
		}
	}
}

func TestCalibrationChangeRefuses(t *testing.T) {
	m := drawModels(t, rand.New(rand.NewPCG(8, 8)), 50, [2]float64{1, 2}, [2]float64{})
	short := must(NewCalibration([]float64{.5}, []bool{true}))
	for what, err := range map[string]error{
		"no baseline": second(CompareCalibration(nil, m[1], .9)), "zero value": second(CompareCalibration(&Calibration{}, &Calibration{}, .9)),
		"other rows": second(CompareCalibration(m[0], short, .9)), "confidence": second(CompareCalibration(m[0], m[1], math.NaN())),
		"no probabilities": second((&Pair{}).CalibrationChange(.9)),
	} {
		if err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	same := must(CompareCalibration(m[0], m[0], .9))
	certain := must(NewCalibration([]float64{0, .3, 1}, []bool{false, true, true}))
	other := must(CompareCalibration(certain, must(NewCalibration([]float64{.2, .3, .6}, []bool{false, true, true})), .9))
	one := must(CompareCalibration(short, short, .9))
	for what, e := range map[string]Estimate{
		"the same model": same.Slope, "the same smooth error": same.Smooth, "a certain baseline": other.Intercept, "one row": one.Smooth,
	} {
		if e.Undefined == "" || e.Value != 0 || e.Interval {
			t.Errorf("%s: %+v", what, e)
		}
	}
}
