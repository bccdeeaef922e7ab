package metrics

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// weights are the case's row weights, or nil.
func (c *goldenCase) weights() []float64 {
	if c.In["w"] == nil {
		return nil
	}
	return c.nums("w")
}

// orZero is an estimate as scikit-learn has it with zero_division=0, where this
// package says undefined.
func orZero(e Estimate) any {
	if e.Undefined != "" {
		return 0.0
	}
	return e.Value
}

// labelRatios by the names of the files.
var labelRatios = map[string]LabelRatio{"p": Precision, "r": Recall, "f1": F1, "fbeta2": FBeta(2), "fbeta05": FBeta(.5), "jaccard": Jaccard}

func runLabelMetrics(_ *testing.T, c *goldenCase) map[string]any {
	k := len(c.Want["labels"].([]any))
	m, err := CountConfusion(k, c.codes("y"), c.codes("yhat"), c.weights())
	if err != nil {
		return refused(err)
	}
	cells := m.Cells()
	for i := range cells {
		cells[i] = cells[i][:k]
	}
	got := map[string]any{"labels": c.Want["labels"], "confusion": cells, "accuracy": value(m.Accuracy()), "balanced_accuracy": value(m.BalancedAccuracy()),
		"balanced_accuracy_adjusted": value(m.AdjustedBalancedAccuracy()), "mcc": orZero(m.MCC()), "kappa": value(m.Kappa()),
		"kappa_linear": value(m.WeightedKappa(LinearDistance)), "kappa_quadratic": value(m.WeightedKappa(QuadraticDistance))}
	if strings.HasPrefix(m.AdjustedBalancedAccuracy().Undefined, belowInfinite) {
		got["balanced_accuracy_adjusted"] = "-Inf"
	}
	perClass := map[string]any{"support": m.Support()}
	for short, r := range labelRatios {
		var of []any
		for class := range k {
			of = append(of, orZero(m.Of(class, r)))
		}
		perClass[short] = of
	}
	got["per_class"] = perClass
	for _, a := range []Averaging{Macro, Weighted, Micro} {
		got[string(a)] = averages(func(r LabelRatio) Estimate { return m.Average(r, a) })
	}
	one := F1
	one.Empty = 1
	got["macro_f1_zd1"] = value(m.Average(one, Macro))
	return got
}

func averages(of func(LabelRatio) Estimate) map[string]any {
	out := map[string]any{}
	for short, r := range labelRatios {
		out[short] = orZero(of(r))
	}
	return out
}

func runBinaryScores(_ *testing.T, c *goldenCase) map[string]any {
	y, s := c.codesAndScore()
	for _, label := range y {
		if label < 0 || label > 1 {
			return refused(fmt.Errorf("a label is no class")) // NewCurve would take it for one of the others
		}
	}
	curve, err := NewCurve(y, 1, s, c.weights())
	if err != nil {
		return refused(err)
	}
	roc := map[string]any{}
	var fpr, tpr, thresholds []float64
	for _, p := range curve.ROC() {
		fpr, tpr, thresholds = append(fpr, p.FPR), append(tpr, p.TPR), append(thresholds, p.Score)
	}
	roc["fpr"], roc["tpr"], roc["thresholds"] = fpr, tpr, thresholds
	got := map[string]any{
		"roc_auc": value(curve.AUC()), "average_precision": value(curve.AveragePrecision()), "partial_auc_0.1": value(curve.PartialAUC(.1)),
		"partial_auc_0.5": value(curve.PartialAUC(.5)), "ks": value(curve.KS()), "gini": value(curve.Gini()), "pr_auc_trapezoid": value(curve.TrapezoidPR()),
		"roc": roc, "error": curve.AUC().Undefined,
	}
	if brier, err := Brier(y, 1, s, c.weights()); err == nil {
		loss, _ := LogLoss(y, 1, s, c.weights())
		got["brier"], got["log_loss"] = value(brier), value(loss)
	}
	return got
}

func (c *goldenCase) matrix(key string) (k int, flat []float64) {
	for _, row := range c.In[key].([]any) {
		q := asNums(row)
		k = len(q)
		flat = append(flat, q...)
	}
	return k, flat
}

// matrixFrame has the class of the largest probability for its labels.
func (c *goldenCase) matrixFrame(t *testing.T) *Frame {
	k, flat := c.matrix("prob_matrix")
	p := Predictions{Probs: flat}
	for i := 0; i < len(flat); i += k {
		p.Labels = append(p.Labels, int32(largest(flat[i:i+k])))
	}
	return mustJoin(t, Answers{Classes: classNames(k), Positive: -1, Labels: c.codes("y")}, p)
}

