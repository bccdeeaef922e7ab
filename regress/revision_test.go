package regress

import (
	"fmt"
	"strings"
	"testing"
)

func revise(t *testing.T, from, to map[string]string) string {
	t.Helper()
	r := Revise(mustLoad(t, from), mustLoad(t, to))
	out := ""
	for _, x := range r.Tests {
		c := x.Cases
		out += fmt.Sprintf("%s added=%v deleted=%v %v cases: %d same, +%d %v, -%d %v, ~%d %v\n", x.Name, x.Added, x.Deleted, x.Redefined, c.Same, c.Added, c.FirstAdded, c.Deleted, c.FirstDeleted, c.Changed, c.FirstChanged)
	}
	return strings.TrimSpace(out)
}

// T07: the case that is gone is named, and is no improvement of anything.
func TestRevise(t *testing.T) {
	const yaml = "suite: s\ntests:\n  - {name: t, kind: MFT, cases: m.csv, critical: true}\n"
	from := map[string]string{"s.yaml": yaml, "m.csv": "x,expect\n1,yes\n2,no\n3,no\n3,no\n"}
	for _, c := range []struct{ name, yaml, csv, want string }{
		{"nothing", yaml, "x,expect\n1,yes\n2,no\n3,no\n3,no\n", "t added=false deleted=false [] cases: 4 same, +0 [], -0 [], ~0 []"},
		{"order is no change", yaml, "x,expect\n3,no\n2,no\n3,no\n1,yes\n", "t added=false deleted=false [] cases: 4 same, +0 [], -0 [], ~0 []"},
		{"one deleted", yaml, "x,expect\n1,yes\n3,no\n3,no\n", "t added=false deleted=false [] cases: 3 same, +0 [], -1 [t/2], ~0 []"},
		{"one of two equal ones deleted", yaml, "x,expect\n1,yes\n2,no\n3,no\n", "t added=false deleted=false [] cases: 3 same, +0 [], -1 [t/4], ~0 []"},
		{"an expectation turned", yaml, "x,expect\n1,no\n2,no\n3,no\n3,no\n", "t added=false deleted=false [] cases: 3 same, +0 [], -0 [], ~1 [t/1]"},
		{"one replaced", yaml, "x,expect\n1,yes\n9,no\n3,no\n3,no\n", "t added=false deleted=false [] cases: 3 same, +1 [t/2], -1 [t/2], ~0 []"},
		{"not critical any more", strings.Replace(yaml, ", critical: true", "", 1), "x,expect\n1,yes\n2,no\n3,no\n3,no\n", "t added=false deleted=false [critical: true -> false] cases: 4 same, +0 [], -0 [], ~0 []"},
		{"renamed", strings.Replace(yaml, "name: t", "name: u", 1), "x,expect\n1,yes\n2,no\n3,no\n3,no\n",
			"u added=true deleted=false [] cases: 0 same, +4 [u/1 u/2 u/3 u/4], -0 [], ~0 []\nt added=false deleted=true [] cases: 0 same, +0 [], -4 [t/1 t/2 t/3 t/4], ~0 []"},
	} {
		if got := revise(t, from, map[string]string{"s.yaml": c.yaml, "m.csv": c.csv}); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

// A test's own change of its carriers shows in its cases too.
func TestReviseForms(t *testing.T) {
	suite := func(to string) map[string]string {
		return map[string]string{"s.yaml": "suite: s\ntests:\n  - {name: t, kind: INV, carriers: c.csv, swap: {y: {a: " + to + "}}}\n", "c.csv": "x,y\n1,a\n2,b\n"}
	}
	want := "t added=false deleted=false [change: y: a -> b -> y: a -> c] cases: 1 same, +0 [], -0 [], ~1 [t/1]"
	if got := revise(t, suite("b"), suite("c")); got != want {
		t.Errorf("got %s", got)
	}
}
