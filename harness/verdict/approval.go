package verdict

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Levels of an approval. The prefix SLSA_ belongs to SLSA.
const (
	LevelPass    = "PROCTOR_BEHAVIOUR_PASS"
	LevelConfig  = "PROCTOR_BINDING_CONFIG" // of a model that runs elsewhere: its weights are not bound
	levelValidOn = "PROCTOR_VALID_ON_"
)

// MaxValidDays is the longest validity of an approval.
const MaxValidDays = 92

// MaxConfigDays is the longest validity of an approval that binds no weights.
const MaxConfigDays = 7

// LevelValidOn returns the level that an approval has on each day of its
// validity. No client checks times, but all can demand a level.
func LevelValidOn(t time.Time) string { return levelValidOn + t.UTC().Format(time.DateOnly) }

// An Approval is a SLSA verification summary. It says PASSED and nothing else.
// [NewApproval] makes one to be issued, [Verify] and [Open] one that was.
type Approval struct {
	Verifier           ApprovalVerifier `json:"verifier"`
	TimeVerified       string           `json:"timeVerified"` // when it was signed
	ResourceURI        string           `json:"resourceUri"`  // the lineage's gate: a gate accepts its own only
	Policy             ResourceRef      `json:"policy"`
	InputAttestations  []InputRef       `json:"inputAttestations"` // the evidence's payload
	VerificationResult string           `json:"verificationResult"`
	VerifiedLevels     []string         `json:"verifiedLevels"` // PROCTOR_BEHAVIOUR_PASS, and PROCTOR_VALID_ON_YYYY-MM-DD for each day of validity
	SlsaVersion        string           `json:"slsaVersion"`    // of the specification whose form this is

	of       Subject
	evidence *Envelope // nil: read, not made by NewApproval
}

// An ApprovalVerifier names who verified.
type ApprovalVerifier struct {
	ID string `json:"id"` // URI of the service
}

// A SHA256 is a digest set of exactly one algorithm, in lower-case hex.
type SHA256 struct {
	SHA256 string `json:"sha256"` // 64 lower-case hex digits
}

// A ResourceRef names a resource.
type ResourceRef struct {
	URI    string `json:"uri"` // where the policy is named
	Digest SHA256 `json:"digest"`
}

// An InputRef names an attestation.
type InputRef struct {
	Digest SHA256 `json:"digest"`
}

// NewApproval returns the approval of a passed evaluation for the gate that
// resourceURI names, valid on that many days from the day of at (UTC) on. It
// refuses evidence that is anything but a PASS of bound bytes.
func NewApproval(evidence *Envelope, resourceURI, policyURI string, at time.Time, days int) (*Approval, error) {
	if evidence == nil || evidence.statement == nil {
		return nil, errors.New("approval: there is no evidence")
	}
	e, err := evidence.evidence()
	if err != nil {
		return nil, fmt.Errorf("approval: %w", err)
	}
	if e.Result != Pass {
		return nil, fmt.Errorf("approval: the evidence says %s; only %s is approved", e.Result, Pass)
	}
	if days < 1 || days > MaxValidDays {
		return nil, fmt.Errorf("approval: valid for %d days; it must be 1 to %d", days, MaxValidDays)
	}
	at = at.UTC()
	levels := []string{LevelPass}
	if e.Binding == "config" { // whose weights answer can change on any day
		levels, days = append(levels, LevelConfig), min(days, MaxConfigDays)
	}
	for i := range days {
		levels = append(levels, LevelValidOn(at.AddDate(0, 0, i)))
	}
	return &Approval{
		Verifier: ApprovalVerifier{e.Run.Verifier}, TimeVerified: at.Format(time.RFC3339), ResourceURI: resourceURI,
		Policy:             ResourceRef{policyURI, SHA256{hexOf(e.Inputs.Policy.Digest)}},
		InputAttestations:  []InputRef{{SHA256{hexOf(evidence.Digest())}}},
		VerificationResult: "PASSED", VerifiedLevels: levels, SlsaVersion: "1.0",
		of: e.subject(), evidence: evidence,
	}, nil
}

// evidence reads the evidence again from the signed bytes, which nobody changed.
func (e *Envelope) evidence() (*Evidence, error) {
	s, err := decodeStatement(e.payload)
	if err != nil {
		return nil, err
	}
	ev, ok := s.(*Evidence)
	if !ok {
		return nil, fmt.Errorf("%s is no evidence", s.predicateType())
	}
	return ev, nil
}

// ValidOn reports whether the approval is valid on the day of t, in UTC.
func (s *Approval) ValidOn(t time.Time) bool {
	want := LevelValidOn(t)
	for _, l := range s.VerifiedLevels {
		if l == want {
			return true
		}
	}
	return false
}

// BindsConfig reports whether the approval is of a model that runs elsewhere: it binds
// what the model is asked with, and not its weights.
func (s *Approval) BindsConfig() bool { return slices.Contains(s.VerifiedLevels, LevelConfig) }

// Days returns the first and last day of validity, as YYYY-MM-DD.
func (s *Approval) Days() (first, last string) {
	for _, l := range s.VerifiedLevels {
		if d, ok := strings.CutPrefix(l, levelValidOn); ok {
			if first == "" || d < first {
				first = d
			}
			last = max(last, d)
		}
	}
	return first, last
}

// PolicyDigest returns "sha256:<hex>" of the policy.
func (s *Approval) PolicyDigest() string { return "sha256:" + s.Policy.Digest.SHA256 }

// EvidenceDigest returns "sha256:<hex>" of the evidence's payload.
func (s *Approval) EvidenceDigest() string {
	if len(s.InputAttestations) == 0 {
		return ""
	}
	return "sha256:" + s.InputAttestations[0].Digest.SHA256
}

func hexOf(digest string) string { return strings.TrimPrefix(digest, "sha256:") }
