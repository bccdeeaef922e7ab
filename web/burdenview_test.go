package web

import (
	"bytes"
	"strings"
	"testing"

	"proctor/harness/report"
)

func TestBurdenView(t *testing.T) {
	r := poisoned()
	v := newBurdenView(r)
	if len(v.Costs) != 3 || v.Costs[2] != (costView{"change over all rows", "+0.0147", "[+0.0010, +0.0280]"}) || !v.Weighted {
		t.Errorf("%+v", v.Costs)
	}
	if len(v.Unevenly) != 2 || v.Unevenly[1] != (unevenView{"sex*education", "Female × Masters", "9.5 times", "31.00 %"}) {
		t.Errorf("%+v", v.Unevenly)
	}
	var page bytes.Buffer
	_, digest, err := report.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := RenderReport(&page, r, digest); err != nil || !strings.Contains(page.String(), "Who bears what broke") || !strings.Contains(page.String(), "9.5 times") {
		t.Errorf("%v", err)
	}
	// Without costs broken rows are counted; where none broke there is nothing to share.
	r.Cost, r.Burden = nil, []report.Burden{{Dimension: "sex", Index: report.Estimate{Undefined: "no broken row"}}}
	if v := newBurdenView(r); v.Weighted || v.Costs != nil || v.Unevenly != nil || v.Undefined != "no broken row" {
		t.Errorf("%+v", v)
	}
	if r.Burden = nil; newBurdenView(r) != nil {
		t.Error("a report without burden has a view of it")
	}
}

// A p that is too small for a number is written by its logarithm.
func TestTiny(t *testing.T) {
	for _, c := range []struct {
		p, log10 *float64
		want     string
	}{{ptr(.25), ptr(-.602), "0.2500"}, {ptr(0), ptr(-626.7), "10⁻⁶²⁶"}, {ptr(0), nil, "0"}, {nil, ptr(-5), none}} {
		if got := tiny(c.p, c.log10); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
