package verdict

import "time"

// WaiverType is the type of what lets one model through one gate once although no
// approval exists. It is no approval, and a gate that does not opt in refuses it.
const WaiverType = Base + "waiver/v1"

// MaxWaiver is the longest life of a waiver.
const MaxWaiver = 24 * time.Hour

// A Waiver is two people's decision to admit a model that has no approval. It says
// nothing of how the model behaves. It is bound to one admission: a gate, an
// environment, a number that the gate expects, and these bytes.
type Waiver struct {
	ID             string `json:"id"` // of the proposal
	Verifier       string `json:"verifier"`
	Candidate      Ref    `json:"candidate"`   // the subject
	Gate           string `json:"gate"`        // resource URI of the gate
	Environment    string `json:"environment"` // such as prod
	Admission      string `json:"admission"`   // the one release, such as a change's number
	Evidence       string `json:"evidence"`    // digest of the evidence that did not open the gate
	Result         string `json:"result"`      // of that evidence
	Reason         string `json:"reason"`
	ProposedBy     string `json:"proposed_by"`
	ProposedPerson string `json:"proposed_person"`
	By             string `json:"by"`
	Person         string `json:"person"`
	At             string `json:"at"`
	Until          string `json:"until"` // from then on it holds no more
}

func (*Waiver) predicateType() string { return WaiverType }
func (s *Waiver) subject() Subject    { return s.Candidate.subject() }
func (s *Waiver) madeAt() string      { return s.At }

func (s *Waiver) lint() []string {
	var p problems
	p.text("id", s.ID)
	p.text("verifier", s.Verifier)
	p.ref("candidate", s.Candidate)
	p.text("gate", s.Gate)
	p.text("environment", s.Environment)
	p.text("admission", s.Admission)
	p.digest("evidence", s.Evidence)
	p.oneOf("result", s.Result, Pass, Fail, Inconclusive)
	p.text("reason", s.Reason)
	p.two(s.ProposedBy, s.ProposedPerson, s.By, s.Person)
	p.span("at", s.At, "until", s.Until, MaxWaiver)
	return p
}

// Holds says whether the waiver covers a time.
func (s *Waiver) Holds(now time.Time) bool {
	from, err := time.Parse(time.RFC3339Nano, s.At)
	until, err2 := time.Parse(time.RFC3339Nano, s.Until)
	return err == nil && err2 == nil && !now.Before(from) && now.Before(until)
}
