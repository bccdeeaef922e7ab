package regress_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"proctor/metrics"
	"proctor/regress"
)

// Counts are those of every conjunction; a row without an outcome counts for
// support only.
func TestDivExplorerAgainstEveryConjunction(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 9))
	fs, outcomes := random(rnd, 300, 4, 3) // -1, 0, 1 serve as outcomes
	s, err := regress.DivExplorer(fs, outcomes, .05, 4)
	if err != nil {
		t.Fatal(err)
	}
	type counts struct {
		rows int64
		rate regress.Rate
	}
	of := func(in []int) counts {
		c := counts{rows: int64(len(in))}
		for _, i := range in {
			switch outcomes[i] {
			case 1:
				c.rate.True++
			case 0:
				c.rate.False++
			}
		}
		return c
	}
	want := map[string]counts{}
	every(fs, 4, func(words string, in []int) {
		if len(in) >= 15 {
			want[words] = of(in)
		}
	})
	if len(s.List) != len(want)+1 || len(s.List[0].Predicates) != 0 || s.List[0].Divergence != 0 || s.List[0].Rows != 300 {
		t.Fatalf("%d itemsets, want %d; first %+v", len(s.List), len(want)+1, s.List[0])
	}
	all := s.List[0].Rate
	for _, x := range s.List[1:] {
		w := want[words(x.Predicates)]
		if w != (counts{x.Rows, x.Rate}) {
			t.Errorf("%v: %d %v, want %v", x.Predicates, x.Rows, x.Rate, w)
		}
		d := float64(w.rate.True)/float64(w.rate.True+w.rate.False) - float64(all.True)/float64(all.True+all.False)
		if math.Abs(x.Divergence-d) > 1e-12 {
			t.Errorf("%v: divergence %v, want %v", x.Predicates, x.Divergence, d)
		}
	}
}

// The Shapley shares of an itemset are the mean over all orders, and sum to its
// divergence.
func TestShapley(t *testing.T) {
	fs, changes := random(rand.New(rand.NewPCG(11, 12)), 2000, 4, 2)
	s, err := regress.DivExplorer(fs, broken(changes), .01, 4)
	if err != nil {
		t.Fatal(err)
	}
	div := map[string]float64{}
	for _, x := range s.List {
		div[words(x.Predicates)] = x.Divergence
	}
	full := 0
	for i, x := range s.List {
		got, ok := s.Shapley(i)
		if !ok || len(got) != len(x.Predicates) {
			t.Fatalf("%v: %v %v", x.Predicates, got, ok)
		}
		want := make([]float64, len(got))
		orders := 0.0
		permute(len(got), func(order []int) {
			orders++
			var in []int
			for _, k := range order {
				before := div[words(part(x.Predicates, in))]
				in = append(in, k)
				want[k] += div[words(part(x.Predicates, in))] - before
			}
		})
		sum := 0.0
		for k := range got {
			sum += got[k]
			if math.Abs(got[k]-want[k]/orders) > 1e-12 {
				t.Errorf("%v: %v, want %v", x.Predicates, got[k], want[k]/orders)
			}
		}
		if math.Abs(sum-x.Divergence) > 1e-12 {
			t.Errorf("%v: shares sum to %v, divergence %v", x.Predicates, sum, x.Divergence)
		}
		if len(x.Predicates) == 4 {
			full++
		}
	}
	if full == 0 {
		t.Error("no itemset of four predicates")
	}
}

func broken(changes []int8) []int8 {
	out := make([]int8, len(changes))
	for i, c := range changes {
		if c < 0 {
			out[i] = 1
		}
	}
	return out
}

func part(ps []regress.Predicate, in []int) []regress.Predicate {
	var out []regress.Predicate
	for i, p := range ps {
		if slices.Contains(in, i) {
			out = append(out, p)
		}
	}
	return out
}

func permute(n int, visit func([]int)) {
	var next func(done []int)
	next = func(done []int) {
		if len(done) == n {
			visit(done)
		}
		for k := range n {
			if !slices.Contains(done, k) {
				next(append(slices.Clone(done), k))
			}
		}
	}
	next(nil)
}

// An itemset whose divergence a shorter one explains is pruned, the slice that
// truly differs is not; with no tolerance for difference more stays.
func TestPruned(t *testing.T) {
	fs, changes := random(rand.New(rand.NewPCG(13, 14)), 20000, 4, 3)
	s, err := regress.DivExplorer(fs, broken(changes), .02, 3)
	if err != nil {
		t.Fatal(err)
	}
	names := func(xs []regress.Itemset) (out []string) {
		for _, x := range xs {
			out = append(out, words(x.Predicates))
		}
		return out
	}
	few, many := names(s.Pruned(.1)), names(s.Pruned(0))
	if !slices.Contains(few, "f0 is v1 and f1 is v0") || slices.Contains(few, "f0 is v1 and f1 is v0 and f2 is v0") || len(few) > 5 {
		t.Errorf("left: %q", few)
	}
	if !slices.Contains(many, "f0 is v1 and f1 is v0 and f2 is v0") || len(many) <= len(few) {
		t.Errorf("negative control: without a tolerance %d are left", len(many))
	}
}

// A slice none of whose rows has an outcome is undefined, never 0/0.
func TestDivExplorerUndefined(t *testing.T) {
	fs := []metrics.Dimension{{Name: "f", Values: []string{"a", "b"}, Codes: []int32{0, 0, 1, 1}}}
	s, err := regress.DivExplorer(fs, []int8{1, 0, -1, -1}, .25, 1)
	if err != nil || len(s.List) != 3 {
		t.Fatalf("%v %v", s, err)
	}
	if x := s.List[2]; x.Defined || x.Divergence != 0 || x.T != 0 {
		t.Errorf("%+v", x)
	}
	if _, ok := s.Shapley(2); ok {
		t.Error("an undefined divergence was shared out")
	}
	if got := s.Pruned(-1); len(got) != 2 {
		t.Errorf("%v", got)
	}
	if _, _, ok := regress.Divergence(regress.Rate{}, regress.Rate{True: 1}); ok {
		t.Error("0/0 has a divergence")
	}
}
