package regress

import (
	"fmt"
	"math"
	"strings"

	"proctor/harness/report"
)

// Calibration tells how the candidate's calibration differs from the baseline's on the
// same rows, with paired intervals at the confidence; nil where not both models gave
// probabilities.
func (d *Diff) Calibration(confidence float64) (*report.Calibration, error) {
	if d.baseline.Probs() == nil || d.candidate.Probs() == nil {
		return nil, nil
	}
	c, err := d.Pair.CalibrationChange(confidence)
	if err != nil {
		return nil, fmt.Errorf("compare calibration: %w", err)
	}
	out := &report.Calibration{Smooth: estimate(c.Smooth), Slope: estimate(c.Slope), Intercept: estimate(c.Intercept), InLarge: estimate(c.InLarge)}
	out.Sentence = calibrationSentence(out, confidence)
	return out, nil
}

// calibrationSentence says which way the smooth error went, if it can be told, and all
// changes with their intervals.
func calibrationSentence(c *report.Calibration, confidence float64) string {
	lead := "Calibration is not shown to differ"
	switch s := c.Smooth; {
	case s.Value == nil || s.Low == nil || s.High == nil:
		lead = "How calibration differs is not known"
	case *s.Low > 0:
		lead = "Calibration is worse than the baseline's"
	case *s.High < 0:
		lead = "Calibration is better than the baseline's"
	}
	parts := []string{
		changeOf("smooth calibration error", c.Smooth), changeOf("Cox slope", c.Slope),
		changeOf("Cox intercept", c.Intercept), changeOf("calibration in the large", c.InLarge),
	}
	return fmt.Sprintf("%s (candidate less baseline, intervals at %g): %s.", lead, confidence, strings.Join(parts, "; "))
}

func changeOf(name string, e report.Estimate) string {
	switch {
	case e.Value == nil:
		return name + " undefined, " + e.Undefined
	case e.Low == nil || e.High == nil:
		return fmt.Sprintf("%s %s, no interval", name, signed(*e.Value))
	}
	return fmt.Sprintf("%s %s (%s to %s)", name, signed(*e.Value), signed(*e.Low), signed(*e.High))
}

// signed writes a change to four places, never "-0.0000".
func signed(x float64) string { return fmt.Sprintf("%+.4f", math.Round(x*1e4)/1e4+0) }
