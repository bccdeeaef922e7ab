package gate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"proctor/harness/verdict"
	"proctor/web/api"
)

// RequirementsFormat is the format that this program reads.
const RequirementsFormat = "proctor/requirements/1"

// Requirements are what a gate demands, written by whoever runs it:
//
//	{
//	  "format": "proctor/requirements/1",
//	  "verifier_id": "https://proctor.example/verifier",
//	  "resource_uri": "https://proctor.example/gates/income",
//	  "policy_digest": "sha256:...",
//	  "binding": "package",
//	  "tier_at_least": "jail"
//	}
//
// binding and tier_at_least are optional and need the evidence bundle; tier_at_least
// binds packages that bring code. "witnesses": 2 demands that two of the witnesses in
// the trust file have cosigned the log that the approval is in. In place of one policy
// there may be "policy_digests": [...], any of which will do, or, with the evidence,
// "policy_floor": {"policy": "income-release", "version_at_least": 7}; of several, all
// hold. "harness_digests": [...] lists the programs whose verdicts count.
// "revocations_max_age_seconds": 300 demands a list of revocations that is as fresh.
// "waiver": {"environment": "prod", "admission": "CHG-1234"} takes a waiver for exactly
// that in place of an approval; without it none is taken.
type Requirements struct {
	Format       string `json:"format"`
	VerifierID   string `json:"verifier_id"`
	ResourceURI  string `json:"resource_uri"`
	PolicyDigest string `json:"policy_digest,omitempty"`

	PolicyDigests []string `json:"policy_digests,omitempty"`
	PolicyFloor   *Floor   `json:"policy_floor,omitempty"`
	Harness       []string `json:"harness_digests,omitempty"`

	Binding     string `json:"binding,omitempty"`       // package, or config (which package satisfies too)
	TierAtLeast string `json:"tier_at_least,omitempty"` // none, remote, landlock, jail-nocg, jail, gvisor
	Witnesses   int    `json:"witnesses,omitempty"`     // of those in the trust file, that must have seen the log

	RevocationsMaxAge int           `json:"revocations_max_age_seconds,omitempty"`
	Waiver            *WaiverDemand `json:"waiver,omitempty"`
}

// A Floor demands a policy of that name, of that version or a newer one.
type Floor struct {
	Policy         string `json:"policy"`
	VersionAtLeast int    `json:"version_at_least"`
}

// A WaiverDemand is the one admission that a waiver may be for.
type WaiverDemand struct {
	Environment string `json:"environment"`
	Admission   string `json:"admission"`
}

const maxRequirements = 64 << 10

// ParseRequirements reads requirements strictly.
func ParseRequirements(text []byte) (Requirements, error) {
	var r Requirements
	if err := verdict.DecodeStrict(text, maxRequirements, &r); err != nil {
		return Requirements{}, fmt.Errorf("requirements: %w", err)
	}
	if err := r.check(); err != nil {
		return Requirements{}, fmt.Errorf("requirements: %w", err)
	}
	return r, nil
}

func (r Requirements) check() error {
	switch {
	case r.Format != RequirementsFormat:
		return fmt.Errorf("format is %q, this program reads %q", r.Format, RequirementsFormat)
	case r.VerifierID == "":
		return errors.New("verifier_id is empty")
	case r.ResourceURI == "":
		return errors.New("resource_uri is empty")
	case len(r.policies()) == 0 && r.PolicyFloor == nil:
		return errors.New("policy_digest, policy_digests and policy_floor are all missing")
	case slices.ContainsFunc(r.policies(), notDigest):
		return errors.New("policy_digest is not sha256:<64 lower-case hex digits>")
	case slices.ContainsFunc(r.Harness, notDigest):
		return errors.New("harness_digests are not sha256:<64 lower-case hex digits>")
	case r.PolicyFloor != nil && (r.PolicyFloor.Policy == "" || r.PolicyFloor.VersionAtLeast < 1):
		return errors.New("policy_floor names a policy, and a version from 1 on")
	case r.RevocationsMaxAge < 0:
		return fmt.Errorf("revocations_max_age_seconds is %d; it is a number from 1 on", r.RevocationsMaxAge)
	case r.Waiver != nil && (r.Waiver.Environment == "" || r.Waiver.Admission == ""):
		return errors.New("waiver names an environment and one admission")
	case !slices.Contains([]string{"", "package", "config"}, r.Binding):
		return fmt.Errorf("binding is %q; it may be package or config", r.Binding)
	case r.Witnesses < 0:
		return fmt.Errorf("witnesses is %d; it is a number from 1 on", r.Witnesses)
	case r.TierAtLeast != "" && !slices.Contains(tiers, r.TierAtLeast):
		return fmt.Errorf("tier_at_least is %q; it may be %s", r.TierAtLeast, strings.Join(tiers, ", "))
	}
	return nil
}

