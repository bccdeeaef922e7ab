// Package report holds the plain types of a diff report: what is stored by
// digest, signed by that digest, shown on the review page and exported.
//
// A report names rows by index in a sealed set, never by content. It is built
// once, encoded once by [Encode], and every later reader checks the digest of
// those bytes. Numbers that are not defined are absent and carry a reason:
// nothing here can hold NaN.
package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// Results of a run. Only Pass opens a gate.
const (
	Pass         = "PASS"
	Fail         = "FAIL"
	Inconclusive = "INCONCLUSIVE"
)

// Outcomes of a finding.
const (
	Holds         = "HOLDS"
	Violated      = "VIOLATED"
	Undecided     = "UNDECIDED"
	NotApplicable = "NOT_APPLICABLE" // only [Report.Binding] "none" may leave claims so
)

// Lists that a finding comes from.
const (
	Prove  = "prove"
	Watch  = "watch"
	Always = "always" // no policy turns these off
)

// A Report is everything that a reviewer sees of one run.
type Report struct {
	Format    string    `json:"format"` // "proctor/report/1"
	Lineage   string    `json:"lineage"`
	Candidate Model     `json:"candidate"`
	Baseline  *Model    `json:"baseline,omitempty"` // absent: first model, nothing was compared
	Anchor    *Model    `json:"anchor,omitempty"`
	Policy    Ref       `json:"policy"`
	Holdouts  []Ref     `json:"holdouts"`
	Suites    []Ref     `json:"suites"`
	Tier      string    `json:"tier"`    // how the candidate was confined
	Binding   string    `json:"binding"` // package, config or none
	Attempt   int       `json:"attempt"` // 1 = first run of the lineage on this holdout
	Decision  Decision  `json:"decision"`
	Package   *Package  `json:"package,omitempty"` // absent: there was no package
	Planted   *Planted  `json:"planted,omitempty"` // absent: no harm was planted
	Search    *Search   `json:"search,omitempty"`  // absent: nothing was compared
	Flips     Flips     `json:"flips"`
	Cost      *Cost     `json:"cost,omitempty"`   // absent: the policy names no costs
	Burden    []Burden  `json:"burden,omitempty"` // who bears the rows that broke, by dimension
	Metrics   []Metric  `json:"metrics"`
	Slices    []Slice   `json:"slices"`
	Tests     []Test    `json:"tests"`
	Probes    []Probe   `json:"probes"`
	BrokeRows []RowFlip `json:"broke_rows"` // rows that broke, by sealed index; at most MaxRows
	Shown     int64     `json:"broke_rows_total"`

	Curves     *Curves     `json:"curves,omitempty"`      // absent: reports before there were any
	SliceCosts []SliceCost `json:"slice_costs,omitempty"` // absent: the policy names no costs
	Cases      *CaseFile   `json:"cases,omitempty"`       // absent: no case was run

	Calibration *Calibration `json:"calibration,omitempty"` // absent: not both models gave probabilities, or an older report
}

// MaxRows is the most row indices that a report lists.
const MaxRows = 500

// A Model names a candidate package by the digest that binds every file of it.
type Model struct {
	Name   string `json:"name"`
	Digest string `json:"digest"` // "sha256:<hex>"
	Kind   string `json:"kind"`
	// Runtime is what ran it besides its own files; absent: not named.
	Runtime *Runtime `json:"runtime,omitempty"`
}

// A Runtime names an interpreter with its installation, or a library.
type Runtime struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
}

// A Package is what was seen of the candidate besides its answers.
type Package struct {
	// Credentials are likely ones that were left in files, or were written on standard
	// error, by place and kind. The value is nowhere.
	Credentials []Credential `json:"credentials"`
	// Attestations are statements about the package's files that a key of the policy signed.
	Attestations []Attestation `json:"attestations"`
	Training     *Training     `json:"training,omitempty"` // absent: neither model has a record
}

// An Attestation vouches for a package.
type Attestation struct {
	Kind   string `json:"kind"`   // model-signature, slsa-provenance
	Digest string `json:"digest"` // of the file that holds it
	By     string `json:"by"`     // name of the key in the policy
	Of     string `json:"of"`     // slsa-provenance: the builder
}

