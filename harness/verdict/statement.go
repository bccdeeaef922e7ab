package verdict

// Base begins the names of our own predicate types. They are names; nothing is
// fetched from there.
const Base = "https://proctor.dev/attestation/"

// Predicate types.
const (
	EvidenceType = Base + "behaviour-verdict/v1"
	PlanType     = Base + "evaluation-plan/v1"
	ReviewType   = Base + "review/v1"
	ChangeType   = Base + "change/v1"
	ExposureType = Base + "exposure/v1"
	AbortType    = Base + "abort/v1"
	ApprovalType = "https://slsa.dev/verification_summary/v1"
)

// Results. Only Pass can be approved.
const (
	Pass         = "PASS"
	Fail         = "FAIL"
	Inconclusive = "INCONCLUSIVE"
)

// A Statement is one of *[Evidence], *[Plan], *[Review], *[Change], *[Exposure],
// *[Abort], *[Custody], *[Approval], *[Revocation], *[RevocationList] and *[Waiver]. Digests are "sha256:<64 lower-case hex>", times RFC
// 3339 in UTC, integers of 64 bits are strings in JSON because clients read
// numbers as float64.
type Statement interface {
	predicateType() string
	subject() Subject
	madeAt() string // when, as the signer says
	lint() []string // what is wrong, one sentence each
}

// A Subject is what a statement speaks of.
type Subject struct {
	Name   string
	Digest string
}

// A Ref names a document, or a model, by digest.
type Ref struct {
	Name    string `json:"name"`    // what people call it
	Version int    `json:"version"` // 0: has none
	Digest  string `json:"digest"`  // what it is
}

// Run says which run a statement belongs to, and who evaluates.
type Run struct {
	ID       string `json:"id"`       // names the run
	Verifier string `json:"verifier"` // URI of the service
	Harness  string `json:"harness"`  // digest of the program
	Lineage  string `json:"lineage"`  // named line of model versions
}

// Inputs are the digests of everything that a run depends on.
type Inputs struct {
	Candidate Ref   `json:"candidate"`          // the subject: package digest
	Baseline  *Ref  `json:"baseline,omitempty"` // absent: first model
	Anchor    *Ref  `json:"anchor,omitempty"`   // absent: none, or the baseline
	Policy    Ref   `json:"policy"`
	Holdouts  []Ref `json:"holdouts"`
	Suites    []Ref `json:"suites"`
	// Required lists the ids of all checks that the policy and the always-on
	// rules demand of this run, sorted, each once.
	Required []string `json:"required_checks"`
}

// A Plan is logged before the run, so that the bar is older than the result.
type Plan struct {
	Run        Run    `json:"run"`
	Inputs     Inputs `json:"inputs"`
	SeedSHA256 string `json:"seed_sha256"` // digest of the seed's raw bytes
	Attempt    int    `json:"attempt"`     // 1 = first run of the lineage on these sets
	Budget     int    `json:"budget_runs"` // runs that the lineage has on these sets
	By         string `json:"by"`          // account that submitted the candidate
	Person     string `json:"person"`      // whose it is, who may not decide on it
	At         string `json:"at"`          // when it was fixed
}

// Evidence is the outcome of a run, whatever it is.
type Evidence struct {
	Run    Run    `json:"run"`
	Inputs Inputs `json:"inputs"`                // the plan's
	Plan   int64  `json:"plan_log_index,string"` // entry of the plan in the log
	Seed   string `json:"seed"`                  // hex; its SHA-256 is in the plan

	Tier    string `json:"tier"`    // how the candidate was confined
	Binding string `json:"binding"` // package, config
	Code    bool   `json:"code"`    // whether the package brings code
	// Runtime is what ran the candidate besides its own files; absent: not named.
	Runtime *Runtime `json:"runtime,omitempty"`
	Attempt int      `json:"attempt"`     // the how-manieth run of the lineage on these sets
	Budget  int      `json:"budget_runs"` // runs that the lineage has on these sets

	Result     string    `json:"result"`
	Sentence   string    `json:"sentence"` // the result in words
	Report     string    `json:"report"`   // digest of the whole report
	Findings   []Finding `json:"findings"`
	NotCovered []string  `json:"not_covered"`       // what this exam cannot have seen, one sentence each
	Planted    string    `json:"planted,omitempty"` // how many harms of known size this exam caught
	At         string    `json:"at"`                // when it was judged
	// Attestations are what was known of the package's making when it was taken.
	Attestations []InputAttestation `json:"input_attestations,omitempty"`
	// TrainingChanges says how the training record differs from the deployed model's.
	TrainingChanges []string `json:"training_changes,omitempty"`
}

// An InputAttestation names a document of the package by the digest of its bytes.
type InputAttestation struct {
	Kind   string `json:"kind"`         // model-signature, slsa-provenance, training-record
	Digest string `json:"digest"`       // of its bytes
	By     string `json:"by,omitempty"` // name of the policy's key that signed it; absent: nobody did
}

// A Runtime names an interpreter with its installation, or a library.
type Runtime struct {
	Name   string `json:"name"`   // such as python3
	Digest string `json:"digest"` // of its files
}

