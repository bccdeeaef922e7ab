package gate

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

// revoked gives the gate a list that names one thing.
func (s *scene) revoked(kind, digest string, evidence ...string) {
	s.in.Revocations = s.w.Revocations(s.t, verdict.Revoked{Kind: kind, Digest: digest, Evidence: append([]string{}, evidence...), LogIndex: 5})
}

// evidenceDigest is what the approval is of.
func (s *scene) evidenceDigest() string {
	s.t.Helper()
	v, err := verdict.Verify(s.in.Evidence, s.w.Trust, verdict.Expectation{Type: verdict.EvidenceType, AnySubject: true})
	must(s.t, err)
	return v.Digest()
}

func (s *scene) key(signer verdict.Signer) string {
	s.t.Helper()
	d, err := verdict.KeyDigest(signer.Public())
	must(s.t, err)
	return d
}

// Attacks that steps 11 to 14 stop, and those steps alone.
func TestLaterAttacks(t *testing.T) {
	list := func(change func(*verdict.RevocationList)) func(s *scene) {
		return func(s *scene) {
			l := &verdict.RevocationList{Verifier: verdicttest.VerifierID, Log: verdicttest.Origin, Sequence: 900, Root: verdicttest.Digest("8"), Revoked: []verdict.Revoked{},
				At: verdicttest.At.Format(time.RFC3339), Expires: verdicttest.At.Add(time.Hour).Format(time.RFC3339)}
			change(l)
			s.in.Revocations, s.in.Requirements.RevocationsMaxAge = s.w.List(s.t, l), 300
		}
	}
	for _, a := range []struct {
		name  string
		step  int
		code  string
		setup func(s *scene)
	}{
		{"a version below the floor", 11, Denied, func(s *scene) { s.in.Requirements.PolicyFloor = &Floor{"income-release", 4} }},
		{"the floor of another policy", 11, Denied, func(s *scene) { s.in.Requirements.PolicyFloor = &Floor{"strict", 1} }},
		{"a lax policy with a high number", 11, Denied, func(s *scene) {
			s.evidence.Inputs.Policy = verdict.Ref{Name: "lax-dev", Version: 99, Digest: verdicttest.Digest("c")}
			s.approve()
			s.in.Requirements.PolicyDigest, s.in.Requirements.PolicyFloor = "", &Floor{"income-release", 3}
		}},
		{"a patched program", 12, Denied, func(s *scene) { s.in.Requirements.Harness = []string{verdicttest.Digest("0"), verdicttest.Digest("1")} }},
		{"the verdict revoked", 13, Denied, func(s *scene) { s.revoked("verdict", s.evidenceDigest()) }},
		{"the package revoked", 13, Denied, func(s *scene) { s.revoked("package", s.evidence.Inputs.Candidate.Digest) }},
		{"the policy revoked", 13, Denied, func(s *scene) { s.revoked("policy", s.evidence.Inputs.Policy.Digest) }},
		{"the approve key revoked", 13, Denied, func(s *scene) { s.revoked("key", s.key(s.w.Approve)) }},
		{"the evidence key revoked before this evidence", 13, Denied, func(s *scene) { s.revoked("key", s.key(s.w.Evidence)) }},
		{"the holdout revoked, approval alone", 13, Denied, func(s *scene) {
			s.revoked("holdout", s.evidence.Inputs.Holdouts[0].Digest, s.evidenceDigest())
			s.in.Evidence = nil
		}},
		{"the suite revoked before this evidence", 13, Denied, func(s *scene) { s.revoked("suite", s.evidence.Inputs.Suites[0].Digest) }},
		{"the program revoked", 13, Denied, func(s *scene) { s.revoked("harness", s.evidence.Run.Harness) }},
		{"a person revoked", 13, Denied, func(s *scene) { s.revoked("person", verdict.PersonDigest("Rae"), s.evidenceDigest()) }},
		{"no list", 13, Unreadable, func(s *scene) { s.in.Requirements.RevocationsMaxAge = 300 }},
		{"an empty list file", 13, Unreadable, func(s *scene) { s.in.Revocations = []byte{} }},
		{"a list of five minutes and a second ago", 13, Stale, func(s *scene) {
			list(func(*verdict.RevocationList) {})(s)
			s.in.Now = verdicttest.At.Add(301 * time.Second)
		}},
		{"an expired list, no age demanded", 13, Stale, func(s *scene) {
			s.in.Revocations, s.in.Now = s.w.Revocations(s.t), verdicttest.At.Add(24*time.Hour)
		}},
		{"a list from the future", 13, Stale, list(func(l *verdict.RevocationList) {
			l.At = verdicttest.At.Add(2 * time.Minute).Format(time.RFC3339)
		})},
		{"another service's list", 13, Denied, list(func(l *verdict.RevocationList) { l.Verifier = "https://other.example" })},
		{"an older list than was seen", 13, Denied, func(s *scene) {
			list(func(*verdict.RevocationList) {})(s)
			s.in.Memory.Revocations = 901
		}},
		{"the evidence key's list", 13, Invalid, func(s *scene) {
			l := s.w.Revocations(s.t)
			w := verdicttest.New(s.t)
			w.Approve = s.w.Evidence
			_, err := verdict.OpenRevocations(l, s.w.Trust)
			must(s.t, err)
			s.in.Revocations = w.Revocations(s.t)
		}},
		{"an approval as the list", 13, Invalid, func(s *scene) { s.in.Revocations = s.in.Approval }},
	} {
		s := newScene(t)
		a.setup(s)
		_, err := Check(s.in)
		var r *Refusal
		if !errors.As(err, &r) || r.Step != a.step || r.Code != a.code {
			t.Errorf("%s: %+v, want step %d, %s", a.name, err, a.step, a.code)
			continue
		}
		s.in.without = map[int]bool{a.step: true}
		if _, err := Check(s.in); err != nil {
			t.Errorf("%s: without step %d: %v", a.name, a.step, err)
		}
	}
}

