package gate

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

// A scene is everything that a gate looks at, honest until a test changes it.
type scene struct {
	t        *testing.T
	w        *verdicttest.World
	in       Input
	evidence *verdict.Evidence
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, w: verdicttest.New(t)}
	dir := t.TempDir()
	for name, text := range map[string]string{"proctor-model.json": "{}", "weights/a.bin": "aaaa", "weights/b.bin": "bb", ".hidden": "h"} {
		s.file(dir, name, text)
	}
	digest, err := PackageDigest(dir)
	if err != nil {
		t.Fatal(err)
	}
	s.evidence = verdicttest.Passed(digest)
	s.in = Input{Trust: s.w.Trust, Model: dir, Now: verdicttest.At, Requirements: Requirements{
		Format: RequirementsFormat, VerifierID: verdicttest.VerifierID, ResourceURI: verdicttest.ResourceURI, PolicyDigest: verdicttest.Digest("c"),
	}}
	s.approve()
	return s
}

func (s *scene) file(dir, name, text string) {
	s.t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// approve issues evidence and approval anew.
func (s *scene) approve() {
	s.t.Helper()
	var env *verdict.Envelope
	env, s.in.Evidence = s.w.Issue(s.t, s.evidence)
	_, s.in.Approval = s.w.Issue(s.t, s.w.Approval(s.t, env))
}

// attacks are one or more for each step; Code is what the gate says.
var attacks = []struct {
	name  string
	step  int
	code  string
	setup func(s *scene)
}{
	{"another service with the same keys", 2, Denied, func(s *scene) {
		s.evidence.Run.Verifier = "https://other.example/verifier"
		s.approve()
	}},
	{"approval for another gate", 3, Denied, func(s *scene) {
		env, _ := s.w.Issue(s.t, s.evidence)
		a, err := verdict.NewApproval(env, verdicttest.ResourceURI+"-staging", verdicttest.PolicyURI, verdicttest.At, 7)
		if err != nil {
			s.t.Fatal(err)
		}
		_, s.in.Approval = s.w.Issue(s.t, a)
		s.in.Evidence = nil
	}},
	{"older policy", 4, Denied, func(s *scene) {
		s.evidence.Inputs.Policy = verdict.Ref{Name: "income-release", Version: 2, Digest: verdicttest.Digest("0")}
		s.approve()
	}},
	{"approval of last week", 5, Stale, func(s *scene) { s.in.Now = verdicttest.At.AddDate(0, 0, 7) }},
	{"approval of tomorrow", 5, Stale, func(s *scene) { s.in.Now = verdicttest.At.AddDate(0, 0, -1) }},
	{"approval of ten years ago", 5, Stale, func(s *scene) { s.in.Now = verdicttest.At.AddDate(10, 0, 0) }},
	{"evidence of another run", 6, Denied, func(s *scene) {
		s.evidence.Run.ID, s.evidence.Sentence = "run-2", "much better"
		_, s.in.Evidence = s.w.Issue(s.t, s.evidence)
	}},
	{"evidence on another model", 6, Invalid, func(s *scene) {
		_, s.in.Evidence = s.w.Issue(s.t, verdicttest.Passed(verdicttest.Digest("5")))
	}},
	{"weights that may be swapped", 7, Denied, func(s *scene) {
		s.in.Requirements.Binding, s.evidence.Binding = "package", "config"
		s.approve()
	}},
	{"a model elsewhere, at a gate that never thought of one", 7, Denied, func(s *scene) {
		s.evidence.Binding, s.in.Evidence = "config", nil
		s.approve()
		s.in.Evidence = nil
	}},
	{"code that ran less confined", 7, Denied, func(s *scene) {
		s.in.Requirements.TierAtLeast, s.evidence.Tier, s.evidence.Code = "jail", "landlock", true
		s.approve()
	}},
	{"a tier that nobody knows", 7, Denied, func(s *scene) {
		s.in.Requirements.TierAtLeast, s.evidence.Tier, s.evidence.Code = "none", "moonbase", true
		s.approve()
	}},
	{"one byte changed", 8, Denied, func(s *scene) { s.file(s.in.Model, "weights/a.bin", "aaab") }},
	{"a file added", 8, Denied, func(s *scene) { s.file(s.in.Model, "evil.py", "") }},
	{"a hidden file added", 8, Denied, func(s *scene) { s.file(s.in.Model, "weights/.evil", "") }},
	{"a file renamed", 8, Denied, func(s *scene) {
		must(s.t, os.Rename(filepath.Join(s.in.Model, "weights/a.bin"), filepath.Join(s.in.Model, "weights/a.bin.off")))
	}},
	{"two files swapped", 8, Denied, func(s *scene) {
		s.file(s.in.Model, "weights/a.bin", "bb")
		s.file(s.in.Model, "weights/b.bin", "aaaa")
	}},
	{"a byte moved to the next file", 8, Denied, func(s *scene) {
		s.file(s.in.Model, "weights/a.bin", "aaa")
		s.file(s.in.Model, "weights/b.bin", "abb")
	}},
	{"a file gone", 8, Denied, func(s *scene) { must(s.t, os.Remove(filepath.Join(s.in.Model, ".hidden"))) }},
	{"a link beside", 8, Denied, func(s *scene) { must(s.t, os.Symlink("/etc/passwd", filepath.Join(s.in.Model, "link"))) }},
	{"a link in a file's place", 8, Denied, func(s *scene) {
		must(s.t, os.Rename(filepath.Join(s.in.Model, ".hidden"), filepath.Join(s.t.TempDir(), "h")))
		must(s.t, os.Symlink("weights/a.bin", filepath.Join(s.in.Model, ".hidden")))
	}},
	{"a folder link", 8, Denied, func(s *scene) { must(s.t, os.Symlink("weights", filepath.Join(s.in.Model, "more"))) }},
	{"a name that looks like two lines", 8, Denied, func(s *scene) {
		// One file whose line in the digest reads as those of the two it replaces.
		sum := sha256.Sum256([]byte("bb"))
		must(s.t, os.Remove(filepath.Join(s.in.Model, "weights/b.bin")))
		must(s.t, os.Remove(filepath.Join(s.in.Model, "weights/a.bin")))
		s.file(s.in.Model, fmt.Sprintf("weights/a.bin\n%x  2  weights/b.bin", sum), "aaaa")
	}},
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Each attack is stopped by the step that names it, and by that step alone: with
// it left out, the attack opens the gate.
func TestAttacks(t *testing.T) {
	if got, err := Check(newScene(t).in); err != nil || got.LastDay != "2026-09-20" {
		t.Fatalf("the honest scene: %+v %v", got, err)
	}
	for _, a := range attacks {
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

// Step 1 stands on verdict.Verify, whose own tests leave its parts out.
func TestAuthentic(t *testing.T) {
	other := verdicttest.New(t)
	for name, c := range map[string]struct {
		code  string
		setup func(s *scene)
	}{
		"nothing":             {Unreadable, func(s *scene) { s.in.Approval = nil }},
		"rubbish":             {Invalid, func(s *scene) { s.in.Approval = []byte("rubbish") }},
		"no trust":            {Invalid, func(s *scene) { s.in.Trust = verdict.Trust{} }},
		"other keys":          {Invalid, func(s *scene) { s.in.Trust = other.Trust }},
		"no requirements":     {Unreadable, func(s *scene) { s.in.Requirements = Requirements{} }},
		"evidence PASS":       {Awaiting, func(s *scene) { s.in.Approval = s.in.Evidence }},
		"evidence UNDECIDED":  {Inconclusive, func(s *scene) { s.result(verdict.Inconclusive) }},
		"evidence FAIL":       {Denied, func(s *scene) { s.result(verdict.Fail) }},
		"signed by evidence":  {Invalid, func(s *scene) { s.in.Approval = s.forged(s.w.Evidence) }},
		"honest, for control": {"", func(s *scene) { s.in.Approval = s.forged(s.w.Approve) }},
	} {
		s := newScene(t)
		c.setup(s)
		_, err := Check(s.in)
		var r *Refusal
		if errors.As(err, &r); c.code == "" && err != nil || c.code != "" && (r == nil || r.Code != c.code || r.Step != 1) {
			t.Errorf("%s: %+v, want %s", name, err, c.code)
		}
	}
}

func (s *scene) result(r string) {
	s.evidence.Result, s.evidence.Findings[0].Outcome = r, "UNDECIDED"
	_, s.in.Approval = s.w.Issue(s.t, s.evidence)
}

// forged signs the approval's payload by some key, and logs it.
func (s *scene) forged(key verdict.Signer) []byte {
	v, err := verdict.Verify(s.in.Approval, s.w.Trust, verdict.Expectation{Type: verdict.ApprovalType, AnySubject: true})
	must(s.t, err)
	return s.w.Bundle(s.t, verdicttest.Forgery{Payload: v.Payload(), Key: key}, nil)
}

// Three lineages, three environments, three models: an approval opens its own only.
func TestReplayMatrix(t *testing.T) {
	s := newScene(t)
	type key struct{ uri, digest string }
	var keys []key
	bundles, dirs := map[key][]byte{}, map[string]string{}
	for m := range 3 {
		dir := t.TempDir()
		s.file(dir, "proctor-model.json", strings.Repeat("m", m+1))
		digest, err := PackageDigest(dir)
		must(t, err)
		dirs[digest] = dir
		env, _ := s.w.Issue(t, verdicttest.Passed(digest))
		for _, lineage := range []string{"a", "b", "c"} {
			for _, stage := range []string{"dev", "staging", "prod"} {
				k := key{"https://proctor.example/gates/" + lineage + "/" + stage, digest}
				a, err := verdict.NewApproval(env, k.uri, verdicttest.PolicyURI, verdicttest.At, 1)
				must(t, err)
				_, bundles[k] = s.w.Issue(t, a)
				keys = append(keys, k)
			}
		}
	}
	opened := 0
	for _, gate := range keys {
		for _, from := range keys {
			in := s.in
			in.Evidence, in.Approval, in.Model, in.Requirements.ResourceURI = nil, bundles[from], dirs[gate.digest], gate.uri
			_, err := Check(in)
			if (err == nil) != (gate == from) {
				t.Errorf("gate %v, approval %v: %v", gate, from, err)
			}
			if err == nil {
				opened++
			}
		}
	}
	if opened != 27 || len(keys) != 27 {
		t.Errorf("%d of %d combinations opened, want 27 of 729", opened, len(keys)*len(keys))
	}
}

func TestEvidenceDemanded(t *testing.T) {
	for name, c := range map[string]struct {
		setup func(s *scene)
		ok    bool
	}{
		"not demanded, not given":        {func(s *scene) { s.in.Evidence = nil }, true},
		"demanded, not given":            {func(s *scene) { s.in.Evidence, s.in.Requirements.Binding = nil, "package" }, false},
		"given, and empty":               {func(s *scene) { s.in.Evidence = []byte{} }, false},
		"binding met":                    {func(s *scene) { s.in.Requirements.Binding = "package" }, true},
		"binding more than met":          {func(s *scene) { s.in.Requirements.Binding = "config" }, true},
		"tier met":                       {func(s *scene) { s.evidence.Code = true; s.approve(); s.in.Requirements.TierAtLeast = "jail" }, true},
		"tier more than met":             {func(s *scene) { s.evidence.Code = true; s.approve(); s.in.Requirements.TierAtLeast = "none" }, true},
		"tier not met":                   {func(s *scene) { s.evidence.Code = true; s.approve(); s.in.Requirements.TierAtLeast = "gvisor" }, false},
		"no code, so nothing to confine": {func(s *scene) { s.evidence.Tier = "none"; s.approve(); s.in.Requirements.TierAtLeast = "gvisor" }, true},
		"approval as evidence":           {func(s *scene) { s.in.Evidence = s.in.Approval }, false},
	} {
		s := newScene(t)
		c.setup(s)
		if _, err := Check(s.in); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDays(t *testing.T) {
	s := newScene(t)
	for at, ok := range map[string]bool{
		"2026-09-13T23:59:59Z": false, "2026-09-14T00:00:00Z": true, "2026-09-20T23:59:59Z": true, "2026-09-21T00:00:00Z": false,
		"2026-09-21T01:00:00+02:00": true, "2026-09-20T23:00:00-02:00": false, "0001-01-01T00:00:00Z": false,
	} {
		now, err := time.Parse(time.RFC3339, at)
		must(t, err)
		s.in.Now = now
		if _, err := Check(s.in); (err == nil) != ok {
			t.Errorf("%s: %v", at, err)
		}
	}
}

func TestParseRequirements(t *testing.T) {
	good := `{"format":"proctor/requirements/1","verifier_id":"v","resource_uri":"r","policy_digest":"` + verdicttest.Digest("c") + `"}`
	if _, err := ParseRequirements([]byte(good)); err != nil {
		t.Fatal(err)
	}
	with := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for name, text := range map[string]string{
		"empty": "", "null": "null", "list": "[]", "nothing": "{}", "trailing": good + "{}", "unknown key": with(`{`, `{"policy":"x",`), "misspelled": with("verifier_id", "verifierid"),
		"other case": with("format", "Format"), "twice": with(`{`, `{"format":"x",`), "other format": with("requirements/1", "requirements/2"), "no verifier": with(`"v"`, `""`),
		"no resource": with(`"r"`, `""`), "no policy": with(`,"policy_digest":"`+verdicttest.Digest("c")+`"`, ``), "short digest": with("cccc", "ccc"), "upper case": with("cccc", "CCCC"),
		"unknown binding": with(`{`, `{"binding":"none",`), "empty binding": with(`{`, `{"binding":"",`), "unknown tier": with(`{`, `{"tier_at_least":"jails",`), "number": with(`"v"`, `1`),
	} {
		if _, err := ParseRequirements([]byte(text)); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

func TestPackageDigestRefuses(t *testing.T) {
	if _, err := PackageDigest(t.TempDir()); err == nil {
		t.Error("an empty folder has a digest")
	}
	if _, err := PackageDigest(filepath.Join(t.TempDir(), "absent")); err == nil {
		t.Error("no folder has a digest")
	}
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "f"), nil, 0o600))
	if _, err := PackageDigest(filepath.Join(dir, "f")); err == nil {
		t.Error("a file was taken for a folder")
	}
	must(t, os.MkdirAll(filepath.Join(dir, strings.Repeat("d/", maxDepth+1)), 0o700))
	if _, err := PackageDigest(dir); err == nil {
		t.Error("a folder that is nested too deep has a digest")
	}
}

func BenchmarkCheck(b *testing.B) {
	s := &scene{w: verdicttest.New(b)}
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "proctor-model.json"), []byte("{}"), 0o600); err != nil {
		b.Fatal(err)
	}
	digest, err := PackageDigest(dir)
	if err != nil {
		b.Fatal(err)
	}
	env, evidence := s.w.Issue(b, verdicttest.Passed(digest))
	_, approval := s.w.Issue(b, s.w.Approval(b, env))
	in := Input{Approval: approval, Evidence: evidence, Trust: s.w.Trust, Model: dir, Now: verdicttest.At, Requirements: Requirements{
		Format: RequirementsFormat, VerifierID: verdicttest.VerifierID, ResourceURI: verdicttest.ResourceURI, PolicyDigest: verdicttest.Digest("c"), Binding: "package",
	}}
	for b.Loop() {
		if _, err := Check(in); err != nil {
			b.Fatal(err)
		}
	}
}
