package verdict_test

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"proctor/harness/report"
	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

// A report's finding is what the evidence carries; the types convert.
var _ = verdict.Finding(report.Finding{})

func TestPrepareRefuses(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, c := range map[string]struct {
		edit func(*verdict.Evidence)
		err  string
	}{
		"check not executed":    {func(e *verdict.Evidence) { e.Findings = e.Findings[:1] }, `"triggers" is required and was not executed`},
		"check not required":    {func(e *verdict.Evidence) { e.Inputs.Required = e.Inputs.Required[:1] }, "not required"},
		"checks twice":          {func(e *verdict.Evidence) { e.Inputs.Required = []string{"overall", "overall", "triggers"} }, "stands twice"},
		"no finding":            {func(e *verdict.Evidence) { e.Findings, e.Result = nil, verdict.Fail }, "no finding"},
		"NaN":                   {func(e *verdict.Evidence) { e.Findings[0].Value = &nan }, "not finite"},
		"infinite":              {func(e *verdict.Evidence) { e.Findings[0].High = &inf }, "not finite"},
		"no report":             {func(e *verdict.Evidence) { e.Report = "" }, "report"},
		"short digest":          {func(e *verdict.Evidence) { e.Report = "sha256:ab" }, "report"},
		"digest in upper case":  {func(e *verdict.Evidence) { e.Inputs.Candidate.Digest = strings.ToUpper(verdicttest.Digest("a")) }, "candidate"},
		"no seed":               {func(e *verdict.Evidence) { e.Seed = "" }, "seed"},
		"no plan":               {func(e *verdict.Evidence) { e.Plan = -1 }, "plan"},
		"runtime unnamed":       {func(e *verdict.Evidence) { e.Runtime = &verdict.Runtime{Digest: e.Report} }, "runtime's name"},
		"runtime's digest":      {func(e *verdict.Evidence) { e.Runtime = &verdict.Runtime{Name: "python3.11", Digest: "3.11"} }, "runtime"},
		"no binding":            {func(e *verdict.Evidence) { e.Binding = "none" }, "binding"},
		"violated and passed":   {func(e *verdict.Evidence) { e.Findings[1].Outcome = "VIOLATED" }, "do not hold"},
		"violated, undecided":   {func(e *verdict.Evidence) { e.Findings[1].Outcome, e.Result = "VIOLATED", verdict.Inconclusive }, "violated"},
		"undecided and passed":  {func(e *verdict.Evidence) { e.Findings[1].Outcome = "UNDECIDED" }, "do not hold"},
		"not applicable passes": {func(e *verdict.Evidence) { e.Findings[1].Outcome = "NOT_APPLICABLE" }, "do not hold"},
		"unknown outcome":       {func(e *verdict.Evidence) { e.Findings[1].Outcome = "holds" }, "outcome"},
		"nothing measured":      {func(e *verdict.Evidence) { e.Inputs.Holdouts, e.Inputs.Suites = nil, nil }, "neither"},
		"local time":            {func(e *verdict.Evidence) { e.At = "2026-09-14T12:00:00+02:00" }, "UTC"},
		"attempt 0":             {func(e *verdict.Evidence) { e.Attempt = 0 }, "attempt"},
	} {
		e := verdicttest.Passed(pkg)
		c.edit(e)
		_, err := verdict.Prepare(e)
		if err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, want %q", name, err, c.err)
		}
		if l := new(verdict.LintError); err != nil && !errors.As(err, &l) {
			t.Errorf("%s: %T, want a LintError", name, err)
		}
	}
	if _, err := verdict.Prepare(verdicttest.Passed(pkg)); err != nil {
		t.Errorf("honest: %v", err)
	}
	for _, s := range []verdict.Statement{nil, (*verdict.Evidence)(nil), (*verdict.Approval)(nil), &verdict.Evidence{}, &verdict.Plan{}, &verdict.Review{}, &verdict.Change{}, &verdict.Exposure{}, &verdict.Abort{}, &verdict.Custody{}, &verdict.Approval{}} {
		if _, err := verdict.Prepare(s); err == nil {
			t.Errorf("an empty %T may be signed", s)
		}
	}
}

// A run that broke off is a FAIL by the checks that saw it, and never anything else.
func TestBrokenRunIsOnlyAFail(t *testing.T) {
	for _, result := range []string{verdict.Fail, verdict.Inconclusive, verdict.Pass} {
		e := verdicttest.Passed(pkg)
		e.Findings, e.Result = e.Findings[:1], result
		if result == verdict.Fail {
			e.Findings[0].Outcome = "VIOLATED"
		}
		if _, err := verdict.Prepare(e); (err == nil) != (result == verdict.Fail) {
			t.Errorf("%s with a check that was not executed: %v", result, err)
		}
	}
}

