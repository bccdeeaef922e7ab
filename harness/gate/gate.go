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
	"strings"
	"time"

	"proctor/harness/verdict"
)

// Input is what a gate looks at.
type Input struct {
	Approval     []byte // bundle of the approval
	Evidence     []byte // bundle of the evidence; nil: not given
	Trust        verdict.Trust
	Signed       *SignedTrust // in place of Trust: a trust file that root keys signed
	Revocations  []byte       // signed list of what is revoked; nil: not given
	Requirements Requirements
	Model        string   // folder with the model's package, as it is to be released
	Files        []string // of Model, with slashes: only these are released; empty: all
	Digest       string   // in place of Model: of the package; who gives it answers for the bytes
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
	FirstDay string // of the approval's validity, YYYY-MM-DD; of a waiver's, a time
	LastDay  string
	Evidence string // digest of the evidence that was approved
	LogIndex int64
	LogSize  int64  // of the signed checkpoint
	Memory   Memory // what this gate has seen now; keep it for the next time
	Waived   bool   // by a waiver; there is no approval
}

// look is what the steps find out on their way.
type look struct {
	Input
	bundle   *verdict.Verified
	approval *verdict.Approval
	waiver   *verdict.Waiver // in place of approval
	evidence *verdict.Evidence
	signed   *verdict.Verified // evidence as it was signed
	list     *verdict.RevocationList
}

// A step is one thing that is made sure of.
type step struct {
	stops    string
	check    func(*look) error
	demanded func(*look) bool // nil: always
	waivable bool             // a waiver takes its place
}

// steps in their order. Later ones use what earlier ones made sure of.
var steps = []step{
	{"forged, altered, unlogged bundles; evidence dressed as an approval", (*look).authentic, nil, false},
	{"the approval of another service that has the same keys", (*look).verifier, nil, false},
	{"an approval for another lineage, gate or environment", (*look).resource, nil, false},
	{"an approval under an older or laxer policy", (*look).policy, func(l *look) bool { return len(l.Requirements.policies()) > 0 }, true},
	{"an old approval, or one that is not valid yet", (*look).today, nil, false},
	{"evidence of another run beside the approval", (*look).matching, func(l *look) bool { return l.Evidence != nil || l.Requirements.needEvidence() && l.waiver == nil }, false},
	{"weights that may be swapped, or were run less confined than demanded", (*look).confined, func(l *look) bool { return l.Requirements.needConfinement() || l.bindsConfig() }, true},
	{"other bytes than those that were judged", (*look).bytes, nil, false},
	{"a history of the log that was made for this gate alone", (*look).witnessed, func(l *look) bool { return l.Requirements.Witnesses > 0 }, false},
	{"a log that was rolled back or forked since this gate looked last", (*look).remembered, func(l *look) bool { return l.Memory.Size > 0 }, false},
	{"a policy of another name, or a version below the floor", (*look).floor, func(l *look) bool { return l.Requirements.PolicyFloor != nil }, true},
	{"a verdict by a program that counts wrong", (*look).program, func(l *look) bool { return len(l.Requirements.Harness) > 0 }, true},
	{"an approval that was revoked, or rests on what was", (*look).unrevoked, func(l *look) bool { return l.Revocations != nil || l.Requirements.RevocationsMaxAge > 0 }, false},
	{"keys that were replaced: an older trust file, or one that ended", (*look).trusted, func(l *look) bool { return l.Signed != nil || l.Memory.TrustVersion > 0 }, false},
}

// How a step went.
const (
	Passed      = "passed"
	NotDemanded = "not demanded" // nothing asked for it: it shows nothing
	Waived      = "waived"
	Stopped     = "STOPPED"
	NotReached  = "not reached"
)

// A StepResult says of one step what it stops and how it went.
type StepResult struct {
	Stops string
	Went  string
}

// Untried returns the steps as they are before anything was looked at.
func Untried() (out []StepResult) {
	for _, s := range steps {
		out = append(out, StepResult{s.stops, NotReached})
	}
	return out
}

// Check returns what is accepted, or a *[Refusal].
func Check(in Input) (Accepted, error) {
	a, _, err := Explain(in)
	return a, err
}

// Explain is [Check] that tells how each step went.
func Explain(in Input) (Accepted, []StepResult, error) {
	l, trace := &look{Input: in}, Untried()
	if l.Signed != nil {
		l.Trust = l.Signed.Trust
	}
	for i, s := range steps {
		switch {
		case in.without[i+1]:
			continue
		case l.waiver != nil && s.waivable:
			trace[i].Went = Waived
			continue
		case s.demanded != nil && !s.demanded(l):
			trace[i].Went = NotDemanded
			continue
		}
		if err := s.check(l); err != nil {
			r := &Refusal{Code: Unreadable, Reason: err.Error()}
			errors.As(err, &r)
			r.Step, trace[i].Went = i+1, Stopped
			return Accepted{}, trace, r
		}
		trace[i].Went = Passed
	}
	return l.accepted(), trace, nil
}

