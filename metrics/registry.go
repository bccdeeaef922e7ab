package metrics

import "fmt"

// A Def says what a metric is. Its ID stands for the exact definition, which
// [Catalogue] states; a name alone means different things in different libraries.
type Def struct {
	ID, Name      string
	HigherBetter  bool
	Share         bool // a share of rows or a mean of shares: changes are shown in percentage points
	NeedsProbs    bool
	NeedsPositive bool // undefined where the answers declare no positive class
}

// A metric is a definition with the function that computes it.
type metric struct {
	Def
	low    float64 // the least that the value can be
	span   float64 // the most that it can be above it, and can change; 0: no bound
	family families
	read   func(*Tally) reading
}

// registry lists the metrics that frames, pairs and policies know by name; what
// their ids stand for is in the catalogue. "Macro" is the unweighted mean over all
// declared classes. With a declared positive class the forms for it apply,
// whatever the number of classes; an answer that is none of the classes is wrong
// for its row and predicts no class.
//
// In a macro mean 0/0 counts as 0 and is warned about, as in scikit-learn with
// zero_division=0; on its own it is undefined.
var registry = []metric{
	{Def{ID: "accuracy@1", Name: "accuracy", HigherBetter: true, Share: true}, 0, 1, 0, (*Tally).accuracy},
	{Def{ID: "balanced_accuracy@1", Name: "balanced_accuracy", HigherBetter: true, Share: true}, 0, 1, labelFamily, (*Tally).balancedAccuracy},
	{Def{ID: "precision@1", Name: "precision", HigherBetter: true, Share: true}, 0, 1, labelFamily, (*Tally).precision},
	{Def{ID: "recall@1", Name: "recall", HigherBetter: true, Share: true}, 0, 1, labelFamily, (*Tally).recall},
	{Def{ID: "f1@1", Name: "f1", HigherBetter: true, Share: true}, 0, 1, labelFamily, (*Tally).f1},
	{Def{ID: "mcc@1", Name: "mcc", HigherBetter: true}, -1, 2, labelFamily, (*Tally).mcc},
	{Def{ID: "kappa@1", Name: "kappa", HigherBetter: true}, -1, 2, labelFamily, (*Tally).kappa},
	{Def{ID: "roc_auc@1", Name: "roc_auc", HigherBetter: true, NeedsProbs: true}, 0, 1, rankFamily, (*Tally).rocAUC},
	{Def{ID: "average_precision@1", Name: "average_precision", HigherBetter: true, NeedsProbs: true}, 0, 1, rankFamily, (*Tally).averagePrecision},
	{Def{ID: "log_loss@1", Name: "log_loss", NeedsProbs: true}, 0, 0, logLossFamily, (*Tally).logLoss},
	{Def{ID: "brier@1", Name: "brier", NeedsProbs: true}, 0, 2, brierFamily, (*Tally).brier},
	{Def{ID: "ece@1", Name: "ece", NeedsProbs: true}, 0, 1, binFamily, (*Tally).ece},
}

// All returns every metric, in a fixed order.
func All() []Def {
	out := make([]Def, len(registry))
	for i, m := range registry {
		out[i] = m.Def
	}
	return out
}

// Lookup finds a metric by name.
func Lookup(name string) (Def, bool) {
	m, err := find(name)
	return m.Def, err == nil
}

func find(name string) (metric, error) {
	for _, m := range registry {
		if m.Name == name {
			return m, nil
		}
	}
	return metric{}, fmt.Errorf("unknown metric %q", name)
}