// A Finding is the outcome of one check on one subject, with its numbers. It has
// the fields of report.Finding, from which it converts.
type Finding struct {
	Claim    string   `json:"check"` // id of the check
	List     string   `json:"list"`  // prove, watch or always
	Outcome  string   `json:"outcome"`
	Subject  string   `json:"subject"`               // slice, suite case or probe; "": all rows
	Metric   string   `json:"metric"`                // id with definition version
	Unit     string   `json:"unit"`                  // of the numbers, such as pp
	Value    *float64 `json:"value"`                 // null: undefined
	Low      *float64 `json:"low"`                   // lower limit of the interval
	High     *float64 `json:"high"`                  // upper limit of the interval
	N        int64    `json:"sample_size,string"`    // rows or cases that were counted
	P        *float64 `json:"p"`                     // p-value of the test against no harm
	Adjusted *float64 `json:"p_adjusted"`            // after Holm over all that is watched
	Bound    *float64 `json:"threshold"`             // what the policy demands
	Visible  *float64 `json:"smallest_visible_harm"` // with power .95
	Sentence string   `json:"sentence"`              // the outcome in words
}

// Outcomes of a finding, as in report.
const (
	holds         = "HOLDS"
	violated      = "VIOLATED"
	undecided     = "UNDECIDED"
	notApplicable = "NOT_APPLICABLE"
)

// A Review is a person's decision about the bytes of one evidence and report.
type Review struct {
	Run       Run    `json:"run"`
	Candidate Ref    `json:"candidate"` // the subject
	Evidence  string `json:"evidence"`  // digest of the evidence's payload
	Report    string `json:"report"`    // digest of the report that was shown
	Decision  string `json:"decision"`  // approve, refuse
	By        string `json:"by"`
	Person    string `json:"person"`
	Reason    string `json:"reason"`
	At        string `json:"at"`
}

// A Change is a step of changing what PASS means.
type Change struct {
	ID       string `json:"id"` // of the proposal
	Verifier string `json:"verifier"`
	Action   string `json:"action"`   // proposed, activated, refused
	Kind     string `json:"kind"`     // holdout, suite, policy, baseline
	Document Ref    `json:"document"` // the subject
	By       string `json:"by"`
	Person   string `json:"person"`
	Note     string `json:"note"` // what it would change, in words
	At       string `json:"at"`
}

// An Exposure is a charge: rows of a holdout are about to be given to a run.
type Exposure struct {
	Run     Run    `json:"run"`
	Holdout Ref    `json:"holdout"`     // the subject
	Used    int    `json:"used_runs"`   // this one included
	Budget  int    `json:"budget_runs"` // runs that the set bears
	At      string `json:"at"`          // when it was charged
}

// An Abort ends a plan without a verdict.
type Abort struct {
	Run       Run    `json:"run"`
	Candidate Ref    `json:"candidate"`             // the subject
	Plan      int64  `json:"plan_log_index,string"` // entry of the plan in the log
	Charged   bool   `json:"charged"`               // whether rows had been given
	Reason    string `json:"reason"`                // one coarse reason
	At        string `json:"at"`                    // when it ended
}

func (*Plan) predicateType() string     { return PlanType }
func (*Evidence) predicateType() string { return EvidenceType }
func (*Review) predicateType() string   { return ReviewType }
func (*Change) predicateType() string   { return ChangeType }
func (*Exposure) predicateType() string { return ExposureType }
func (*Abort) predicateType() string    { return AbortType }
func (*Approval) predicateType() string { return ApprovalType }

func (r Ref) subject() Subject       { return Subject{r.Name, r.Digest} }
func (s *Plan) subject() Subject     { return s.Inputs.Candidate.subject() }
func (s *Evidence) subject() Subject { return s.Inputs.Candidate.subject() }
func (s *Review) subject() Subject   { return s.Candidate.subject() }
func (s *Change) subject() Subject   { return s.Document.subject() }
func (s *Exposure) subject() Subject { return s.Holdout.subject() }
func (s *Abort) subject() Subject    { return s.Candidate.subject() }
func (s *Approval) subject() Subject { return s.of }

func (s *Plan) madeAt() string     { return s.At }
func (s *Evidence) madeAt() string { return s.At }
func (s *Review) madeAt() string   { return s.At }
func (s *Change) madeAt() string   { return s.At }
func (s *Exposure) madeAt() string { return s.At }
func (s *Abort) madeAt() string    { return s.At }
func (s *Approval) madeAt() string { return s.TimeVerified }

// newStatement returns an empty statement of a predicate type, or nil.
func newStatement(predicateType string) Statement {
	switch predicateType {
	case EvidenceType:
		return &Evidence{}
	case PlanType:
		return &Plan{}
	case ReviewType:
		return &Review{}
	case ChangeType:
		return &Change{}
	case ExposureType:
		return &Exposure{}
	case CustodyType:
		return &Custody{}
	case AbortType:
		return &Abort{}
	case ApprovalType:
		return &Approval{}
	case RevocationType:
		return &Revocation{}
	case RevocationListType:
		return &RevocationList{}
	case WaiverType:
		return &Waiver{}
	}
	return nil
}
