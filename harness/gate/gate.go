// Package gate decides whether a model may be released: a bundle and the gate's
// own [Requirements] go in, nil or the reason comes out.
//
// It needs no network, no service and no clock but the one it is given. It trusts
// the pinned keys and the requirements, and nothing in a bundle or in the model's
// folder. Only an approval for exactly these bytes, this gate, this policy and
// this day opens it; whatever is missing, unknown or broken does not. The steps
// of [Check] are numbered, and each names the attack that it stops.
package gate

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"proctor/harness/verdict"
)

// Input is what a gate looks at.
type Input struct {
	Approval     []byte // bundle of the approval
	Evidence     []byte // bundle of the evidence; nil: not given
	Trust        verdict.Trust
	Requirements Requirements
	Model        string // folder with the model's package, as it is to be released
	Now          time.Time
	Memory       Memory // what this gate saw before; the zero value: nothing

	// without leaves steps out; only tests of this package set it, to show that
	// the attack that a step names then succeeds.
	without map[int]bool
}

// Why a gate stays shut.
const (
	Invalid      = "invalid"         // a signature, a log proof or the form of a bundle
	Denied       = "denied"          // valid, and not for this model, gate or policy; or a FAIL
	Stale        = "stale"           // valid, and not on this day
	Inconclusive = "inconclusive"    // evidence that could not tell
	Awaiting     = "awaiting-review" // evidence that passed and is not approved
	Unreadable   = "cannot-check"    // something to read is missing or broken
)

// A Refusal is why a gate stays shut.
type Refusal struct {
	Step   int    // of Check
	Code   string // Invalid, Denied, ...
	Reason string // one sentence
}

func (r *Refusal) Error() string { return r.Reason }

func refuse(code, format string, a ...any) error {
	return &Refusal{Code: code, Reason: fmt.Sprintf(format, a...)}
}

// Accepted says what was let through. Only [Check] makes one that is not empty.
type Accepted struct {
	Subject  string // package digest
	Name     string // of the model
	FirstDay string // of the approval's validity, YYYY-MM-DD
	LastDay  string
	Evidence string // digest of the evidence that was approved
	LogIndex int64
	LogSize  int64  // of the signed checkpoint
	Memory   Memory // what this gate has seen now; keep it for the next time
}

// look is what the steps find out on their way.
type look struct {
	Input
	bundle   *verdict.Verified
	approval *verdict.Approval
	evidence *verdict.Evidence
}

// steps in their order. Later ones use what earlier ones made sure of.
var steps = []struct {
	stops string
	check func(*look) error
}{
	{"forged, altered, unlogged bundles; evidence dressed as an approval", (*look).authentic},
	{"the approval of another service that has the same keys", (*look).verifier},
	{"an approval for another lineage, gate or environment", (*look).resource},
	{"an approval under an older or laxer policy", (*look).policy},
	{"an old approval, or one that is not valid yet", (*look).today},
	{"evidence of another run beside the approval", (*look).matching},
	{"weights that may be swapped, or were run less confined than demanded", (*look).confined},
	{"other bytes than those that were judged", (*look).bytes},
	{"a history of the log that was made for this gate alone", (*look).witnessed},
	{"a log that was rolled back or forked since this gate looked last", (*look).remembered},
}

// Steps returns which attack each step of [Check] stops; step 1 is the first.
func Steps() []string {
	var out []string
	for _, s := range steps {
		out = append(out, s.stops)
	}
	return out
}

// Check returns what is accepted, or a *[Refusal].
func Check(in Input) (Accepted, error) {
	l := &look{Input: in}
	for i, s := range steps {
		if in.without[i+1] {
			continue
		}
		if err := s.check(l); err != nil {
			r := &Refusal{Code: Unreadable, Reason: err.Error()}
			errors.As(err, &r)
			r.Step = i + 1
			return Accepted{}, r
		}
	}
	first, last := l.approval.Days()
	of := l.bundle.Subject()
	return Accepted{of.Digest, of.Name, first, last, l.approval.EvidenceDigest(), l.bundle.Index, l.bundle.TreeSize, l.Memory.after(l.bundle)}, nil
}

// 1. The approval was signed by the approve key and is in the log.
func (l *look) authentic() error {
	if err := l.Requirements.check(); err != nil {
		return refuse(Unreadable, "requirements: %v", err)
	}
	if len(l.Approval) == 0 {
		return refuse(Unreadable, "the bundle is empty")
	}
	v, err := verdict.Verify(l.Approval, l.Trust, verdict.Expectation{Type: verdict.ApprovalType, AnySubject: true})
	if err != nil {
		return l.notApproval(err)
	}
	a, ok := v.Statement().(*verdict.Approval)
	if !ok {
		return refuse(Invalid, "the bundle holds no approval")
	}
	l.bundle, l.approval = v, a
	return nil
}

