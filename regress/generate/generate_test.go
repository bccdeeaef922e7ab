package generate

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRewrite(t *testing.T) {
	for _, c := range []struct{ by, text, want string }{
		{"contract", "It is not here and I do not care.", "It's not here and I don't care."},
		{"contract", "Ship it is.", "Ship it's."},
		{"expand", "I'm sure they don't.", "I am sure they do not."},
		{"contract", "This isotope", "This isotope"},
		{"add_negation", "The crew was nice.", "The crew was not nice."},
		{"add_negation", "The crew was not nice.", "The crew was not nice."},
		{"remove_negation", "It wasn't good.", "It was good."},
		{"remove_negation", "It was good.", "It was good."},
		{"no_punctuation", "Really?!", "Really"},
		{"full_stop", "Really", "Really."},
		{"upper", "straße", "STRAßE"},
		{"double_space", "a b", "a  b"},
		{"name", "no name here", "no name here"},
		{"number", "none", "none"},
		{"typo", "a b c", "a b c"},
		{"typo", "aa", "aa"},
	} {
		if got, ok := Rewrite(c.by, Seed{}, c.text); !ok || got != c.want {
			t.Errorf("%s %q = %q, want %q", c.by, c.text, got, c.want)
		}
	}
}

// What is drawn is pinned: it must not change with the machine or the version of Go.
func TestDrawsArePinned(t *testing.T) {
	got := ""
	for _, by := range []string{"typo", "two_typos", "name", "place", "number"} {
		s, _ := Rewrite(by, SeedOf("pinned"), "Anna paid 120 for a flight from Oslo.")
		got += s + "\n"
	}
	want := "Anna paid 120 for a lfight from Oslo.\nAnna paid 120 ofr a flihgt from Oslo.\nRahul paid 120 for a flight from Oslo.\nAnna paid 120 for a flight from Chicago.\nAnna paid 741 for a flight from Oslo.\n"
	if got != want {
		t.Errorf("got\n%s", got)
	}
	if u := fmt.Sprintf("%.15f", SeedOf("pinned").Uniform()); u != "0.839648389749319" {
		t.Errorf("uniform %s", u)
	}
}

func TestReplaceWords(t *testing.T) {
	for _, c := range []struct {
		text  string
		words map[string]string
		want  string
	}{
		{"He saw her, and she saw the hen.", map[string]string{"he": "she", "she": "he"}, "She saw her, and he saw the hen."},
		{"is great", map[string]string{"is great": "is fine", "great": "bad"}, "is fine"},
		{"isis is", map[string]string{"is": "was"}, "isis was"},
		{"écran, ÉCRAN", map[string]string{"écran": "x"}, "x, X"},
		{"K\u212a", map[string]string{"kk": "x"}, "K\u212a"}, // the Kelvin sign is longer than k
		{"", map[string]string{"": "x"}, ""},
	} {
		if got := ReplaceWords(c.text, c.words); got != c.want {
			t.Errorf("%q = %q, want %q", c.text, got, c.want)
		}
	}
}

func rows(t *testing.T, p Product, seed Seed) []string {
	t.Helper()
	cols, err := p.Rows(seed)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for r := range cols[0] {
		var row []string
		for c := range cols {
			row = append(row, cols[c][r])
		}
		out = append(out, strings.Join(row, "|"))
	}
	return out
}

// A product against the nested loops that it stands for.
func TestProductTwin(t *testing.T) {
	words := map[string][]string{"a": {"x", "y", "z"}, "b": {"1", "2"}}
	p := Product{Words: words, AtMost: 1000, Columns: []Column{{"q", []string{"{a}{b}", "{a}-{a2}", "{{{b}}}"}}, {"n", []string{"5", "6"}}}}
	var want []string
	for _, n := range []string{"5", "6"} {
		for _, a := range words["a"] {
			for _, b := range words["b"] {
				want = append(want, a+b+"|"+n, "{"+b+"}|"+n)
			}
			for _, a2 := range words["a"] {
				if a != a2 {
					want = append(want, a+"-"+a2+"|"+n)
				}
			}
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(slices.Values(rows(t, p, Seed{}))); !slices.Equal(got, slices.Compact(want)) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

// A cap draws rows of the whole, all different, the same for one seed.
func TestCap(t *testing.T) {
	p := Product{AtMost: 1_000_000, Columns: []Column{{"q", []string{"{first_name} {city}"}}}}
	all := rows(t, p, Seed{})
	p.AtMost = 50
	a, b, c := rows(t, p, SeedOf("1")), rows(t, p, SeedOf("1")), rows(t, p, SeedOf("2"))
	if len(all) != 900 || len(a) != 50 || !slices.Equal(a, b) || slices.Equal(a, c) {
		t.Errorf("%d rows, %d, same seed %v, other seed %v", len(all), len(a), slices.Equal(a, b), slices.Equal(a, c))
	}
	for _, r := range a {
		if !slices.Contains(all, r) {
			t.Errorf("%q is not in the whole", r)
		}
	}
}

// Small files that unfold into more than any machine holds are refused or sampled, at once.
func TestBombs(t *testing.T) {
	long := make([]string, 1000)
	for i := range long {
		long[i] = fmt.Sprint("w", i)
	}
	wide := make([]string, 1<<16) // four places of it are 2^64 rows: 0 in 64 bits
	for i := range wide {
		wide[i] = fmt.Sprint(i)
	}
	words := map[string][]string{"wide": wide, "w": long, "big": {strings.Repeat("a", 1<<16), strings.Repeat("b", 1<<16)}}
	for _, c := range []struct {
		name string
		p    Product
		want string
	}{
		{"more than can be counted", Product{Words: words, AtMost: 10, Columns: []Column{{"q", []string{strings.Repeat("{w1}{w2}{w3}{w4}{w5}{w6}{w7}", 9)}}}}, errTooMany.Error()},
		{"a count that wraps around", Product{Words: words, AtMost: 10, Columns: []Column{{"q", []string{"{wide1}{wide2}{wide3}{wide4}"}}}}, errTooMany.Error()},
		{"templates", Product{AtMost: 10, Columns: []Column{{"a", repeat("{city}", 200)}, {"b", repeat("{city}", 200)}}}, "more than 10000 combinations of templates"},
		{"text", Product{Words: words, AtMost: 1_000_000, Columns: []Column{{"q", []string{strings.Repeat("{big}", 500) + "{w}"}}}}, "a value has more than 1048576 bytes"},
		{"texts", Product{Words: words, AtMost: 1_000_000, Columns: []Column{{"q", []string{strings.Repeat("{big}", 15) + "{w}"}}}}, "or all have more than 268435456"},
		{"sampled", Product{Words: words, AtMost: 10, Columns: []Column{{"q", []string{"{w1}{w2}{w3}{w4}{w5}"}}}}, ""},
	} {
		start := time.Now()
		_, err := c.p.Rows(Seed{})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.name, err)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%s: it took %v", c.name, d)
		}
	}
}

func repeat(s string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = s + fmt.Sprint(i)
	}
	return out
}

func FuzzRewrite(f *testing.F) {
	f.Add("I can't see Anna in Oslo at 10.")
	f.Fuzz(func(t *testing.T, s string) {
		for _, by := range Rewriters() {
			a, _ := Rewrite(by, Seed{1}, s)
			b, _ := Rewrite(by, Seed{1}, s)
			if a != b {
				t.Errorf("%s: two forms of one text", by)
			}
			if len(a) > 3*len(s)+20 {
				t.Errorf("%s: %d bytes of %d", by, len(a), len(s))
			}
		}
	})
}