func (l *look) accepted() Accepted {
	of := l.bundle.Subject()
	a := Accepted{Subject: of.Digest, Name: of.Name, LogIndex: l.bundle.Index, LogSize: l.bundle.TreeSize, Memory: l.after()}
	if l.waiver != nil {
		a.Waived, a.FirstDay, a.LastDay, a.Evidence = true, l.waiver.At, l.waiver.Until, l.waiver.Evidence
		return a
	}
	a.FirstDay, a.LastDay = l.approval.Days()
	a.Evidence = l.approval.EvidenceDigest()
	return a
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
		if w, err := verdict.Verify(l.Approval, l.Trust, verdict.Expectation{Type: verdict.WaiverType, AnySubject: true}); err == nil {
			return l.takeWaiver(w)
		}
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
	var got string
	if l.waiver != nil {
		got = l.waiver.Verifier
	} else {
		got = l.approval.Verifier.ID
	}
	if got != l.Requirements.VerifierID {
		return refuse(Denied, "the approval is by %q, this gate accepts %q", got, l.Requirements.VerifierID)
	}
	return nil
}

// 3. It is for this gate; a waiver, for this admission too.
func (l *look) resource() error {
	if l.waiver != nil {
		return l.admission()
	}
	if got := l.approval.ResourceURI; got != l.Requirements.ResourceURI {
		return refuse(Denied, "the approval is for %q, this gate is %q", got, l.Requirements.ResourceURI)
	}
	return nil
}

// 4. It was judged by a policy that the gate pins.
func (l *look) policy() error {
	want := l.Requirements.policies()
	if got := l.approval.PolicyDigest(); !slices.Contains(want, got) {
		return refuse(Denied, "the approval is under policy %s, this gate demands %s", got, strings.Join(want, " or "))
	}
	return nil
}

// 5. It is valid today; a waiver, now.
func (l *look) today() error {
	now := l.now()
	if l.waiver != nil {
		if !l.waiver.Holds(now) {
			return refuse(Stale, "the waiver holds from %s to %s, it is %s", l.waiver.At, l.waiver.Until, now.UTC().Format(time.RFC3339))
		}
		return nil
	}
	if !l.approval.ValidOn(now) {
		first, last := l.approval.Days()
		return refuse(Stale, "the approval is valid from %s to %s, today is %s (UTC)", first, last, now.UTC().Format(time.DateOnly))
	}
	return nil
}

// 6. The evidence, if given, is the one that was approved, or the one that the waiver is for.
func (l *look) matching() error {
	if len(l.Evidence) == 0 {
		if l.Evidence != nil {
			return refuse(Unreadable, "the evidence bundle is empty")
		}
		return refuse(Unreadable, "the requirements name a binding, a tier, a floor or a program, which only the evidence shows: give its bundle")
	}
	v, err := verdict.Verify(l.Evidence, l.Trust, verdict.Expectation{Type: verdict.EvidenceType, Subject: l.bundle.Subject().Digest})
	if err != nil {
		return refuse(Invalid, "the evidence is not logged evidence on this model by the trusted keys: %v", err)
	}
	var want string
	if l.waiver != nil {
		want = l.waiver.Evidence
	} else {
		want = l.approval.EvidenceDigest()
	}
	if v.Digest() != want {
		return refuse(Denied, "the approval is of evidence %s, this is %s", want, v.Digest())
	}
	e, ok := v.Statement().(*verdict.Evidence)
	if !ok || e.Result != verdict.Pass && l.waiver == nil {
		return refuse(Denied, "the evidence did not pass")
	}
	l.evidence, l.signed = e, v
	return nil
}

// tiers in order of confinement.
var tiers = []string{"none", "remote", "landlock", "jail-nocg", "jail", "gvisor"}

// 7. The bytes that ran are the bytes that were hashed, and code was confined.
func (l *look) confined() error {
	r := l.Requirements
	if l.bindsConfig() && r.Binding != "config" {
		return refuse(Denied, "the approval is of a model that runs elsewhere, whose weights it does not bind; a gate that accepts that says so: \"binding\": \"config\"")
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

func (l *look) bindsConfig() bool { return l.approval != nil && l.approval.BindsConfig() }

// 8. What is about to ship is exactly what was judged.
func (l *look) bytes() error {
	digest, err := l.shipped()
	if err != nil {
		return err
	}
	if want := l.bundle.Subject().Digest; digest != want {
		return refuse(Denied, "the model in the folder is %s, the approval is for %s", digest, want)
	}
	return nil
}

// 11. The policy has the name that the gate knows, and is not older than its floor.
func (l *look) floor() error {
	f := l.Requirements.PolicyFloor
	if l.evidence == nil {
		return refuse(Unreadable, "there is no evidence")
	}
	if p := l.evidence.Inputs.Policy; p.Name != f.Policy || p.Version < f.VersionAtLeast {
		return refuse(Denied, "the policy is version %d of %q, this gate demands version %d or newer of %q", p.Version, p.Name, f.VersionAtLeast, f.Policy)
	}
	return nil
}

// 12. A program judged that the gate knows.
func (l *look) program() error {
	if l.evidence == nil {
		return refuse(Unreadable, "there is no evidence")
	}
	if got := l.evidence.Run.Harness; !slices.Contains(l.Requirements.Harness, got) {
		return refuse(Denied, "the program that judged is %s, which is none of those that this gate knows", got)
	}
	return nil
}