// policies are the digests of which the approval's policy must be one.
func (r Requirements) policies() []string {
	if r.PolicyDigest == "" {
		return r.PolicyDigests
	}
	return append([]string{r.PolicyDigest}, r.PolicyDigests...)
}

func (r Requirements) needConfinement() bool { return r.Binding != "" || r.TierAtLeast != "" }

func (r Requirements) needEvidence() bool {
	return r.needConfinement() || r.PolicyFloor != nil || len(r.Harness) > 0
}

func notDigest(d string) bool { return !isDigest(d) }

func isDigest(d string) bool {
	h, ok := strings.CutPrefix(d, "sha256:")
	return ok && len(h) == 64 && strings.Trim(h, "0123456789abcdef") == ""
}

// ParseTrust reads the pinned keys as the service publishes them. The trusted
// root in it is for other clients; the log's key is taken from log_key.
func ParseTrust(text []byte) (verdict.Trust, error) {
	_, t, err := ReadTrust(text)
	return t, err
}

// ReadTrust is ParseTrust for who needs the text of a key too.
func ReadTrust(text []byte) (api.Trust, verdict.Trust, error) {
	var t api.Trust
	if err := verdict.DecodeStrict(text, maxRequirements, &t); err != nil {
		return t, verdict.Trust{}, fmt.Errorf("trust: %w", err)
	}
	trust, err := trustOf(t)
	if err != nil {
		return t, verdict.Trust{}, fmt.Errorf("trust: %w", err)
	}
	return t, trust, nil
}

func trustOf(t api.Trust) (verdict.Trust, error) {
	evidence, err := verdict.ParsePublicPEM(t.Evidence)
	if err != nil {
		return verdict.Trust{}, fmt.Errorf("evidence_key: %w", err)
	}
	approve, err := verdict.ParsePublicPEM(t.Approve)
	if err != nil {
		return verdict.Trust{}, fmt.Errorf("approve_key: %w", err)
	}
	trust, err := verdict.NewTrust(evidence, approve, t.Log)
	if err != nil {
		return verdict.Trust{}, err
	}
	if trust, err = WithRetired(trust, t.Retired); err != nil {
		return verdict.Trust{}, err
	}
	return trust.WithWitnesses(t.Witnesses)
}

// WithRetired returns t with keys that signed in the past.
func WithRetired(t verdict.Trust, keys []api.RetiredKey) (verdict.Trust, error) {
	for i, k := range keys {
		var err error
		if t, err = retired(t, k); err != nil {
			return verdict.Trust{}, fmt.Errorf("retired_keys %d: %w", i+1, err)
		}
	}
	return t, nil
}

func retired(t verdict.Trust, k api.RetiredKey) (verdict.Trust, error) {
	key, err := verdict.ParsePublicPEM(k.Key)
	if err != nil {
		return t, err
	}
	until, err := time.Parse(time.RFC3339, k.Until)
	if err != nil {
		return t, fmt.Errorf("until: %q is not an RFC 3339 time", k.Until)
	}
	return t.WithRetired(k.Use, key, until, k.LogEnd)
}
