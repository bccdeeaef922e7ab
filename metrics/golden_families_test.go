package metrics

import (
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"
)

// goldenFuncs are the golden functions of columns, texts, queries and groups,
// which need no frame of class labels. Every value that they want is compared.
var goldenFuncs = map[string]func(*testing.T, *goldenCase) map[string]any{
	"regression":         runRegression,
	"ranking":            runRanking,
	"ndcg":               runOneQuery,
	"map":                runOneQuery,
	"mrr":                runOneQuery,
	"ndcg_sklearn":       runTiedQuery,
	"bleu_chrf_ter":      runCorpus,
	"text_pair":          runTextPair,
	"corpus_error_rates": runErrorRates,
	"group_gaps":         runGroups,
	"two_sample":         runTwoSample,
	"two_hist":           runShares,
	"psi_evidently":      runPSISturges,
	"rank_change":        runRankChange,
}

func init() {
	for fn, run := range goldenFuncs {
		goldenFns[fn] = run
	}
	frames := goldenFns["paired_scores"]
	goldenFns["paired_scores"] = func(t *testing.T, c *goldenCase) map[string]any {
		got := frames(t, c)
		maps.Copy(got, runScoreChange(t, c))
		return got
	}
}

// goldenFamily runs the cases of one file.
func goldenFamily(t *testing.T, file string) {
	t.Helper()
	for _, c := range readGolden(t, goldenFolder+"/"+file+".json") {
		if run, ok := goldenFuncs[c.Fn]; ok {
			t.Run(c.ID+"/"+c.Fn, func(t *testing.T) { c.check(t, run) })
		} else if file != "change" {
			t.Errorf("%s: no function %s", c.ID, c.Fn)
		}
	}
}

func TestGoldenRegression(t *testing.T) { goldenFamily(t, "regression") }
func TestGoldenRanking(t *testing.T)    { goldenFamily(t, "ranking") }
func TestGoldenText(t *testing.T)       { goldenFamily(t, "text") }
func TestGoldenFairness(t *testing.T)   { goldenFamily(t, "fairness") }
func TestGoldenShift(t *testing.T)      { goldenFamily(t, "shift") }
func TestGoldenRankChange(t *testing.T) { goldenFamily(t, "change") }

// value is an estimate as the files have it: a number, +Inf where the reason says
// so, or the reason.
func value(e Estimate) any {
	if strings.HasPrefix(e.Undefined, infinite) {
		return math.Inf(1)
	}
	return num64(e)
}

func refused(err error) map[string]any { return map[string]any{"error": err.Error()} }

func runRegression(t *testing.T, c *goldenCase) map[string]any {
	y, p := c.nums("y"), c.nums("yhat")
	var w []float64
	if c.In["w"] != nil {
		w = c.nums("w")
	}
	r, err := NewRegression(y, p, w)
	if err != nil {
		return refused(err)
	}
	got := map[string]any{
		"mae": value(r.MAE()), "mse": value(r.MSE()), "rmse": value(r.RMSE()), "mape": value(r.MAPE()), "smape": value(r.SMAPE()),
		"r2": value(r.R2()), "explained_variance": value(r.ExplainedVariance()), "median_ae": value(r.MedianAE()),
		"max_error": value(r.MaxError()), "msle": value(r.MSLE()),
	}
	for _, a := range []float64{.1, .5, .9} {
		got[fmt.Sprintf("pinball_%v", a)] = value(r.Pinball(a))
	}
	pairs, err := CountPairs(y, p)
	if err != nil {
		t.Fatal(err)
	}
	pearson, _ := Pearson(y, p)
	spearman, _ := Spearman(y, p)
	for name, v := range map[string]Correlation{"pearson": pearson, "spearman": spearman, "kendall_b": pairs.KendallB(), "kendall_c": pairs.KendallC()} {
		got[name], got[name+"_p"] = value(v.Estimate), v.P
	}
	return got
}

