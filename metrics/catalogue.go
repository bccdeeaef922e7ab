package metrics

import (
	"slices"
	"strings"
)

// A Definition is an entry of the catalogue: what an id stands for. Capital
// letters in an id stand for a parameter: f1_A@1 is f1_macro@1, f1_weighted@1 or
// f1_micro@1.
type Definition struct {
	ID       string `json:"id"`       // name@version; a change of the definition is another version
	Family   string `json:"family"`   // which it is listed under
	Call     string `json:"call"`     // the function or method that computes it; "" for the metrics of [All], which go by name
	Needs    string `json:"needs"`    // what it takes; where weights are, they may be left out
	Range    string `json:"range"`    // of its values
	Better   string `json:"better"`   // higher, lower, or what is best; "" where neither is
	Says     string `json:"says"`     // the definition
	Edge     string `json:"edge"`     // what is undefined or decided at the edges, beyond what it refuses
	Differs  string `json:"differs"`  // what other libraries have under this name
	Source   string `json:"source"`   // whose definition it is
	Parts    string `json:"parts"`    // the type whose values for parts of the rows add up to that for all, bit for bit; "": it takes all rows at once
	Interval string `json:"interval"` // the method of its interval, or "none: " and why
}

// An entry is the part of a [Definition] that is written by hand for each.
type entry struct{ id, call, needs, span, better, says, edge string }

var catalogue = []struct {
	family  string
	entries []entry
}{
	{"in policies and reports, by name", namedDefinitions}, {"labels", labelDefinitions}, {"scores", scoreDefinitions},
	{"several labels a row", multiLabelDefinitions}, {"calibration", calibrationDefinitions}, {"change of two models", changeDefinitions},
	{"shift of distributions", shiftDefinitions}, {"regression", regressionDefinitions}, {"ranking", rankingDefinitions},
	{"text", textDefinitions}, {"groups", groupDefinitions},
}

// Catalogue lists every definition, by family, in a fixed order.
func Catalogue() []Definition {
	var out []Definition
	for _, f := range catalogue {
		for _, e := range f.entries {
			out = append(out, Definition{e.id, f.family, e.call, e.needs, e.span, e.better, e.says, e.edge, otherwise[e.id], definedBy[e.id], partsOf(e), intervalOf(e)})
		}
	}
	return out
}

// partsOf is the mergeable state that an entry is read from.
func partsOf(e entry) string {
	of, _, _ := strings.Cut(e.call, ".")
	switch {
	case e.call == "": // by name
		return "Tally"
	case e.call == "Regression.MedianAE":
		return ""
	case of == "Regression":
		return "RegressionTally"
	case slices.Contains([]string{"Cells", "BLEU", "ChrF", "TER", "ErrorRate"}, of):
		return of
	}
	return ""
}

const (
	higher  = "higher"
	lower   = "lower"
	unit01  = "[0, 1]"
	atZero  = "[0, inf)"
	minus1  = "[-1, 1]"
	anyReal = "(-inf, inf)"
)

const oneClass = "one class: undefined"

// namedDefinitions are the metrics of [All]: of frames, in policies.
var namedDefinitions = []entry{
	{"accuracy@1", "", "labels", unit01, higher, "share of rows whose label is the answer", "none of the classes is wrong"},
	{"balanced_accuracy@1", "", "labels", unit01, higher, "mean recall over the classes that have rows", "warns of classes without rows"},
	{"precision@1", "", "labels", unit01, higher, "right / predicted, of the positive class, else macro", "of one class 0/0 undefined; in a mean 0, with a warning"},
	{"recall@1", "", "labels", unit01, higher, "right / true rows, of the positive class, else macro", "of one class 0/0 undefined; in a mean 0, with a warning"},
	{"f1@1", "", "labels", unit01, higher, "2 right / (predicted + true), of the positive class, else macro", "of one class 0/0 undefined; in a mean 0, with a warning"},
	{"mcc@1", "", "labels", minus1, higher, "Matthews' correlation of answers and labels over all classes", "either constant: undefined, where scikit-learn has 0"},
	{"kappa@1", "", "labels", minus1, higher, "(agreement - by chance) / (1 - by chance)", "both the same one class: undefined"},
	{"roc_auc@1", "", "probabilities", unit01, higher, "share of pairs in order, ties half, of the positive class against the rest, else macro one against the rest", oneClass},
	{"average_precision@1", "", "probabilities", unit01, higher, "sum over distinct thresholds of gain in recall times precision, not interpolated, of the positive class, else macro", "no row of a class: undefined"},
	{"log_loss@1", "", "probabilities", "[0, 36.05)", lower, "mean -ln p of the true class, rows scaled to sum 1, p in [2^-52, 1 - 2^-52]", "a row of zeros gives its class the least p"},
	{"brier@1", "", "probabilities", "[0, 2]", lower, "mean (p - y)^2 of the positive class, else mean over rows of the sum over classes", ""},
	{"ece@1", "", "probabilities", unit01, lower, "sum over bins of |right - confidence| rows / n: 15 bins [a, b) and one for exactly 1; of the positive class's probability, else of the largest", "of equal largest probabilities the first class"},
}

