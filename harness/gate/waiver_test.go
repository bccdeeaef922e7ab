package gate

import (
	"errors"
	"testing"
	"time"

	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

// waive puts a waiver for a model that failed in the approval's place.
func (s *scene) waive(change func(*verdict.Waiver)) {
	s.t.Helper()
	s.evidence.Result, s.evidence.Findings[0].Outcome = verdict.Fail, "VIOLATED"
	env, bundle := s.w.Issue(s.t, s.evidence)
	w := &verdict.Waiver{
		ID: "c9", Verifier: verdicttest.VerifierID, Candidate: s.evidence.Inputs.Candidate, Gate: verdicttest.ResourceURI, Environment: "prod", Admission: "CHG-1234",
		Evidence: env.Digest(), Result: verdict.Fail, Reason: "the old one is on fire", ProposedBy: "pia", ProposedPerson: "Pia", By: "rae", Person: "Rae",
		At: verdicttest.At.Format(time.RFC3339), Until: verdicttest.At.Add(4 * time.Hour).Format(time.RFC3339),
	}
	change(w)
	s.in.Evidence = bundle
	_, s.in.Approval = s.w.Issue(s.t, w)
	s.in.Requirements.Waiver = &WaiverDemand{"prod", "CHG-1234"}
}

// A waiver opens the one gate for the one admission of these bytes, within its hours,
// and no gate that has not asked for exactly that.
func TestWaiver(t *testing.T) {
	as := func(*verdict.Waiver) {}
	for _, c := range []struct {
		name  string
		step  int // that refuses; 0: open
		setup func(s *scene)
	}{
		{"as demanded", 0, func(s *scene) { s.waive(as) }},
		{"without evidence", 0, func(s *scene) { s.waive(as); s.in.Evidence = nil }},
		{"what only evidence shows is waived", 0, func(s *scene) {
			s.waive(as)
			s.in.Evidence, s.in.Requirements.Binding, s.in.Requirements.PolicyFloor, s.in.Requirements.Harness = nil, "package", &Floor{"x", 9}, []string{verdicttest.Digest("0")}
		}},
		{"a normal gate", 1, func(s *scene) { s.waive(as); s.in.Requirements.Waiver = nil }},
		{"another service", 2, func(s *scene) { s.waive(func(w *verdict.Waiver) { w.Verifier = "https://other.example" }) }},
		{"another gate", 3, func(s *scene) { s.waive(func(w *verdict.Waiver) { w.Gate += "-staging" }) }},
		{"another environment", 3, func(s *scene) { s.waive(func(w *verdict.Waiver) { w.Environment = "staging" }) }},
		{"another admission", 3, func(s *scene) { s.waive(func(w *verdict.Waiver) { w.Admission = "CHG-1235" }) }},
		{"when it ends", 5, func(s *scene) { s.waive(as); s.in.Now = verdicttest.At.Add(4 * time.Hour) }},
		{"before it begins", 5, func(s *scene) { s.waive(as); s.in.Now = verdicttest.At.Add(-time.Second) }},
		{"other evidence", 6, func(s *scene) {
			s.waive(as)
			_, s.in.Evidence = s.w.Issue(s.t, verdicttest.Passed(s.evidence.Inputs.Candidate.Digest))
		}},
		{"another model", 8, func(s *scene) { s.waive(as); s.file(s.in.Model, "weights/a.bin", "other") }},
		{"a witness demanded", 9, func(s *scene) { s.waive(as); s.in.Requirements.Witnesses = 1 }},
		{"the model revoked", 13, func(s *scene) { s.waive(as); s.revoked("package", s.evidence.Inputs.Candidate.Digest) }},
		{"the waiver revoked", 13, func(s *scene) {
			s.waive(as)
			v, err := verdict.Verify(s.in.Approval, s.w.Trust, verdict.Expectation{Type: verdict.WaiverType, AnySubject: true})
			must(s.t, err)
			s.revoked("verdict", v.Digest())
		}},
	} {
		s := newScene(t)
		c.setup(s)
		ok, trace, err := Explain(s.in)
		var r *Refusal
		if errors.As(err, &r); c.step == 0 && (err != nil || !ok.Waived) || c.step > 0 && (r == nil || r.Step != c.step) {
			t.Errorf("%s: %v, want step %d: %s", c.name, err, c.step, went(trace))
			continue
		}
		without := c.step
		if c.step == 1 {
			without = waiverStep // guard off: a normal gate takes it
		}
		s.in.without = map[int]bool{without: true}
		if _, err := Check(s.in); err != nil {
			t.Errorf("%s: without step %d: %v", c.name, c.step, err)
		}
	}
}

// A gate that would take a waiver takes an approval too, and needs all of it.
func TestWaiverDemandIsNoShortcut(t *testing.T) {
	s := newScene(t)
	s.in.Requirements.Waiver = &WaiverDemand{"prod", "CHG-1234"}
	if ok, err := Check(s.in); err != nil || ok.Waived {
		t.Errorf("%v %+v", err, ok)
	}
	s.in.Now = verdicttest.At.AddDate(0, 0, 30)
	if _, err := Check(s.in); err == nil {
		t.Error("an old approval opens a gate that would take a waiver")
	}
}

// One person, a day and a second, no environment: nobody signs that.
func TestWaiverLint(t *testing.T) {
	for name, change := range map[string]func(*verdict.Waiver){
		"one person": func(w *verdict.Waiver) { w.Person = w.ProposedPerson },
		"too long": func(w *verdict.Waiver) {
			w.Until = verdicttest.At.Add(verdict.MaxWaiver + time.Second).Format(time.RFC3339)
		},
		"no time":        func(w *verdict.Waiver) { w.Until = w.At },
		"no environment": func(w *verdict.Waiver) { w.Environment = "" },
		"no admission":   func(w *verdict.Waiver) { w.Admission = " " },
		"no evidence":    func(w *verdict.Waiver) { w.Evidence = "" },
		"no reason":      func(w *verdict.Waiver) { w.Reason = "" },
		"an approval":    func(w *verdict.Waiver) { w.Result = "PASSED" },
	} {
		w := &verdict.Waiver{
			ID: "c9", Verifier: "v", Candidate: verdict.Ref{Name: "v2", Digest: verdicttest.Digest("1")}, Gate: "g", Environment: "prod", Admission: "CHG-1234",
			Evidence: verdicttest.Digest("2"), Result: verdict.Fail, Reason: "fire", ProposedBy: "pia", ProposedPerson: "Pia", By: "rae", Person: "Rae",
			At: verdicttest.At.Format(time.RFC3339), Until: verdicttest.At.Add(verdict.MaxWaiver).Format(time.RFC3339),
		}
		if _, err := verdict.Prepare(w); err != nil {
			t.Fatal(err)
		}
		change(w)
		var lint *verdict.LintError
		if _, err := verdict.Prepare(w); !errors.As(err, &lint) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