func mustRank(t *testing.T, relevance, scores []float64) *Ranking {
	t.Helper()
	r, err := Rank(relevance, scores)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rankingValues are the values of a query by the files' names.
var rankingValues = func() map[string]func(*Ranking) float64 {
	out := map[string]func(*Ranking) float64{
		"mrr": (*Ranking).ReciprocalRank, "ap": (*Ranking).AveragePrecision,
		"ndcg": func(r *Ranking) float64 { return r.NDCG(0, Linear) },
	}
	for k := 1; k <= 20; k++ {
		out[fmt.Sprint("ndcg@", k)] = func(r *Ranking) float64 { return r.NDCG(k, Linear) }
		out[fmt.Sprint("ndcg_exp@", k)] = func(r *Ranking) float64 { return r.NDCG(k, Exponential) }
		out[fmt.Sprint("precision@", k)] = func(r *Ranking) float64 { return r.Precision(k) }
		out[fmt.Sprint("recall@", k)] = func(r *Ranking) float64 { return r.Recall(k) }
		out[fmt.Sprint("hit@", k)] = func(r *Ranking) float64 { return r.Hit(k) }
	}
	return out
}()

func runRanking(t *testing.T, c *goldenCase) map[string]any {
	scores := c.In["scores"].([]any)
	var queries []*Ranking
	var each []any
	for i, rel := range c.In["rels"].([]any) {
		q, err := Rank(asNums(rel), asNums(scores[i]))
		if err != nil {
			return refused(err)
		}
		row := map[string]any{}
		for name, f := range rankingValues {
			row[name] = f(q)
		}
		queries, each = append(queries, q), append(each, row)
	}
	mean := map[string]any{}
	for name, f := range rankingValues {
		e, err := MeanOver(queries, 0.95, f)
		if err != nil {
			t.Fatal(err)
		}
		mean[name] = value(e)
	}
	return map[string]any{"per_query": each, "mean": mean}
}

func runOneQuery(t *testing.T, c *goldenCase) map[string]any {
	q, err := Rank(c.nums("rel"), c.nums("score"))
	if err != nil {
		return refused(err)
	}
	got := map[string]any{}
	for name, f := range rankingValues {
		got[name] = f(q)
	}
	return got
}

func runTiedQuery(t *testing.T, c *goldenCase) map[string]any {
	q, err := Rank(c.nums("rel"), c.nums("score"))
	if err != nil {
		return refused(err)
	}
	got := map[string]any{"ndcg_ties_averaged": q.NDCGTied(0), "ndcg_ignore_ties": ignoringTies(t, c), "dcg_ties_averaged": q.DCGTied(0)}
	for k := 1; k <= 20; k++ {
		got[fmt.Sprintf("ndcg@%d_ties_averaged", k)] = q.NDCGTied(k)
	}
	return got
}

// ignoringTies is scikit-learn's order with ignore_ties: the reverse of an
// ascending sort, so that of equal scores the later item comes first.
func ignoringTies(t *testing.T, c *goldenCase) float64 {
	rel, score := reversed(c.nums("rel")), reversed(c.nums("score"))
	return mustRank(t, rel, score).NDCG(0, Linear)
}

func reversed(x []float64) []float64 {
	var out []float64
	for i := range x {
		out = append(out, x[len(x)-1-i])
	}
	return out
}

func asStrings(v any) []string {
	var out []string
	for _, s := range v.([]any) {
		out = append(out, s.(string))
	}
	return out
}

func runCorpus(t *testing.T, c *goldenCase) map[string]any {
	sys := asStrings(c.In["sys"])
	plain, lower, spaces := BLEU{}, BLEU{Lower: true}, BLEU{Cut: CutSpaces}
	chrf, words, floor, white := ChrF{}, ChrF{Words: true}, ChrF{Floor: true}, ChrF{Whitespace: true}
	var ter TER
	var sentenceBLEU, sentenceChrF []any
	for i, h := range sys {
		var refs []string
		for _, r := range c.In["refs"].([]any) {
			refs = append(refs, r.([]any)[i].(string))
		}
		for _, m := range []interface {
			Add(string, []string) error
		}{&plain, &lower, &spaces, &chrf, &words, &floor, &white, &ter} {
			if err := m.Add(h, refs); err != nil {
				return refused(err)
			}
		}
		e, err := SentenceBLEU(h, refs)
		if err != nil {
			t.Fatal(err)
		}
		one := ChrF{}
		if err := one.Add(h, refs); err != nil {
			t.Fatal(err)
		}
		sentenceBLEU, sentenceChrF = append(sentenceBLEU, value(e)), append(sentenceChrF, value(one.Score()))
	}
	return map[string]any{
		"bleu": value(plain.Score(SmoothExp)), "bleu_none": value(spaces.Score(SmoothExp)), "bleu_lc": value(lower.Score(SmoothExp)),
		"bleu_nosmooth": value(plain.Score(SmoothNone)), "bleu_floor": value(plain.Score(SmoothFloor)), "bleu_addk": value(plain.Score(SmoothAddK)),
		"chrf2": value(chrf.Score()), "chrf2pp": value(words.Score()), "chrf_eps": value(floor.Score()), "chrf_ws": value(white.Score()),
		"ter": value(ter.Score()), "sentence_bleu": sentenceBLEU, "sentence_chrf": sentenceChrF,
		"stats": map[string]any{
			"counts": plain.Matches[:], "totals": plain.Totals[:], "bp": plain.Brevity(), "sys_len": plain.Length, "ref_len": plain.Reference,
		},
	}
}

func runTextPair(t *testing.T, c *goldenCase) map[string]any {
	p, r := c.In["pred"].(string), c.In["ref"].(string)
	exact, f1, err := SQuAD(p, r)
	if err != nil {
		return refused(err)
	}
	rouge, err := ROUGE(p, r)
	if err != nil {
		return refused(err)
	}
	edits, err := EditDistance(p, r)
	if err != nil {
		return refused(err)
	}
	prf := func(o Overlap) map[string]any { return map[string]any{"p": o.Precision, "r": o.Recall, "f": o.F1} }
	got := map[string]any{
		"exact": oneIf(ExactMatch(p, r)), "squad_em": oneIf(exact), "squad_f1": f1, "edit": edits,
		"rouge1": prf(rouge.One), "rouge2": prf(rouge.Two), "rougeL": prf(rouge.L),
	}
	maps.Copy(got, errorRates(t, []string{p}, []string{r}))
	return got
}

func runErrorRates(t *testing.T, c *goldenCase) map[string]any {
	return errorRates(t, asStrings(c.In["pred"]), asStrings(c.In["ref"]))
}

func errorRates(t *testing.T, predicted, reference []string) map[string]any {
	cer, wer := ErrorRate{Unit: Characters}, ErrorRate{Unit: Words}
	for i, p := range predicted {
		if err := cer.Add(p, reference[i]); err != nil {
			t.Fatal(err)
		}
		if err := wer.Add(p, reference[i]); err != nil {
			t.Fatal(err)
		}
	}
	return map[string]any{"cer": value(cer.Rate()), "wer": value(wer.Rate())}
}

func runGroups(t *testing.T, c *goldenCase) map[string]any {
	a := Answers{Classes: classNames(2), Positive: 1, Labels: c.codes("y")}
	d, codes := Dimension{Name: "group"}, dictionary[string]{}
	names := asStrings(c.In["group"])
	d.Codes = codes.codes(names)
	d.Values = make([]string, len(codes))
	for i, code := range d.Codes {
		d.Values[code] = names[i]
	}
	a.Dimensions = []Dimension{d}
	f, err := Join(memory.DefaultAllocator, a, Predictions{Labels: c.codes("yhat")})
	if err != nil {
		return refused(err)
	}
	g, err := f.Groups("group")
	if err != nil {
		t.Fatal(err)
	}
	rates := map[string]GroupRate{"selection_rate": SelectionRate, "tpr": TPR, "fpr": FPR, "fnr": FNR, "tnr": TNR, "ppv": PPV, "accuracy": RightRate}
	of := func(cells GroupCells) map[string]any {
		out := map[string]any{"n": cells.N}
		for name, r := range rates {
			out[name] = value(cells.Rate(r, 0.95))
		}
		return out
	}
	groups := map[string]any{}
	for _, cells := range g.Cells {
		groups[cells.Value] = of(cells)
	}
	gap := func(r GroupRate) map[string]any {
		x := g.Gap(r)
		return map[string]any{"difference": value(x.Difference), "ratio": value(x.Ratio)}
	}
	return map[string]any{
		"groups": groups, "overall": of(g.Overall()),
		"demographic_parity": gap(SelectionRate), "tpr_gap": gap(TPR), "fpr_gap": gap(FPR), "accuracy_gap": gap(RightRate),
		"equalized_odds_difference": value(g.EqualizedOdds()), "selection_rate_to_overall": value(g.Gap(SelectionRate).ToOverall),
	}
}

func runTwoSample(t *testing.T, c *goldenCase) map[string]any {
	s, err := NewSamples(c.nums("x"), c.nums("y"))
	if err != nil {
		return refused(err)
	}
	exact, asymptotic := s.KSExact(), s.KSAsymptotic()
	cvm, mwu := s.CramerVonMises(), s.MannWhitney()
	psi := s.PSI(int(c.num("bins")))
	unbiased, biased := s.MMD(1)
	return map[string]any{
		"ks": value(exact.Estimate), "ks_p_exact": exact.P, "ks_p_asymp": asymptotic.P,
		"wasserstein": value(s.Wasserstein()), "energy": value(s.Energy()),
		"cvm": value(cvm.Estimate), "cvm_p_asymp": cvm.P, "mwu": value(mwu.Estimate), "mwu_p_asymp_cc": mwu.P,
		"ad_midrank":      value(s.AndersonDarling().Estimate),
		"psi_quantile":    map[string]any{"edges": psi.Edges, "base": psi.Baseline, "cand": psi.Candidate, "psi": value(psi.Estimate)},
		"mmd2_rbf_gamma1": map[string]any{"unbiased": value(unbiased), "biased": value(biased)},
	}
}

func runPSISturges(t *testing.T, c *goldenCase) map[string]any {
	s, err := NewSamples(c.nums("x"), c.nums("y"))
	if err != nil {
		return refused(err)
	}
	p := s.PSISturges()
	return map[string]any{"edges": p.Edges, "psi": value(p.Estimate)}
}

func counts(x []float64) []int64 {
	var out []int64
	for _, v := range x {
		out = append(out, int64(v))
	}
	return out
}

func runShares(t *testing.T, c *goldenCase) map[string]any {
	s, err := NewShares(counts(c.nums("p")), counts(c.nums("q")))
	if err != nil {
		return refused(err)
	}
	chi, g := s.ChiSquare(), s.GTest()
	return map[string]any{
		"js_distance_base2": value(s.JSDistance()), "js_divergence_nats": value(s.JSDivergence()), "kl_nats": value(s.KL()),
		"hellinger": value(s.Hellinger()), "tv": value(s.TotalVariation()), "linf": value(s.LInf()), "psi": value(s.PSI()),
		"chi2":   map[string]any{"stat": value(chi.Estimate), "p": chi.P, "df": chi.DF, "cramers_v": chi.CramersV},
		"g_test": map[string]any{"stat": value(g.Estimate), "p": g.P},
	}
}

func runRankChange(t *testing.T, c *goldenCase) map[string]any {
	r, err := CompareRanks(c.nums("a"), c.nums("b"), int(c.num("k")))
	if err != nil {
		return refused(err)
	}
	return map[string]any{
		"footrule": value(r.Footrule), "footrule_norm": value(r.FootruleNorm), "max_move": value(r.MaxMove),
		"topk_overlap": value(r.Overlap), "topk_jaccard": value(r.Jaccard),
		"concordant": r.Pairs.Concordant, "discordant": r.Pairs.Discordant, "tied": r.Pairs.Tied(),
	}
}

// runScoreChange are the values of paired_scores that need no labels.
func runScoreChange(t *testing.T, c *goldenCase) map[string]any {
	var a, b []float64
	if gen, ok := c.In["gen"].(map[string]any); ok {
		_, a, b = binaryPair(gen)
	} else {
		a, b = c.nums("score_a"), c.nums("score_b")
	}
	s, err := CompareScores(a, b, 0.5)
	if err != nil {
		return refused(err)
	}
	spearman, err := Spearman(a, b)
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := CountPairs(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{
		"mean_abs_diff": value(s.MeanAbs), "mean_diff": value(s.Mean), "max_abs_diff": value(s.MaxAbs), "rms_diff": value(s.RMS),
		"p95_abs_diff": value(s.P95Abs), "tfma_symmetric_prediction_difference": value(s.Symmetric),
		"spearman": value(spearman.Estimate), "kendall_b": value(pairs.KendallB().Estimate),
		"flip_rates_gt_0.5": map[string]any{"neg_to_pos": value(s.Up), "pos_to_neg": value(s.Down), "symmetric": s.Up.Value + s.Down.Value},
	}
}
