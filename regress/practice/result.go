package practice

import "proctor/harness/report"

// Changes of a test. Counts alone never show that a test holds case by case: there, what
// is neither worse nor better is Undecided.
const (
	Worse     = "worse"
	Better    = "better"
	Holds     = "=" // no case broke, or the loss is shown to be below DetectPP
	Undecided = "~" // neither significant nor excluded
)

// A Result says how a candidate did.
type Result struct {
	Result       string    `json:"result"` // as in package report
	Sentence     string    `json:"sentence"`
	Suites       []Suite   `json:"suites"`
	Paired       bool      `json:"paired"` // case by case; false: from counts, or no baseline
	Baseline     bool      `json:"baseline"`
	Options      Options   `json:"options"`
	Pooled       Pooled    `json:"pooled"`
	Findings     []Finding `json:"findings"`
	Matrix       []Cell    `json:"matrix"`       // capability by kind
	ByCapability []Cell    `json:"capabilities"` // all kinds together
	Tests        []Test    `json:"tests"`
	Repeats      *Repeats  `json:"repeats,omitempty"`
}

// A Suite names what was asked.
type Suite struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
	Cases  int    `json:"cases"`
	Asked  int    `json:"asked"` // examples
}

// Options of the judgement.
type Options struct {
	Confidence float64 `json:"confidence"` // of all tests together
	HarmPP     float64 `json:"harm_pp"`    // a test is worse only where it loses more points than this
	DetectPP   float64 `json:"detect_pp"`  // a test holds where it is shown to lose less, or where no case broke

	Opinions *Opinions `json:"judge,omitempty"` // of a judge model that was consulted on the answers
}

// Pooled counts failures over all tests: the average that hides what a test shows.
type Pooled struct {
	BaselineFailed  int64 `json:"baseline_failed"`
	BaselineCases   int64 `json:"baseline_cases"`
	CandidateFailed int64 `json:"candidate_failed"`
	CandidateCases  int64 `json:"candidate_cases"`
}

// A Finding is a rule that did not simply hold, or a fact to be known.
type Finding struct {
	Rule     string   `json:"rule"`    // critical, worse, degenerate, unanswered, undecided, no-baseline, not-asked, judge
	Outcome  string   `json:"outcome"` // report.Violated, report.Undecided or report.Holds
	Suite    string   `json:"suite,omitempty"`
	Test     string   `json:"test,omitempty"`
	Sentence string   `json:"sentence"`
	Cases    []string `json:"cases,omitempty"` // at most MaxNamed
}

// MaxNamed is the most cases that a finding or a test names.
const MaxNamed = 20

// A Test is one test under both models. All counts but Cases are over the cases that
// are applicable; where models are paired, to both.
type Test struct {
	Suite           string          `json:"suite"`
	Name            string          `json:"name"`
	Capability      string          `json:"capability"`
	Kind            string          `json:"kind"`
	Critical        bool            `json:"critical"`
	Cases           int64           `json:"cases"`          // declared
	NotApplicable   int64           `json:"not_applicable"` // "does not apply": in no share
	BaselineFailed  int64           `json:"baseline_failed"`
	BaselineCases   int64           `json:"baseline_cases"`
	CandidateFailed int64           `json:"candidate_failed"`
	CandidateCases  int64           `json:"candidate_cases"`
	Broke           int64           `json:"broke"` // paired only
	Fixed           int64           `json:"fixed"`
	Change          report.Estimate `json:"change"` // of the failure share, candidate minus baseline
	P               *float64        `json:"p"`      // two-sided: twice the smaller tail
	Adjusted        *float64        `json:"p_adjusted"`
	Verdict         string          `json:"verdict"` // Worse, Better, Holds, Undecided; "" without a baseline
	BrokeCases      []string        `json:"broke_cases,omitempty"`
	FailedCases     []string        `json:"failed_cases,omitempty"` // of the candidate

	upper float64 // one-sided upper limit of the harm, at half the level; 1 where unknown
}

// A Cell sums up the tests of one capability and kind by the worst of them: the one that
// is worse by most, else the one that fails most.
type Cell struct {
	Capability string `json:"capability"`
	Kind       string `json:"kind"`
	Tests      int    `json:"tests"`
	Worse      int    `json:"worse"`
	Better     int    `json:"better"`
	Test       int    `json:"test"` // index of the worst
	Pooled     Pooled `json:"pooled"`
}

// Repeats tells how stable the models are that were asked several times. A case passes
// where it passed every time (pass^k).
type Repeats struct {
	K                 int      `json:"k"`
	BaselineUnstable  int64    `json:"baseline_unstable"` // cases that passed at times and failed at times
	CandidateUnstable int64    `json:"candidate_unstable"`
	CandidatePass     float64  `json:"candidate_pass"`   // share of passes over all repeats
	CandidatePassK    float64  `json:"candidate_pass_k"` // share of cases that passed every time
	Unstable          []string `json:"unstable_cases,omitempty"`
}
