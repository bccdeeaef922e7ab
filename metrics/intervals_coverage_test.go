package metrics

import (
	"math"
	"math/rand/v2"
	"testing"
)

var coverageRows = []int64{50, 500, 5000}

// TestSharesCover computes coverage exactly, over all k that matter. Clopper-Pearson
// never falls short; the others do where their comments say.
func TestSharesCover(t *testing.T) {
	least := map[string][]float64{ // as the comment in intervals_share.go says
		"Clopper-Pearson": {.95, .95, .95}, "Wilson": {.910, .945, .945}, "Agresti-Coull": {.935, .945, .945},
		"Jeffreys": {.885, .929, .948}, "Wald": {.394, .871, .947},
	}
	for name, f := range map[string]func(k, n int64, confidence float64) (Estimate, error){
		"Clopper-Pearson": func(k, n int64, confidence float64) (Estimate, error) { return Share(k, n, confidence, noRows), nil },
		"Wilson":          Wilson, "Agresti-Coull": AgrestiCoull, "Jeffreys": Jeffreys, "Wald": WaldShare,
	} {
		for i, n := range coverageRows {
			worst, mean := 1.0, 0.0
			shares := []float64{.5, .7, .8, .9, .95, .99}
			for _, p := range shares {
				c := 0.0
				sd := math.Sqrt(float64(n) * p * (1 - p))
				for k := max(0, int64(float64(n)*p-6*sd-3)); k <= min(n, int64(float64(n)*p+6*sd+3)); k++ {
					e, err := f(k, n, .95)
					if err != nil {
						t.Fatal(err)
					}
					if e.Low <= p && p <= e.High {
						c += math.Exp(lnBinomial(k, n, p, 1-p))
					}
				}
				worst, mean = math.Min(worst, c), mean+c/float64(len(shares))
			}
			t.Logf("%s, n %d: worst %.4f, mean %.4f", name, n, worst, mean)
			if want := least[name][i]; worst < want || name != "Clopper-Pearson" && worst > want+.001 {
				t.Errorf("%s, n %d: covers %v at worst, its comment says %v", name, n, worst, want)
			}
			if name != "Wald" && mean < .94 {
				t.Errorf("%s, n %d: covers %v in the mean", name, n, mean)
			}
		}
	}
}

// covers counts how often an interval of 95 % holds the truth, and fails where that is
// less than its comment says by more than the simulation's own error.
type covers struct {
	hits, n map[string]int
}

func (c *covers) add(t testing.TB, name string, truth float64, e Estimate, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	c.n[name]++
	if e.Undefined == "" && e.Low <= truth && truth <= e.High {
		c.hits[name]++
	}
}

func (c *covers) check(t *testing.T, n int64, least map[string]float64) {
	t.Helper()
	for name, tried := range c.n {
		share := float64(c.hits[name]) / float64(tried)
		t.Logf("n %d, %s: %.4f of %d", n, name, share, tried)
		want, ok := least[name]
		if !ok {
			want = .94
		}
		if share < want-3*math.Sqrt(want*(1-want)/float64(tried)) {
			t.Errorf("n %d: %s covers %v, not %v", n, name, share, want)
		}
	}
}

func newCovers() *covers { return &covers{map[string]int{}, map[string]int{}} }

// TestPairedIntervalsCover the change of accuracy: .86 to .88, of 10 % flips.
func TestPairedIntervalsCover(t *testing.T) {
	prob := []float64{.82, .04, .06, .08}
	const truth = .02
	for _, n := range coverageRows {
		rnd, c := rand.New(rand.NewPCG(21, uint64(n))), newCovers()
		for i := range 1500 {
			cells := drawCells(rnd, n, prob)
			table := Cells{BothRight: cells[0], Broke: cells[1], Fixed: cells[2], SameWrong: cells[3]}
			c.add(t, "Tango", truth, table.Change(.95), nil)
			low, high := Newcombe(table, .95)
			c.add(t, "Newcombe", truth, Estimate{Low: low, High: high}, nil)
			low, high = BonettPrice(table.Broke, table.Fixed, n, .95)
			c.add(t, "Bonett-Price", truth, Estimate{Low: low, High: high}, nil)
			if i >= 400 {
				continue
			}
			change := func(d []int64) float64 { return float64(d[2]-d[1]) / float64(n) }
			r, err := NewReplicates(change(cells), must(Bootstrap(cells, 400, uint64(i), change)))
			if err != nil {
				t.Fatal(err)
			}
			e, err := r.Percentile(.95)
			c.add(t, "percentile", truth, e, err)
			e, _, err = r.BCa(JackknifeCells(cells, change), .95)
			c.add(t, "BCa", truth, e, err)
		}
		c.check(t, n, map[string]float64{"percentile": fewer(n, .90, .94), "BCa": fewer(n, .89, .94)})
	}
}

// fewer is the first of the two at 50 rows.
func fewer(n int64, few, many float64) float64 {
	if n <= 50 {
		return few
	}
	return many
}

