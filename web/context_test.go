package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"proctor/harness"
	"proctor/harness/report"
)

// hostileContext is a full context on which all text of others is s.
func hostileContext(s string) contextView {
	return contextView{
		History: history([]harness.LineageRun{{ID: s, Candidate: s, State: "done", Result: "FAIL", Reason: s, Submitted: s}, {ID: "x", State: "queued"}}, s), Exposure: s, Sets: []exposure{{s, "1 run", "0 runs", "3 of at most 81"}},
		Warnings: []string{s}, Previous: runAddress(s), Produced: []string{s}, Could: []couldChange{{"review", s}}, Plan: logAddress(3), Evidence: logAddress(4), Approval: logAddress(5),
	}
}

// What defines the evaluation and is another one than at the run before is said; where
// nothing is, nothing is.
func TestDifferences(t *testing.T) {
	terms := func() harness.Terms {
		return harness.Terms{Policy: "p", Baseline: "b", Harness: "h", Tier: "jail", Holdouts: []string{"x"}, Suites: []string{"y", "z"}}
	}
	if d := differences(terms(), terms()); d != nil {
		t.Errorf("nothing differs: %q", d)
	}
	for what, change := range map[string]func(r *harness.Terms){
		"policy":         func(r *harness.Terms) { r.Policy = "q" },
		"sealed rows":    func(r *harness.Terms) { r.Holdouts[0] = "q" },
		"suites":         func(r *harness.Terms) { r.Suites = r.Suites[:1] },
		"deployed model": func(r *harness.Terms) { r.Baseline = "" },
		"program":        func(r *harness.Terms) { r.Harness = "q" },
		"confined":       func(r *harness.Terms) { r.Tier = "landlock" },
	} {
		other := terms()
		if change(&other); len(differences(terms(), other)) != 1 || !strings.Contains(differences(terms(), other)[0], what) {
			t.Errorf("%s: %q", what, differences(terms(), other))
		}
	}
	r := poisoned()
	r.Baseline.Runtime, r.Candidate.Runtime = &report.Runtime{Name: "python", Digest: "a"}, &report.Runtime{Name: "python", Digest: "a"}
	if runtimes(r) != nil {
		t.Error("one runtime is two")
	}
	if r.Candidate.Runtime.Digest = "b"; len(runtimes(r)) != 1 {
		t.Error("two runtimes are one")
	}
}

// A run whose baseline is not deployed any more says so; one whose own candidate is, does not.
func TestDeployedMeanwhile(t *testing.T) {
	v := harness.ReportView{Report: poisoned()}
	for deployed, want := range map[string]int{"": 0, v.Report.Baseline.Digest: 0, v.Report.Candidate.Digest: 0, "sha256:other": 1} {
		l := harness.LineageView{Deployed: deployed, Now: harness.Terms{Baseline: v.Report.Baseline.Digest}}
		if c := newContextView(v, l); len(c.Warnings) != want {
			t.Errorf("%q: %q", deployed, c.Warnings)
		}
	}
}

// The review page says what came before, and answers the three questions.
func TestContextOnPage(t *testing.T) {
	f := newFake(t)
	b := newBrowser(t, newServer(f))
	b.cookies["proctor"] = f.as("rae")
	page := b.get("/runs/run-fail").Body.String()
	for _, want := range []string{"What came before", "4 of 6 runs are left.", "this run", "What produced it?", "signed by ml-team", "Who could change what?", "<b>rae</b> can review", "How would we notice?", "/log?from=1040", "/log?from=1041"} {
		if !strings.Contains(page, want) {
			t.Errorf("it does not say %q", want)
		}
	}
}

// A session alone decides nothing: whose token it is, and that it is one, is asked again.
func TestDecisionTakesMoreThanASession(t *testing.T) {
	f := newFake(t)
	s := server(f, false)
	b := newBrowser(t, s.Handler())
	b.cookies["proctor"] = f.as("rae")
	form := b.formOf("/runs/run-pass")
	send := func(secret string) int {
		return b.post("/runs/run-pass/review", url.Values{"form": {form}, "decision": {"approve"}, "reason": {"r"}, "report": {reportDigest()}, "token": {secret}}).Code
	}
	for name, secret := range map[string]string{"none": "", "nobody's": "x", "another reviewer's": token("rob"), "a robot's": token("sam-bot"), "the session itself": b.cookies["proctor"]} {
		if code := send(secret); code != http.StatusForbidden || f.done() != nil {
			t.Errorf("%s: %d", name, code)
		}
	}
	f.fresh = true
	if code := send(""); code != http.StatusForbidden || f.done() != nil {
		t.Errorf("a fresh session without an issuer: %d", code)
	}
	s.signIn = nowhere{}
	f.fresh = false
	if code := send(""); code != http.StatusForbidden || f.done() != nil {
		t.Errorf("an old session with an issuer: %d", code)
	}
	if page := b.get("/runs/run-pass").Body.String(); !strings.Contains(page, `href="/login/begin?next=%2Fruns%2Frun-pass"`) {
		t.Error("it does not lead to the issuer")
	}
	f.fresh = true
	if page := b.get("/runs/run-pass").Body.String(); !strings.Contains(page, "signed in just now") {
		t.Error("a fresh session is asked for a token")
	}
	if code := send(""); code != http.StatusSeeOther || len(f.done()) != 1 {
		t.Errorf("a fresh session with an issuer: %d", code)
	}
}

// nowhere is an issuer that nobody asks.
type nowhere struct{ SignIn }

func (nowhere) Host() string { return "nowhere.example" }

// Pages of the log lead to one another, and only numbers are asked for.
func TestLogPage(t *testing.T) {
	f := newFake(t)
	b := newBrowser(t, newServer(f))
	b.cookies["proctor"] = f.as("rae")
	for query, want := range map[string]int{"": 200, "?from=0": 200, "?from=7": 200, "?from=-1": 400, "?from=x": 400} {
		if w := b.get("/log" + query); w.Code != want {
			t.Errorf("%q: %d, want %d", query, w.Code, want)
		}
	}
	if page := b.get("/log?from=70").Body.String(); !strings.Contains(page, `href="/log?from=20"`) {
		t.Error("it does not lead back")
	}
}
