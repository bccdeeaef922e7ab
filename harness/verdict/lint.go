package verdict

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// problems collects what is wrong with a statement.
type problems []string

func (p *problems) add(format string, a ...any) { *p = append(*p, fmt.Sprintf(format, a...)) }

func (p *problems) digest(what, d string) {
	if !isDigest(d) {
		p.add("%s: %q is not sha256:<64 lower-case hex digits>", what, clip(d))
	}
}

func (p *problems) text(what, s string) {
	if strings.TrimSpace(s) == "" {
		p.add("%s is missing", what)
	}
}

func (p *problems) ref(what string, r Ref) {
	p.text(what+" name", r.Name)
	p.digest(what, r.Digest)
	if r.Version < 0 {
		p.add("%s: version %d", what, r.Version)
	}
}

func (p *problems) refs(what string, rs []Ref) {
	for i, r := range rs {
		p.ref(fmt.Sprintf("%s %d", what, i+1), r)
	}
}

func (p *problems) time(what, s string) {
	if t, err := time.Parse(time.RFC3339Nano, s); err != nil || t.Location() != time.UTC {
		p.add("%s: %q is not an RFC 3339 time in UTC", what, clip(s))
	}
}

func (p *problems) oneOf(what, s string, of ...string) {
	if !slices.Contains(of, s) {
		p.add("%s: %q is none of %s", what, clip(s), strings.Join(of, ", "))
	}
}

func (p *problems) attempt(attempt, budget int) {
	if attempt < 1 || budget < 1 {
		p.add("attempt %d of a budget of %d runs", attempt, budget)
	}
}

func (p *problems) run(r Run) {
	p.text("run id", r.ID)
	p.text("verifier", r.Verifier)
	p.text("lineage", r.Lineage)
	p.digest("harness", r.Harness)
}

func (p *problems) inputs(in Inputs) {
	p.ref("candidate", in.Candidate)
	if in.Baseline != nil {
		p.ref("baseline", *in.Baseline)
	}
	if in.Anchor != nil {
		p.ref("anchor", *in.Anchor)
	}
	p.ref("policy", in.Policy)
	p.refs("holdout", in.Holdouts)
	p.refs("suite", in.Suites)
	if len(in.Holdouts) == 0 && len(in.Suites) == 0 {
		p.add("there is neither a holdout nor a suite")
	}
	if len(in.Required) == 0 {
		p.add("no check is required")
	}
	for i, id := range in.Required {
		if id == "" || i > 0 && in.Required[i-1] >= id {
			p.add("required checks are not sorted, or one stands twice or is empty: %q", clip(id))
		}
	}
}

func (s *Plan) lint() []string {
	var p problems
	p.run(s.Run)
	p.inputs(s.Inputs)
	p.digest("seed_sha256", s.SeedSHA256)
	p.attempt(s.Attempt, s.Budget)
	p.text("by", s.By)
	p.text("person", s.Person)
	p.time("at", s.At)
	return p
}

func (s *Evidence) lint() []string {
	var p problems
	p.run(s.Run)
	p.inputs(s.Inputs)
	if s.Plan < 0 {
		p.add("the plan is not in the log")
	}
	if b, err := hex.DecodeString(s.Seed); err != nil || len(b) != 32 || strings.ToLower(s.Seed) != s.Seed {
		p.add("seed is not 64 lower-case hex digits")
	}
	p.text("tier", s.Tier)
	p.oneOf("binding", s.Binding, "package", "config")
	if s.Runtime != nil {
		p.text("runtime's name", s.Runtime.Name)
		p.digest("runtime", s.Runtime.Digest)
	}
	p.attempt(s.Attempt, s.Budget)
	p.oneOf("result", s.Result, Pass, Fail, Inconclusive)
	p.text("sentence", s.Sentence)
	p.digest("report", s.Report)
	p.time("at", s.At)
	for i, a := range s.Attestations {
		what := fmt.Sprintf("input attestation %d", i+1)
		p.oneOf(what, a.Kind, "model-signature", "slsa-provenance", "training-record")
		p.digest(what, a.Digest)
		if signed := a.Kind != "training-record"; signed != (a.By != "") {
			p.add("%s: %s by %q", what, clip(a.Kind), clip(a.By))
		}
	}
	for i, c := range s.TrainingChanges {
		p.text(fmt.Sprintf("training change %d", i+1), c)
	}
	p.findings(s)
	return p
}

