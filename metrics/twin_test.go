package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// naive holds the slow obvious twins: each metric from its definition, row by row
// and pair by pair, sharing nothing with the package's code.
var naive = map[string]func(f *Frame) float64{
	"accuracy": func(f *Frame) float64 {
		return meanOver(f.Len(), func(i int) float64 { return truth(f.Labels()[i] == f.Answers()[i]) })
	},
	"balanced_accuracy": func(f *Frame) float64 { return naiveMean(f, true, naiveRecall) },
	"precision":         func(f *Frame) float64 { return naiveMean(f, false, naivePrecision) },
	"recall":            func(f *Frame) float64 { return naiveMean(f, false, naiveRecall) },
	"f1": func(f *Frame) float64 {
		return naiveMean(f, false, func(f *Frame, k int32) float64 {
			p, r := naivePrecision(f, k), naiveRecall(f, k)
			if p+r == 0 {
				return 0
			}
			return 2 * p * r / (p + r)
		})
	},
	"mcc":               naiveMCC,
	"kappa":             naiveKappa,
	"roc_auc":           func(f *Frame) float64 { return naiveMean(f, false, naiveAUC) },
	"average_precision": func(f *Frame) float64 { return naiveMean(f, false, naiveAP) },
	"log_loss": func(f *Frame) float64 {
		return meanOver(f.Len(), func(i int) float64 {
			return -math.Log(min(1-math.Pow(2, -52), max(math.Pow(2, -52), prob(f, i, f.Answers()[i]))))
		})
	},
	"brier": func(f *Frame) float64 {
		return meanOver(f.Len(), func(i int) float64 {
			if k := int32(f.Positive()); k >= 0 {
				return math.Pow(prob(f, i, k)-truth(f.Answers()[i] == k), 2)
			}
			s := 0.0
			for k := range f.Classes() {
				s += math.Pow(prob(f, i, int32(k))-truth(int(f.Answers()[i]) == k), 2)
			}
			return s
		})
	},
	"ece": naiveECE,
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func prob(f *Frame, i int, k int32) float64 { return f.Probs()[i*len(f.Classes())+int(k)] }

func meanOver(n int, x func(i int) float64) float64 {
	s := 0.0
	for i := range n {
		s += x(i)
	}
	return s / float64(n)
}

// naiveMean is of the positive class (unless all is set), or over the classes.
func naiveMean(f *Frame, all bool, of func(f *Frame, k int32) float64) float64 {
	if f.Positive() >= 0 && !all {
		return of(f, int32(f.Positive()))
	}
	s, n := 0.0, 0.0
	for k := range f.Classes() {
		if all && !slices.Contains(f.Answers(), int32(k)) {
			continue
		}
		s += of(f, int32(k))
		n++
	}
	return s / n
}

func naiveRate(n int, among, hit func(i int) bool) float64 {
	a, h := 0.0, 0.0
	for i := range n {
		a += truth(among(i))
		h += truth(among(i) && hit(i))
	}
	if a == 0 {
		return 0
	}
	return h / a
}

func naiveRecall(f *Frame, k int32) float64 {
	return naiveRate(f.Len(), func(i int) bool { return f.Answers()[i] == k }, func(i int) bool { return f.Labels()[i] == k })
}

func naivePrecision(f *Frame, k int32) float64 {
	return naiveRate(f.Len(), func(i int) bool { return f.Labels()[i] == k }, func(i int) bool { return f.Answers()[i] == k })
}

func naiveAUC(f *Frame, k int32) float64 {
	s, pairs := 0.0, 0.0
	for i := range f.Len() {
		for j := range f.Len() {
			if f.Answers()[i] != k || f.Answers()[j] == k {
				continue
			}
			pairs++
			s += truth(prob(f, i, k) > prob(f, j, k)) + truth(prob(f, i, k) == prob(f, j, k))/2
		}
	}
	return s / pairs
}

// naiveMCC is the correlation over all pairs of a row and a class of "is it the
// answer" with "is it the label", none of the classes being one more.
func naiveMCC(f *Frame) float64 {
	k := int32(len(f.Classes()))
	label := func(i int) int32 {
		if h := f.Labels()[i]; h >= 0 {
			return h
		}
		return k
	}
	covariance := func(x, y func(i int) int32) float64 {
		s := 0.0
		for c := range k + 1 {
			mx := meanOver(f.Len(), func(i int) float64 { return truth(x(i) == c) })
			my := meanOver(f.Len(), func(i int) float64 { return truth(y(i) == c) })
			s += meanOver(f.Len(), func(i int) float64 { return (truth(x(i) == c) - mx) * (truth(y(i) == c) - my) })
		}
		return s
	}
	answer := func(i int) int32 { return f.Answers()[i] }
	return covariance(answer, label) / math.Sqrt(covariance(answer, answer)*covariance(label, label))
}

// naiveKappa lets every answer meet every label to see what chance agrees on.
func naiveKappa(f *Frame) float64 {
	chance := meanOver(f.Len(), func(i int) float64 {
		return meanOver(f.Len(), func(j int) float64 { return truth(f.Answers()[i] == f.Labels()[j]) })
	})
	seen := meanOver(f.Len(), func(i int) float64 { return truth(f.Answers()[i] == f.Labels()[i]) })
	return (seen - chance) / (1 - chance)
}

func naiveAP(f *Frame, k int32) float64 {
	s, pos := 0.0, 0.0
	for i, y := range f.Answers() {
		if y != k {
			continue
		}
		pos++
		s += naiveRate(f.Len(), func(j int) bool { return prob(f, j, k) >= prob(f, i, k) }, func(j int) bool { return f.Answers()[j] == k })
	}
	return s / pos
}

func naiveECE(f *Frame) float64 {
	total := 0.0
	for b := 0; b <= 15; b++ {
		s := 0.0
		for i := range f.Len() {
			k := int32(f.Positive())
			if k < 0 {
				for c := range f.Classes() {
					if k < 0 || prob(f, i, int32(c)) > prob(f, i, k) {
						k = int32(c)
					}
				}
			}
			p := prob(f, i, k)
			in := p >= float64(b)/15 && (p < float64(b+1)/15 || b == 15)
			if in {
				s += truth(f.Answers()[i] == k) - p
			}
		}
		total += math.Abs(s)
	}
	return total / float64(f.Len())
}

func TestMetricsAgreeWithTheirTwins(t *testing.T) {
	if len(naive) != len(All()) {
		t.Fatalf("%d twins of %d metrics", len(naive), len(All()))
	}
	for seed := range uint64(12) {
		n, k := []int{1, 2, 63, 64, 65, 300}[seed%6], 2+int(seed%3)
		f := randomFrame(t, seed, n, k, 1)
		for _, d := range All() {
			e, err := f.Estimate(d.Name, 0.95)
			if err != nil {
				t.Fatal(err)
			}
			want := naive[d.Name](f)
			if e.Undefined != "" {
				if n > 2 {
					t.Errorf("seed %d: %s is undefined: %s", seed, d.Name, e.Undefined)
				}
				continue
			}
			if math.Abs(e.Value-want) > 1e-12*math.Max(1, want) {
				t.Errorf("seed %d, n %d, %d classes: %s = %v, the twin has %v", seed, n, k, d.Name, e.Value, want)
			}
			if e.Interval && !(e.Low <= e.Value && e.Value <= e.High) {
				t.Errorf("seed %d: %s = %v is outside (%v, %v)", seed, d.Name, e.Value, e.Low, e.High)
			}
		}
	}
}

// TestCellsAgreeWithTheirTwin, over bitmap edges and every dimension.
func TestCellsAgreeWithTheirTwin(t *testing.T) {
	for seed, n := range []int{1, 7, 63, 64, 65, 1000} {
		p := randomPair(t, uint64(seed), n, 3)
		want := map[string]map[string]Cells{}
		b, c := p.baseline, p.candidate
		for i, y := range b.answers {
			for dim, value := range map[string]string{
				"": "", "class": b.classes[y], "sex": b.dims[0].Values[b.dims[0].Codes[i]], "race": b.dims[1].Values[b.dims[1].Codes[i]],
				"race*sex":       b.dims[1].Values[b.dims[1].Codes[i]] + " × " + b.dims[0].Values[b.dims[0].Codes[i]],
				"sex*class*race": fmt.Sprintf("%s × %s × %s", b.dims[0].Values[b.dims[0].Codes[i]], b.classes[y], b.dims[1].Values[b.dims[1].Codes[i]]),
			} {
				if want[dim] == nil {
					want[dim] = map[string]Cells{}
				}
				cells := want[dim][value]
				cells.count(b.labels[i] == y, c.labels[i] == y, b.labels[i] == c.labels[i])
				want[dim][value] = cells
			}
		}
		if got := p.Cells(); got != want[""][""] || got.N() != int64(n) {
			t.Errorf("n %d: cells %+v, the twin has %+v", n, got, want[""][""])
		}
		delete(want, "")
		for dim, values := range want {
			checkGroups(t, p, dim, values)
		}
	}
}

func checkGroups(t *testing.T, p *Pair, dim string, want map[string]Cells) {
	t.Helper()
	groups, err := p.By(dim)
	if err != nil {
		t.Fatal(err)
	}
	if len(groups) != len(want) {
		t.Errorf("%s: %d groups, the twin has %d", dim, len(groups), len(want))
	}
	for _, g := range groups {
		if g.Cells != want[g.Value] {
			t.Errorf("%s=%s: %+v, the twin has %+v", dim, g.Value, g.Cells, want[g.Value])
		}
		q, err := p.Where(dim, g.Value)
		if err != nil {
			t.Fatal(err)
		}
		if q.Cells() != g.Cells {
			t.Errorf("where %s=%s: %+v, by has %+v", dim, g.Value, q.Cells(), g.Cells)
		}
	}
}

// TestDeltaAgreesWithBootstrap: the paired standard error of each ratio of counts
// is the bootstrap's, over the 8 cells for the positive class and over rows else.
func TestDeltaAgreesWithBootstrap(t *testing.T) {
	p := randomPair(t, 5, 2000, 2)
	cells := p.ClassCells(1)
	flat := []int64{cells[0][0][0], cells[0][0][1], cells[0][1][0], cells[0][1][1], cells[1][0][0], cells[1][0][1], cells[1][1][0], cells[1][1][1]}
	ratios := map[string]func(right, truth, said float64) float64{
		"precision": func(r, _, s float64) float64 { return r / s },
		"f1":        func(r, t, s float64) float64 { return 2 * r / (t + s) },
	}
	for name, of := range ratios {
		boot := sdOf(must(Bootstrap(flat, 4000, 3, func(x []int64) float64 {
			v := func(at ...int) (s float64) {
				for _, i := range at {
					s += float64(x[i])
				}
				return s
			}
			return of(v(5, 7), v(4, 5, 6, 7), v(1, 3, 5, 7)) - of(v(6, 7), v(4, 5, 6, 7), v(2, 3, 6, 7))
		})))
		if se := math.Sqrt(sumSquares(influencesOf(name, p.candidate), influencesOf(name, p.baseline))); math.Abs(se/boot-1) > 0.05 {
			t.Errorf("%s: standard error %v, bootstrap %v", name, se, boot)
		}
	}
}

// TestSpreadAgreesWithRowBootstrap resamples rows, for metrics of every kind.
func TestSpreadAgreesWithRowBootstrap(t *testing.T) {
	for _, k := range []int{2, 3} {
		p := randomPair(t, 6, 600, k)
		rnd := rand.New(rand.NewPCG(1, uint64(k)))
		for _, m := range registry {
			if m.Name == "accuracy" || m.Name == "recall" && k == 2 { // closed forms on cells
				continue
			}
			var x []float64
			for range 400 {
				rows := make([]int, 600)
				for i := range rows {
					rows[i] = rnd.IntN(600)
				}
				q := p.pick(rows)
				r := m.read(q.tally(m.family))
				x = append(x, r.candidate.value-r.baseline.value)
			}
			se, boot := math.Sqrt(m.read(p.tally(m.family)).variance), sdOf(x)
			if se/boot < 0.88 || se/boot > 1.2 {
				t.Errorf("%s, %d classes: standard error %v, bootstrap over rows %v", m.Name, k, se, boot)
			}
		}
	}
}

func sdOf(x []float64) float64 {
	m, s := sum(x)/float64(len(x)), 0.0
	for _, v := range x {
		s += (v - m) * (v - m)
	}
	return math.Sqrt(s / float64(len(x)-1))
}
