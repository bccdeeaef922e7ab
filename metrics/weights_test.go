package metrics

import (
	"errors"
	"go/ast"
	"math"
	"strings"
	"testing"
)

// takesWeights calls each exported function that takes weights on three rows.
var takesWeights = map[string]func(w []float64) error{
	"CountConfusion": func(w []float64) error { return second(CountConfusion(2, []int32{0, 1, 1}, []int32{0, 1, 0}, w)) },
	"NewCurve":       func(w []float64) error { return second(NewCurve([]int32{0, 1, 1}, 1, []float64{.1, .9, .4}, w)) },
	"Brier":          func(w []float64) error { return second(Brier([]int32{0, 1, 1}, 1, []float64{.1, .9, .4}, w)) },
	"LogLoss":        func(w []float64) error { return second(LogLoss([]int32{0, 1, 1}, 1, []float64{.1, .9, .4}, w)) },
	"NewRegression":  func(w []float64) error { return second(NewRegression([]float64{1, 2, 3}, []float64{1, 2, 4}, w)) },
	"TallyRegression": func(w []float64) error {
		u, err := TallyRegression(0, []float64{1, 2, 3}, []float64{1, 2, 4}, w)
		if err == nil && u.MAE().Undefined != "" { // a part may have no weight; no number comes of that
			err = errors.New(u.MAE().Undefined)
		}
		return err
	},
}

// TestWeightsAreRefused: those that are none, by each function that takes them. What they
// do to values is in TestWeightsScale.
func TestWeightsAreRefused(t *testing.T) {
	for name, call := range takesWeights {
		for what, w := range map[string][]float64{"none": nil, "some": {1, 0, 2.5}, "tiny": {1e-300, 1e-300, 1e-300}} {
			if err := call(w); err != nil {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
		for what, w := range map[string][]float64{
			"negative": {2, -1, 3}, "NaN": {1, math.NaN(), 1}, "infinite": {1, math.Inf(1), 1}, "all 0": {0, 0, 0}, "minus 0 alone": {0, math.Copysign(0, -1), 0},
			"too few": {1, 1}, "too many": {1, 1, 1, 1}, "empty": {}, "of an infinite sum": {math.MaxFloat64, math.MaxFloat64, 1},
		} {
			if err := call(w); err == nil {
				t.Errorf("%s takes weights: %s", name, what)
			}
		}
	}
}

// TestAllThatTakeWeightsAreHeldToThem: a function with a parameter of that name is in the
// table above.
func TestAllThatTakeWeightsAreHeldToThem(t *testing.T) {
	found := 0
	for _, f := range sources(t) {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !fn.Name.IsExported() || !hasWeights(fn) {
				continue
			}
			found++
			if takesWeights[fn.Name.Name] == nil {
				t.Errorf("%s takes weights, and nothing says which", fn.Name.Name)
			}
		}
	}
	if found != len(takesWeights) {
		t.Errorf("%d functions take weights, the table has %d", found, len(takesWeights))
	}
}

func hasWeights(fn *ast.FuncDecl) bool {
	for _, p := range fn.Type.Params.List {
		for _, name := range p.Names {
			if strings.Contains(strings.ToLower(name.Name), "weight") {
				return true
			}
		}
	}
	return false
}
