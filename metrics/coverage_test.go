package metrics

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A world draws rows and two models' answers; the true change of each metric is
// measured once on very many rows.
type world struct {
	name    string
	rows    int
	classes int
	flip    float64 // share of rows on which the candidate draws anew
	worse   float64 // how much less it then leans to the answer
}

func (w world) draw(t testing.TB, rnd *rand.Rand, n int) *Pair {
	positive := -1
	if w.classes == 2 {
		positive = 1
	}
	a := Answers{Classes: classNames(w.classes), Positive: positive, Labels: make([]int32, n)}
	var b, c Predictions
	for i := range n {
		a.Labels[i] = int32(math.Sqrt(rnd.Float64()) * float64(w.classes)) // unequal classes
		q := w.lean(rnd, a.Labels[i], 0.35)
		r := q
		if rnd.Float64() < w.flip {
			r = w.lean(rnd, a.Labels[i], 0.35-w.worse)
		}
		b.Labels, b.Probs = append(b.Labels, int32(largest(q))), append(b.Probs, q...)
		c.Labels, c.Probs = append(c.Labels, int32(largest(r))), append(c.Probs, r...)
	}
	p, err := NewPair(mustJoin(t, a, b), mustJoin(t, a, c))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w world) lean(rnd *rand.Rand, y int32, by float64) []float64 {
	q, total := make([]float64, w.classes), 0.0
	for k := range q {
		q[k] = 0.05 + rnd.Float64()
		if k == int(y) {
			q[k] += by
		}
		total += q[k]
	}
	for k := range q {
		q[k] /= total
	}
	return q
}

// TestLimitsCover: each one-sided limit misses the true change about as often as
// its level says, for every metric, in worlds small and large.
func TestLimitsCover(t *testing.T) {
	const reps, alpha = 400, 0.1
	for _, w := range []world{
		{"binary", 400, 2, 0.3, 0.1}, {"binary, few rows", 60, 2, 0.5, 0}, {"three classes", 300, 3, 0.4, 0.2},
	} {
		rnd := rand.New(rand.NewPCG(11, uint64(w.rows)))
		big := w.draw(t, rnd, 200_000)
		pairs := make([]*Pair, reps)
		for r := range pairs {
			pairs[r] = w.draw(t, rnd, w.rows)
		}
		for _, d := range All() {
			if d.Name == "ece" { // biased by definition; its spread is held against the row bootstrap
				continue
			}
			want, err := big.Limits(d.Name, alpha)
			if err != nil {
				t.Fatal(err)
			}
			below, above := 0, 0
			for _, p := range pairs {
				l, err := p.Limits(d.Name, alpha)
				if err != nil {
					t.Fatal(err)
				}
				below += oneIf(l.Upper < want.Change)
				above += oneIf(l.Lower > want.Change)
			}
			t.Logf("%s, %s: upper limit too low in %.3f, lower too high in %.3f", w.name, d.Name, float64(below)/reps, float64(above)/reps)
			// Four standard errors above the level, and some use: not below a tenth of it.
			most := alpha + 4*math.Sqrt(alpha*(1-alpha)/reps)
			if d.Name == "average_precision" { // skewed: .13 with 4,000 samples, as its definition says
				most += 0.03
			}
			for _, miss := range []int{below, above} {
				if share := float64(miss) / reps; share > most || share < alpha/10 {
					t.Errorf("%s, %s: a limit at %v misses in %v", w.name, d.Name, alpha, share)
				}
			}
		}
	}
}

// TestEstimatesCover does the same for the two-sided intervals of one model.
func TestEstimatesCover(t *testing.T) {
	const reps, confidence = 400, 0.9
	w := world{"binary", 300, 2, 0, 0}
	rnd := rand.New(rand.NewPCG(12, 1))
	big := w.draw(t, rnd, 200_000)
	hits, truth := map[string]int{}, map[string]float64{}
	for _, m := range registry {
		truth[m.Name] = readAlone(m.Name, big.baseline).value
	}
	for range reps {
		p := w.draw(t, rnd, w.rows)
		for _, m := range registry {
			if m.Name == "ece" {
				continue
			}
			s := readAlone(m.Name, p.baseline)
			e := m.estimate(&s, confidence)
			hits[m.Name] += oneIf(e.Low <= truth[m.Name] && truth[m.Name] <= e.High)
		}
	}
	least := confidence - 4*math.Sqrt(confidence*(1-confidence)/reps)
	for _, d := range All() {
		if d.Name == "ece" {
			continue
		}
		if share := float64(hits[d.Name]) / reps; share < least {
			t.Errorf("%s: an interval at %v covers in %v", d.Name, confidence, share)
		}
	}
}

// TestExactLimitsHoldTheirLevel enumerates every table of n rows: the share of
// tables, under a true change of -margin, on which Tango's limit clears the
// candidate stays near the level, and Clopper-Pearson's never passes it.
func TestExactLimitsHoldTheirLevel(t *testing.T) {
	const n, alpha = 80, 0.05
	for _, broke := range []float64{0.08, 0.12, 0.3} {
		const margin = 0.06
		cleared, covered := 0.0, 0.0
		for b := int64(0); b <= n; b++ {
			pb := math.Exp(lnBinomial(b, n, broke, 1-broke))
			if shareUpper(b, n, alpha) >= broke {
				covered += pb
			}
			for f := int64(0); f+b <= n; f++ {
				share := (broke - margin) / (1 - broke)
				if lower, _ := TangoLimits(b, f, n, alpha); lower > -margin {
					cleared += pb * math.Exp(lnBinomial(f, n-b, share, 1-share))
				}
			}
		}
		if cleared > alpha*1.3 || cleared < alpha/3 {
			t.Errorf("broke %v: Tango clears a harm at the margin with probability %v", broke, cleared)
		}
		if covered < 1-alpha {
			t.Errorf("broke %v: Clopper-Pearson covers with probability %v", broke, covered)
		}
	}
}

// TestFewRowsNeverLookCertain: without a difference between the models the limits
// still say how little n rows can show, and no metric clears on three rows what it
// clears on three thousand.
func TestFewRowsNeverLookCertain(t *testing.T) {
	for _, k := range []int{2, 3} {
		few, many := randomFrame(t, 3, 9, k, 1), randomFrame(t, 3, 9000, k, 1)
		for _, d := range All() {
			if (d.Name == "roc_auc" || d.Name == "average_precision") && k == 3 {
				continue // a class may be missing in nine rows
			}
			var width [2]float64
			for i, f := range []*Frame{few, many} {
				p, err := NewPair(f, f)
				if err != nil {
					t.Fatal(err)
				}
				l, err := p.Limits(d.Name, 0.01)
				if err != nil || l.Undefined != "" || l.Change != 0 {
					t.Fatalf("%s: %+v, %v", d.Name, l, err)
				}
				if !(l.Lower < 0 && l.Upper > 0) || l.PWorse < 0.5 {
					t.Errorf("%s on %d equal rows: %+v", d.Name, f.Len(), l)
				}
				width[i] = l.Upper
			}
			if width[0] < 0.1 || width[0] < 50*width[1] {
				t.Errorf("%s: the limits of equal models are %v on 9 rows and %v on 9000", d.Name, width[0], width[1])
			}
		}
	}
}
