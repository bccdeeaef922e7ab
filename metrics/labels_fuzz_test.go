package metrics

import (
	"encoding/binary"
	"math"
	"testing"
)

// columns of fuzz input: a byte of labels and eight of a number a row. Small
// numbers of bits become ordinary scores, so that most inputs are no nonsense.
func fuzzColumns(b []byte) (labels, said []int32, numbers []float64) {
	for ; len(b) >= 3; b = b[3:] {
		labels, said = append(labels, int32(b[0]%5)-1), append(said, int32(b[0]/5%6)-2)
		x := float64(b[1]) / 255
		if b[2] == 255 && len(b) >= 11 {
			x = math.Float64frombits(binary.LittleEndian.Uint64(b[3:]))
		}
		numbers = append(numbers, x)
	}
	return labels, said, numbers
}

// marked: a value is finite, in [low, high], with its interval around it, or
// undefined with a reason and no number.
func marked(t *testing.T, what string, e Estimate, low, high float64) {
	t.Helper()
	if e.Undefined != "" {
		if e.Value != 0 || e.Interval || e.Low != 0 || e.High != 0 {
			t.Fatalf("%s: undefined, with numbers: %+v", what, e)
		}
		return
	}
	const bit = 1e-12
	if !(e.Value >= low-bit && e.Value <= high+bit) || e.N <= 0 || e.Method == "" {
		t.Fatalf("%s: %+v, outside [%v, %v]", what, e, low, high)
	}
	if e.Interval && !(e.Low <= e.Value && e.Value <= e.High) {
		t.Fatalf("%s: %+v", what, e)
	}
}

func seeds(f *testing.F) {
	f.Add([]byte{}, byte(0))
	f.Add([]byte{1, 10, 0, 2, 200, 0, 7, 128, 0, 12, 128, 0}, byte(2))
	f.Add([]byte{1, 0, 255, 0, 0, 0, 0, 0, 0, 248, 127, 2, 1, 1}, byte(3))
	f.Add([]byte("the labels and the scores of some rows, and weights"), byte(4))
}

func FuzzLabels(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte, k byte) {
		y, h, w := fuzzColumns(b)
		for _, weights := range [][]float64{nil, w} {
			c, err := CountConfusion(int(k), y, h, weights)
			if err != nil {
				continue
			}
			marked(t, "accuracy", c.Accuracy(), 0, 1)
			support := c.Support()
			for class, row := range c.Cells() {
				if total := sum(row); math.Abs(total-support[class]) > 1e-9*total {
					t.Fatalf("class %d: %v of %v", class, row, support[class])
				}
			}
			marked(t, "balanced accuracy", c.BalancedAccuracy(), 0, 1)
			marked(t, "adjusted", c.AdjustedBalancedAccuracy(), -1, 1)
			marked(t, "mcc", c.MCC(), -1, 1)
			marked(t, "kappa", c.Kappa(), -1, 1)
			marked(t, "linear kappa", c.WeightedKappa(LinearDistance), math.Inf(-1), 1)
			marked(t, "quadratic kappa", c.WeightedKappa(QuadraticDistance), math.Inf(-1), 1)
			for _, r := range []LabelRatio{Precision, Recall, F1, FBeta(float64(k) - 1), Jaccard} {
				marked(t, "of a class", c.Of(int(k)-1, r), 0, 1)
				for _, a := range []Averaging{Macro, Weighted, Micro, ""} {
					marked(t, "average", c.Average(r, a), 0, 1)
				}
			}
		}
	})
}

func FuzzScores(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte, k byte) {
		y, _, s := fuzzColumns(b)
		w := append([]float64(nil), s...)
		for i, j := 0, len(w)-1; i < j; i, j = i+1, j-1 {
			w[i], w[j] = w[j], w[i]
		}
		for _, weights := range [][]float64{nil, w} {
			fuzzCurve(t, y, s, weights, float64(k)/100)
		}
		if c, err := CompareAUC(y, 1, s, w, .9); err == nil {
			marked(t, "baseline", c.Baseline, 0, 1)
			marked(t, "candidate", c.Candidate, 0, 1)
			marked(t, "change", c.Change, -1, 1)
			if !(c.P >= 0 && c.P <= 1) || !(c.Log10P <= 0) || c.Z-c.Z != 0 {
				t.Fatalf("%+v", c)
			}
		}
		if c, err := NewClassScores(int(k), y[:len(y)/max(1, int(k))], s[:len(s)/max(1, int(k))*int(k)]); err == nil {
			for _, a := range []Averaging{Macro, Weighted, Micro, ""} {
				marked(t, "one against the rest", c.OneVsRest(a), 0, 1)
				marked(t, "average precision", c.AveragePrecision(a), 0, 1)
				marked(t, "one against one", c.OneVsOne(a), 0, 1)
			}
			marked(t, "top k", c.TopK(int(b[0])%8, .9), 0, 1)
		}
	})
}

