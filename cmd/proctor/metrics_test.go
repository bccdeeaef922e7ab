package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"proctor/metrics"
)

var write = flag.Bool("write", false, "write docs/metrics.md anew")

const (
	tablesBegin = "<!-- proctor metrics --markdown -->\n"
	tablesEnd   = "<!-- end -->\n"
)

// TestDocsHaveTheCatalogue: the tables of docs/metrics.md are what the program says.
func TestDocsHaveTheCatalogue(t *testing.T) {
	const name = "../../docs/metrics.md"
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), tablesBegin)
	tables, after, ok2 := strings.Cut(rest, tablesEnd)
	if !ok || !ok2 {
		t.Fatalf("%s: the marks around the tables are gone", name)
	}
	want := markdown(metrics.Catalogue())
	if *write {
		if err := os.WriteFile(name, []byte(before+tablesBegin+want+tablesEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if tables != want {
		t.Errorf("the tables of %s are not those of the catalogue: go test ./cmd/proctor -run %s -write", name, t.Name())
	}
}

// TestMetricsExplainsEvery: each definition is found by its id and by its name, in
// every form, and what is near one is suggested.
func TestMetricsExplainsEvery(t *testing.T) {
	proctor := func(args ...string) (int, string, string) {
		var out, errw bytes.Buffer
		code := run(context.Background(), append([]string{"metrics"}, args...), &out, &errw)
		return code, out.String(), errw.String()
	}
	code, list, _ := proctor()
	var all []metrics.Definition
	if code, out, _ := proctor("--json"); code != 0 || json.Unmarshal([]byte(out), &all) != nil || len(all) != len(metrics.Catalogue()) {
		t.Fatalf("code %d, %d definitions", code, len(all))
	}
	for _, d := range all {
		name, _, _ := strings.Cut(d.ID, "@")
		c1, byID, _ := proctor(d.ID)
		c2, byName, _ := proctor(name)
		if c1 != 0 || c2 != 0 || byID != byName || !strings.Contains(byID, d.Says) || code != 0 || !strings.Contains(list, d.ID) {
			t.Errorf("%s: %d %q, by name %d %q", d.ID, c1, byID, c2, byName)
		}
	}
	for _, c := range [][2]string{{"acuracy", `did you mean "accuracy"?`}, {"psi@7", "there is no version 7 of psi"}, {"zzzzzz", `no metric "zzzzzz"; proctor metrics lists them`}} {
		if code, _, said := proctor(c[0]); code != exitUsage || !strings.Contains(said, c[1]) {
			t.Errorf("%s: %d %q", c[0], code, said)
		}
	}
}