func runMulticlassScores(t *testing.T, c *goldenCase) map[string]any {
	f := c.matrixFrame(t)
	s, err := f.Scores()
	if err != nil {
		return refused(err)
	}
	if macro := f.mustValue(t, "average_precision"); math.Abs(asNumber(macro)-s.AveragePrecision(Macro).Value) > 1e-15 {
		t.Errorf("average_precision of the frame is %v, of its scores %v", macro, s.AveragePrecision(Macro))
	}
	return map[string]any{
		"auc_ovr_macro": f.mustValue(t, "roc_auc"), "log_loss": f.mustValue(t, "log_loss"), "brier_sum": f.mustValue(t, "brier"), "accuracy": f.mustValue(t, "accuracy"),
		"auc_ovr_weighted": value(s.OneVsRest(Weighted)), "auc_ovr_micro": value(s.OneVsRest(Micro)),
		"auc_ovo_macro": value(s.OneVsOne(Macro)), "auc_ovo_weighted": value(s.OneVsOne(Weighted)), "top1": value(s.TopK(1, .95)), "top2": value(s.TopK(2, .95)),
		"ap_macro": value(s.AveragePrecision(Macro)), "ap_micro": value(s.AveragePrecision(Micro)), "ap_weighted": value(s.AveragePrecision(Weighted)),
	}
}

func runTopK(_ *testing.T, c *goldenCase) map[string]any {
	k, flat := c.matrix("score_matrix")
	s, err := NewClassScores(k, c.codes("y"), flat)
	if err != nil {
		return refused(err)
	}
	got := map[string]any{}
	for j := range k {
		got[fmt.Sprint("top", j+1)] = value(s.TopK(j+1, .95))
	}
	return got
}

func runMultiLabel(_ *testing.T, c *goldenCase) map[string]any {
	k, has := c.matrix("label_matrix")
	_, scores := c.matrix("prob_matrix")
	truth := make([]bool, len(has))
	for i, v := range has {
		truth[i] = v == 1
	}
	m, err := NewMultiLabel(k, truth, scores, .5)
	if err != nil {
		return refused(err)
	}
	var confusion []any
	for _, t := range m.Confusion() {
		confusion = append(confusion, []any{t[0][:], t[1][:]})
	}
	got := map[string]any{
		"subset_accuracy": value(m.SubsetAccuracy()), "hamming_loss": value(m.HammingLoss()), "lrap": value(m.LRAP()), "coverage_error": value(m.CoverageError()),
		"ranking_loss": value(m.RankingLoss()), "multilabel_confusion": confusion, "samples": averages(m.Samples),
		"auc_macro": value(m.AUC(Macro)), "auc_micro": value(m.AUC(Micro)), "auc_weighted": value(m.AUC(Weighted)),
		"ap_macro": value(m.AveragePrecision(Macro)), "ap_micro": value(m.AveragePrecision(Micro)), "ap_weighted": value(m.AveragePrecision(Weighted)),
	}
	for _, a := range []Averaging{Macro, Weighted, Micro} {
		got[string(a)] = averages(func(r LabelRatio) Estimate { return m.Average(r, a) })
	}
	return got
}

func (c *goldenCase) calibration(t *testing.T) *Calibration {
	y, p := c.codesAndScore()
	hit := make([]bool, len(y))
	for i := range y {
		hit[i] = y[i] == 1
	}
	k, err := NewCalibration(p, hit)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func runCalibration(t *testing.T, c *goldenCase) map[string]any {
	k, bins := c.calibration(t), int(c.num("bins"))
	left, mass := k.EqualWidth(bins), k.EqualMass(bins)
	smooth, sigma := k.Smooth()
	cox := k.Cox()
	if bins == eceBins { // the metric of frames is the same
		y, p := c.codesAndScore()
		f, err := joinBinary(y, p)
		if err != nil {
			t.Fatal(err)
		}
		if e := asNumber(f.mustValue(t, "ece")); math.Abs(e-left.ECE().Value) > 1e-14 {
			t.Errorf("ece of the frame is %v, of the bins %v", e, left.ECE())
		}
	}
	return map[string]any{
		"ece_l1": value(left.ECE()), "ece_l2": value(left.RMS()), "mce": value(left.Max()), "ece_guo": value(k.EqualWidthRight(bins).ECE()),
		"ace_l1": value(mass.ECE()), "l2_debiased_equalmass": value(mass.DebiasedRMS()), "l2_plugin_equalmass": value(mass.RMS()),
		"smece": value(smooth), "smece_sigma": sigma, "smece_sigma_0.05": value(k.SmoothAt(.05)), "calibration_ratio": value(k.Ratio()),
		"cox": map[string]any{"intercept": value(cox.Intercept), "slope": value(cox.Slope), "citl": value(cox.InLarge)},
	}
}

func runTopLabel(t *testing.T, c *goldenCase) map[string]any {
	k, err := c.matrixFrame(t).Calibration()
	if err != nil {
		return refused(err)
	}
	b := k.EqualWidth(int(c.num("bins")))
	return map[string]any{"ece_l1": value(b.ECE()), "ece_l2": value(b.RMS()), "mce": value(b.Max())}
}

func runReliability(t *testing.T, c *goldenCase) map[string]any {
	k, bins := c.calibration(t), int(c.num("bins"))
	curve := k.EqualWidthRight(bins)
	if c.Params["strategy"] == "quantile" {
		curve = k.Quantiles(bins)
	}
	var right, confidence []float64
	for _, b := range curve.All() {
		right, confidence = append(right, b.Right), append(confidence, b.Confidence)
	}
	return map[string]any{"frac_pos": right, "mean_pred": confidence}
}
