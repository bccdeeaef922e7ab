package metrics

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// TestGonumTraps: functions of gonum 0.17 that give a wrong number where ours gives
// the right one. A row whose gonum is right has no trap any more and can go.
func TestGonumTraps(t *testing.T) {
	tied, ranked := []float64{1, 1, 2}, []float64{1, 2, 3}
	pairs, err := CountPairs(tied, ranked)
	if err != nil {
		t.Fatal(err)
	}
	flat, err := CountPairs([]float64{1, 1, 1}, ranked)
	if err != nil {
		t.Fatal(err)
	}
	four := []float64{1, 2, 3, 4}
	equal, err := NewShares([]int64{1, 4, 1}, []int64{1, 4, 1})
	if err != nil {
		t.Fatal(err)
	}
	p := []float64{1. / 6, 4. / 6, 1. / 6}
	for _, c := range []struct {
		trap                string
		gonum, ours, right  float64
		undefined, reported string // why ours has no value: wanted or not, and what it says
	}{
		// Abramowitz and Stegun, table 26.2: -log10 of the upper tail at 10 is 23.11805.
		{trap: "the normal tail at 10", gonum: distuv.UnitNormal.Survival(10), ours: normalUpper(10), right: math.Pow(10, -23.11805)},
		// Two of three pairs in order, one tied: 2/sqrt(2*3).
		{trap: "Kendall with a tie", gonum: stat.Kendall(tied, ranked, nil), ours: pairs.KendallB().Value, right: math.Sqrt(2. / 3), reported: pairs.KendallB().Undefined},
		{trap: "Kendall of a constant", gonum: stat.Kendall([]float64{1, 1, 1}, ranked, nil), undefined: constantColumn, reported: flat.KendallB().Undefined},
		// numpy.quantile([1, 2, 3, 4], .25).
		{trap: "a quantile by interpolation", gonum: stat.Quantile(.25, stat.LinInterp, four, nil), ours: quantile(four, .25), right: 1.75},
		{trap: "Hellinger of equal shares", gonum: stat.Hellinger(p, p), ours: equal.Hellinger().Value, right: 0, reported: equal.Hellinger().Undefined},
	} {
		if math.Abs(c.gonum-c.right) <= 1e-5*c.right {
			t.Errorf("%s: gonum gives %v; there is no trap", c.trap, c.gonum)
		}
		if c.reported != c.undefined || !(math.Abs(c.ours-c.right) <= 1e-5*c.right) {
			t.Errorf("%s: ours is %v %q, right is %v %q", c.trap, c.ours, c.reported, c.right, c.undefined)
		}
	}
}

// TestWassersteinTrap: gonum's distance writes to the caller's weights, panics where
// one is 0, and takes n^2 steps; ours writes nothing and sorts. With n^2 steps the
// 400,000 rows here would take minutes.
func TestWassersteinTrap(t *testing.T) {
	weights := []float64{2, 2}
	stat.WassersteinDistance([]float64{0, 1}, []float64{0, 1}, weights, []float64{1, 1})
	if slices.Equal(weights, []float64{2, 2}) {
		t.Error("gonum leaves the weights; there is no trap")
	}
	if !panics(func() {
		stat.WassersteinDistance([]float64{0, 1}, []float64{0, 1}, []float64{0, 1}, []float64{1, 1})
	}) {
		t.Error("gonum takes a weight of 0; there is no trap")
	}
	const n = 400_000
	x, y := make([]float64, n), make([]float64, n)
	for i := range x { // unsorted, each number once
		x[i] = float64(i * 7 % n)
		y[i] = x[i] + 3
	}
	wasX, wasY := slices.Clone(x), slices.Clone(y)
	s, err := NewSamples(x, y)
	if err != nil {
		t.Fatal(err)
	}
	if d := s.Wasserstein(); d.Undefined != "" || math.Abs(d.Value-3) > 1e-9 {
		t.Errorf("a shift by 3 is a distance of %+v", d)
	}
	if !slices.Equal(x, wasX) || !slices.Equal(y, wasY) {
		t.Error("the caller's numbers were changed")
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

// TestNobodyCallsTheTraps reads the program: none of it calls them.
func TestNobodyCallsTheTraps(t *testing.T) {
	files := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules" || len(d.Name()) > 2 && d.Name()[0] == '.'):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		files++
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, trap := range trapsIn(f) {
			t.Errorf("%s calls %s of gonum, which is wrong: see TestGonumTraps", path, trap)
		}
		return nil
	})
	if err != nil || files < 100 {
		t.Errorf("%d files read: %v", files, err)
	}
	// Negative control.
	f, err := parser.ParseFile(token.NewFileSet(), "x.go", `package x
import ("gonum.org/v1/gonum/stat"; d "gonum.org/v1/gonum/stat/distuv")
var p = d.UnitNormal.Survival(1) + d.Normal{Sigma: 1}.Survival(2) + n.Survival(3) + d.ChiSquared{K: 1}.Survival(4)
var q = stat.Quantile(.5, stat.LinInterp, nil, nil) + stat.Kendall(nil, nil, nil) + stat.Mean(nil, nil)`, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := trapsIn(f); !slices.Equal(got, []string{"Survival", "Survival", "Survival", "Quantile", "Kendall"}) {
		t.Errorf("found %v", got)
	}
}

// trapsIn names the traps that a file calls. The upper tail of the chi-squared
// distribution is right; of another or an unknown one it counts as the normal's.
func trapsIn(f *ast.File) (found []string) {
	imported := func(path, otherwise string) string {
		for _, i := range f.Imports {
			if i.Path.Value == `"`+path+`"` {
				if i.Name != nil {
					return i.Name.Name
				}
				return otherwise
			}
		}
		return ""
	}
	ofStat, ofDistributions := imported("gonum.org/v1/gonum/stat", "stat"), imported("gonum.org/v1/gonum/stat/distuv", "distuv")
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		from, _ := s.X.(*ast.Ident)
		switch s.Sel.Name {
		case "Kendall", "WassersteinDistance", "Quantile", "Hellinger":
			ok = from != nil && ofStat != "" && from.Name == ofStat
		case "Survival":
			l, literal := s.X.(*ast.CompositeLit)
			ok = ofDistributions != "" && !(literal && isName(l.Type, ofDistributions, "ChiSquared"))
		default:
			ok = false
		}
		if ok {
			found = append(found, s.Sel.Name)
		}
		return true
	})
	return found
}

func isName(e ast.Expr, from, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == from && s.Sel.Name == name
}
