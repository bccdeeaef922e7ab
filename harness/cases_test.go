package harness

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"proctor/harness/report"
)

// withSuite is a world whose policy names a suite of two tests.
func withSuite(t *testing.T) *world {
	w := newWorld(t)
	w.seal(1)
	const yaml = "suite: s\ntests:\n  - {name: plain, capability: sense, kind: MFT, cases: m.csv}\n  - {name: same, kind: INV, carriers: i.csv, set: {tag: other}}\n"
	var m, i strings.Builder
	m.WriteString("x,tag,expect\n")
	i.WriteString("x,tag\n")
	for k := range 40 {
		m.WriteString([]string{"1", "0"}[k%2] + ",t" + string(rune('a'+k%26)) + "," + []string{"yes", "no"}[k%2] + "\n")
		i.WriteString("0.7,u" + string(rune('a'+k%26)) + "\n")
	}
	c, err := w.s.ProposeSuite(context.Background(), person("cur1"), bytes.NewReader(pack(map[string]string{"s.yaml": yaml, "m.csv": m.String(), "i.csv": i.String()})))
	w.activate(c, err, "cur2")
	w.rule(strings.Replace(testPolicy, "holdouts: [exam]\n", "holdouts: [exam]\nsuites: [s]\n", 1) + "watch:\n  - {id: tests, suite: s, harm_pp: 20, detect_pp: 90}\n")
	return w
}

// The cases of a run are those that its report counts, answer by answer.
func TestCasesAreThoseOfTheReport(t *testing.T) {
	w := withSuite(t)
	v1 := w.deploy("v1", model(0, ""))
	v := w.run("v2", model(.4, "s"))
	if v.State != "done" {
		t.Fatalf("%+v\n%s", v, w.log)
	}
	ctx := context.Background()
	c := must1[CasesView](w)(w.s.Cases(ctx, person("rev1"), v.ID))
	broke := int64(0)
	for i, x := range c.Report.Tests {
		o := c.Cases.Suites[0].Tests[i]
		var b, f, n int64
		for k := range o.Candidate {
			switch o.Baseline[k:k+1] + o.Candidate[k:k+1] {
			case "pf":
				b++
			case "fp":
				f++
			case "pp", "ff":
			default:
				n++
			}
		}
		if b != x.Broke || f != x.Fixed || n != x.NotApplicable || int64(len(o.Candidate)) != x.Cases {
			t.Errorf("%s: broke %d, fixed %d, not applicable %d; the report says %+v", x.Name, b, f, n, x)
		}
		broke += b
	}
	if broke == 0 || c.Suites[0].Cases() != 80 || len(c.Cases.Suites[0].Tests[1].After) != 80 {
		t.Errorf("%d broke: %+v", broke, c.Cases)
	}
	if first := must1[CasesView](w)(w.s.Cases(ctx, person("rev1"), v1.ID)); first.Cases.Suites[0].Tests[0].Baseline != "" || first.Cases.Suites[0].Tests[0].Before != nil {
		t.Error("a first model has a baseline")
	}
	_, err := w.s.Cases(ctx, person("sub1"), v.ID)
	w.refused("not allowed", err)
	w.clean()

	w.damage(c.Report.Cases.Digest)
	if _, err := w.s.Cases(ctx, person("rev1"), v.ID); err == nil {
		t.Error("cases that were changed are shown")
	}
	if found := w.audit(); !strings.Contains(found, "cases") {
		t.Errorf("audit: %q", found)
	}
}

// A run without suites has no cases, and says so.
func TestNoCases(t *testing.T) {
	w := newWorld(t).begin()
	v := w.deploy("v1", model(0, ""))
	_, err := w.s.Cases(context.Background(), person("rev1"), v.ID)
	w.refused("names no suite", err)
}

// Outcomes of one suite are not laid over the cases of another.
func TestCasesOfAnotherSuite(t *testing.T) {
	w := withSuite(t)
	v := w.run("v1", model(0, ""))
	c := must1[CasesView](w)(w.s.Cases(context.Background(), person("rev1"), v.ID))
	good := c.Cases.Suites[0]
	if err := sameCases(c.Suites[0], good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*report.SuiteCases){
		"digest": func(s *report.SuiteCases) { s.Digest = "sha256:00" },
		"test":   func(s *report.SuiteCases) { s.Tests = s.Tests[:1] },
		"case":   func(s *report.SuiteCases) { s.Tests[0].Candidate = s.Tests[0].Candidate[1:] },
		"answer": func(s *report.SuiteCases) { s.Tests[1].After = s.Tests[1].After[1:] },
	} {
		bad := good
		bad.Tests = append([]report.TestCases(nil), good.Tests...)
		if change(&bad); sameCases(c.Suites[0], bad) == nil {
			t.Errorf("another %s is taken", name)
		}
	}
}