func TestPreparedSignsOnce(t *testing.T) {
	w := verdicttest.New(t)
	if _, err := verdict.Issue(t.Context(), verdict.Prepared{}, w.Evidence); err == nil {
		t.Error("the zero Prepared was signed")
	}
	e := verdicttest.Passed(pkg)
	p, err := verdict.Prepare(e)
	if err != nil {
		t.Fatal(err)
	}
	e.Result, *e.Findings[0].Value = verdict.Fail, math.NaN() // after the lint
	env, err := verdict.Issue(t.Context(), p, w.Evidence)
	if err != nil {
		t.Fatal(err)
	}
	if got := env.Statement().(*verdict.Evidence); got.Result != verdict.Pass || got.Findings[0].N != 1<<53+1 {
		t.Errorf("what was signed is not what was prepared: %+v", got)
	}
	if _, err := verdict.Issue(t.Context(), p, w.Evidence); err == nil {
		t.Error("a Prepared was signed twice")
	}
}

func TestApprovalNeedsAPass(t *testing.T) {
	w := verdicttest.New(t)
	at := verdicttest.At
	make := func(e *verdict.Envelope, days int) error {
		a, err := verdict.NewApproval(e, verdicttest.ResourceURI, verdicttest.PolicyURI, at, days)
		if err == nil {
			_, err = verdict.Prepare(a)
		}
		return err
	}
	passed, _ := w.Issue(t, verdicttest.Passed(pkg))
	if err := make(passed, 7); err != nil {
		t.Errorf("honest: %v", err)
	}
	for _, result := range []string{verdict.Fail, verdict.Inconclusive} {
		e := verdicttest.Passed(pkg)
		e.Result, e.Findings[0].Outcome = result, "UNDECIDED"
		env, _ := w.Issue(t, e)
		if err := make(env, 7); err == nil {
			t.Errorf("%s was approved", result)
		}
		env.Statement().(*verdict.Evidence).Result = verdict.Pass // a careless caller
		if err := make(env, 7); err == nil {
			t.Errorf("%s was approved after a change in memory", result)
		}
	}
	for _, e := range []*verdict.Envelope{nil, {}} {
		if make(e, 7) == nil {
			t.Error("nothing was approved")
		}
	}
	for _, days := range []int{-1, 0, verdict.MaxValidDays + 1} {
		if make(passed, days) == nil {
			t.Errorf("%d days of validity", days)
		}
	}
	a := w.Approval(t, passed)
	a.Policy.Digest.SHA256 = strings.Repeat("0", 64)
	if _, err := verdict.Prepare(a); err == nil {
		t.Error("an approval of another policy than the evidence's may be signed")
	}
	approval, _ := w.Issue(t, w.Approval(t, passed))
	if make(approval, 7) == nil {
		t.Error("an approval was approved")
	}
	back, err := verdict.Open(approval.Bytes(), w.Trust, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verdict.Prepare(back.Statement()); err == nil {
		t.Error("an approval that was read may be signed again")
	}
}

func TestValidDays(t *testing.T) {
	w := verdicttest.New(t)
	e, _ := w.Issue(t, verdicttest.Passed(pkg))
	a := w.Approval(t, e)
	day := 24 * time.Hour
	for after, want := range map[time.Duration]bool{
		-12*time.Hour - time.Second: false, -12 * time.Hour: true, 0: true, 6 * day: true,
		6*day + 12*time.Hour - time.Second: true, 6*day + 12*time.Hour: false, 7 * day: false, 3650 * day: false,
	} {
		if got := a.ValidOn(verdicttest.At.Add(after).In(time.FixedZone("east", 9*3600))); got != want {
			t.Errorf("%v after issue: %v", after, got)
		}
	}
	if first, last := a.Days(); first != "2026-09-14" || last != "2026-09-20" {
		t.Errorf("%s to %s", first, last)
	}
	want := []string{"PROCTOR_BEHAVIOUR_PASS", "PROCTOR_VALID_ON_2026-09-14", "PROCTOR_VALID_ON_2026-09-15"}
	if !slices.Equal(a.VerifiedLevels[:3], want) || len(a.VerifiedLevels) != 8 {
		t.Errorf("%v", a.VerifiedLevels)
	}
}

func TestKeyFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.pem")
	s, err := verdict.CreateKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := verdict.OpenKey(path); err != nil || !back.Public().Equal(s.Public()) {
		t.Errorf("%v", err)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", fi.Mode(), err)
	}
	if _, err := verdict.CreateKey(path); err == nil {
		t.Error("a key was replaced")
	}
	secret, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"empty": "", "twice": string(secret) + string(secret), "cut": string(secret[:60]), "other type": strings.ReplaceAll(string(secret), "PRIVATE", "PUBLIC")} {
		bad := filepath.Join(t.TempDir(), "bad.pem")
		if err := os.WriteFile(bad, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := verdict.OpenKey(bad); err == nil || strings.Contains(err.Error(), "MIG") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := verdict.OpenKey(path); err == nil || !strings.Contains(err.Error(), "chmod") {
			t.Errorf("mode %v: %v", mode, err)
		}
	}
}

