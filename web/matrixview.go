package web

import (
	"net/url"
	"slices"

	"proctor/harness/report"
)

// matrixView is what each capability came to by each type of test: the worst test of a
// cell, not a mean in which harm could hide.
type matrixView struct {
	Kinds []string
	Rows  []matrixRow
	First bool // nothing was compared
}

type matrixRow struct {
	Capability string
	Cells      []matrixCell // by kind
}

type matrixCell struct {
	Old, New, Test string
	Direction      direction
	Tests          string // how many stand behind it, "" for one
	Link           string // to its cases, "": none
	n              int64
}

func matrix(r *report.Report, at string) *matrixView {
	if len(r.Tests) == 0 {
		return nil
	}
	v := &matrixView{First: r.Baseline == nil}
	for _, t := range r.Tests {
		if !slices.Contains(v.Kinds, t.Kind) {
			v.Kinds = append(v.Kinds, t.Kind)
		}
	}
	slices.Sort(v.Kinds)
	for _, t := range r.Tests {
		at2 := slices.IndexFunc(v.Rows, func(m matrixRow) bool { return m.Capability == t.Capability })
		if at2 < 0 {
			at2 = len(v.Rows)
			v.Rows = append(v.Rows, matrixRow{Capability: t.Capability, Cells: make([]matrixCell, len(v.Kinds))})
		}
		c := &v.Rows[at2].Cells[slices.Index(v.Kinds, t.Kind)]
		if c.n++; c.n > 1 {
			c.Tests = plural(c.n, "test")
		}
		x := newTestView(t, v.First)
		if c.n == 1 || worseTest(x, *c) {
			c.Old, c.New, c.Test, c.Direction = x.Old, x.New, t.Name, x.Direction
			c.Link = casesLink(r, at, url.Values{"test": {t.Suite + "/" + t.Name}})
		}
	}
	return v
}

// worseTest orders by what was shown, then by the share that fails.
func worseTest(t testView, than matrixCell) bool {
	if a, b := rank(t.Direction), rank(than.Direction); a != b {
		return a < b
	}
	return len(t.New) > len(than.New) || len(t.New) == len(than.New) && t.New > than.New // percentages of equal form
}

// casesLink leads to the cases of a run; "" where the page is none of a service's or
// the run has kept none.
func casesLink(r *report.Report, at string, q url.Values) string {
	if at == "" || r.Cases == nil {
		return ""
	}
	return at + "/cases?" + q.Encode()
}
