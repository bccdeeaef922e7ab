package web

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"proctor/harness/report"
)

// hostileCases is a page of cases on which all text of others is s.
func hostileCases(r *report.Report, s string) casesPage {
	p := newCasesPage(frame(s), "x", cases(r, "x"), caseQuery{Search: s, Page: 1})
	p.Candidate, p.Baseline = s, s
	for i := range p.Tests {
		p.Tests[i].Name = s
	}
	all := newCasesPage(frame(s), "x", cases(r, "x"), caseQuery{Page: 1})
	for _, c := range all.Cases {
		c.ID, c.Suite, c.Kind, c.Capability, c.Asks = s, s, s, s, s
		for i := range c.Examples {
			e := &c.Examples[i]
			e.Baseline, e.Candidate = s, s
			for k := range e.Changes {
				e.Changes[k] = changeOf{s, []piece{{"gone", s}, {"same", s}, {"new", s}}}
			}
		}
		for i := range c.Values {
			c.Values[i] = valueView{s, s}
		}
		p.Cases = append(p.Cases, c)
	}
	return p
}

// Every chip counts what it leaves, and leaves what it counts, whatever is searched.
func TestChipsCount(t *testing.T) {
	v := cases(poisoned(), "people")
	for _, q := range []caseQuery{{Page: 1}, {Page: 1, Test: "words/same"}, {Page: 1, Search: "7"}, {Page: 1, Search: "MAN 1"}, {Page: 1, Search: "nowhere"}, {Page: 1, Test: "no/test"}} {
		all := selected(v, q)
		sum := 0
		for _, s := range caseStates {
			sum += len(filtered(all, s))
		}
		if sum != len(all) {
			t.Errorf("%+v: %d cases in states, %d in all", q, sum, len(all))
		}
		for i, c := range newCasesPage(page{}, "x", v, q).Chips {
			at, err := url.Parse(c.Link)
			if err != nil {
				t.Fatal(err)
			}
			to, err := parseCaseQuery(at.Query())
			if err != nil || to.Test != q.Test || to.Search != q.Search || to.Show != filters[i].key {
				t.Errorf("%s leads to %+v, %v", c.Name, to, err)
			}
			n := 0
			for to.Page = 1; ; to.Page++ {
				p := newCasesPage(page{}, "x", v, to)
				if n += len(p.Cases); p.After == "" {
					break
				}
			}
			if count(int64(n)) != c.N {
				t.Errorf("%+v: %s says %s and shows %d", q, c.Name, c.N, n)
			}
		}
	}
	if p := newCasesPage(page{}, "x", v, caseQuery{Page: 1}); p.Cases[0].State != "broke" || p.Shown != "1 to 25 of 120 filtered (120 in all)" || p.Cells.Broke != "22" {
		t.Errorf("%s: %+v, %+v", p.Shown, p.Cases[0], p.Cells)
	}
	if p := newCasesPage(page{}, "x", v, caseQuery{Page: 99}); len(p.Cases) != 0 || p.After != "" {
		t.Errorf("beyond the end: %s", p.Shown)
	}
}

// A first model has cases that failed and passed; nothing broke.
func TestCasesOfAFirstModel(t *testing.T) {
	p := newCasesPage(page{}, "x", cases(first(), "people"), caseQuery{Page: 1})
	var names []string
	for _, c := range p.Chips {
		names = append(names, c.Name)
	}
	if strings.Join(names, " ") != "All Failed Errors" || p.Cells != nil || p.Cases[0].State != "failed" {
		t.Errorf("%q %+v", names, p.Cases[0])
	}
}

func TestCaseQueries(t *testing.T) {
	f := newFake(t)
	b := newBrowser(t, newServer(f))
	b.cookies["proctor"] = f.as("rae")
	for query, want := range map[string]int{"": 200, "?show=broke&q=a&page=2": 200, "?show=all": 200, "?show=nothing": 400, "?page=0": 400, "?page=x": 400, "?q=" + strings.Repeat("x", 201): 400, "?q=%ff": 400} {
		if w := b.get("/runs/run-fail/cases" + query); w.Code != want {
			t.Errorf("%q: %d, want %d", query, w.Code, want)
		}
	}
	w := b.get("/runs/run-fail/cases?show=broke&test=words%2Fsame")
	if page := w.Body.String(); !strings.Contains(page, "<del>man</del>") && !strings.Contains(page, "<del>man </del>") || !strings.Contains(page, "woman") {
		t.Error("what was changed is not shown")
	}
	if got := w.Header().Get("Content-Security-Policy"); got != contentPolicy+"; script-src 'self'" {
		t.Errorf("policy %q", got)
	}
	if got := b.get("/runs/run-fail").Header().Get("Content-Security-Policy"); got != contentPolicy {
		t.Errorf("policy of the review page %q", got)
	}
}

func TestWordDiff(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"a man here", "a woman here", "same:a |gone:man |new:woman |same:here"},
		{"x", "x", "same:x"},
		{"", "new", "gone:|new:new"},
		{"a b c", "a c", "same:a |gone:b |same:c"},
		{"5", "7", "gone:5|new:7"},
	} {
		var got []string
		for _, p := range wordDiff(c.a, c.b) {
			got = append(got, p.Kind+":"+p.Text)
		}
		if s := strings.Join(got, "|"); s != c.want && s != strings.TrimPrefix(c.want, "gone:|") {
			t.Errorf("%q to %q: %s", c.a, c.b, s)
		}
	}
	long := strings.Repeat("word ", maxWords+1)
	if p := wordDiff(long, long+"x"); len(p) != 2 {
		t.Errorf("%d pieces of a long text", len(p))
	}
}