// What is demanded and met opens, and what nobody demanded is not called passed.
func TestLaterDemandsMet(t *testing.T) {
	s := newScene(t)
	if _, trace, err := Explain(s.in); err != nil || went(trace) != "P P P P P P - P - - - - - -" {
		t.Errorf("%v: %s", err, went(trace))
	}
	s.in.Evidence = nil
	if _, trace, err := Explain(s.in); err != nil || went(trace) != "P P P P P - - P - - - - - -" {
		t.Errorf("%v: %s", err, went(trace))
	}
	s = newScene(t)
	s.cosign(1, 1, verdicttest.At)
	s.remember(s.in)
	s.in.Requirements.PolicyDigest = ""
	s.in.Requirements.PolicyDigests = []string{verdicttest.Digest("0"), verdicttest.Digest("c")}
	s.in.Requirements.PolicyFloor, s.in.Requirements.Harness = &Floor{"income-release", 3}, []string{verdicttest.Digest("a")}
	s.in.Requirements.Witnesses, s.in.Requirements.RevocationsMaxAge, s.in.Requirements.Binding = 1, 300, "package"
	s.revoked("package", verdicttest.Digest("9"), verdicttest.Digest("9"))
	s.in.Now = verdicttest.At.Add(5 * time.Minute)
	ok, trace, err := Explain(s.in)
	if err != nil || went(trace) != "P P P P P P P P P P P P P -" || ok.Memory.Revocations != 900 {
		t.Errorf("%v: %s %+v", err, went(trace), ok)
	}
	s.in.Requirements.PolicyDigests = s.in.Requirements.PolicyDigests[:1]
	if _, trace, err := Explain(s.in); err == nil || !strings.HasPrefix(went(trace), "P P P S n n") {
		t.Errorf("%v: %s", err, went(trace))
	}
}

// went abbreviates a trace.
func went(trace []StepResult) string {
	var out []string
	for _, s := range trace {
		out = append(out, map[string]string{Passed: "P", NotDemanded: "-", Waived: "W", Stopped: "S", NotReached: "n"}[s.Went])
	}
	return strings.Join(out, " ")
}

// What was revoked five minutes ago is refused by a gate that polls, whenever it looks.
func TestRevokedWithinFiveMinutes(t *testing.T) {
	for range 12 {
		s := newScene(t)
		s.in.Requirements.RevocationsMaxAge = 300
		fetched := time.Duration(rand.IntN(300)) * time.Second // before the revocation at At
		before := &verdict.RevocationList{Verifier: verdicttest.VerifierID, Log: verdicttest.Origin, Sequence: 9, Root: verdicttest.Digest("8"), Revoked: []verdict.Revoked{},
			At: verdicttest.At.Add(-fetched).Format(time.RFC3339), Expires: verdicttest.At.Add(24 * time.Hour).Format(time.RFC3339)}
		s.in.Revocations, s.in.Now = s.w.List(t, before), verdicttest.At.Add(5*time.Minute+time.Second)
		if _, err := Check(s.in); err == nil {
			t.Fatalf("a list fetched %v before the revocation opens 5 min after it", fetched)
		}
		s.in.Requirements.RevocationsMaxAge = 0 // guard off: the old list opens
		if _, err := Check(s.in); err != nil {
			t.Fatalf("negative control: %v", err)
		}
	}
}

