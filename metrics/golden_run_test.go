package metrics

import (
	"math"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"
)

// num64 is the value of an estimate, or why there is none.
func num64(e Estimate) any {
	if e.Undefined != "" {
		return e.Undefined
	}
	return e.Value
}

// value is a metric of a frame, or why there is none.
func (f *Frame) mustValue(t *testing.T, name string) any {
	t.Helper()
	e, err := f.Estimate(name, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	return num64(e)
}

func classNames(k int) []string {
	out := make([]string, k)
	for i := range out {
		out[i] = strconv.Itoa(i)
	}
	return out
}

func mustJoin(t testing.TB, a Answers, p Predictions) *Frame {
	t.Helper()
	f, err := Join(memory.DefaultAllocator, a, p)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (c *goldenCase) codesAndScore() ([]int32, []float64) {
	if gen, ok := c.In["gen"].(map[string]any); ok {
		y, a, _ := binaryPair(gen)
		return y, a
	}
	if _, ok := c.In["p"]; ok {
		return c.codes("y"), c.nums("p")
	}
	if _, ok := c.In["score_a"]; ok {
		return c.codes("y"), c.nums("score_a")
	}
	return c.codes("y"), c.nums("score")
}

func joinBinary(y []int32, s []float64) (*Frame, error) {
	p := Predictions{Labels: make([]int32, len(s)), Probs: make([]float64, 0, 2*len(s))}
	for i, x := range s {
		p.Labels[i] = int32(oneIf(x > 0.5))
		p.Probs = append(p.Probs, 1-x, x)
	}
	return Join(memory.DefaultAllocator, Answers{Classes: classNames(2), Positive: 1, Labels: y}, p)
}

func (c *goldenCase) cells() Cells {
	return Cells{BothRight: int64(c.num("both_right")), Broke: int64(c.num("base_only")), Fixed: int64(c.num("cand_only")), SameWrong: int64(c.num("both_wrong"))}
}

func runPairedTable(t *testing.T, c *goldenCase) map[string]any {
	cells := c.cells()
	n := cells.N()
	interval := func(low, high float64) []any { return []any{low, high} }
	margin := asNumber(c.Want["noninferiority"].(map[string]any)["margin"])
	z := tangoZ(cells.Broke, cells.Fixed, n, -margin)
	change := cells.Change(0.95)
	test, err := cells.TestMargin(margin)
	if err != nil {
		t.Fatal(err)
	}
	wald, err := cells.WaldChange(0.95)
	if err != nil {
		t.Fatal(err)
	}
	chi2, chi2P := McNemarChi2(cells.Broke, cells.Fixed, false)
	cc, ccP := McNemarChi2(cells.Broke, cells.Fixed, true)
	return map[string]any{
		"n": n, "acc_base": num64(cells.BaselineAccuracy(0.95)), "acc_cand": num64(cells.CandidateAccuracy(0.95)), "delta": num64(change),
		"nfr": num64(cells.NFR(0.95)), "pfr": num64(cells.PFR(0.95)), "correctness_churn": float64(cells.Discordant()) / float64(n),
		"btc": num64(cells.BTC(0.95)), "bec_paper": num64(cells.BEC(0.95)), "bec_mslib": num64(cells.BECLibrary(0.95)), "nfr_given_base_right": num64(cells.Lost(0.95)), "nfi": num64(cells.NFI(0.95)),
		"mcnemar": map[string]any{
			"exact": McNemar(cells.Broke, cells.Fixed), "midp": McNemarMidP(cells.Broke, cells.Fixed),
			"chi2": chi2, "chi2_p": chi2P, "chi2_cc": cc, "chi2_cc_p": ccP,
		},
		"ci_wald":                      interval(wald.Low, wald.High),
		"equivalence_tost":             map[string]any{"margin": margin, "p_lower": test.PLower, "p_upper": test.PUpper, "p": test.P()},
		"ci_bonett_price":              interval(BonettPrice(cells.Broke, cells.Fixed, n, 0.95)),
		"ci_newcombe":                  interval(Newcombe(cells, 0.95)),
		"ci_tango":                     interval(change.Low, change.High),
		"ci_tango_90":                  interval(TangoLimits(cells.Broke, cells.Fixed, n, 0.05)),
		"noninferiority":               map[string]any{"margin": margin, "z_tango": z, "p": test.PLower},
		"nfr_clopper_pearson_upper_95": shareUpper(cells.Broke, n, 0.05),
	}
}

func runPairedPredictions(t *testing.T, c *goldenCase) map[string]any {
	a := Answers{Classes: classNames(len(c.Want["labels"].([]any))), Positive: -1, Labels: c.codes("y")}
	if s, ok := c.In["slice"].([]any); ok {
		d := Dimension{Name: "slice"}
		code := map[any]int32{}
		for _, v := range s {
			if _, ok := code[v]; !ok {
				code[v] = int32(len(d.Values))
				d.Values = append(d.Values, v.(string))
			}
			d.Codes = append(d.Codes, code[v])
		}
		a.Dimensions = []Dimension{d}
	}
	p, err := NewPair(mustJoin(t, a, Predictions{Labels: c.codes("base")}), mustJoin(t, a, Predictions{Labels: c.codes("cand")}))
	if err != nil {
		t.Fatal(err)
	}
	cells := p.Cells()
	n := float64(cells.N())
	got := map[string]any{
		"churn": num64(cells.Churn(0.95)), "nfr": num64(cells.NFR(0.95)), "pfr": num64(cells.PFR(0.95)),
		"wrong_to_other_wrong": float64(cells.OtherWrong) / n, "unchanged_wrong": float64(cells.SameWrong) / n, "both_right": float64(cells.BothRight) / n,
	}
	k := len(a.Classes)
	transition := p.Transition()[:k]
	for i := range transition {
		transition[i] = transition[i][:k]
	}
	got["labels"], got["transition"], got["agreement"] = c.Want["labels"], transition, num64(cells.Agreement(0.95))
	runSymmetry(t, c, got)
	if len(a.Dimensions) == 0 {
		return got
	}
	groups, err := p.By("slice")
	if err != nil {
		t.Fatal(err)
	}
	rows, ps := map[string]any{}, []float64{}
	for _, g := range groups {
		exact := McNemar(g.Cells.Broke, g.Cells.Fixed)
		ps = append(ps, exact)
		rows[g.Value] = map[string]any{"n": g.Cells.N(), "nf": g.Cells.Broke, "pf": g.Cells.Fixed, "nfr": num64(g.Cells.NFR(0.95)), "delta": num64(g.Cells.Change(0.95)), "p_exact": exact}
	}
	holm, bh := map[string]any{}, map[string]any{}
	for i, g := range groups {
		holm[g.Value], bh[g.Value] = Holm(ps)[i], BenjaminiHochberg(ps)[i]
	}
	got["slices"], got["slice_holm"], got["slice_bh"] = rows, holm, bh
	return got
}

func runPairedScores(t *testing.T, c *goldenCase) map[string]any {
	var y []int32
	var a, b []float64
	if gen, ok := c.In["gen"].(map[string]any); ok {
		y, a, b = binaryPair(gen)
	} else {
		y, a, b = c.codes("y"), c.nums("score_a"), c.nums("score_b")
	}
	d, err := CompareAUC(y, 1, a, b, 0.95)
	if err != nil {
		return refused(err)
	}
	variance := d.BaselineVariance + d.CandidateVariance - 2*d.Shared
	return map[string]any{"delong": map[string]any{
		"auc_a": value(d.Baseline), "auc_b": value(d.Candidate), "var_a": d.BaselineVariance, "var_b": d.CandidateVariance, "cov": d.Shared,
		"delta": value(d.Change), "var_delta": variance, "z": d.Z, "p": d.P, "log10_p": d.Log10P, "ci": []any{d.Change.Low, d.Change.High},
	}}
}

// runBootstrapMoments checks the draws themselves: 10,000 replicates agree with
// the exact moments within four standard errors.
func runBootstrapMoments(t *testing.T, c *goldenCase) map[string]any {
	cells := c.cells()
	n := float64(cells.N())
	const reps = 10_000
	x := must(Bootstrap([]int64{cells.BothRight, cells.Broke, cells.Fixed, cells.SameWrong}, reps, 1, func(d []int64) float64 {
		return float64(d[2]-d[1]) / n
	}))
	mean, wantMean, wantSD := sum(x)/reps, asNumber(c.Want["mean"]), asNumber(c.Want["sd"])
	sd := 0.0
	for _, v := range x {
		sd += (v - mean) * (v - mean)
	}
	sd = math.Sqrt(sd / (reps - 1))
	if math.Abs(mean-wantMean) > 4*wantSD/math.Sqrt(reps) || math.Abs(sd/wantSD-1) > 4/math.Sqrt(2*reps) {
		t.Errorf("mean %v, sd %v, want %v, %v", mean, sd, wantMean, wantSD)
	}
	d := float64(cells.Fixed-cells.Broke) / n
	return map[string]any{"mean": d, "sd": math.Sqrt((float64(cells.Discordant())/n - d*d) / n)}
}

// binaryPair makes the rows of in.gen as testdata/golden/README.md says.
func binaryPair(gen map[string]any) (y []int32, a, b []float64) {
	state := uint64(asNumber(gen["seed"]))
	grid, clip := asNumber(gen["grid"]), asNumber(gen["clip"])
	u01 := func() float64 {
		state += 0x9E3779B97F4A7C15
		z := state
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		return float64((z^z>>31)>>11) * 0x1p-53
	}
	on := func(s float64) float64 {
		if grid > 0 {
			s = math.Floor(s*grid) / grid
		}
		if clip > 0 {
			s = math.Max(clip, math.Min(1-clip, s))
		}
		return s
	}
	for range int(asNumber(gen["n"])) {
		u, v, w := u01(), u01(), u01()
		y = append(y, int32(oneIf(v < float64(u*math.Sqrt(u)))))
		a = append(a, on(u))
		b = append(b, on(math.Min(1, math.Max(0, u+float64(0.3*(w-0.5))))))
	}
	return y, a, b
}