// A Training compares what the models say of what they were made from. It is the owner's
// word.
type Training struct {
	Digest   string   `json:"digest"`   // of the candidate's record; "": it has none
	Baseline string   `json:"baseline"` // of the deployed model's, likewise
	Changes  []string `json:"changes"`  // sentences; null: nothing
}

// A Credential is a place where one was found.
type Credential struct {
	File    string `json:"file"` // of the package, or "standard error"
	Line    int    `json:"line"`
	Kind    string `json:"kind"`
	Private bool   `json:"private_key"`
}

// A Ref names a document by digest.
type Ref struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
	Digest  string `json:"digest"`
}

// A Decision is the result with the findings that it follows from.
type Decision struct {
	Result   string    `json:"result"`
	Sentence string    `json:"sentence"` // one line, verdict first, for people
	Decided  int       `json:"decided"`  // index of the finding that decided, -1 for PASS
	Findings []Finding `json:"findings"`
	// NotCovered lists in plain words what this verdict does not speak about.
	NotCovered []string `json:"not_covered"`
}

// Planted tells what became of harms of known size that were planted, by a seed, into
// copies of the candidate's results, each judged under the same policy: it shows
// that this exam could have failed. It is no part of the decision.
//
// A harm is caught where a finding that held would hold no more, so that the gate
// stays shut. The policy promises to catch a harm where one of its claims judges that
// very subject and names a size from which a loss cannot hold.
type Planted struct {
	Planted  int64         `json:"planted"`
	Caught   int64         `json:"caught"`
	Violated int64         `json:"violated"` // of Caught: a claim would be violated, not only undecided
	Promised Share         `json:"promised"` // at least as large as the policy promises to catch
	Smaller  Share         `json:"smaller"`  // of a subject that a claim judges, but smaller
	NoClaim  Share         `json:"no_claim"` // no claim judges their subject on its own
	Kinds    []PlantedKind `json:"kinds"`
	Missed   []PlantedHarm `json:"missed"` // the largest first, at most MaxMissed
	Sentence string        `json:"sentence"`
}

// MaxMissed is the most missed harms that a report lists.
const MaxMissed = 20

// A Share counts planted harms.
type Share struct {
	Planted int64 `json:"planted"`
	Caught  int64 `json:"caught"`
}

// A PlantedKind sums up one kind of harm. Sizes are losses against the baseline in
// Unit: points of the rows or cases of the subject, or of the Brier score.
type PlantedKind struct {
	Kind     string       `json:"kind"` // overall, slice, class, calibration, suite
	Unit     string       `json:"unit"` // "pp", "" for plain numbers
	Planted  int64        `json:"planted"`
	Caught   int64        `json:"caught"`
	From     *float64     `json:"from"`     // all of this size and more were caught; nil: not even the largest
	Smallest *PlantedHarm `json:"smallest"` // that was caught
}

// A PlantedHarm is one harm.
type PlantedHarm struct {
	Kind    string  `json:"kind"`
	Subject string  `json:"subject"` // as in a Finding; "sharper" and "flatter" for calibration
	Size    float64 `json:"size"`
	Unit    string  `json:"unit"`
	Claim   bool    `json:"claim"` // a claim judges the subject on its own
}

// A Search tells where the candidate broke rows, in slices that nobody declared:
// many were looked at, and p-values and intervals are corrected for all of them. It
// is no claim and no part of the decision.
type Search struct {
	Sentence   string       `json:"sentence"`
	Method     string       `json:"method"`     // "": there was no search, Sentence says why
	Features   []string     `json:"features"`   // that were searched
	Levels     int          `json:"levels"`     // most conditions of a slice
	MinRows    int64        `json:"min_rows"`   // fewest rows of a slice
	Rows       int64        `json:"rows"`       // that the tests are over
	Tested     int64        `json:"tested"`     // slices that p is corrected over
	Shown      int64        `json:"shown"`      // of them, worse at Confidence after Holm
	Confidence float64      `json:"confidence"` // of all slices together
	Cut        string       `json:"cut,omitempty"`
	Slices     []FoundSlice `json:"slices"` // the smallest p first, at most MaxFound
}