func fuzzCurve(t *testing.T, y []int32, s, weights []float64, most float64) {
	if c, err := NewCurve(y, 1, s, weights); err == nil {
		marked(t, "auc", c.AUC(), 0, 1)
		marked(t, "gini", c.Gini(), -1, 1)
		marked(t, "ks", c.KS(), 0, 1)
		marked(t, "ap", c.AveragePrecision(), 0, 1)
		marked(t, "trapezoid", c.TrapezoidPR(), 0, 1)
		marked(t, "partial", c.PartialAUC(most), 0, 1)
		for _, p := range c.ROC() {
			if !(p.FPR >= 0 && p.FPR <= 1 && p.TPR >= 0 && p.TPR <= 1) {
				t.Fatalf("%+v", p)
			}
		}
	}
	if e, err := Brier(y, 1, s, weights); err == nil {
		marked(t, "brier", e, 0, 1)
	}
	if e, err := LogLoss(y, 1, s, weights); err == nil {
		marked(t, "log loss", e, 0, 53*math.Ln2)
	}
}

func FuzzCalibration(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte, k byte) {
		y, _, p := fuzzColumns(b[:min(len(b), 300)])
		hit := make([]bool, len(y))
		for i := range y {
			hit[i] = y[i] > 0
		}
		c, err := NewCalibration(p, hit)
		if err != nil {
			return
		}
		for _, bins := range []Bins{c.EqualWidth(int(k)), c.EqualWidthRight(int(k)), c.EqualMass(int(k)), c.Quantiles(int(k))} {
			for _, e := range []Estimate{bins.ECE(), bins.RMS(), bins.Max(), bins.DebiasedRMS()} {
				marked(t, "bins", e, 0, 1)
			}
			rows := 0
			for _, b := range bins.All() {
				rows += b.N
			}
			if k > 0 && rows != len(p) {
				t.Fatalf("%d of %d rows are in %d bins", rows, len(p), k)
			}
		}
		e, sigma := c.Smooth()
		marked(t, "smooth", e, 0, 1)
		marked(t, "smooth at", c.SmoothAt(float64(k)/100), 0, 1)
		if !(sigma > 0 && sigma <= 1) {
			t.Fatalf("bandwidth %v", sigma)
		}
		cox := c.Cox()
		for _, e := range []Estimate{cox.Intercept, cox.Slope, cox.InLarge} {
			marked(t, "cox", e, math.Inf(-1), math.Inf(1))
		}
		marked(t, "ratio", c.Ratio(), 0, math.Inf(1))
		other := &Calibration{append(append([]float64{}, p[1:]...), p[0]), hit}
		if x, err := CompareCalibration(c, other, .9); err != nil {
			t.Fatal(err)
		} else {
			marked(t, "smooth change", x.Smooth, -1, 1)
			for _, e := range []Estimate{x.Intercept, x.Slope, x.InLarge} {
				marked(t, "cox change", e, math.Inf(-1), math.Inf(1))
			}
		}
	})
}

func FuzzMultiLabel(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte, k byte) {
		y, _, s := fuzzColumns(b)
		truths := make([]bool, len(y))
		for i := range y {
			truths[i] = y[i] > 0
		}
		m, err := NewMultiLabel(int(k), truths, s, .5)
		if err != nil {
			return
		}
		for label, of := range m.Confusion() {
			if of[0][0]+of[0][1]+of[1][0]+of[1][1] != int64(len(y)/int(k)) {
				t.Fatalf("label %d: %v of %d rows", label, of, len(y)/int(k))
			}
		}
		for _, e := range []Estimate{m.SubsetAccuracy(), m.HammingLoss(), m.LRAP(), m.RankingLoss(), m.Samples(F1), m.Samples(Precision), m.Samples(LabelRatio{})} {
			marked(t, "rows", e, 0, 1)
		}
		marked(t, "coverage", m.CoverageError(), 0, float64(k))
		for _, a := range []Averaging{Macro, Weighted, Micro, ""} {
			for _, e := range []Estimate{m.Average(F1, a), m.Average(Jaccard, a), m.AUC(a), m.AveragePrecision(a)} {
				marked(t, "labels", e, 0, 1)
			}
		}
	})
}
