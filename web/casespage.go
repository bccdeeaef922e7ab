package web

import (
	"encoding/csv"
	"net/http"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"

	"proctor/harness"
	"proctor/harness/report"
)

// casesPage shows the cases of a run. It is the one page with a script, a file of this
// server that moves the focus; without it the page is complete.
func (w *Server) casesPage(c echo.Context) error {
	q, v, err := w.askedCases(c)
	if err != nil {
		return err
	}
	p := w.page(c, "Cases of "+v.Report.Candidate.Name)
	p.Here = "runs"
	c.Response().Header().Set("Content-Security-Policy", contentPolicy+"; script-src 'self'")
	return send(c, http.StatusOK, "cases", newCasesPage(p, param(c, "id"), v, q))
}

func (w *Server) askedCases(c echo.Context) (caseQuery, harness.CasesView, error) {
	q, err := parseCaseQuery(c.QueryParams())
	if err != nil {
		return q, harness.CasesView{}, err
	}
	v, err := w.service.Cases(c.Request().Context(), principal(c), param(c, "id"))
	return q, v, err
}

// casesFile is the cases that a query leaves, an example a line.
func (w *Server) casesFile(c echo.Context) error {
	q, v, err := w.askedCases(c)
	if err != nil {
		return err
	}
	var b strings.Builder
	out := csv.NewWriter(&b)
	put := func(cells ...string) {
		for i := range cells {
			cells[i] = cell(cells[i])
		}
		out.Write(cells) // a strings.Builder takes all
	}
	put("suite", "case", "kind", "capability", "outcome", "example", "deployed", "candidate", "changed")
	for _, x := range filtered(selected(v, q), q.Show) {
		t := newCaseView(v, x)
		for _, e := range t.Examples {
			put(t.Suite, t.ID, t.Kind, t.Capability, t.State, e.Name, e.Baseline, e.Candidate, changesText(e.Changes))
		}
	}
	out.Flush()
	return attach(c, "cases.csv", b.String())
}

func changesText(list []changeOf) string {
	var out []string
	for _, x := range list {
		from, to := "", ""
		for _, p := range x.Pieces {
			if p.Kind != "new" {
				from += p.Text
			}
			if p.Kind != "gone" {
				to += p.Text
			}
		}
		out = append(out, x.Column+": "+from+" → "+to)
	}
	return strings.Join(out, "; ")
}

// slicesFile is the slices of a report. Changes are two shares and no difference: a
// number with a sign would be taken for a formula.
func (w *Server) slicesFile(c echo.Context) error {
	v, err := w.service.Report(c.Request().Context(), principal(c), param(c, "id"))
	if err != nil {
		return err
	}
	var b strings.Builder
	out := csv.NewWriter(&b)
	out.Write([]string{"dimension", "value", "rows", "right_baseline", "right_candidate", "broke", "fixed", "judged_alone"})
	for _, s := range v.Report.Slices {
		out.Write(sliceLine(s))
	}
	out.Flush()
	return attach(c, "slices.csv", b.String())
}

func sliceLine(s report.Slice) []string {
	f := s.Flips
	alone := map[bool]string{true: "yes", false: "no"}[s.Covered]
	line := []string{s.Dimension, s.Value}
	for _, n := range []int64{f.N, f.BothRight + f.Broke, f.BothRight + f.Fixed, f.Broke, f.Fixed} {
		line = append(line, trim(float64(n)))
	}
	line = append(line, alone)
	for i := range line {
		line[i] = cell(line[i])
	}
	return line
}

func attach(c echo.Context, name, text string) error {
	c.Response().Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	return c.Blob(http.StatusOK, "text/csv; charset=utf-8", []byte(text))
}

// formula is where a spreadsheet could begin to read one: the signs that begin it, after
// whatever it skips, at the begin of the text, of a line, and after a semicolon, which
// ends a cell where commas stand in numbers, quotes or not.
var formula = regexp.MustCompile(`(^|[;\n])([ "']*[-=+@|%＝＋－＠−])`)

// cell makes text that no spreadsheet takes for a formula: each that could begin gets a
// quote before it. Characters that hide or reorder are codes here too.
func cell(s string) string {
	s = formula.ReplaceAllString(visible(s), "$1'$2")
	if strings.HasPrefix(s, "\n") {
		return "'" + s
	}
	return s
}