// labelDefinitions are those of a weighted table; A is macro, weighted or micro.
var labelDefinitions = []entry{
	{"balanced_accuracy_adjusted@1", "Confusion.AdjustedBalancedAccuracy", "labels, weights", "(-inf, 1]", higher, "(b - 1/K)/(1 - 1/K) of the balanced accuracy over the K classes with rows", "K < 2: undefined"},
	{"kappa_linear@1", "Confusion.WeightedKappa", "labels, weights", "(-inf, 1]", higher, "1 - observed / expected |distance| of classes in order", "none of the classes is K-1 off; expected 0: undefined"},
	{"kappa_quadratic@1", "Confusion.WeightedKappa", "labels, weights", "(-inf, 1]", higher, "1 - observed / expected squared distance of classes in order", "none of the classes is K-1 off; expected 0: undefined"},
	{"precision_A@1", "Confusion.Average", "labels, weights", unit01, higher, "right / predicted: mean over classes, mean by true weight, or of pooled counts", "0/0 of a class is 0, with a warning"},
	{"recall_A@1", "Confusion.Average", "labels, weights", unit01, higher, "right / true, likewise", "0/0 of a class is 0, with a warning"},
	{"f1_A@1", "Confusion.Average", "labels, weights", unit01, higher, "2 right / (predicted + true), likewise", "0/0 of a class is 0, with a warning"},
	{"fbeta_B_A@1", "FBeta", "labels, weights", unit01, higher, "(1+B^2) right / (B^2 true + predicted), likewise", "0/0 of a class is 0, with a warning"},
	{"jaccard_A@1", "Confusion.Average", "labels, weights", unit01, higher, "right / (true or predicted), likewise", "0/0 of a class is 0, with a warning"},
	{"RATIO_A_emptyE@1", "Confusion.Average", "labels, weights", unit01, higher, "the average of a ratio with 0/0 of a class counting as E", ""},
	{"top_k_accuracy@1", "ClassScores.TopK", "class scores", unit01, higher, "share of rows whose class is among the k highest scores", "of equal scores the lower class first, where scikit-learn keeps the later"},
}

// scoreDefinitions are those of curves and of scores by class.
var scoreDefinitions = []entry{
	{"gini@1", "Curve.Gini", "scores, weights", minus1, higher, "2 AUC - 1", oneClass},
	{"ks_separation@1", "Curve.KS", "scores, weights", unit01, higher, "largest TPR - FPR over thresholds", oneClass},
	{"partial_auc@1", "Curve.PartialAUC", "scores, weights", unit01, higher, "area up to a false positive rate, standardised after McClish: 1/2 chance, 1 perfect", oneClass},
	{"pr_auc_trapezoid@1", "Curve.TrapezoidPR", "scores, weights", unit01, higher, "area under straight lines between points of recall and precision, from (0, 1)", "no positive row: undefined"},
	{"auc_ovr_A@1", "ClassScores.OneVsRest", "class scores", unit01, higher, "AUC of each class against the rest: mean, by rows, or of all scores pooled", "a class without rows: undefined"},
	{"auc_ovo_A@1", "ClassScores.OneVsOne", "class scores", unit01, higher, "mean over pairs of classes of both AUCs among their rows (Hand and Till), or by their rows", "a class without rows: undefined"},
	{"ap_A@1", "ClassScores.AveragePrecision", "class scores", unit01, higher, "average precision of each class against the rest, as auc_ovr", "a class without rows: undefined"},
}

// multiLabelDefinitions are of rows with any number of labels.
var multiLabelDefinitions = []entry{
	{"subset_accuracy@1", "MultiLabel.SubsetAccuracy", "label sets", unit01, higher, "share of rows with every label right", ""},
	{"hamming_loss@1", "MultiLabel.HammingLoss", "label sets", unit01, lower, "share of labels that are wrong", ""},
	{"RATIO_multilabel_A@1", "MultiLabel.Average", "label sets", unit01, higher, "a ratio of each label's counts, averaged as for classes", "0/0 of a label is 0, with a warning"},
	{"RATIO_samples@1", "MultiLabel.Samples", "label sets", unit01, higher, "mean over rows of a ratio of the row's labels", "0/0 of a row is 0"},
	{"auc_multilabel_A@1", "MultiLabel.AUC", "label scores", unit01, higher, "AUC of each label's scores, averaged", "a label on no row or all: undefined"},
	{"ap_multilabel_A@1", "MultiLabel.AveragePrecision", "label scores", unit01, higher, "average precision of each label's scores, averaged", "a label on no row: undefined"},
	{"lrap@1", "MultiLabel.LRAP", "label scores", unit01, higher, "mean over rows and true labels of the share of true ones among those that score as high", "a row with no or all labels is 1"},
	{"coverage_error@1", "MultiLabel.CoverageError", "label scores", atZero, lower, "how many ranked labels hold all true ones, mean over rows", "ties to the bottom; a row without labels is 0"},
	{"ranking_loss@1", "MultiLabel.RankingLoss", "label scores", unit01, lower, "share of pairs of a true and another label out of order, mean over rows", "ties are wrong; a row with no or all labels is 0"},
}