// MaxFound is the most found slices that a report lists.
const MaxFound = 12

// A FoundSlice is a slice that a search came upon.
type FoundSlice struct {
	Sentence   string      `json:"sentence"`
	Conditions []Condition `json:"conditions"`
	N          int64       `json:"n"`
	Broke      int64       `json:"broke"`
	Fixed      int64       `json:"fixed"`
	Change     Estimate    `json:"change"` // of accuracy; the upper ends of all slices' intervals hold together
	P          *float64    `json:"p"`      // one-sided exact McNemar against "no worse"
	Adjusted   *float64    `json:"p_adjusted"`
	Shown      bool        `json:"shown"`      // worse after Holm
	Within     int         `json:"within"`     // index of an earlier slice without whose rows this one is not worse; -1: none
	Divergence float64     `json:"divergence"` // share of rows that broke, less that of all rows
	T          float64     `json:"t"`          // of the divergence, as DivExplorer has it
	Score      float64     `json:"score"`      // as SliceLine has it, alpha .95
}

// A Condition is a feature having a value. Adds is its part of the slice's
// divergence, Shapley's: the mean of what it adds over all orders of conditions.
type Condition struct {
	Feature string   `json:"feature"`
	Value   string   `json:"value"`
	Adds    *float64 `json:"adds"`
}

// A Finding is the outcome of one claim on one subject, with its evidence.
// Effects are candidate minus baseline in Unit; harm is counted positive.
type Finding struct {
	Claim    string   `json:"claim"` // id in the policy, or the name of an always-on check
	List     string   `json:"list"`
	Outcome  string   `json:"outcome"`
	Subject  string   `json:"subject"` // "", "sex=Female", "income-triggers/rare-gain"
	Metric   string   `json:"metric"`  // id with definition version: "accuracy@1"
	Unit     string   `json:"unit"`    // "pp", "" for plain numbers
	Value    *float64 `json:"value"`   // nil: undefined, see Sentence
	Low      *float64 `json:"low"`
	High     *float64 `json:"high"`
	N        int64    `json:"n"`
	P        *float64 `json:"p"`
	Adjusted *float64 `json:"p_adjusted"`
	Bound    *float64 `json:"bound"`    // the policy's number that Value is held against
	Visible  *float64 `json:"visible"`  // smallest harm that this check sees with power .95
	Sentence string   `json:"sentence"` // plain words, with the numbers
}

// An Estimate is a number with its evidence, or undefined with a reason.
type Estimate struct {
	Value      *float64 `json:"value"`
	Undefined  string   `json:"undefined,omitempty"`
	Low        *float64 `json:"low"`
	High       *float64 `json:"high"`
	Confidence float64  `json:"confidence,omitempty"`
	N          int64    `json:"n"`
	Method     string   `json:"method,omitempty"`
	Warnings   []string `json:"warnings,omitempty"`
}

// A Metric compares one metric of both models on all scored rows. Values are in
// the metric's own scale (accuracy in [0, 1]); Change = candidate - baseline.
type Metric struct {
	ID           string   `json:"id"` // with definition version
	Name         string   `json:"name"`
	HigherBetter bool     `json:"higher_is_better"`
	Baseline     Estimate `json:"baseline"`
	Candidate    Estimate `json:"candidate"`
	Change       Estimate `json:"change"`
}

// A Calibration tells how far the candidate's probabilities are from what came true,
// compared with the baseline's on the same rows: candidate - baseline, with paired
// intervals. It is no claim and no part of the decision.
type Calibration struct {
	Sentence  string   `json:"sentence"`
	Smooth    Estimate `json:"smooth"`    // smece_change@1, in [-1, 1]: harm is positive
	Slope     Estimate `json:"slope"`     // cox_slope_change@1
	Intercept Estimate `json:"intercept"` // cox_intercept_change@1
	InLarge   Estimate `json:"in_large"`  // calibration_in_the_large_change@1
}

