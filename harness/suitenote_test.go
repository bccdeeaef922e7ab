package harness

import (
	"bytes"
	"context"
	"testing"

	"proctor/web/api"
)

// T07 and T14 by two people: whoever activates a suite reads which cases would be gone.
func TestSuiteProposalsShowWhatIsGone(t *testing.T) {
	w := newWorld(t)
	propose := func(yaml, csv string) (api.Change, error) {
		return w.s.ProposeSuite(context.Background(), person("cur1"), bytes.NewReader(pack(map[string]string{"s.yaml": yaml, "m.csv": csv})))
	}
	const yaml = "suite: s\ntests:\n  - {name: t, kind: MFT, cases: m.csv, critical: true}\n"
	const csv = "x,tag,expect\n1,a,yes\n0,b,no\n0.1,c,no\n"
	c, err := propose(yaml, csv)
	if err != nil || c.Note != "s: 1 tests, 3 cases" {
		t.Fatalf("%q %v", c.Note, err)
	}
	w.activate(c, err, "cur2")
	for _, v := range []struct{ name, yaml, csv, want string }{
		{"one deleted", yaml, "x,tag,expect\n1,a,yes\n0.1,c,no\n", "s: 1 tests, 2 cases; against version 1: 1 cases deleted, 0 changed, 0 added"},
		{"one turned", yaml, "x,tag,expect\n1,a,no\n0,b,no\n0.1,c,no\n", "s: 1 tests, 3 cases; against version 1: 0 cases deleted, 1 changed, 0 added"},
		{"not critical", "suite: s\ntests:\n  - {name: t, kind: MFT, cases: m.csv}\n", csv, "s: 1 tests, 3 cases; against version 1: 0 cases deleted, 0 changed, 0 added; redefined: t: critical: true -> false"},
		{"renamed", "suite: s\ntests:\n  - {name: u, kind: MFT, cases: m.csv, critical: true}\n", csv, "s: 1 tests, 3 cases; against version 1: 3 cases deleted, 0 changed, 3 added; tests deleted: t"},
	} {
		c, err := propose(v.yaml, v.csv)
		if err != nil || c.Note != v.want {
			t.Errorf("%s: %q %v", v.name, c.Note, err)
		}
	}
	_, err = propose("suite: text\ntests:\n  - {name: t, kind: MFT, cases: m.csv, checks: [{score: json}, {score: exact, column: expect}]}\n", csv)
	w.refused("holds generated text", err)
}
