package metrics_test

import (
	"math"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"proctor/metrics"
	"proctor/metrics/metricstest"
)

func TestEveryMetricObeysTheLaws(t *testing.T) {
	var names []string
	for _, d := range metrics.All() {
		names = append(names, d.Name)
		if d.ID != d.Name+"@1" {
			t.Errorf("%s has the id %s; a new definition needs its own golden cases", d.Name, d.ID)
		}
		t.Run(d.Name, func(t *testing.T) { metricstest.Laws(t, d.Name) })
	}
	want := []string{"accuracy", "balanced_accuracy", "precision", "recall", "f1", "mcc", "kappa", "roc_auc", "average_precision", "log_loss", "brier", "ece"}
	if !slices.Equal(names, want) {
		t.Errorf("metrics %v, want %v", names, want)
	}
}

func TestUnknownMetric(t *testing.T) {
	f, err := metrics.Join(memory.DefaultAllocator, metrics.Answers{Classes: []string{"a", "b"}, Positive: -1, Labels: []int32{0}}, metrics.Predictions{Labels: []int32{0}})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	if _, err := f.Estimate("Accuracy", 0.95); err == nil || err.Error() != `unknown metric "Accuracy"` {
		t.Errorf("got %v", err)
	}
	if _, ok := metrics.Lookup(""); ok {
		t.Error("the empty name is a metric")
	}
}

// TestUndefined: each case that has no value says why; none gives a number.
func TestUndefined(t *testing.T) {
	frame := func(positive int, y, h []int32, probs []float64) *metrics.Frame {
		f, err := metrics.Join(memory.DefaultAllocator, metrics.Answers{Classes: []string{"a", "b"}, Positive: positive, Labels: y}, metrics.Predictions{Labels: h, Probs: probs})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	half := []float64{.5, .5, .5, .5}
	for _, c := range []struct {
		metric string
		f      *metrics.Frame
		want   string
	}{
		{"precision", frame(1, []int32{0, 1}, []int32{0, 0}, nil), "no row is predicted to be of the positive class"},
		{"recall", frame(1, []int32{0, 0}, []int32{0, 1}, nil), "no row is of the positive class"},
		{"f1", frame(1, []int32{0, 0}, []int32{0, -1}, nil), "no row is of the positive class or predicted to be"},
		{"roc_auc", frame(1, []int32{1, 1}, []int32{1, 1}, half), `one class: 2 rows of class "b" and 0 of others`},
		{"roc_auc", frame(-1, []int32{0, 0}, []int32{1, 1}, half), `one class: 2 rows of class "a" and 0 of others`},
		{"roc_auc", frame(1, []int32{0, 1}, []int32{1, 1}, nil), "the model gave no probabilities"},
		{"mcc", frame(1, []int32{0, 1}, []int32{1, 1}, nil), "the true or the predicted classes are all the same"},
		{"mcc", frame(-1, []int32{0, 0}, []int32{0, 1}, nil), "the true or the predicted classes are all the same"},
		{"kappa", frame(1, []int32{1, 1}, []int32{1, 1}, nil), "true and predicted classes are all the same one"},
		{"average_precision", frame(1, []int32{0, 0}, []int32{1, 1}, half), `no row is of class "b"`},
		{"average_precision", frame(1, []int32{0, 1}, []int32{1, 1}, nil), "the model gave no probabilities"},
		{"log_loss", frame(1, []int32{0, 1}, []int32{1, 1}, nil), "the model gave no probabilities"},
		{"brier", frame(1, []int32{0, 1}, []int32{1, 1}, nil), "the model gave no probabilities"},
		{"ece", frame(-1, []int32{0, 1}, []int32{1, 1}, nil), "the model gave no probabilities"},
		// Defined, though a class has none: these warn instead.
		{"precision", frame(-1, []int32{0, 1}, []int32{0, 0}, nil), ""},
		{"balanced_accuracy", frame(1, []int32{0, 0}, []int32{0, 0}, nil), ""},
	} {
		e, err := c.f.Estimate(c.metric, 0.95)
		if err != nil || e.Undefined != c.want {
			t.Errorf("%s: %+v, %v, want %q", c.metric, e, err, c.want)
		}
		if c.want == "" && len(e.Warnings) != 1 {
			t.Errorf("%s: warnings %q", c.metric, e.Warnings)
		}
		if c.want != "" && (e.Value != 0 || e.Low != 0 || e.High != 0 || e.Interval) {
			t.Errorf("%s: an undefined value with numbers: %+v", c.metric, e)
		}
	}
}

// TestNoneCountsWrong: turning right answers into "none of the classes" lowers
// accuracy and recall by just those rows, and helps no metric of labels.
func TestNoneCountsWrong(t *testing.T) {
	y := []int32{0, 1, 0, 1, 1, 0, 1, 1}
	h := slices.Clone(y)
	h[1], h[2] = -1, -1
	f, err := metrics.Join(memory.DefaultAllocator, metrics.Answers{Classes: []string{"a", "b"}, Positive: 1, Labels: y}, metrics.Predictions{Labels: h})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	for name, want := range map[string]float64{"accuracy": 6.0 / 8, "recall": 4.0 / 5, "balanced_accuracy": (2.0/3 + 4.0/5) / 2, "f1": 8.0 / 9} {
		if e, err := f.Estimate(name, 0.95); err != nil || math.Abs(e.Value-want) > 1e-15 {
			t.Errorf("%s = %v, %v, want %v", name, e.Value, err, want)
		}
	}
	if c := f.Confusion(); c[0][2] != 1 || c[1][2] != 1 {
		t.Errorf("confusion %v", c)
	}
}
