package report

// Curves are counts over all scored rows that the page draws: where answers went,
// how scores lie and how well they are kept. They name no row.
type Curves struct {
	Confusion Confusion `json:"confusion"`
	Scores    *Scores   `json:"scores,omitempty"` // absent: the candidate gave no probabilities
}

// MaxConfusion is the most classes that a table of answers names.
const MaxConfusion = 20

// A Confusion counts rows by right answer (first index) and given answer, of both
// models. The last column counts answers that are none of the classes.
type Confusion struct {
	Classes []string `json:"classes"`
	// Others is how many classes stand together under the last name, "" where
	// Others is 0: those whose rows changed least.
	Others    int       `json:"others"`
	Baseline  [][]int64 `json:"baseline"` // null: nothing was compared
	Candidate [][]int64 `json:"candidate"`
}

// Bins of scores: ten of [0, 1) for what came true, twenty for how they lie. Exactly
// 1 belongs to the last one.
const (
	ReliabilityBins = 10
	ScoreBins       = 20
)

// Scores are the probabilities that were given, of the positive class or else of
// each row's most probable one.
type Scores struct {
	Of        string           `json:"of"`       // the positive class; "": the most probable one
	Baseline  []ReliabilityBin `json:"baseline"` // null: the baseline gave none
	Candidate []ReliabilityBin `json:"candidate"`
	Before    []int64          `json:"before"` // rows by score under the baseline, ScoreBins; or null
	After     []int64          `json:"after"`  // under the candidate
}

// A ReliabilityBin is the rows whose score falls into one bin; bins without rows are
// left out.
type ReliabilityBin struct {
	N     int64   `json:"n"`
	Score float64 `json:"score"` // mean, in [0, 1]
	Right float64 `json:"right"` // share that came true
}

// A SliceCost is what the change of answers costs the rows of one value of a
// dimension, summed, by the policy's costs: harm is positive.
type SliceCost struct {
	Dimension string  `json:"dimension"`
	Value     string  `json:"value"`
	Change    float64 `json:"change"`
}
