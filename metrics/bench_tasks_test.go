package metrics

import (
	"sync"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"
)

// A task is a piece of daily work on a million rows, as the table of figures has it.
type task struct {
	name string
	run  func(b testing.TB, r *taskRows)
}

// taskRows are rows of the golden generator with 100 slices: class 1 is predicted where
// the score is above one half.
type taskRows struct {
	y, slice, ha, hb []int32
	a, b             []float64
	hit              []bool
	pair             *Pair
	frame            *Frame
}

var bigRows = sync.OnceValue(func() *taskRows { return newTaskRows(million) })

func newTaskRows(n int) *taskRows {
	r := &taskRows{}
	r.y, r.a, r.b = binaryPair(map[string]any{"seed": 7.0, "n": float64(n), "grid": 0.0})
	answers := Answers{Classes: classNames(2), Positive: 1, Labels: r.y, Dimensions: []Dimension{{Name: "slice", Values: classNames(100)}}}
	for i := range r.y {
		r.slice = append(r.slice, int32(i*7919%100))
		r.hit = append(r.hit, r.y[i] == 1)
	}
	answers.Dimensions[0].Codes = r.slice
	frame := func(s []float64) (*Frame, []int32) {
		p := Predictions{Labels: make([]int32, len(s)), Probs: make([]float64, 0, 2*len(s))}
		for i, x := range s {
			p.Labels[i] = int32(oneIf(x > 0.5))
			p.Probs = append(p.Probs, 1-x, x)
		}
		f, err := Join(memory.DefaultAllocator, answers, p)
		if err != nil {
			panic(err)
		}
		return f, p.Labels
	}
	var candidate *Frame
	r.frame, r.ha = frame(r.a)
	candidate, r.hb = frame(r.b)
	var err error
	if r.pair, err = NewPair(r.frame, candidate); err != nil {
		panic(err)
	}
	return r
}

var tasks = []task{
	{"cells", func(_ testing.TB, r *taskRows) { r.pair.Cells() }},
	{"class_cells", func(_ testing.TB, r *taskRows) { r.pair.ClassCells(1) }},
	{"auc_ap_ks", func(b testing.TB, r *taskRows) {
		c, err := r.frame.Curve(1)
		if err != nil {
			b.Fatal(err)
		}
		c.AUC()
		c.AveragePrecision()
		c.KS()
	}},
	{"log_loss", func(_ testing.TB, r *taskRows) { LogLoss(r.y, 1, r.a, nil) }},
	{"brier", func(_ testing.TB, r *taskRows) { Brier(r.y, 1, r.a, nil) }},
	{"ece", func(b testing.TB, r *taskRows) {
		c, err := NewCalibration(r.a, r.hit)
		if err != nil {
			b.Fatal(err)
		}
		c.EqualWidth(15).ECE()
	}},
	{"bootstrap", func(_ testing.TB, r *taskRows) { bootstrapAccuracyAndF1(r) }},
	{"auc_difference", func(b testing.TB, r *taskRows) {
		if _, err := r.pair.Limits("roc_auc", .025); err != nil {
			b.Fatal(err)
		}
	}},
	{"regression", func(b testing.TB, r *taskRows) {
		u, err := TallyRegression(0, r.a, r.b, nil)
		if err != nil {
			b.Fatal(err)
		}
		readings(u)
	}},
	{"mae", func(b testing.TB, r *taskRows) { r.regression(b).MAE() }},
	{"r2", func(b testing.TB, r *taskRows) { r.regression(b).R2() }},
	{"auc_slices", func(b testing.TB, r *taskRows) {
		if _, err := r.frame.AUCBy("slice", 1); err != nil {
			b.Fatal(err)
		}
	}},
}

// regression takes one model's scores for true numbers and the other's for predictions.
func (r *taskRows) regression(b testing.TB) *Regression {
	out, err := NewRegression(r.a, r.b, nil)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// bootstrapAccuracyAndF1 draws 1000 replicates of the change of both, from the
// rows on: counting them is part of it.
func bootstrapAccuracyAndF1(r *taskRows) (accuracy, f1 []float64) {
	c := r.pair.ClassCells(1)
	flat := []int64{c[0][0][0], c[0][0][1], c[0][1][0], c[0][1][1], c[1][0][0], c[1][0][1], c[1][1][0], c[1][1][1]}
	n := float64(len(r.y))
	accuracy = must(Bootstrap(flat, 1000, 1, func(x []int64) float64 {
		truth := float64(x[4] + x[5] + x[6] + x[7])
		f := 2*float64(x[5]+x[7])/(truth+float64(x[1]+x[3]+x[5]+x[7])) - 2*float64(x[6]+x[7])/(truth+float64(x[2]+x[3]+x[6]+x[7]))
		f1 = append(f1, f)
		return float64(x[2]-x[1]+x[5]-x[6]) / n
	}))
	return accuracy, f1
}

func BenchmarkTasks(b *testing.B) {
	r := bigRows()
	for _, t := range tasks {
		b.Run(t.name, func(b *testing.B) {
			for b.Loop() {
				t.run(b, r)
			}
		})
	}
}
