package web

import (
	"bytes"
	"strings"
	"testing"

	"proctor/harness/report"
)

// Slices of their own stand first, those that they explain are folded away, and
// chance is left out where something is shown; where nothing is, the nearest to it
// stand folded, and are called so.
func TestSearchView(t *testing.T) {
	v := newSearchView(poisonedSearch())
	if len(v.Own) != 1 || len(v.Others) != 1 || v.Own[0].Direction != worse || v.Own[0].Change != "−17.56 pp" || v.Others[0].N != "934" {
		t.Errorf("%+v", v)
	}
	if got := v.Own[0].Conditions; len(got) != 2 || got[0] != (conditionView{"sex is Female", "+7.20 pp"}) {
		t.Errorf("%+v", got)
	}
	s := poisonedSearch()
	s.Shown, s.Slices = 0, s.Slices[2:]
	if v := newSearchView(s); len(v.Own) != 0 || len(v.Others) != 1 || v.Others[0].Direction != unclear {
		t.Errorf("%+v", v)
	}
	if newSearchView(nil) != nil {
		t.Error("a report without a search has a view of it")
	}
}

// The page says that it was found by search, how far it looked and where it was cut.
func TestSearchOnPage(t *testing.T) {
	r := poisoned()
	r.Search.Cut = "half was left out"
	for _, c := range []struct {
		change func(*report.Report)
		want   []string
		not    string
	}{
		{func(*report.Report) {}, []string{"Where it broke", "found by search, not a claim", "sex is Female", "education is Masters", "1 more that are worse by rows of the slices above", "all 485 slices together at 99 %", "Cut short: half was left out.", "not a claim</a>: it broke where sex is Female and education is Masters."}, "Asian-Pac-Islander <"},
		{func(r *report.Report) { r.Search.Shown, r.Search.Slices = 0, r.Search.Slices[2:] }, []string{"1 slices with the smallest p: none is shown to be worse"}, "it broke where"},
		{func(r *report.Report) { r.Search = &report.Search{Sentence: "No slices were searched for: no reason."} }, []string{"No slices were searched for: no reason."}, "Method:"},
		{func(r *report.Report) { r.Search = nil }, nil, "Where it broke"},
	} {
		c.change(r)
		_, digest, err := report.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		var page bytes.Buffer
		if err := RenderReport(&page, r, digest); err != nil {
			t.Fatal(err)
		}
		for _, w := range c.want {
			if !strings.Contains(page.String(), w) {
				t.Errorf("the page does not say %q", w)
			}
		}
		if strings.Contains(page.String(), c.not) {
			t.Errorf("the page says %q", c.not)
		}
	}
}
