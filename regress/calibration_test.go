package regress_test

import (
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"proctor/metrics"
	"proctor/regress"
)

// scored is a model that gives each of n rows one of nine probabilities, drawn towards
// one half by a factor. Rows come true as often as the probability at factor 1 says.
func scored(t *testing.T, n int, towards float64, silent bool) *metrics.Frame {
	t.Helper()
	a := metrics.Answers{Classes: []string{"no", "yes"}, Positive: 1, Labels: make([]int32, n)}
	p := metrics.Predictions{Labels: make([]int32, n)}
	for i := range n {
		tenth := 1 + i%9
		if (i/9*7+3)%10 < tenth {
			a.Labels[i] = 1
		}
		q := .5 + (float64(tenth)/10-.5)*towards
		if p.Probs = append(p.Probs, 1-q, q); q > .5 {
			p.Labels[i] = 1
		}
	}
	if silent {
		p.Probs = nil
	}
	f, err := metrics.Join(memory.DefaultAllocator, a, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Release)
	return f
}

// TestCalibrationOfTwoModels: a model whose probabilities are drawn to one half is worse,
// its like is better, and the same model does not differ.
func TestCalibrationOfTwoModels(t *testing.T) {
	const n = 9000
	for _, c := range []struct {
		before, after float64
		lead          string
	}{
		{1, .3, "Calibration is worse than the baseline's (candidate less baseline, intervals at 0.95): smooth calibration error +0.09"},
		{.3, 1, "Calibration is better than the baseline's (candidate less baseline, intervals at 0.95): smooth calibration error -0.09"},
		{1, 1, "How calibration differs is not known (candidate less baseline, intervals at 0.95): smooth calibration error undefined, "},
		{.97, .98, "Calibration is not shown to differ (candidate less baseline, intervals at 0.95): smooth calibration error "},
	} {
		d, err := regress.Compare(scored(t, n, c.before, false), scored(t, n, c.after, false), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Calibration(.95)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(got.Sentence, c.lead) || !strings.Contains(got.Sentence, "; Cox slope ") || !strings.HasSuffix(got.Sentence, ".") || strings.Contains(got.Sentence, "NaN") {
			t.Errorf("%v to %v: %s", c.before, c.after, got.Sentence)
		}
		change, err := d.Pair.CalibrationChange(.95)
		if err != nil {
			t.Fatal(err)
		}
		if v := got.Slope.Value; v != nil && (*v != change.Slope.Value || *got.Slope.Low != change.Slope.Low || got.Slope.Method != "cox_slope_change@1") {
			t.Errorf("slope %+v, want %+v", got.Slope, change.Slope)
		}
	}
}

// TestNoCalibrationWithoutScores on both sides.
func TestNoCalibrationWithoutScores(t *testing.T) {
	for _, silent := range [][2]bool{{true, false}, {false, true}, {true, true}} {
		d, err := regress.Compare(scored(t, 90, 1, silent[0]), scored(t, 90, .5, silent[1]), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := d.Calibration(.95); c != nil || err != nil {
			t.Errorf("%v: %+v, %v", silent, c, err)
		}
	}
}