// drawCells draws n rows of cells with these probabilities.
func drawCells(rnd *rand.Rand, n int64, prob []float64) []int64 {
	cells := make([]int64, len(prob))
	for range n {
		u, k := rnd.Float64(), 0
		for k < len(prob)-1 && u >= prob[k] {
			u -= prob[k]
			k++
		}
		cells[k]++
	}
	return cells
}

// TestTwoSharesCover at .8 of n against .7 of n/2.
func TestTwoSharesCover(t *testing.T) {
	for _, n := range coverageRows {
		rnd, c := rand.New(rand.NewPCG(22, uint64(n))), newCovers()
		for range 300 {
			s := TwoShares{drawCells(rnd, n, []float64{.8, .2})[0], n, drawCells(rnd, n/2, []float64{.7, .3})[0], n / 2}
			for name, f := range map[string]func(float64) (Estimate, error){"Newcombe": s.Newcombe, "Miettinen-Nurminen": s.MiettinenNurminen, "Agresti-Caffo": s.AgrestiCaffo} {
				e, err := f(.95)
				c.add(t, name, .1, e, err)
			}
		}
		c.check(t, n, nil)
	}
}

// TestMeansCover: skewed numbers (exponential), alone and in clusters of 1 to 9 whose
// rows share half of their variance. The standard error that takes rows for independent
// is the negative control.
func TestMeansCover(t *testing.T) {
	for _, n := range coverageRows {
		rnd, c := rand.New(rand.NewPCG(23, uint64(n))), newCovers()
		reps := map[int64]int{50: 1000, 500: 400, 5000: 200}[n]
		for i := range reps {
			x := make([]float64, n)
			for j := range x {
				x[j] = rnd.ExpFloat64() - 1
			}
			e, err := differences(t, x).Mean(.95)
			c.add(t, "Student", 0, e, err)
			if i < reps/4 && n <= 500 {
				r := bootMeans(t, x, rnd)
				e, err = r.Percentile(.95)
				c.add(t, "percentile, skewed", 0, e, err)
				e, _, err = r.BCa(JackknifeRows(jackMeans(x)), .95)
				c.add(t, "BCa, skewed", 0, e, err)
			}
			cluster := make([]int32, n)
			for j, k := 0, int32(0); j < len(x); k++ {
				shared := rnd.NormFloat64()
				for range min(1+rnd.IntN(9), len(x)-j) {
					x[j], cluster[j] = rnd.NormFloat64()+shared, k
					j++
				}
			}
			e, err = ClusteredMean(x, cluster, .95)
			c.add(t, "clustered", 0, e, err)
			e, err = differences(t, x).Mean(.95)
			c.add(t, "as if independent", 0, e, err)
		}
		c.check(t, n, map[string]float64{
			"Student": fewer(n, .92, .94), "clustered": fewer(n, .93, .94), "as if independent": 0,
			"percentile, skewed": fewer(n, .92, .94), "BCa, skewed": fewer(n, .91, .94),
		})
		if share := float64(c.hits["as if independent"]) / float64(reps); share > .85 {
			t.Errorf("n %d: rows taken for independent cover %v; the test shows nothing", n, share)
		}
	}
}

func bootMeans(t testing.TB, x []float64, rnd *rand.Rand) *Replicates {
	draws := make([]float64, 400)
	for r := range draws {
		for range x {
			draws[r] += x[rnd.IntN(len(x))] / float64(len(x))
		}
	}
	r, err := NewReplicates(sum(x)/float64(len(x)), draws)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func jackMeans(x []float64) []float64 {
	total, out := sum(x), make([]float64, len(x))
	for i, v := range x {
		out[i] = (total - v) / float64(len(x)-1)
	}
	return out
}

// TestDeLongCovers the change of AUC between two scores of the same rows.
func TestDeLongCovers(t *testing.T) {
	draw := func(rnd *rand.Rand, n int64) *Pair {
		y, a, b := make([]int32, n), make([]float64, n), make([]float64, n)
		for i := range y {
			y[i] = int32(oneIf(rnd.Float64() < .4))
			shared, lean := rnd.NormFloat64(), 1.2*float64(y[i])
			a[i] = 1 - normalUpper(shared+rnd.NormFloat64()+lean)
			b[i] = 1 - normalUpper(shared+rnd.NormFloat64()+lean*1.2)
		}
		fa, err := joinBinary(y, a)
		if err != nil {
			t.Fatal(err)
		}
		fb, err := joinBinary(y, b)
		if err != nil {
			t.Fatal(err)
		}
		p, err := NewPair(fa, fb)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	// the areas are those of normals lean apart with variance 2 in each class
	truth := normalUpper(-1.2*1.2/2) - normalUpper(-1.2/2)
	for _, n := range coverageRows {
		rnd, c := rand.New(rand.NewPCG(24, uint64(n))), newCovers()
		for range map[int64]int{50: 1000, 500: 400, 5000: 150}[n] {
			k, err := draw(rnd, n).Compare("roc_auc", .95)
			c.add(t, "DeLong", truth, k.Change, err)
		}
		c.check(t, n, map[string]float64{"DeLong": .94})
	}
}
