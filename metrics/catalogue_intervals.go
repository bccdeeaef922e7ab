package metrics

import "strings"

// noInterval begins what the catalogue says of a metric whose estimate is a value alone.
const noInterval = "none: "

// namedIntervals are those of the metrics of [All], of one model and of the change.
var namedIntervals = map[string]string{
	"accuracy@1":          "Clopper-Pearson; change: Tango",
	"balanced_accuracy@1": "delta method",
	"precision@1":         "Clopper-Pearson, macro: delta method; change: delta method",
	"recall@1":            "Clopper-Pearson, macro: delta method; change: Tango, macro: delta method",
	"f1@1":                "delta method",
	"mcc@1":               "delta method",
	"kappa@1":             "delta method",
	"roc_auc@1":           "DeLong",
	"average_precision@1": "influence function",
	"log_loss@1":          "mean, Student t",
	"brier@1":             "mean, Student t",
	"ece@1":               "Gaussian multiplier bootstrap of the bins",
}

// intervals are by the function or the type that the catalogue names: the method of the
// interval, or why there is none.
var intervals = map[string]string{
	"Regression":                   "of all rows: mean, Student t",
	"Regression.RMSE":              "of all rows: delta method, Student t",
	"Regression.R2":                "of all rows: delta method, Student t",
	"Regression.ExplainedVariance": "of all rows: delta method, Student t",
	"Regression.MedianAE":          "order statistics; with weights none",
	"Regression.MaxError":          noInterval + "rows that are not here may have a larger error",
	"Pearson":                      noInterval + "a p-value of no correlation",
	"Spearman":                     noInterval + "a p-value of no correlation",
	"Concordance":                  noInterval + "a p-value of no correlation",
	"Confusion":                    noInterval + "weights are not rows; the metrics by name have one",
	"FBeta":                        noInterval + "weights are not rows; the metrics by name have one",
	"ClassScores":                  noInterval + "PoissonBootstrap gives one",
	"ClassScores.TopK":             "Clopper-Pearson",
	"Curve":                        noInterval + "PoissonBootstrap gives one; roc_auc has DeLong's",
	"MultiLabel":                   "mean, Student t",
	"MultiLabel.Average":           noInterval + "labels of a row depend on each other; PoissonBootstrap gives one",
	"MultiLabel.AUC":               noInterval + "labels of a row depend on each other; PoissonBootstrap gives one",
	"MultiLabel.AveragePrecision":  noInterval + "labels of a row depend on each other; PoissonBootstrap gives one",
	"Bins":                         noInterval + "too high on few rows, by how much is not known; ece has one",
	"Calibration":                  noInterval + "the change of two models has one: CompareCalibration",
	"CompareCalibration":           "paired influences of the rows, normal",
	"Cells":                        "Clopper-Pearson",
	"Pair.FlipCost":                noInterval + "the change has one: flip_cost_change",
	"flip_cost_change@1":           "mean, Student t",
	"Pair.FlipConcentration":       noInterval + "too high on few broken rows",
	"CompareScores":                noInterval + "says what these rows did",
	"CompareRanks":                 noInterval + "says what these rows did",
	"Samples":                      noInterval + "distances are too high on few rows; a test has a p-value",
	"Shares":                       noInterval + "distances are too high on few rows; a test has a p-value",
	"Ranking":                      "over queries: Student t, by MeanOver",
	"ExactMatch":                   "over texts: ClusteredMean, or Clopper-Pearson",
	"SQuAD":                        "over texts: ClusteredMean",
	"ROUGE":                        "over texts: ClusteredMean",
	"SentenceBLEU":                 noInterval + "one text",
	"BLEU":                         noInterval + "counts of all texts pooled; those of resampled texts Merge for a bootstrap",
	"ChrF":                         noInterval + "counts of all texts pooled; those of resampled texts Merge for a bootstrap",
	"TER":                          noInterval + "counts of all texts pooled; those of resampled texts Merge for a bootstrap",
	"ErrorRate":                    noInterval + "counts of all texts pooled; those of resampled texts Merge for a bootstrap",
	"GroupCells":                   "Clopper-Pearson",
	"Groups":                       noInterval + "the largest of several is too high on few rows; the rates have one",
}

// intervalOf is the method of the entry's interval, or why there is none.
func intervalOf(e entry) string {
	of, _, _ := strings.Cut(e.call, ".")
	for _, key := range []string{e.id, e.call, of} {
		if how := intervals[key]; how != "" {
			return how
		}
	}
	return namedIntervals[e.id]
}