// T94: no cell of an export begins with a sign that a spreadsheet computes.
func TestNoCellIsAFormula(t *testing.T) {
	payloads := []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "  +1", "'=1", "\"=1", "\"\"=1", "|cmd", "%x", "＝1", "＋1", "－1", "＠x", "−1", "=HYPERLINK(\"http://x\",\"y\")", "\u200b=1", "\u202e=1", "\x00=1",
		"=cmd|'/C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@x", " @x", "\v=1", "\u00a0=1", "\ufeff=1"}
	for _, p := range payloads {
		r := poisoned()
		r.Slices = []report.Slice{{Dimension: p, Value: p}}
		var b strings.Builder
		w := csv.NewWriter(&b)
		w.Write(sliceLine(r.Slices[0]))
		w.Flush()
		back, err := csv.NewReader(strings.NewReader(b.String())).Read()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range back {
			if first := strings.TrimLeft(c, " \n\t\r\v\"\u00a0\ufeff\u200b\u202e\x00"); strings.HasPrefix(c, "'") {
				continue
			} else if first != "" && strings.ContainsAny(first[:1], "=+-@|%") || strings.HasPrefix(first, "＝") || strings.HasPrefix(first, "＋") || strings.HasPrefix(first, "－") || strings.HasPrefix(first, "＠") {
				t.Errorf("%q is written as %q", p, c)
			}
		}
	}
	if cell("plain") != "plain" || cell("12") != "12" || cell("") != "" {
		t.Error("plain cells change")
	}
	// Where a semicolon ends a cell and a line ends a row, what stands within a text is a cell.
	for _, p := range []string{"a;=1+1", "a; +1", "a;\"=1", "a;;@x", "a\n=1+1", "a\n\n-1", "a;\n=1", "a\"\n;=1"} {
		for _, part := range strings.FieldsFunc(cell(p), func(r rune) bool { return r == ';' || r == '\n' }) {
			if first := strings.TrimLeft(part, " \""); strings.ContainsAny(first[:1], "=+-@|%") {
				t.Errorf("%q is written as %q", p, cell(p))
			}
		}
	}
}

// Rows of a sealed set: only asked for by a form of this page, only whole numbers.
func TestRowsForm(t *testing.T) {
	f := newFake(t)
	b := newBrowser(t, newServer(f))
	b.cookies["proctor"] = f.as("rae")
	token := b.formOf("/runs/run-fail")
	if w := b.post("/runs/run-fail/rows", url.Values{"form": {token}, "rows": {"18, 62\n106"}}); w.Code != 200 || !strings.Contains(w.Body.String(), ">106<") || !strings.Contains(w.Body.String(), ">38<") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, rows := range []string{"", "x", "0", "-1", "1.5", "1e3", "99999999999999999999"} {
		if w := b.post("/runs/run-fail/rows", url.Values{"form": {token}, "rows": {rows}}); w.Code != 400 {
			t.Errorf("%q: %d", rows, w.Code)
		}
	}
	for _, bad := range []url.Values{{"form": {"x"}, "rows": {"1"}}, {"rows": {"1"}}} {
		if w := b.post("/runs/run-fail/rows", bad); w.Code == 200 {
			t.Errorf("%v: %d", bad, w.Code)
		}
	}
	if w := b.post("/runs/run-fail/rows", url.Values{"form": {token}, "rows": {"1"}}, "Sec-Fetch-Site", "cross-site"); w.Code != 403 {
		t.Errorf("from elsewhere: %d", w.Code)
	}
	if w := b.get("/runs/run-fail/rows"); w.Code != http.StatusMethodNotAllowed && w.Code != 404 {
		t.Errorf("by a link: %d", w.Code)
	}
	b.cookies["proctor"] = f.as("abe") // an auditor reads reports, not rows
	if page := b.get("/runs/run-fail").Body.String(); strings.Contains(page, "Open these rows") {
		t.Error("an auditor is offered rows")
	}
}

// The page moves by keys, opens a case and finds the search; without script all of it is there.
func TestKeysOfCases(t *testing.T) {
	ctx := chromium(t)
	s := newShop(t, contentPolicy)
	b, err := renderPage("cases", newCasesPage(frame("rae"), "x", cases(poisoned(), "people"), caseQuery{Page: 1}))
	if err != nil {
		t.Fatal(err)
	}
	s.pages["cases"] = b
	if err := chromedp.Do(ctx, chromedp.Navigate(s.URL+"/page/cases")); err != nil {
		t.Fatal(err)
	}
	press := func(key string) string {
		t.Helper()
		got, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf(`(() => { document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: %q, bubbles: true}));
			const a = document.activeElement, l = [...document.querySelectorAll("li.case")]; return (a.id || l.indexOf(a)) + " " + l.filter(c => c.querySelector("details").open).length })()`, key)))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, c := range []struct{ key, want string }{{"j", "0 0"}, {"j", "1 0"}, {"k", "0 0"}, {"k", "0 0"}, {"o", "0 1"}, {"o", "0 0"}, {"x", "0 0"}, {"/", "q 0"}, {"j", "q 0"}} {
		if got := press(c.key); got != c.want {
			t.Errorf("%q: %q, want %q", c.key, got, c.want)
		}
	}
	if s.csp.Load()+s.hits.Load() != 0 {
		t.Errorf("%d reports, %d requests", s.csp.Load(), s.hits.Load())
	}
}
