package onnx

import (
	"fmt"
	"sync"
)

func treeOps() []operator {
	ops := []operator{
		ml("TreeEnsembleClassifier", 1, 1, 2, buildTreeClassifier), ml("TreeEnsembleRegressor", 1, 1, 1, buildTreeRegressor),
	}
	for i := range ops {
		ops[i].until = 4 // version 5 replaces both by TreeEnsemble
	}
	return ops
}

// Ways to compare a value with a node's threshold.
const (
	branchLEQ = iota
	branchLT
	branchGTE
	branchGT
	branchEQ
	branchNEQ
	leaf
)

var modeNames = map[string]uint8{
	"BRANCH_LEQ": branchLEQ, "BRANCH_LT": branchLT, "BRANCH_GTE": branchGTE,
	"BRANCH_GT": branchGT, "BRANCH_EQ": branchEQ, "BRANCH_NEQ": branchNEQ, "LEAF": leaf,
}

// treeSpec is the operator as the file has it: parallel lists over all nodes, and
// parallel lists of weights that name their leaf.
type treeSpec struct {
	tree, node, feature, yes, no, missing []int64
	modes                                 []string
	value                                 numbers32or64

	target, atNode, atTree []int64
	weight                 numbers32or64

	base numbers32or64
}

// numbers32or64 is a list given as floats, or since version 3 as a double tensor.
type numbers32or64 struct {
	f32 []float32
	f64 []float64
}

func (n numbers32or64) len() int { return max(len(n.f32), len(n.f64)) }

func (n numbers32or64) at(i int) float64 {
	if n.f64 != nil {
		return n.f64[i]
	}
	return float64(n.f32[i])
}

func (b *builder) numbers(name string) numbers32or64 {
	t := b.tensor(name + "_as_tensor")
	f := b.floats(name)
	if t == nil {
		return numbers32or64{f32: f}
	}
	if (t.kind != kindDouble || f != nil) && b.err == nil {
		b.err = fmt.Errorf("%s_as_tensor is %s beside %d floats, want double alone", name, t.kind, len(f))
	}
	return numbers32or64{f64: t.f64}
}

func readTrees(b *builder, prefix string) (treeSpec, error) {
	s := treeSpec{
		tree: b.integers("nodes_treeids"), node: b.integers("nodes_nodeids"), feature: b.integers("nodes_featureids"),
		yes: b.integers("nodes_truenodeids"), no: b.integers("nodes_falsenodeids"),
		missing: b.integers("nodes_missing_value_tracks_true"), modes: b.texts("nodes_modes"), value: b.numbers("nodes_values"),
		target: b.integers(prefix + "_ids"), atNode: b.integers(prefix + "_nodeids"), atTree: b.integers(prefix + "_treeids"),
		weight: b.numbers(prefix + "_weights"), base: b.numbers("base_values"),
	}
	b.numbers("nodes_hitrates") // statistics of training
	if b.err != nil {
		return s, b.err
	}
	n := len(s.modes)
	for _, l := range []int{len(s.tree), len(s.node), len(s.feature), len(s.yes), len(s.no), s.value.len()} {
		if l != n || n == 0 {
			return s, fmt.Errorf("lists of nodes have %d and %d entries", n, l)
		}
	}
	if s.missing != nil && len(s.missing) != n {
		return s, fmt.Errorf("lists of nodes have %d and %d entries", n, len(s.missing))
	}
	w := len(s.target)
	for _, l := range []int{len(s.atNode), len(s.atTree), s.weight.len()} {
		if l != w || w == 0 {
			return s, fmt.Errorf("lists of weights have %d and %d entries", w, l)
		}
	}
	return s, nil
}

// A forest is an operator's trees, ready for float32 inputs and, when first asked, for
// double ones: onnxruntime compares and sums in the input's type.
type forest struct {
	targets int
	single  func() (*ensemble[float32], error)
	double  func() (*ensemble[float64], error)
}

func newForest(s treeSpec, targets int) (*forest, error) {
	f := &forest{
		targets: targets,
		single:  sync.OnceValues(func() (*ensemble[float32], error) { return flatten[float32](s, targets) }),
		double:  sync.OnceValues(func() (*ensemble[float64], error) { return flatten[float64](s, targets) }),
	}
	if s.value.f64 != nil || s.weight.f64 != nil {
		f.single = func() (*ensemble[float32], error) {
			return nil, fmt.Errorf("its thresholds are double, and its input is not")
		}
		_, err := f.double()
		return f, err
	}
	_, err := f.single()
	return f, err
}

// run calls f with the forest and the input in the type that decides comparisons.
func (f *forest) run(x *tensor, single func(*ensemble[float32], []float32) error, double func(*ensemble[float64], []float64) error) error {
	if x.kind == kindDouble {
		e, err := f.double()
		if err != nil {
			return err
		}
		return double(e, x.f64)
	}
	e, err := f.single()
	if err != nil {
		return err
	}
	v, err := x.asFloats()
	if err != nil {
		return err
	}
	return single(e, v)
}

// An ensemble holds all trees in one list of branches. A leaf is a branch that leads
// to itself, so that rows of one group can take the same number of steps.
type ensemble[T real] struct {
	branches []branch[T]
	rules    []rule[T] // as the file has them; for NaN and for tests of equality
	roots    []root
	first    []int32 // weights of node i are [first[i], first[i+1])
	targets  []int32
	weights  []T
	values   []T // by node, when each leaf has one weight and all the same target
	only     int // that target; -1 when there are several
	features int // 1 + the largest feature asked for
	steps    int // per row, at most
	slow     bool
	base     []T
	classes  int // number of targets or classes
}

type root struct{ at, depth int32 }

// A branch goes to kids[0] when the feature's value is at most the threshold.
type branch[T real] struct {
	threshold T
	feature   int32
	kids      [2]int32
}

// A rule is the node as written: its way to compare, where NaN goes, and whether kids
// of the branch were exchanged to turn it into "at most".
type rule[T real] struct {
	threshold T
	mode      uint8
	nanYes    bool
	swapped   bool
}