// notApproval says more about a bundle that holds evidence, as it never opens a gate.
func (l *look) notApproval(err error) error {
	v, err2 := verdict.Verify(l.Approval, l.Trust, verdict.Expectation{Type: verdict.EvidenceType, AnySubject: true})
	if err2 != nil {
		return refuse(Invalid, "the bundle is not a logged approval by the trusted keys: %v", err)
	}
	switch e := v.Statement().(*verdict.Evidence); e.Result {
	case verdict.Pass:
		return refuse(Awaiting, "this is evidence that passed, not its approval")
	case verdict.Inconclusive:
		return refuse(Inconclusive, "this is evidence, and its result is %s", e.Result)
	default:
		return refuse(Denied, "this is evidence, and its result is %s", e.Result)
	}
}

// 2. It comes from the service that the gate knows.
func (l *look) verifier() error {
	if got := l.approval.Verifier.ID; got != l.Requirements.VerifierID {
		return refuse(Denied, "the approval is by %q, this gate accepts %q", got, l.Requirements.VerifierID)
	}
	return nil
}

// 3. It is for this gate.
func (l *look) resource() error {
	if got := l.approval.ResourceURI; got != l.Requirements.ResourceURI {
		return refuse(Denied, "the approval is for %q, this gate is %q", got, l.Requirements.ResourceURI)
	}
	return nil
}

// 4. It was judged by the policy that the gate pins.
func (l *look) policy() error {
	if got := l.approval.PolicyDigest(); got != l.Requirements.PolicyDigest {
		return refuse(Denied, "the approval is under policy %s, this gate demands %s", got, l.Requirements.PolicyDigest)
	}
	return nil
}

// 5. It is valid today.
func (l *look) today() error {
	now := l.now()
	if !l.approval.ValidOn(now) {
		first, last := l.approval.Days()
		return refuse(Stale, "the approval is valid from %s to %s, today is %s (UTC)", first, last, now.UTC().Format(time.DateOnly))
	}
	return nil
}

// 6. The evidence, if given, is the one that was approved.
func (l *look) matching() error {
	if len(l.Evidence) == 0 {
		if l.Evidence != nil {
			return refuse(Unreadable, "the evidence bundle is empty")
		}
		if l.Requirements.needEvidence() {
			return refuse(Unreadable, "the requirements name a binding or a tier, which only the evidence shows: give its bundle")
		}
		return nil
	}
	v, err := verdict.Verify(l.Evidence, l.Trust, verdict.Expectation{Type: verdict.EvidenceType, Subject: l.bundle.Subject().Digest})
	if err != nil {
		return refuse(Invalid, "the evidence is not logged evidence on this model by the trusted keys: %v", err)
	}
	if v.Digest() != l.approval.EvidenceDigest() {
		return refuse(Denied, "the approval is of evidence %s, this is %s", l.approval.EvidenceDigest(), v.Digest())
	}
	e, ok := v.Statement().(*verdict.Evidence)
	if !ok || e.Result != verdict.Pass {
		return refuse(Denied, "the evidence did not pass")
	}
	l.evidence = e
	return nil
}

// tiers in order of confinement.
var tiers = []string{"none", "remote", "landlock", "jail-nocg", "jail", "gvisor"}

// 7. The bytes that ran are the bytes that were hashed, and code was confined.
func (l *look) confined() error {
	r := l.Requirements
	if !r.needEvidence() {
		return nil
	}
	if l.evidence == nil {
		return refuse(Unreadable, "there is no evidence")
	}
	if r.Binding != "" && l.evidence.Binding != r.Binding && l.evidence.Binding != "package" {
		return refuse(Denied, "the evidence binds %q, this gate demands %q", l.evidence.Binding, r.Binding)
	}
	// A declarative package brings no code that could be confined.
	have := slices.Index(tiers, l.evidence.Tier)
	if r.TierAtLeast != "" && l.evidence.Code && have < slices.Index(tiers, r.TierAtLeast) {
		return refuse(Denied, "the model ran in tier %q, this gate demands %q or better", l.evidence.Tier, r.TierAtLeast)
	}
	return nil
}

// 8. The folder holds exactly the files that were judged.
func (l *look) bytes() error {
	digest, err := PackageDigest(l.Model)
	if err != nil {
		return err
	}
	if want := l.bundle.Subject().Digest; digest != want {
		return refuse(Denied, "the model in the folder is %s, the approval is for %s", digest, want)
	}
	return nil
}
