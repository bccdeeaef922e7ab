package regress

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"

	"proctor/holdout/rows"
)

func mustLoad(t *testing.T, files map[string]string) *Suite {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	s, err := Load(fsys, "s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Table gives the holdout's columns in the holdout's order, whatever the order of
// the case tables, and says what does not fit.
func TestTable(t *testing.T) {
	s := mustLoad(t, map[string]string{
		"s.yaml": "suite: s\ntests:\n  - {name: t, kind: MFT, cases: m.csv}\n  - {name: u, kind: INV, carriers: c.csv, set: {x: 7}}\n",
		"m.csv":  "y,x,expect\na,1,yes\n",
		"c.csv":  "x,y\n3,b\n",
	})
	tab, err := s.Table([]rows.Field{{Name: "x", Number: true}, {Name: "y"}})
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for r := range tab.Len() {
		got += string(tab.AppendJSON(nil, r))
	}
	if want := `{"x":1,"y":"a"}{"x":3,"y":"b"}{"x":7,"y":"b"}`; got != want || tab.Len() != s.Examples() {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, c := range []struct {
		fields []rows.Field
		want   string
	}{
		{[]rows.Field{{Name: "x", Number: true}}, `suite s, test t: column "y" is not a feature of the holdout; there are x`},
		{[]rows.Field{{Name: "x", Number: true}, {Name: "yy"}}, `suite s, test t: column "y" is not a feature of the holdout; there are x, yy`},
		{[]rows.Field{{Name: "x", Number: true}, {Name: "y"}, {Name: "z"}}, `suite s, test t: its table has no column "z", which the holdout has`},
		{[]rows.Field{{Name: "x", Number: true}, {Name: "y", Number: true}}, `suite s, test t: column "y" holds numbers in the holdout, here it holds text such as "a"`},
		{[]rows.Field{{Name: "x"}, {Name: "y"}}, "suite s, test t: column \"x\" holds text in the holdout, here it was read as numbers; add `text: [\"x\"]` to the suite"},
		{nil, `suite s, test t: column "y" is not a feature of the holdout`},
	} {
		if _, err := s.Table(c.fields); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

// Missing values of a numeric column, NaN and Inf are text; against a holdout that
// has numbers there they are named.
func TestNotANumber(t *testing.T) {
	for _, v := range []string{"", "NaN", "Inf", "-inf", "1e999", "0x1p3", "1_000", "1,5", "١"} {
		s := mustLoad(t, map[string]string{
			"s.yaml": "suite: s\ntests:\n  - {name: t, kind: MFT, cases: m.csv}\n",
			"m.csv":  fmt.Sprintf("x,expect\n1,yes\n%q,yes\n", v),
		})
		_, err := s.Table([]rows.Field{{Name: "x", Number: true}})
		want := fmt.Sprintf(`suite s, test t: column "x" holds numbers in the holdout, here it holds text such as %q`, v)
		if err == nil || err.Error() != want {
			t.Errorf("%q:\ngot  %v\nwant %s", v, err, want)
		}
	}
	s := mustLoad(t, map[string]string{
		"s.yaml": "suite: s\ntext: [x]\ntests:\n  - {name: t, kind: MFT, cases: m.csv}\n",
		"m.csv":  "x,expect\n1,yes\n",
	})
	_, err := s.Table([]rows.Field{{Name: "x", Number: true}})
	if want := `suite s, test t: column "x" holds numbers in the holdout, here it is declared as text`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A byte order mark, as spreadsheets write it, is no part of the first name.
func TestByteOrderMark(t *testing.T) {
	s := mustLoad(t, map[string]string{
		"s.yaml": "suite: s\ntests:\n  - {name: t, kind: MFT, cases: m.csv}\n",
		"m.csv":  "\ufeffx,expect\r\n1,yes\r\n",
	})
	if got := s.Tests[0].Examples.Fields()[0]; got != (rows.Field{Name: "x", Number: true}) {
		t.Errorf("first column is %v", got)
	}
	if _, err := Load(fstest.MapFS{
		"s.yaml": {Data: []byte("suite: s\ntests:\n  - {name: t, kind: MFT, cases: m.csv}\n")},
		"m.csv":  {Data: []byte("x,expect\n\xff,yes\n")},
	}, "s.yaml"); err == nil || err.Error() != `s.yaml: test 1 ("t"): m.csv is not UTF-8` {
		t.Errorf("got %v", err)
	}
}

// Expansion against a slow twin that goes row by row and knows nothing of columns.
func TestExpandTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"a", "b", "c"}
	for range 300 {
		n := 1 + r.IntN(6)
		num, text := make([]float64, n), make([]string, n)
		for i := range n {
			num[i], text[i] = float64(r.IntN(3)), words[r.IntN(3)]
		}
		tab, err := rows.New(rows.Column{Name: "n", Floats: num}, rows.Column{Name: "s", Strings: text})
		if err != nil {
			t.Fatal(err)
		}
		var changes []change
		var want []string
		for range 1 + r.IntN(3) {
			changes = append(changes, change{
				add:  map[string]float64{"n": float64(r.IntN(2))},
				swap: map[string]map[string]scalar{"s": {"a": {text: words[r.IntN(3)], isText: true}}},
			})
		}
		var counts []int32
		for i := range n {
			want = append(want, fmt.Sprint(num[i], text[i]))
			counts = append(counts, 0)
			for _, c := range changes {
				s := text[i]
				if s == "a" {
					s = c.swap["s"]["a"].text
				}
				if form := fmt.Sprint(num[i]+c.add["n"], s); form != fmt.Sprint(num[i], text[i]) {
					want = append(want, form)
					counts[i]++
				}
			}
		}
		out, changed, err := expand(tab, changes)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range out.Len() {
			got = append(got, fmt.Sprint(out.Columns()[0].Floats[i], out.Columns()[1].Strings[i]))
		}
		if strings.Join(got, " ") != strings.Join(want, " ") || fmt.Sprint(changed) != fmt.Sprint(counts) {
			t.Fatalf("%v\ngot  %v %v\nwant %v %v", changes, got, changed, want, counts)
		}
	}
}

// A long list of changes is cut to what fits a line, between characters.
func TestDescribeIsCut(t *testing.T) {
	c := change{set: map[string]scalar{"x": {text: strings.Repeat("é", 600), isText: true}}}
	got := describe([]change{c})
	if len(got) > MaxNote || !strings.HasSuffix(got, "é...") || checkNote("change", got) != nil {
		t.Errorf("%d bytes, ends in %q", len(got), got[len(got)-8:])
	}
}