// findings demands that the result follows from the findings, and that the
// executed checks are the required ones. Only a FAIL may have executed fewer: a
// model that breaks off is refused by the checks that saw it.
func (p *problems) findings(s *Evidence) {
	executed := map[string]bool{}
	outcomes := map[string]int{}
	for i, f := range s.Findings {
		p.finding(fmt.Sprintf("finding %d (%s)", i+1, clip(f.Claim)), f)
		executed[f.Claim] = true
		outcomes[f.Outcome]++
		if !slices.Contains(s.Inputs.Required, f.Claim) {
			p.add("check %q was executed and is not required", clip(f.Claim))
		}
	}
	for _, id := range s.Inputs.Required {
		if !executed[id] && s.Result != Fail {
			p.add("check %q is required and was not executed", clip(id))
		}
	}
	switch {
	case len(s.Findings) == 0:
		p.add("there is no finding")
	case s.Result == Pass && outcomes[holds] != len(s.Findings):
		p.add("the result is PASS, and %d of %d findings do not hold", len(s.Findings)-outcomes[holds], len(s.Findings))
	case s.Result != Fail && outcomes[violated] > 0:
		p.add("the result is %s, and %d findings are violated", s.Result, outcomes[violated])
	}
}

func (p *problems) finding(what string, f Finding) {
	p.text(what+": check", f.Claim)
	p.oneOf(what+": outcome", f.Outcome, holds, violated, undecided, notApplicable)
	if f.N < 0 {
		p.add("%s: sample size %d", what, f.N)
	}
	for _, x := range []*float64{f.Value, f.Low, f.High, f.P, f.Adjusted, f.Bound, f.Visible} {
		if x != nil && (math.IsNaN(*x) || math.IsInf(*x, 0)) {
			p.add("%s: a number is not finite", what)
		}
	}
}

func (s *Review) lint() []string {
	var p problems
	p.run(s.Run)
	p.ref("candidate", s.Candidate)
	p.digest("evidence", s.Evidence)
	p.digest("report", s.Report)
	p.oneOf("decision", s.Decision, "approve", "refuse")
	p.text("by", s.By)
	p.text("person", s.Person)
	p.text("reason", s.Reason)
	p.time("at", s.At)
	return p
}

func (s *Change) lint() []string {
	var p problems
	p.text("id", s.ID)
	p.text("verifier", s.Verifier)
	p.oneOf("action", s.Action, "proposed", "activated", "refused")
	p.text("kind", s.Kind)
	p.ref("document", s.Document)
	p.text("by", s.By)
	p.text("person", s.Person)
	p.time("at", s.At)
	return p
}

func (s *Exposure) lint() []string {
	var p problems
	p.run(s.Run)
	p.ref("holdout", s.Holdout)
	if s.Used < 1 || s.Used > s.Budget {
		p.add("run %d of a budget of %d", s.Used, s.Budget)
	}
	p.time("at", s.At)
	return p
}

func (s *Abort) lint() []string {
	var p problems
	p.run(s.Run)
	p.ref("candidate", s.Candidate)
	if s.Plan < 0 {
		p.add("the plan is not in the log")
	}
	p.text("reason", s.Reason)
	p.time("at", s.At)
	return p
}

func (s *Approval) lint() []string {
	var p problems
	p.text("verifier id", s.Verifier.ID)
	p.time("timeVerified", s.TimeVerified)
	p.text("resourceUri", s.ResourceURI)
	p.text("policy uri", s.Policy.URI)
	p.digest("policy", s.PolicyDigest())
	p.digest("evidence", s.EvidenceDigest())
	if len(s.InputAttestations) != 1 {
		p.add("%d input attestations; there must be one, the evidence", len(s.InputAttestations))
	}
	if s.VerificationResult != "PASSED" {
		p.add("verificationResult is %q; an approval says PASSED or does not exist", clip(s.VerificationResult))
	}
	if !slices.Contains(s.VerifiedLevels, LevelPass) {
		p.add("level %s is missing", LevelPass)
	}
	p.levels(s.VerifiedLevels)
	if e := s.evidence; e != nil {
		from, err := e.evidence()
		if err != nil || s.of != from.subject() || s.EvidenceDigest() != e.Digest() || s.PolicyDigest() != from.Inputs.Policy.Digest {
			p.add("the approval does not speak of its evidence")
		}
	}
	return p
}

// levels demands whole days without repeats, and not too many.
func (p *problems) levels(levels []string) {
	days := 0
	seen := map[string]bool{}
	for _, l := range levels {
		if seen[l] {
			p.add("level %q stands twice", clip(l))
		}
		seen[l] = true
		d, ok := strings.CutPrefix(l, levelValidOn)
		if !ok {
			if l != LevelPass && l != LevelConfig {
				p.add("level %q is not one of ours", clip(l))
			}
			continue
		}
		days++
		if _, err := time.Parse(time.DateOnly, d); err != nil {
			p.add("level %q names no day", clip(l))
		}
	}
	if seen[LevelConfig] && days > MaxConfigDays {
		p.add("valid on %d days; a model that runs elsewhere is approved for at most %d", days, MaxConfigDays)
	}
	if days < 1 || days > MaxValidDays {
		p.add("valid on %d days; it must be 1 to %d", days, MaxValidDays)
	}
}

// isDigest accepts "sha256:" and 64 lower-case hex digits.
func isDigest(d string) bool {
	h, ok := strings.CutPrefix(d, "sha256:")
	if !ok || len(h) != 64 {
		return false
	}
	for _, c := range []byte(h) {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}
