package web

import (
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Each page is opened by each account; the table says who gets what.
func TestWhoSeesWhat(t *testing.T) {
	const all = "sue cleo carl pia rae rob olga abe"
	for _, c := range []struct {
		path string
		may  string // who gets the page
		says string // what only they read
	}{
		{"/", all, "<h1>Runs"},
		{"/changes", "cleo carl pia rae rob olga abe", "What changed in the evaluation"},
		{"/holdouts", "cleo carl pia rae rob olga abe", "16,281"},
		{"/log", "cleo carl pia rae rob olga abe", "proposed the holdout"},
		{"/holdouts/census-2026q3", "cleo carl pia rae rob olga abe", "Rows scored"},
		{"/runs/run-fail", "rae rob abe", "Answers that flipped"},
		{"/runs/run-fail/cases", "rae rob abe", "deployed model says"},
		{"/runs/run-fail/cases.csv", "rae rob abe", "suite,case,kind"},
		{"/runs/run-fail/slices.csv", "rae rob abe", "dimension,value,rows"},
		{"/runs/run-fail/report", "rae rob abe", `"flips"`},
		{"/runs/run-fail/evidence", "rae rob abe", "sigstore"},
		{"/runs/run-first/approval", "cleo carl pia rae rob olga abe", "sigstore"},
	} {
		for _, account := range strings.Fields(all + " nobody") {
			f := newFake(t)
			b := newBrowser(t, newServer(f))
			if account != "nobody" {
				b.cookies["proctor"] = f.as(account)
			}
			w := b.get(c.path)
			may := slices.Contains(strings.Fields(c.may), account)
			if got := strings.Contains(w.Body.String(), c.says); got != may {
				t.Errorf("%s as %s: %d, reads %q: %v", c.path, account, w.Code, c.says, got)
			}
			if account == "nobody" && w.Code != 303 {
				t.Errorf("%s as nobody: %d", c.path, w.Code)
			}
		}
	}
}

// A submitter's page has no number of the report on it.
func TestSubmitterSeesNoScore(t *testing.T) {
	f := newFake(t)
	f.runs[0].person = "sue"
	b := newBrowser(t, newServer(f))
	b.cookies["proctor"] = f.as("sue")
	page := b.get("/runs/run-fail").Body.String()
	if !strings.Contains(page, "a watched slice got worse") || !strings.Contains(page, "FAIL") {
		t.Errorf("the coarse reason is missing: %s", page)
	}
	for _, secret := range []string{"Masters", "86.", "17.56", "368", "McNemar", "/evidence", "/report"} {
		if strings.Contains(page, secret) {
			t.Errorf("the page has %q", secret)
		}
	}
}

// The page says in this order: the verdict, the change, what decided, for whom,
// and then the evidence.
func TestReadingOrder(t *testing.T) {
	f := newFake(t)
	b := newBrowser(t, newServer(f))
	b.cookies["proctor"] = f.as("rae")
	page := html.UnescapeString(b.get("/runs/run-fail").Body.String())
	at := 0
	for _, next := range []string{
		"<h1", ">FAIL<", "v2-poisoned", "accuracy fell by 17.6 points", "Headline change", "+0.47 pp", "[+0.02, +0.92]", "What decided", "nobody-left-behind", "adjusted 7.2×10⁻⁸",
		"For whom it would change", "Female × Masters", ">Findings<", "VIOLATED", "60 that v1 has right are wrong under v2-poisoned, and 11 the other way round. That is 49 more wrong, 176 in every 1,000. By the policy’s costs this costs 73.50 more.", "Statistics", "HOLDS", "Answers that flipped", "13,715", "368", "444", "1,754", "Slices", "Female × Masters", "−17.56 pp", "Behavioural tests", "the answer does not hang on sex", "4.80 % → ", "▼ worse", "small-loss-and-odd-hours", "~",
		"Metrics", "Brier score", "more from the catalogue", "Scores and answers", "−180", "Always-on checks", "memorisation", "does not cover", "Rows that broke", "Evidence", digestOf("candidate"), digestOf("baseline"), digestOf("anchor"), digestOf("policy"), digestOf("holdout"), digestOf("harness"), "proctor verdict run-fail", "Review", "Only a PASS can be approved",
	} {
		i := strings.Index(page[at:], next)
		if i < 0 {
			t.Fatalf("%q does not come next", next)
		}
		at += i + len(next)
	}
}

func TestFirstModelComparesNothing(t *testing.T) {
	f := newFake(t)
	b := newBrowser(t, newServer(f))
	b.cookies["proctor"] = f.as("rae")
	page := b.get("/runs/run-first").Body.String()
	if !strings.Contains(page, "nothing was compared") {
		t.Error("it does not say so")
	}
	for _, no := range []string{"Answers that flipped", "Headline change", ">worse<", "Rows that broke"} {
		if strings.Contains(page, no) {
			t.Errorf("it has %q", no)
		}
	}
}

// A reviewer reads the page and decides; the decision carries the digest that was
// on the page, and the page then shows it.
func TestReview(t *testing.T) {
	f := newFake(t)
	b := newBrowser(t, newServer(f))
	b.cookies["proctor"] = f.as("rae")
	page := b.get("/runs/run-pass").Body.String()
	if !strings.Contains(page, `name="report" value="`+reportDigest()+`"`) || !strings.Contains(page, "checked against the digest") {
		t.Fatal("the form does not carry the digest of what is shown")
	}
	form := b.formOf("/runs/run-pass")
	send := func(decision, reason, digest string) int {
		return b.post("/runs/run-pass/review", url.Values{"form": {form}, "decision": {decision}, "reason": {reason}, "report": {digest}, "token": {token("rae")}}).Code
	}
	if code := send("approve", "r", digestOf("another")); code != 409 || f.done() != nil {
		t.Errorf("another report: %d", code)
	}
	if code := send("approve", " ", reportDigest()); code != 400 || f.done() != nil {
		t.Errorf("no reason: %d", code)
	}
	if code := send("approve", "<b>fine</b>", reportDigest()); code != 303 || len(f.done()) != 1 {
		t.Errorf("the right one: %d", code)
	}
	page = b.get("/runs/run-pass").Body.String()
	if !strings.Contains(page, "&lt;b&gt;fine&lt;/b&gt;") || !strings.Contains(page, "The approval is signed") || strings.Contains(page, "<textarea") {
		t.Error("the page does not show the decision")
	}
	b.cookies["proctor"] = f.as("abe")
	if strings.Contains(b.get("/runs/run-pass").Body.String(), "<textarea") {
		t.Error("an auditor is offered a review")
	}
}

func TestChangesPage(t *testing.T) {
	f := newFake(t)
	b := newBrowser(t, newServer(f))
	offers := func(account string) bool {
		b.cookies["proctor"] = f.as(account)
		return strings.Contains(b.get("/changes").Body.String(), `action="/changes/change-suite"`)
	}
	if !offers("carl") || offers("cleo") || offers("pia") || offers("abe") {
		t.Error("a decision is offered to who cannot take it, or not to who can")
	}
	b.cookies["proctor"] = f.as("cleo") // her own proposal, sent all the same
	if w := b.post("/changes/change-suite", url.Values{"form": {b.formOf("/")}, "decision": {"activate"}}); w.Code != 403 || f.done() != nil {
		t.Errorf("own proposal: %d", w.Code)
	}
	b.cookies["proctor"] = f.as("carl")
	if w := b.post("/changes/change-suite", url.Values{"form": {b.formOf("/")}, "decision": {"refuse"}}); w.Code != 303 || f.done()[0] != "decide change-suite false" {
		t.Errorf("refuse: %d", w.Code)
	}
}

// A page of a run that goes on loads itself again, without a script.
func TestWaitingPage(t *testing.T) {
	f := newFake(t)
	b := newBrowser(t, newServer(f))
	b.cookies["proctor"] = f.as("rae")
	for id, refresh := range map[string]string{"run-wait": "3", "run-abort": "", "run-pass": ""} {
		if w := b.get("/runs/" + id); w.Code != 200 || w.Header().Get("Refresh") != refresh {
			t.Errorf("%s: %d %q", id, w.Code, w.Header().Get("Refresh"))
		}
	}
}

// Errors on pages are pages, and internal ones say nothing.
func TestErrorPages(t *testing.T) {
	f := newFake(t)
	b := newBrowser(t, newServer(f))
	b.cookies["proctor"] = f.as("rae")
	for path, want := range map[string]int{"/runs/none": 404, "/nowhere": 404, "/runs/run-fail/approval": 404, "/holdouts/x": 404} {
		w := b.get(path)
		checkPage(t, path, w.Body.Bytes())
		if w.Code != want || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || w.Header().Get("Content-Disposition") != "" {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	f.fail = errSecret
	if w := b.get("/"); w.Code != 500 || strings.Contains(w.Body.String(), "/var/lib") {
		t.Errorf("internal: %d %s", w.Code, w.Body)
	}
}
