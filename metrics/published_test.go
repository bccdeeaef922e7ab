package metrics

import (
	"bufio"
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestPublished: testdata/published.txt, with the source of every number. A golden
// case that is gone, a test that no longer has the number, and a line that nobody can
// read are errors.
func TestPublished(t *testing.T) {
	b, err := os.ReadFile("testdata/published.txt")
	if err != nil {
		t.Fatal(err)
	}
	p := publications{cases: goldenByID(t), ran: map[string]map[string]any{}, literals: literalsOfTests(t)}
	p.ran[""] = publishedHere(t)
	held := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(b))
	for n := 1; lines.Scan(); n++ {
		f := strings.Fields(lines.Text())
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		held[f[0]]++
		if why := p.check(t, f); why != "" {
			t.Errorf("published.txt:%d: %s: %s", n, strings.Join(f, " "), why)
		}
	}
	if held["golden"] < 60 || held["here"] < 12 || held["test"] < 2 || held["not"] < 2 {
		t.Errorf("the table is not whole: %v", held)
	}
}

// publications answers for the lines of the table.
type publications struct {
	cases    map[string]*goldenCase
	ran      map[string]map[string]any // by golden id what we compute for it; "" is publishedHere
	literals map[string][]float64      // the numbers in each test function
}

// check returns what is wrong with a line.
func (p *publications) check(t *testing.T, f []string) string {
	switch {
	case f[0] == "golden" && len(f) > 3:
		c := p.cases[f[1]]
		if c == nil {
			return "there is no such golden case"
		}
		if p.ran[c.ID] == nil {
			p.ran[c.ID] = goldenFns[c.Fn](t, c)
		}
		return agrees(at(p.ran[c.ID], f[2]), f[3], f[4:])
	case f[0] == "here" && len(f) > 2:
		return agrees(at(p.ran[""], f[1]), f[2], f[3:])
	case f[0] == "test" && len(f) > 2:
		for _, s := range f[2:] {
			if x, err := strconv.ParseFloat(s, 64); err != nil || !slices.Contains(p.literals[f[1]], x) {
				return fmt.Sprintf("no number %s in a test %s", s, f[1])
			}
		}
		return ""
	case f[0] == "not" && len(f) > 1:
		return ""
	}
	return "not a line of the table"
}

// at is the number at a path of keys and places, NaN where there is none.
func at(v any, path string) float64 {
	for _, key := range strings.Split(path, "/") {
		if m, ok := v.(map[string]any); ok {
			v = m[key]
		} else if i, err := strconv.Atoi(key); err == nil && i < len(asList(v)) {
			v = asList(v)[i]
		} else {
			return math.NaN()
		}
	}
	return asNumber(v)
}

// agrees compares a value with a printed number: by default they are the same when
// rounded to the digits printed.
func agrees(got float64, printed string, how []string) string {
	want, unit, err := lastDigit(printed)
	if err != nil {
		return err.Error()
	}
	low, high := want-unit/2, want+unit/2
	switch {
	case len(how) == 0:
	case len(how) == 1 && how[0] == "cut":
		low, high = want, want+unit
	case len(how) == 2 && how[0] == "within":
		by, err := strconv.ParseFloat(how[1], 64)
		if err != nil {
			return err.Error()
		}
		low, high = want-by, want+by
	default:
		return "unknown tolerance"
	}
	slack := 4e-16 * math.Abs(want) // of the decimal numbers in binary
	if !(got >= low-slack && got <= high+slack) {
		return fmt.Sprintf("got %v", got)
	}
	return ""
}

// lastDigit reads a number and what one of its last printed digit is worth.
func lastDigit(s string) (value, unit float64, err error) {
	value, err = strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, 0, err
	}
	digits, exponent, _ := strings.Cut(s, "e")
	e, _ := strconv.Atoi(exponent)
	_, decimals, _ := strings.Cut(digits, ".")
	return value, math.Pow10(e - len(decimals)), nil
}

func TestLastDigit(t *testing.T) {
	for s, want := range map[string][2]float64{"6279": {6279, 1}, "63e3": {63_000, 1000}, ".0260": {.026, 1e-4}, "-.5": {-.5, .1}} {
		if v, unit, err := lastDigit(s); err != nil || v != want[0] || math.Abs(unit/want[1]-1) > 1e-12 {
			t.Errorf("%s: %v, %v, %v", s, v, unit, err)
		}
	}
	for _, c := range []struct {
		got     float64
		printed string
		how     string
		good    bool
	}{
		{.66666, ".6667", "", true}, {.6666, ".6667", "", false}, {2188.8, "2188", "cut", true}, {2187.9, "2188", "cut", false},
		{2189, "2188", "", false}, {.455, ".467", "within .012", true}, {.45, ".467", "within .012", false}, {math.NaN(), "1", "", false},
		{1, "one", "", false}, {1, "1", "about", false},
	} {
		if why := agrees(c.got, c.printed, strings.Fields(c.how)); (why == "") != c.good {
			t.Errorf("%v for %s %s: %q", c.got, c.printed, c.how, why)
		}
	}
}

func goldenByID(t *testing.T) map[string]*goldenCase {
	files, err := filepath.Glob(filepath.Join(goldenFolder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*goldenCase{}
	for _, file := range files {
		for _, c := range readGolden(t, file) {
			out[c.ID] = c
		}
	}
	return out
}

// literalsOfTests are the numbers in the source of each test of this package.
func literalsOfTests(t *testing.T) map[string][]float64 {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]float64{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "Test") {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if l, ok := n.(*ast.BasicLit); ok {
					if x, err := strconv.ParseFloat(strings.ReplaceAll(l.Value, "_", ""), 64); err == nil {
						out[f.Name.Name] = append(out[f.Name.Name], x)
					}
				}
				return true
			})
		}
	}
	return out
}

// publishedHere computes what no golden case has.
func publishedHere(t *testing.T) map[string]any {
	var bleu BLEU
	for _, s := range []struct {
		hypothesis string
		references []string
	}{
		{"The dog bit the man.", []string{"The dog had bit the man."}},
		{"It wasn't surprising.", []string{"It was not unexpected.", "No one was surprised."}},
		{"The man had just bitten him.", []string{"The man bit him first.", "The man had bitten the dog."}},
	} {
		if err := bleu.Add(s.hypothesis, s.references); err != nil {
			t.Fatal(err)
		}
	}
	var precision []float64
	for i, m := range bleu.Matches {
		precision = append(precision, 100*float64(m)/float64(bleu.Totals[i]))
	}
	clipped := BLEU{Lower: true}
	if err := clipped.Add("the the the the the the the", []string{"The cat is on the mat", "There is a cat on the mat"}); err != nil {
		t.Fatal(err)
	}
	m, err := CountConfusion(3, []int32{2, 1, 0, 0}, []int32{2, 1, 0, 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{
		"variable": map[string]any{"bleu": bleu.Score(SmoothExp).Value, "precision": precision, "brevity": bleu.Brevity(), "reference": bleu.Reference},
		"clipped":  map[string]any{"matches": clipped.Matches[0], "words": clipped.Totals[0]},
		"kappa":    m.Kappa().Value, "mcc": m.MCC().Value,
		"oracle": map[string]any{"bec": 100 * Cells{BothRight: 80, Fixed: 5, SameWrong: 10, OtherWrong: 5}.BEC(.95).Value},
	}
}