// Flips counts rows by who was right. Broke rows were right under the baseline only.
type Flips struct {
	N              int64    `json:"n"`
	BothRight      int64    `json:"both_right"`
	Broke          int64    `json:"broke"`
	Fixed          int64    `json:"fixed"`
	BothWrong      int64    `json:"both_wrong"`
	WrongOtherwise int64    `json:"wrong_otherwise"` // of BothWrong: with another wrong class
	P              *float64 `json:"p"`               // exact two-sided McNemar
	Log10P         *float64 `json:"log10_p"`         // of P, where that is too small for a number
	Change         Estimate `json:"change"`          // of accuracy, Tango interval
	NFR            Estimate `json:"nfr"`
	PFR            Estimate `json:"pfr"`
	BTC            Estimate `json:"btc"`
	BEC            Estimate `json:"bec"`
	Churn          Estimate `json:"churn"` // share of rows whose predicted class differs
}

// A Cost is what flips cost a row by the policy's costs, on average over all rows.
type Cost struct {
	Broke  Estimate `json:"broke"`  // the answers of the rows that broke
	Fixed  Estimate `json:"fixed"`  // the baseline's answers of the rows that were fixed
	Change Estimate `json:"change"` // of all rows, other wrong answers included: harm is positive
}

// A Burden says how unevenly the rows that broke, or their cost, fall on the values
// of a dimension.
type Burden struct {
	Dimension string   `json:"dimension"`
	Index     Estimate `json:"index"` // part of the cost that other values would have to bear to be even, in [0, 1)
	Worst     string   `json:"worst"` // the value whose rows bear most
	Lift      Estimate `json:"lift"`  // how many times the average row they bear
}

// A Slice is one value of one slice dimension, or "rest".
type Slice struct {
	Dimension string `json:"dimension"` // "sex", "sex*education", "class" (true class: recall)
	Value     string `json:"value"`
	Flips     Flips  `json:"flips"`
	Covered   bool   `json:"covered"` // large enough to be judged on its own
}

// A Test is one test of a behavioural suite, judged case by case on both models.
//
// All counts but Cases are over the cases applicable to both models, so that
// Cases - NotApplicable is the n of every share, and CandidateFailed -
// BaselineFailed = Broke - Fixed. Without a baseline they are over the cases
// applicable to the candidate, P is nil and Change undefined.
type Test struct {
	Suite           string   `json:"suite"`
	Name            string   `json:"name"`
	Capability      string   `json:"capability"`
	Kind            string   `json:"kind"` // MFT, INV, DIR, trigger
	Critical        bool     `json:"critical"`
	Cases           int64    `json:"cases"`          // declared
	NotApplicable   int64    `json:"not_applicable"` // to one model or to both
	BaselineFailed  int64    `json:"baseline_failed"`
	CandidateFailed int64    `json:"candidate_failed"`
	Broke           int64    `json:"broke"` // passed under the baseline only
	Fixed           int64    `json:"fixed"` // passed under the candidate only
	P               *float64 `json:"p"`     // one-sided exact McNemar against "fails no more often"
	// Change of the failure share, candidate minus baseline, in [-1, 1]: harm is
	// positive. Tango interval.
	Change Estimate `json:"change"`
}

// A Probe is one always-on check of how a model answers.
type Probe struct {
	Name   string `json:"name"` // repeat, invariance, memorisation, degenerate, coverage
	N      int64  `json:"n"`
	Hits   int64  `json:"hits"`
	Detail string `json:"detail"`
}

// A RowFlip names a row of a sealed set that broke.
type RowFlip struct {
	Row       int64  `json:"row"`
	Answer    string `json:"answer"`
	Baseline  string `json:"baseline"`
	Candidate string `json:"candidate"`
}

// Encode returns the one byte form of a report and its digest "sha256:<hex>".
func Encode(r *Report) ([]byte, string, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, "", fmt.Errorf("encode report: %w", err)
	}
	return b, Digest(b), nil
}

// Decode reads a report only if the bytes have the given digest.
func Decode(b []byte, digest string) (*Report, error) {
	if got := Digest(b); got != digest {
		return nil, fmt.Errorf("report is %s, the verdict names %s", got, digest)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var r Report
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("decode report: %w", err)
	}
	if d.More() {
		return nil, errors.New("decode report: bytes after the end")
	}
	return &r, nil
}

// Digest returns "sha256:<hex>" of b.
func Digest(b []byte) string {
	h := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(h[:])
}
