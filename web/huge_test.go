package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"proctor/harness/report"
)

// huge is the report of a candidate that broke 20,000 rows of 200,000, with a policy
// of a thousand findings, four hundred slices and a hundred and twenty tests.
func huge() *report.Report {
	r := poisoned()
	r.Flips = flipsOf(200_000, 20_000, 400, 86)
	r.Shown, r.BrokeRows = 20_000, nil
	for i := range int64(report.MaxRows) {
		r.BrokeRows = append(r.BrokeRows, report.RowFlip{Row: i * 400, Answer: fmt.Sprint("class", i%20), Baseline: fmt.Sprint("class", i%20), Candidate: fmt.Sprint("class", (i+7)%20)})
	}
	for i := range 1000 {
		f := r.Decision.Findings[2+i%2*2]
		f.Subject = fmt.Sprintf("dimension=value-%d", i)
		r.Decision.Findings = append(r.Decision.Findings, f)
	}
	for i := range 400 {
		r.Slices = append(r.Slices, report.Slice{Dimension: "dimension", Value: fmt.Sprint("value-", i), Flips: flipsOf(500, int64(i%60), 11, 80), Covered: i%5 > 0})
	}
	for i := range 111 {
		t := r.Tests[i%9]
		t.Name = fmt.Sprint("test-", i)
		r.Tests = append(r.Tests, t)
	}
	c := &r.Curves.Confusion
	c.Classes, c.Baseline, c.Candidate = nil, nil, nil
	for i := range report.MaxConfusion {
		c.Classes = append(c.Classes, fmt.Sprint("class", i))
		var b, a []int64
		for h := range report.MaxConfusion + 1 {
			b, a = append(b, int64(h*i)), append(a, int64(h*i+h%5))
		}
		c.Baseline, c.Candidate = append(c.Baseline, b), append(c.Candidate, a)
	}
	return r
}

// T95: a page of 20,000 flips stays a page: its totals are the report's, what is cut is
// said, and it has at most 1 MB.
func TestHugeRun(t *testing.T) {
	f := newFake(t)
	f.runs[1].report = huge()
	b := newBrowser(t, newServer(f))
	b.cookies["proctor"] = f.as("rae")
	w := b.get("/runs/" + f.runs[1].ID)
	if w.Code != 200 {
		t.Fatal(w.Code)
	}
	page := w.Body.String()
	checkPage(t, "huge", []byte(page))
	t.Logf("%d bytes", len(page))
	for _, want := range []string{"200,000 rows", "<b>20,000</b>", "20,000 rows were right under the baseline", "500 of them are listed", "more hold; the report has them all", "120"} {
		if !strings.Contains(page, want) {
			t.Errorf("it does not say %q", want)
		}
	}
}

// BenchmarkHugeRun makes that page: the time to its first byte on an idle machine.
func BenchmarkHugeRun(b *testing.B) {
	f := newFake(b)
	f.runs[1].report = huge()
	s := newServer(f)
	session := &http.Cookie{Name: "proctor", Value: f.as("rae")}
	for b.Loop() {
		r := httptest.NewRequest(http.MethodGet, "/runs/"+f.runs[1].ID, nil)
		r.AddCookie(session)
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
