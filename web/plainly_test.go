package web

import (
	"strings"
	"testing"

	"proctor/harness/report"
)

// Findings speak of rows and cases, in the names of models, labels and slices.
func TestPlainly(t *testing.T) {
	r := poisoned()
	r.Slices = append(r.Slices, report.Slice{Dimension: "race", Value: "Other", Flips: report.Flips{N: 9, Broke: 2, Fixed: 3}}, report.Slice{Dimension: "race", Value: "Few", Flips: report.Flips{N: 5, Broke: 1, Fixed: 0}},
		report.Slice{Dimension: "class", Value: ">50K", Flips: report.Flips{N: 10, Broke: 2, Fixed: 2}})
	for _, c := range []struct {
		f    report.Finding
		want string
	}{
		{report.Finding{Metric: "accuracy@1", N: 16281}, "Of 16,281 rows, 368 that v1 has right are wrong under v2-poisoned, and 444 the other way round. That is 76 fewer wrong, 4.7 in every 1,000. By the policy’s costs this costs 239.33 more."},
		{report.Finding{Metric: "accuracy@1", N: 14, Subject: "race=rest"}, "Of 14 rows of the 2 small values of race together, 3 that v1 has right are wrong under v2-poisoned, and 3 the other way round. As many are wrong as before."},
		{report.Finding{Subject: "income-invariance/obvious", N: 300}, "Of 300 cases of obvious, 12 that v1 passes fail under v2-poisoned, and 0 the other way round. That is 12 more failed, 40 in every 1,000."},
		{report.Finding{Metric: "brier@1", Sentence: "as the policy says"}, "as the policy says"},
		{report.Finding{Metric: "accuracy@1", Subject: "sex=Female", N: 4, Sentence: "of other rows"}, "of other rows"},
		{report.Finding{Metric: "accuracy@1", Subject: "nothing=here", N: 4, Sentence: "own words"}, "own words"},
	} {
		if got := plainly(r, c.f); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
	if got := condition("class", ">50K"); got != "the right answer is >50K" {
		t.Error(got)
	}
	if got := plainly(first(), report.Finding{Metric: "accuracy@1", Sentence: "alone"}); got != "alone" {
		t.Error(got)
	}
}

// A cell shows its worst test, whatever the order, and how many stand behind it.
func TestMatrix(t *testing.T) {
	r := poisoned()
	for range 2 {
		m := matrix(r, "/runs/x")
		if len(m.Rows) != 6 || strings.Join(m.Kinds, " ") != "DIR INV MFT trigger" {
			t.Fatalf("%d rows, kinds %q", len(m.Rows), m.Kinds)
		}
		for _, row := range m.Rows {
			if row.Capability != "plain cases" {
				continue
			}
			if c := row.Cells[2]; c.Test != "obvious" || c.Tests != "2 tests" || c.Direction != worse || c.Link != "/runs/x/cases?test=income-invariance%2Fobvious" {
				t.Errorf("%+v", c)
			}
		}
		for i, j := 0, len(r.Tests)-1; i < j; i, j = i+1, j-1 {
			r.Tests[i], r.Tests[j] = r.Tests[j], r.Tests[i]
		}
	}
	if m := matrix(r, ""); m.Rows[0].Cells[0].Link+m.Rows[0].Cells[1].Link+m.Rows[0].Cells[2].Link != "" {
		t.Error("a file links to a service")
	}
	if matrix(&report.Report{}, "") != nil {
		t.Error("a matrix of no test")
	}
}

// What a policy asks about stands open, the rest is folded; where it asks about no
// metric, nothing is.
func TestPartMetrics(t *testing.T) {
	r := poisoned()
	v := newReportView(r, "", "")
	if len(v.Metrics) != 3 || len(v.Metrics)+len(v.MoreMetrics) != len(r.Metrics) {
		t.Errorf("%d open, %d folded of %d", len(v.Metrics), len(v.MoreMetrics), len(r.Metrics))
	}
	r.Decision.Findings = nil
	if v = newReportView(r, "", ""); len(v.Metrics) != len(r.Metrics) || v.MoreMetrics != nil {
		t.Errorf("%d open, %d folded of %d", len(v.Metrics), len(v.MoreMetrics), len(r.Metrics))
	}
}

// Findings that hold are folded by claim and bounded; those that do not are all there.
func TestFindingsAreBounded(t *testing.T) {
	r := poisoned()
	for range 2 * maxHeld {
		r.Decision.Findings = append(r.Decision.Findings, report.Finding{Claim: "many", Outcome: report.Holds}, report.Finding{Claim: "bad", Outcome: report.Violated})
	}
	v := findings(r)
	shown := 0
	for _, h := range v.Held {
		shown += len(h.Findings)
	}
	if shown != maxHeld || v.Cut != "305" || len(v.Open) != 2*maxHeld+3 || !v.Open[0].Decided {
		t.Errorf("%d shown, %s cut, %d open", shown, v.Cut, len(v.Open))
	}
}
