package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"proctor/harness"
	"proctor/harness/access"
	"proctor/harness/report"
	"proctor/holdout"
	"proctor/web/api"
)

func reportDigest() string {
	_, digest, _ := report.Encode(passed())
	return digest
}

// structure returns the tags and attribute names of a page in order, and fails if
// a tag is not closed where it must be. Text cannot change a structure that
// escaping keeps.
func structure(t *testing.T, page []byte) []string {
	t.Helper()
	var out, open []string
	void := []string{"meta", "link", "input", "br", "hr", "img"}
	z := html.NewTokenizer(bytes.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("never closed: %v", open)
			}
			return out
		case html.StartTagToken:
			tok := z.Token()
			if !slices.Contains(void, tok.Data) {
				open = append(open, tok.Data)
			}
			out = append(out, describe(tok))
		case html.SelfClosingTagToken:
			out = append(out, describe(z.Token()))
		case html.EndTagToken:
			tok := z.Token()
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				t.Fatalf("</%s> closes %v", tok.Data, open)
			}
			open = open[:len(open)-1]
		}
	}
}

func describe(tok html.Token) string {
	s := tok.Data
	for _, a := range tok.Attr {
		s += " " + a.Key
	}
	return s
}

// checkPage holds a page against what is true of all: it is closed, runs nothing,
// loads its style sheet alone, links to this server alone and shows no character
// that deceives.
func checkPage(t *testing.T, name string, page []byte) []string {
	t.Helper()
	tags := structure(t, page)
	ids := map[string]bool{}
	z := html.NewTokenizer(bytes.NewReader(page))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		tok := z.Token()
		if tok.Data == "script" && strings.HasPrefix(name, "cases") && len(tok.Attr) == 2 && tok.Attr[0].Val == "/cases.js" {
			continue // this server's own file
		}
		if slices.Contains([]string{"script", "iframe", "object", "embed", "base", "img", "foreignobject"}, tok.Data) {
			t.Errorf("%s has a <%s>", name, tok.Data)
		}
		for _, a := range tok.Attr {
			local := strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "//") || strings.HasPrefix(a.Val, "#")
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "src", a.Key == "srcdoc":
				t.Errorf("%s: <%s %s=%q>", name, tok.Data, a.Key, a.Val)
			case (a.Key == "href" || a.Key == "action") && !local:
				t.Errorf("%s leads to %q", name, a.Val)
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("%s has the id %q twice", name, a.Val)
			case a.Key == "id":
				ids[a.Val] = true
			}
		}
	}
	if forms, tokens := bytes.Count(page, []byte("<form"))-bytes.Count(page, []byte(`method="get"`)), bytes.Count(page, []byte(`name="form" value="`+formToken("x")+`"`)); forms != tokens && bytes.Contains(page, []byte(formToken("x"))) {
		t.Errorf("%s has %d forms and %d tokens", name, forms, tokens)
	}
	for _, r := range string(page) {
		if deceptive(r) && r != '\t' {
			t.Errorf("%s shows %U", name, r)
			break
		}
	}
	if bytes.Contains(page, []byte("ZgotmplZ")) || bytes.Contains(page, []byte("NaN")) || bytes.Contains(page, []byte("%!")) {
		t.Errorf("%s has text that was not meant", name)
	}
	if len(page) > 1<<20 {
		t.Errorf("%s has %d bytes", name, len(page))
	}
	return tags
}

