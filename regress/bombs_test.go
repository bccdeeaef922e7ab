package regress

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// Files that unfold, nest or never end are refused in bounded time. The first is the
// control: the same suite without a bomb loads.
func TestBombsAreRefused(t *testing.T) {
	const head = "suite: s\ntests:\n"
	const test = head + "  - {name: t, kind: MFT, cases: c.csv}\n"
	const good = "x,expect\n1,yes\n"
	laughs := "suite: s\nwords:\n  a0: &a0 [lol]\n"
	for i := 1; i < 40; i++ {
		laughs += fmt.Sprintf("  a%d: &a%d [*a%d, *a%d, *a%d]\n", i, i, i-1, i-1, i-1)
	}
	words, text := "words:\n", ""
	for i := range 20 {
		words += fmt.Sprintf("  w%c: [a, b, c, d, e, f, g, h]\n", 'a'+i)
		text += fmt.Sprintf("{w%c} ", 'a'+i)
	}
	product := func(most string) string {
		return "suite: s\n" + words + "tests:\n  - {name: t, kind: stress, generate: {columns: {x: [\"" + text + "\"]}, at_most: " + most + "}}\n"
	}
	for _, c := range []struct{ name, yaml, table, file, want string }{
		{"nothing of it", test, good, "c.csv", ""},
		{"a billion laughs", laughs, good, "c.csv", "anchors"},
		{"nested lists", "suite: " + strings.Repeat("[", 200_000), good, "c.csv", "nested too deep"},
		{"nested maps", "suite: " + strings.Repeat("{a: ", 50_000), good, "c.csv", "nested too deep"},
		{"nested marks", "suite:\n  " + strings.Repeat("- ", 100_000), good, "c.csv", "nested too deep"},
		{"a long file", test + strings.Repeat("# comment\n", 1<<16), good, "c.csv", "bytes"},
		{"a product that is drawn from", product("50"), good, "c.csv", ""},
		{"a product laid out", product("1e12"), good, "c.csv", "at_most"},
		{"a word that names itself", "suite: s\nwords: {a: [\"{a}{a}\"]}\ntests:\n  - {name: t, kind: stress, generate: {columns: {x: [\"{a}\"]}, at_most: 9}}\n", good, "c.csv", ""},
		{"a quote that never ends", test, "x,expect\n\"" + strings.Repeat("a", 1<<22), "c.csv", "quote"},
		{"rows without end", test, "x,expect\n" + strings.Repeat("1,y\n", MaxCases+2), "c.csv", "rows"},
		{"columns without end", test, strings.Repeat("x,", 1<<20) + "y\n", "c.csv", "appears twice"},
		{"a row of other length", test, "x,expect\n1\n", "c.csv", "wrong number of fields"},
		{"an archive", test, "PK\x03\x04" + strings.Repeat("\x00", 1000), "c.csv", ""},
		{"deep JSON", strings.Replace(test, "c.csv", "c.jsonl", 1), `{"x":` + strings.Repeat("[", 1<<20), "c.jsonl", "neither text nor a number"},
		{"an archive of its own name", strings.Replace(test, "c.csv", "c.zip", 1), "PK\x03\x04", "c.zip", "a case table is"},
		{"a pattern of patterns", head + "  - {name: t, kind: stress, cases: c.csv, checks: [{score: regex, text: \"((a{900}){900}){900}\"}]}\n", good, "c.csv", "pattern"},
	} {
		start := time.Now()
		s, err := Load(fstest.MapFS{"s.yaml": {Data: []byte(c.yaml)}, c.file: {Data: []byte(c.table)}}, "s.yaml")
		switch {
		case c.name == "an archive": // text that is no table, or a table of nonsense: never a suite
			if err == nil {
				t.Errorf("%s: a suite of %d cases", c.name, s.Cases())
			}
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %.200v, want %q", c.name, err, c.want)
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("%s: it took %v", c.name, d)
		}
	}
}
