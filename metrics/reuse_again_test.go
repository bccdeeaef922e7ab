package metrics

import (
	"math"
	"testing"
)

// TestTryingAgain: authors whose models all lose exactly the margin try eight models,
// and stop at the first that is found good. At one level for every run a third of them
// gets through; at the levels of TranscriptLevel no more than alpha + alpha/3 + ...
func TestTryingAgain(t *testing.T) {
	const authors, runs, alpha, margin = 1000, 8, .05, .01
	const n = 16_000
	atMargin := []int64{14_800, 400, 240, 560} // both right, broke, fixed, both wrong
	through := func(level func(run int) float64) float64 {
		passed, drawn := 0, 0
		found := false
		Bootstrap(atMargin, authors*runs, 11, func(c []int64) float64 {
			run := drawn%runs + 1
			low, _ := TangoLimits(c[1], c[2], n, level(run))
			found = found && run > 1 || low > -margin
			drawn++
			if run == runs {
				passed += oneIf(found)
				found = false
			}
			return 0
		})
		return float64(passed) / authors
	}
	same := through(func(int) float64 { return alpha })
	wider := through(func(run int) float64 {
		level, err := TranscriptLevel(alpha, 3, run)
		if err != nil {
			t.Fatal(err)
		}
		return level
	})
	t.Logf("got through: at one level %.3f, at wider limits %.3f", same, wider)
	if want := 1 - math.Pow(1-alpha, runs); math.Abs(same-want) > .06 {
		t.Errorf("at one level %v get through, expected %v; the attack does not work", same, want)
	}
	if most := 1.5 * alpha; wider > most+3*math.Sqrt(most*(1-most)/authors) {
		t.Errorf("at wider limits %v get through, want at most %v", wider, most)
	}
}