// A key that leaked at an entry: what it signed before stays, what came then does not.
func TestRevokedKeyFrom(t *testing.T) {
	s := newScene(t)
	v, err := verdict.Verify(s.in.Approval, s.w.Trust, verdict.Expectation{Type: verdict.ApprovalType, AnySubject: true})
	must(t, err)
	for from, open := range map[int64]bool{v.Index: false, v.Index + 1: true, v.Index - 1: false} {
		s.in.Revocations = s.w.Revocations(t, verdict.Revoked{Kind: "key", Digest: s.key(s.w.Approve), From: from, Evidence: []string{}, LogIndex: 5})
		if _, err := Check(s.in); (err == nil) != open {
			t.Errorf("from %d, the approval at %d: %v", from, v.Index, err)
		}
	}
}

// What ships may be a folder, files of one, or a digest; the bytes are hashed here.
func TestShip(t *testing.T) {
	s := newScene(t)
	all := []string{"weights/b.bin", ".hidden", "proctor-model.json", "weights/a.bin"}
	digest, err := PackageDigest(s.in.Model)
	must(t, err)
	s.file(s.in.Model, "Makefile", "all:")
	must(t, os.Symlink("weights", filepath.Join(s.in.Model, "w")))
	must(t, os.Symlink("weights/a.bin", filepath.Join(s.in.Model, "a")))
	for name, c := range map[string]struct {
		dir, digest string
		files       []string
		open        bool
	}{
		"its files":          {s.in.Model, "", all, true},
		"its digest":         {"", digest, nil, true},
		"the folder":         {s.in.Model, "", nil, false}, // there is a Makefile
		"one file less":      {s.in.Model, "", all[1:], false},
		"one more":           {s.in.Model, "", append([]string{"Makefile"}, all...), false},
		"one twice":          {s.in.Model, "", append([]string{"weights/a.bin"}, all...), false},
		"a way out":          {s.in.Model, "", append([]string{"../x"}, all...), false},
		"a file by a link":   {s.in.Model, "", []string{"weights/b.bin", ".hidden", "proctor-model.json", "a"}, false},
		"a folder by a link": {s.in.Model, "", []string{"w/b.bin", ".hidden", "proctor-model.json", "w/a.bin"}, false},
		"a folder as a file": {s.in.Model, "", []string{"weights"}, false},
		"another digest":     {"", verdicttest.Digest("0"), nil, false},
		"no digest":          {"", "sha256:00", nil, false},
		"both":               {s.in.Model, digest, nil, false},
		"neither":            {"", "", nil, false},
		"files of nothing":   {"", digest, all, false},
	} {
		s.in.Model, s.in.Digest, s.in.Files = c.dir, c.digest, c.files
		if _, err := Check(s.in); (err == nil) != c.open {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseLaterRequirements(t *testing.T) {
	start := `{"format":"proctor/requirements/1","verifier_id":"v","resource_uri":"r"`
	d := verdicttest.Digest("c")
	for more, ok := range map[string]bool{
		`,"policy_digests":["` + d + `"]`: true, `,"policy_floor":{"policy":"p","version_at_least":7}`: true, `,"policy_digest":"` + d + `","revocations_max_age_seconds":300`: true,
		`,"policy_digest":"` + d + `","harness_digests":["` + d + `"]`: true, `,"policy_digest":"` + d + `","waiver":{"environment":"prod","admission":"CHG-1"}`: true,
		`,"policy_digests":[]`: false, `,"policy_digests":["x"]`: false, `,"policy_floor":{"policy":"","version_at_least":7}`: false, `,"policy_floor":{"policy":"p","version_at_least":0}`: false,
		`,"policy_floor":{"policy":"p"}`: false, `,"policy_digest":"` + d + `","revocations_max_age_seconds":-1`: false, `,"policy_digest":"` + d + `","revocations_max_age_seconds":0`: false,
		`,"policy_digest":"` + d + `","harness_digests":["x"]`: false, `,"policy_digest":"` + d + `","waiver":{"environment":"prod","admission":""}`: false,
		`,"policy_digest":"` + d + `","waiver":true`: false, `,"harness_digests":["` + d + `"]`: false, ``: false,
	} {
		if _, err := ParseRequirements([]byte(start + more + "}")); (err == nil) != ok {
			t.Errorf("%s: %v", more, err)
		}
	}
}