// hostile is text of somebody who wants something.
var hostile = []string{
	`</td></table><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, "\u202Etxt.exe\u202C", "a\u200Bb\u00ADc\uFEFF", "\x00\xff\x1b[2J",
	`</style><script>`, `javascript:alert(1)`, `{{.Page.Form}}`, `<!--`, `]]>`, strings.Repeat("long", 100_000), strings.Repeat("\u202E", 5000), "مرحبا", "&lt;b&gt;", "", "a\nb",
}

// rename puts text in all places of a report that somebody else can fill.
func rename(r *report.Report, s string) *report.Report {
	r.Lineage, r.Candidate.Name, r.Candidate.Kind, r.Tier = s, s, s, s
	if r.Baseline != nil {
		r.Baseline.Name, r.Anchor.Name = s+"b", s
	}
	r.Policy.Name, r.Decision.Sentence = s, s
	for _, refs := range [][]report.Ref{r.Holdouts, r.Suites} {
		for i := range refs {
			refs[i].Name = s
		}
	}
	for i := range r.Decision.Findings {
		f := &r.Decision.Findings[i]
		f.Claim, f.Metric, f.Sentence = s, s+"m", s
		if f.Subject != "" {
			f.Subject = s + "s"
		}
	}
	for i := range r.Decision.NotCovered {
		r.Decision.NotCovered[i] = s
	}
	for i := range r.Slices {
		r.Slices[i].Value = s
	}
	for i := range r.Tests {
		r.Tests[i].Name, r.Tests[i].Capability = s, s
	}
	for i := range r.Probes {
		r.Probes[i].Name, r.Probes[i].Detail = s, s
	}
	for i := range r.BrokeRows {
		b := &r.BrokeRows[i]
		b.Answer, b.Baseline, b.Candidate = b.Answer+s, b.Baseline+s, b.Candidate+s
	}
	for i := range r.Metrics {
		r.Metrics[i].Name = s
	}
	if c := r.Curves; c != nil {
		for i := range c.Confusion.Classes {
			c.Confusion.Classes[i] = s
		}
		c.Scores.Of = s
	}
	return r
}

// frame is the frame of a page of rae's.
func frame(s string) page {
	return page{Title: s, Who: s + "w", Roles: s, Form: formToken("x")}
}

// views returns every page, full, with s as all text that others can fill in.
func views(s string) map[string]func() ([]byte, error) {
	r := rename(poisoned(), s)
	w := server(nil, false)
	c := w.echo.NewContext(httptest.NewRequest("GET", "/", nil), nil)
	c.Set(principalKey, access.Principal{ID: "rae", Person: "rae", Roles: []access.Role{access.Reviewer}})
	c.Set(sessionKey, "x")
	run := func(r *report.Report, result string, awaiting int) func() ([]byte, error) {
		v := harness.ReportView{Digest: digestOf("r"), Report: r, Run: harness.RunView{ID: "id" + s, SubmittedBy: s, Submitted: s, Ended: s, Deployed: "d" + s, ApprovalIndex: -1, Harness: s + "h", Evidence: s + "e",
			Reviews: []harness.ReviewView{{By: s, Reason: s, Report: s, At: s}, {By: s, Approve: true, Reason: s, Report: digestOf("r"), At: s}}}}
		return func() ([]byte, error) {
			p := w.reviewPage(c, api.Submission{Candidate: s, Result: result, Awaiting: awaiting}, v)
			p.Context = hostileContext(s)
			return renderPage("run", p)
		}
	}
	state := func(sub api.Submission) func() ([]byte, error) {
		return func() ([]byte, error) {
			return renderPage("state", statePage{Page: frame(s), Run: sub, Running: !sub.Done()})
		}
	}
	h := holdout.Commitment{Name: s, Digest: s, Classes: []string{s, s}, Positive: "p", ClassCounts: []int64{1, 2}, SliceSizes: map[string]map[string]int64{"d" + s: {"v" + s: 3}}, Features: census().Features, Previous: s + "p", SealedAt: s}
	h.Features[0].Name = s
	change := api.Change{ID: s, Kind: "suite", Name: s, Digest: s, Note: s, State: "proposed", Proposer: s, Proposed: s}
	holdoutChange := change
	holdoutChange.Kind, holdoutChange.State, holdoutChange.Decider = "holdout", "active", s+"d"
	return map[string]func() ([]byte, error){
		"run fail":  run(r, "FAIL", 0),
		"run pass":  run(r, "PASS", 1),
		"run first": run(rename(first(), s), "PASS", -1),
		"cases":     func() ([]byte, error) { return renderPage("cases", hostileCases(r, s)) },
		"log": func() ([]byte, error) {
			return renderPage("log", logPage{Page: frame(s), Entries: []logEntry{{Event: api.Event{Sentence: s, At: s, Alerts: []string{s}}, Number: "3", Link: runAddress(s), Here: true}}, Older: "/log?from=0"})
		},
		"holdouts": func() ([]byte, error) {
			return renderPage("holdouts", newHoldoutsPage(frame(s), []holdout.Commitment{h}))
		},
		"rows": func() ([]byte, error) {
			return renderPage("rows", rowsPage{Page: frame(s), Back: "/runs/x", Candidate: s, Columns: []string{s, "b"}, Rows: []rowView{{"1", []string{s, s}}}, Left: "3"})
		},
		"waiting": state(api.Submission{ID: s, Lineage: s, Candidate: s, Package: s, State: "planned", Stage: s}),
		"aborted": state(api.Submission{ID: s, Lineage: s, Candidate: s, Package: s, State: "aborted", Reason: s}),
		"done":    state(api.Submission{ID: s, Lineage: s, Candidate: s, Package: s, State: "done", Result: "FAIL", Reason: s, Ended: s + "e"}),
		"passed":  state(api.Submission{ID: s, Candidate: s, Package: s, State: "done", Result: "PASS", Awaiting: 1}),
		"ready":   state(api.Submission{ID: s, Candidate: s, Package: s, State: "done", Result: "PASS", Approved: true}),
		"queued":  state(api.Submission{ID: s, Candidate: s, Package: s, State: "queued"}),
		"runs": func() ([]byte, error) {
			return renderPage("runs", runsPage{Page: frame(s), Lineage: "l" + s, Runs: []listedRun{{api.Submission{ID: s, Lineage: s, Candidate: s, Result: "FAIL", Reason: s, Submitted: s}, s}, {api.Submission{ID: s, State: s, Stage: s}, ""}}})
		},
		"changes": func() ([]byte, error) {
			return renderPage("changes", changesPage{Page: frame(s), Changes: []changeView{{change, false, true}, {holdoutChange, true, false}}})
		},
		"holdout": func() ([]byte, error) { return renderPage("holdout", newHoldoutPage(frame(s), h)) },
		"login": func() ([]byte, error) {
			return renderPage("login", loginPage{Page: page{Title: s, Form: formToken("x")}, Next: "/runs/x", Refused: s + "r"})
		},
		"continue": func() ([]byte, error) {
			return renderPage("continue", continuePage{Page: page{Title: s}, Next: "/runs/x"})
		},
		"error": func() ([]byte, error) {
			return renderPage("error", errorPage{Page: frame(s), Status: 404, Problem: api.Problem{Code: s, Message: s}})
		},
		"compare": func() ([]byte, error) {
			var b bytes.Buffer
			err := RenderReport(&b, r, s)
			return b.Bytes(), err
		},
	}
}

// No text changes the structure of a page: with hostile text it has the tags and
// attributes that it has with tame text.
func TestHostileText(t *testing.T) {
	tame := map[string][]string{}
	for name, render := range views("tame") {
		b, err := render()
		if err != nil {
			t.Fatal(err)
		}
		tame[name] = checkPage(t, name, b)
	}
	for _, s := range hostile {
		for name, render := range views(s) {
			label := fmt.Sprintf("%s with %.20q", name, s)
			b, err := render()
			if err != nil {
				t.Errorf("%s: %v", label, err)
				continue
			}
			if got := checkPage(t, label, b); s != "" && !slices.Equal(got, tame[name]) {
				t.Errorf("%s has another structure", label)
			}
		}
	}
}

// The checks above would see it if escaping or making visible were off.
func TestChecksNotice(t *testing.T) {
	render, _ := views("MARK")["run fail"]()
	tame := structure(t, render)
	for _, s := range []string{"<b></b>", `"><i title="`, "<script></script>"} {
		raw := bytes.ReplaceAll(render, []byte("MARK"), []byte(s))
		if slices.Equal(tame, quietly(raw)) {
			t.Errorf("%s is not noticed", s)
		}
	}
	if plain("\u202E") || plain("\x00") || plain("a\u200Bb") || !plain("ordinary × text – “fine” 日本") {
		t.Error("deceptive characters are not noticed")
	}
}

func quietly(page []byte) (tags []string) {
	z := html.NewTokenizer(bytes.NewReader(page))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		if kind == html.StartTagToken || kind == html.SelfClosingTagToken {
			tags = append(tags, describe(z.Token()))
		}
	}
	return tags
}

// Every page can be drawn with nothing in it.
func TestEmptyPages(t *testing.T) {
	empty := &report.Report{}
	bare := &report.Report{Baseline: &report.Model{}, Decision: report.Decision{Decided: 7, Findings: []report.Finding{{}}}, Slices: []report.Slice{{}, {Covered: true}}, Tests: []report.Test{{}}, Metrics: []report.Metric{{}}, Probes: []report.Probe{{}}, BrokeRows: []report.RowFlip{{}},
		Curves: &report.Curves{Confusion: report.Confusion{Classes: []string{"a"}, Candidate: [][]int64{{1}}}, Scores: &report.Scores{After: []int64{1}}}, Cases: &report.CaseFile{}, SliceCosts: []report.SliceCost{{}}}
	for name, render := range map[string]func() ([]byte, error){
		"run":       func() ([]byte, error) { return renderPage("run", runPage{}) },
		"run empty": func() ([]byte, error) { return renderPage("run", runPage{Report: newReportView(empty, "", "")}) },
		"run bare":  func() ([]byte, error) { return renderPage("run", runPage{Report: newReportView(bare, "", "/runs/x")}) },
		"cases": func() ([]byte, error) {
			return renderPage("cases", newCasesPage(page{}, "x", harness.CasesView{Report: empty, Cases: &report.Cases{}}, caseQuery{Page: 1}))
		},
		"rows":     func() ([]byte, error) { return renderPage("rows", rowsPage{Back: "/"}) },
		"log":      func() ([]byte, error) { return renderPage("log", logPage{}) },
		"holdouts": func() ([]byte, error) { return renderPage("holdouts", holdoutsPage{}) },
		"state":    func() ([]byte, error) { return renderPage("state", statePage{}) },
		"runs":     func() ([]byte, error) { return renderPage("runs", runsPage{}) },
		"changes":  func() ([]byte, error) { return renderPage("changes", changesPage{}) },
		"holdout":  func() ([]byte, error) { return renderPage("holdout", newHoldoutPage(page{}, holdout.Commitment{})) },
		"login":    func() ([]byte, error) { return renderPage("login", loginPage{}) },
		"error":    func() ([]byte, error) { return renderPage("error", errorPage{}) },
		"compare":  func() ([]byte, error) { var b bytes.Buffer; err := RenderReport(&b, empty, ""); return b.Bytes(), err },
	} {
		b, err := render()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		checkPage(t, name, b)
	}
}

// Equal reports give equal bytes, however often they are drawn.
func TestPagesAreDeterministic(t *testing.T) {
	want := views("x")
	for name, render := range views("x") {
		a, _ := render()
		b, _ := want[name]()
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs", name)
		}
	}
}

// No answer of any route is without the content policy, and it runs nothing; the page
// of cases alone runs a file of this server.
func TestContentPolicy(t *testing.T) {
	f := newFake(t)
	s := server(f, false)
	paths := []string{"/nowhere", "/v1/nowhere", "/runs/none", "/v1%2F", "/healthz", "/proctor.css"}
	for _, r := range s.echo.Routes() {
		paths = append(paths, strings.NewReplacer(":id", "run-fail", ":name", "census-2026q3", ":lineage", "income").Replace(r.Path))
	}
	for _, path := range paths {
		for _, method := range []string{"GET", "POST", "HEAD", "PUT", "OPTIONS"} {
			r := httptest.NewRequest(method, path, nil)
			b := newBrowser(t, s.Handler())
			b.cookies["proctor"] = f.as("rae")
			h := b.do(r).Header()
			policy := h.Get("Content-Security-Policy")
			if method == "GET" && path == "/runs/run-fail/cases" { // this server's own file, and no other page
				if policy != contentPolicy+"; script-src 'self'" {
					t.Errorf("%s: %s", path, policy)
				}
				policy = contentPolicy
			}
			if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "script-src") || strings.Contains(policy, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") == "" {
				t.Errorf("%s %s: %v", method, path, h)
			}
		}
	}
}

// A report on its own says that it is none: no signature, no approval, nothing bound.
func TestRenderReport(t *testing.T) {
	r := poisoned()
	r.Binding, r.Tier = "none", ""
	var b bytes.Buffer
	if err := RenderReport(&b, r, digestOf("bytes")); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"Binding: none.", "no approval exists or can follow", "no approval exists. A release gate", "carries no signature", digestOf("bytes"), "Female × Masters", "−17.56 pp", "default-src &#39;none&#39;"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing", want)
		}
	}
	_, style, _ := strings.Cut(page, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	if hash := base64.StdEncoding.EncodeToString(sum[:]); !strings.Contains(html.UnescapeString(page), "style-src 'sha256-"+hash+"'") {
		t.Error("the policy does not allow the style sheet that is in the file")
	}
	for _, never := range []string{"<form", "<link", "<script", "href=\"/"} {
		if strings.Contains(page, never) {
			t.Errorf("it has %s", never)
		}
	}
}
