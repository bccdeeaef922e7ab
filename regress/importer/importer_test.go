package importer

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"proctor/regress"
)

// TestImport runs testdata/import.txt: a format, a file, and what is written or the error.
func TestImport(t *testing.T) {
	b, err := os.ReadFile("testdata/import.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(b), "=== ")
	for c := range strings.SplitSeq(text, "\n=== ") {
		head, body, _ := strings.Cut(c, "\n")
		format, title, _ := strings.Cut(head, ": ")
		t.Run(title, func(t *testing.T) {
			a := txtar.Parse([]byte(body))
			if got, want := imported(format, a.Comment), strings.TrimSpace(string(a.Files[0].Data)); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// imported shows what an import wrote; the suite must load.
func imported(format string, b []byte) string {
	s, err := Import(format, "s", b)
	if err != nil {
		return "error " + err.Error()
	}
	fsys := fstest.MapFS{}
	var paths []string
	for p, b := range s.Files {
		fsys[p] = &fstest.MapFile{Data: b}
		paths = append(paths, p)
	}
	out := ""
	suite, err := regress.Load(fsys, "suite.yaml")
	if err != nil {
		return fmt.Sprintf("no suite: %v\n%s", err, s.Files["suite.yaml"])
	}
	if suite.Cases() != s.Cases || len(suite.Tests) != s.Tests {
		return fmt.Sprintf("%d cases of %d tests were announced, %d of %d are there", s.Cases, s.Tests, suite.Cases(), len(suite.Tests))
	}
	for i := range suite.Tests {
		t := &suite.Tests[i]
		out += fmt.Sprintf("%s %s %q, %d cases", t.Kind, t.Name, t.Capability, t.Len())
		for i, c := range t.Checks {
			out += fmt.Sprintf("; %v %q", c, t.Given[i])
		}
		out += "\n"
	}
	slices.Sort(paths)
	for _, p := range paths {
		if p != "suite.yaml" {
			out += "> " + p + "\n" + string(s.Files[p])
		}
	}
	for _, n := range s.Notes {
		out += "left out: " + n + "\n"
	}
	return strings.TrimSpace(out)
}

// T56: pickles and archives that carry them are refused by their first bytes.
func TestPicklesAreRefused(t *testing.T) {
	for _, b := range []string{"\x80\x04\x95rest", "\x80\x02}q\x00.", "PK\x03\x04zip", "\x1f\x8bgzip"} {
		for _, f := range Formats() {
			if _, err := Import(f, "s", []byte(b)); err == nil || !strings.Contains(err.Error(), "pickle") {
				t.Errorf("%s: %q: %v", f, b, err)
			}
		}
	}
	if _, err := Import("checklist-text", "s", []byte("harmless")); err != nil {
		t.Errorf("control: %v", err)
	}
}

// Hostile files are refused in bounded time.
func TestBombs(t *testing.T) {
	anchors := "prompts: [p]\ntests:\n"
	for i := range 30 {
		anchors += fmt.Sprintf("  a%d: &a%d [*a%d, *a%d]\n", i, i, max(0, i-1), max(0, i-1))
	}
	lists := "prompts: ['{{a}}']\ntests:\n  - assert: [{type: contains, value: x}]\n    vars:\n"
	for i := range 20 {
		lists += fmt.Sprintf("      v%d: [a, b, c, d]\n", i)
	}
	for _, c := range []struct{ name, format, text, want string }{
		{"anchors", "promptfoo", anchors, "anchors, aliases and tags are not used"},
		{"nesting", "promptfoo", strings.Repeat("[", 100_000), "nested too deep"},
		{"combinations", "promptfoo", lists, "more than 10000 combinations"},
		{"a program in a template", "promptfoo", "prompts: ['{% for i in range(1e9) %}x{% endfor %}']\ntests:\n  - assert: [{type: contains, value: x}]\n", "it is not run"},
		{"deep JSON", "checklist", `{"preds":` + strings.Repeat("[", 1_000_000), "exceeded max depth"},
		{"a quote that never ends", "hatecheck", "functionality,test_case,label_gold\n\"" + strings.Repeat("a", 1<<20), "quote"},
	} {
		start := time.Now()
		_, err := Import(c.format, "s", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %.200v, want %s", c.name, err, c.want)
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("%s: it took %v", c.name, d)
		}
	}
}

func FuzzImport(f *testing.F) {
	f.Add(0, []byte(`{"test":"t","type":"MFT","expect":"is:1","texts":["a"]}`))
	f.Add(2, []byte("functionality,test_case,label_gold\na,b,c\n"))
	f.Add(3, []byte(`{"target":"x","arguments":[["p"]],"filtered_resps":["y"]}`))
	f.Add(4, []byte("prompts: [p]\ntests: [{assert: [{type: contains, value: x}]}]\n"))
	f.Fuzz(func(t *testing.T, format int, b []byte) {
		fs := Formats()
		if got := imported(fs[uint(format)%uint(len(fs))], b); strings.HasPrefix(got, "no suite:") && !strings.Contains(got, "suite ") {
			t.Log(got)
		}
	})
}