// A signer that is broken, or signs with another key, issues nothing.
type wrongSigner struct{ verdict.Signer }

func (s wrongSigner) Sign(ctx context.Context, digest []byte) ([]byte, error) {
	return s.Signer.Sign(ctx, append([]byte{1}, digest[1:]...))
}

type keyless struct{ verdict.Signer }

func (keyless) Public() *ecdsa.PublicKey { return nil }

func TestBrokenSigner(t *testing.T) {
	w := verdicttest.New(t)
	for _, s := range []verdict.Signer{wrongSigner{w.Evidence}, keyless{w.Evidence}} {
		p, err := verdict.Prepare(verdicttest.Passed(pkg))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verdict.Issue(t.Context(), p, s); err == nil {
			t.Errorf("%T: issued", s)
		}
	}
}

func TestTrust(t *testing.T) {
	w := verdicttest.New(t)
	if _, err := verdict.NewTrust(w.Evidence.Public(), w.Evidence.Public(), w.Log.Key()); err == nil {
		t.Error("one key for evidence and approvals")
	}
	if _, err := verdict.NewTrust(nil, w.Approve.Public(), w.Log.Key()); err == nil {
		t.Error("no evidence key")
	}
	for _, key := range []string{"", "a", "a+b+c", w.Log.Key() + "A", "log.proctor.example+00000000+" + w.Log.Key()[len(verdicttest.Origin)+10:]} {
		if _, err := verdict.NewTrust(w.Evidence.Public(), w.Approve.Public(), key); err == nil {
			t.Errorf("log key %q", key)
		}
	}
	pem, err := verdict.PublicPEM(w.Evidence.Public())
	if err != nil {
		t.Fatal(err)
	}
	if k, err := verdict.ParsePublicPEM(pem); err != nil || !k.Equal(w.Evidence.Public()) {
		t.Errorf("%v", err)
	}
	for _, bad := range []string{"", pem + pem, strings.ReplaceAll(pem, "PUBLIC", "PRIVATE")} {
		if _, err := verdict.ParsePublicPEM(bad); err == nil {
			t.Errorf("%q", bad)
		}
	}
}

// A bundle that its own log would not verify is not handed out.
func TestBundleChecksTheProof(t *testing.T) {
	w := verdicttest.New(t)
	e, _ := w.Issue(t, verdicttest.Passed(pkg))
	p := w.Append(t, []byte("something else"))
	if _, err := verdict.Bundle(e, verdict.Proof(p), w.Log.Key()); err == nil {
		t.Error("bundled with the proof of something else")
	}
	if _, err := verdict.Bundle(&verdict.Envelope{}, verdict.Proof(p), w.Log.Key()); err == nil {
		t.Error("nothing was bundled")
	}
}

// Text that people typed is signed as it is; HTML and control characters survive.
func TestHostileText(t *testing.T) {
	w := verdicttest.New(t)
	e := verdicttest.Passed(pkg)
	e.Sentence = "<script>&\u2028\u202e \b\f\x7f \ufffd \"\\"
	_, b := w.Issue(t, e)
	v, err := verdict.Verify(b, w.Trust, wantEvidence())
	if err != nil || v.Statement().(*verdict.Evidence).Sentence != e.Sentence {
		t.Errorf("%v", err)
	}
	// Bytes that are no text become U+FFFD before they are signed: a model must not
	// be able to keep its own verdict from being issued.
	e.Sentence = "\xff!"
	_, b = w.Issue(t, e)
	if v, err = verdict.Verify(b, w.Trust, wantEvidence()); err != nil || v.Statement().(*verdict.Evidence).Sentence != "\ufffd!" {
		t.Errorf("%v", err)
	}
}
