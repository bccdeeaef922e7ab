package metrics

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestCatalogueSaysIntervals: every entry names the method of its interval or says why
// there is none, and the estimates of ordinary rows are as it says. What is computed from
// more than rows of a frame, of numbers or of labels is not asked here.
func TestCatalogueSaysIntervals(t *testing.T) {
	got := ordinaryEstimates(t)
	used := map[string]bool{}
	for _, d := range Catalogue() {
		of, _, _ := strings.Cut(d.Call, ".")
		for _, key := range []string{d.ID, d.Call, of} {
			used[key] = true
		}
		if why, none := strings.CutPrefix(d.Interval, noInterval); d.Interval == "" || none && why == "" {
			t.Errorf("%s: neither an interval nor why not", d.ID)
		}
		e, ok := got[d.ID]
		if !ok {
			if d.Call == "" || of == "Regression" || of == "Cells" || of == "GroupCells" {
				t.Errorf("%s is not asked", d.ID)
			}
			continue
		}
		delete(got, d.ID)
		if e.Undefined != "" || e.Interval == strings.HasPrefix(d.Interval, noInterval) {
			t.Errorf("%s: %+v, the catalogue says %q", d.ID, e, d.Interval)
		}
		method := e.Method
		if _, after, ok := strings.Cut(method, "@1, "); ok {
			method = after
		}
		short, _, _ := strings.Cut(method, ",")
		if e.Interval && !strings.Contains(d.Interval, short) {
			t.Errorf("%s has an interval by %q, the catalogue says %q", d.ID, e.Method, d.Interval)
		}
	}
	for id := range got {
		t.Errorf("%s is in no catalogue", id)
	}
	for _, m := range []map[string]string{intervals, namedIntervals} {
		for key := range m {
			if !used[key] {
				t.Errorf("an interval is said of %s, which is not there", key)
			}
		}
	}
}

// ordinaryEstimates are those of 300 rows on which nothing is extreme, by id.
func ordinaryEstimates(t *testing.T) map[string]Estimate {
	rnd := rand.New(rand.NewPCG(41, 1))
	y, p, _ := noisyRows(rnd, 300, false)
	out := withIntervals(mustRegression(t, y, p, nil))
	pair := world{"", 300, 2, .5, .2}.draw(t, rnd, 300)
	for _, m := range registry {
		s := readAlone(m.Name, pair.candidate)
		out[m.ID] = m.estimate(&s, .95)
	}
	c := Cells{BothRight: 200, Broke: 20, Fixed: 30, SameWrong: 30, OtherWrong: 20}
	for id, of := range map[string]func(Cells, float64) Estimate{
		"nfr@1": Cells.NFR, "pfr@1": Cells.PFR, "btc@1": Cells.BTC, "bec@1": Cells.BEC, "nfi@1": Cells.NFI, "churn@1": Cells.Churn,
		"nfr_of_right@1": Cells.Lost, "bec_mslib@1": Cells.BECLibrary, "agreement@1": Cells.Agreement,
	} {
		out[id] = of(c, .95)
	}
	g := GroupCells{N: 100, Right: 80, Positives: 50, TruePos: 40, FalsePos: 10, TrueNeg: 40, PredictedNegatives: 50}
	for _, r := range []GroupRate{SelectionRate, TPR, FNR, FPR, TNR, PPV, FDR, NPV, FOR, Prevalence} {
		out[r.ID] = g.Rate(r, .95)
	}
	truth, scores := make([]bool, 900), make([]float64, 900)
	for i := range truth {
		truth[i], scores[i] = rnd.IntN(2) == 1, rnd.Float64()
	}
	m, err := NewMultiLabel(3, truth, scores, .5)
	if err != nil {
		t.Fatal(err)
	}
	for id, e := range map[string]Estimate{
		"subset_accuracy@1": m.SubsetAccuracy(), "hamming_loss@1": m.HammingLoss(), "lrap@1": m.LRAP(),
		"coverage_error@1": m.CoverageError(), "ranking_loss@1": m.RankingLoss(),
	} {
		out[id] = e
	}
	return out
}
