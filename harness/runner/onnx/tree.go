package onnx

import (
	"fmt"
	"math"
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

// flatten checks that the nodes are trees and lays them out in the order of a walk.
func flatten[T real](s treeSpec, classes int) (*ensemble[T], error) {
	type name struct{ tree, node int64 }
	n := len(s.modes)
	place := make(map[name]int32, n)
	for i := range n {
		k := name{s.tree[i], s.node[i]}
		if _, ok := place[k]; ok {
			return nil, fmt.Errorf("node %d of tree %d appears twice", k.node, k.tree)
		}
		place[k] = int32(i)
	}
	e := &ensemble[T]{classes: classes}
	at := make([]int32, n) // place in branches + 1
	type todo struct{ i, depth int32 }
	var stack []todo
	begun := map[int64]bool{}
	for i := range n {
		if i > 0 && s.tree[i] == s.tree[i-1] {
			continue
		}
		if begun[s.tree[i]] {
			return nil, fmt.Errorf("nodes of tree %d are not together", s.tree[i])
		}
		begun[s.tree[i]] = true
		tree := root{at: int32(len(e.branches))}
		stack = append(stack[:0], todo{int32(i), 0})
		for len(stack) > 0 {
			t := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if at[t.i] != 0 {
				return nil, fmt.Errorf("node %d of tree %d has two parents or is its own", s.node[t.i], s.tree[t.i])
			}
			at[t.i] = int32(len(e.branches)) + 1
			tree.depth = max(tree.depth, t.depth)
			isLeaf, err := e.add(s, int(t.i))
			if err != nil {
				return nil, fmt.Errorf("node %d of tree %d: %w", s.node[t.i], s.tree[t.i], err)
			}
			if isLeaf {
				continue
			}
			yes, ok1 := place[name{s.tree[t.i], s.yes[t.i]}]
			no, ok2 := place[name{s.tree[t.i], s.no[t.i]}]
			if !ok1 || !ok2 {
				return nil, fmt.Errorf("node %d of tree %d leads to a node that does not exist", s.node[t.i], s.tree[t.i])
			}
			b := len(e.branches) - 1
			e.branches[b].kids = [2]int32{yes, no} // places in the file until all are known
			stack = append(stack, todo{no, t.depth + 1}, todo{yes, t.depth + 1})
		}
		e.roots = append(e.roots, tree)
		e.steps = min(e.steps+int(tree.depth)+4, 1<<40)
	}
	for i := range e.branches {
		b := &e.branches[i]
		if e.rules[i].mode == leaf {
			b.kids = [2]int32{int32(i), int32(i)}
			continue
		}
		b.kids[0], b.kids[1] = at[b.kids[0]]-1, at[b.kids[1]]-1
		if e.rules[i].swapped {
			b.kids[0], b.kids[1] = b.kids[1], b.kids[0]
		}
	}
	leafOf := func(w int) int32 {
		if i, ok := place[name{s.atTree[w], s.atNode[w]}]; ok {
			return at[i] - 1
		}
		return -1
	}
	return e, e.weigh(s, leafOf)
}

// add appends node i. x < t is x <= the number before t; the others are these with
// their kids exchanged.
func (e *ensemble[T]) add(s treeSpec, i int) (isLeaf bool, err error) {
	mode, ok := modeNames[s.modes[i]]
	if !ok {
		return false, fmt.Errorf("mode %q is not known", s.modes[i])
	}
	r := rule[T]{threshold: T(s.value.at(i)), mode: mode}
	r.nanYes = s.missing != nil && s.missing[i] == 1
	b := branch[T]{threshold: r.threshold}
	if mode != leaf {
		if f := s.feature[i]; f < 0 || f >= maxElements {
			return false, fmt.Errorf("feature %d does not exist", f)
		}
		b.feature = int32(s.feature[i])
		e.features = max(e.features, int(b.feature)+1)
	}
	switch mode {
	case branchLT, branchGTE:
		b.threshold = before(r.threshold)
	case branchEQ, branchNEQ:
		e.slow = true
	}
	r.swapped = mode == branchGTE || mode == branchGT
	e.branches, e.rules = append(e.branches, b), append(e.rules, r)
	return mode == leaf, nil
}

// before is the largest number below t, or NaN (which nothing is at most) for -Inf.
func before[T real](t T) T {
	if math.IsInf(float64(t), -1) {
		return T(math.NaN())
	}
	if v, ok := any(t).(float32); ok {
		return T(math.Nextafter32(v, float32(math.Inf(-1))))
	}
	return T(math.Nextafter(float64(t), math.Inf(-1)))
}

// weigh hands each leaf its weights, in the order of the file.
func (e *ensemble[T]) weigh(s treeSpec, leafOf func(int) int32) error {
	n := len(e.branches)
	e.first = make([]int32, n+1)
	where := make([]int32, len(s.target))
	e.only = int(max(s.target[0], -1))
	for w := range s.target {
		where[w] = leafOf(w)
		switch {
		case where[w] < 0 || e.rules[where[w]].mode != leaf:
			return fmt.Errorf("a weight is for node %d of tree %d, which is no leaf", s.atNode[w], s.atTree[w])
		case s.target[w] < 0 || s.target[w] >= int64(e.classes):
			return fmt.Errorf("a weight is for target %d of %d", s.target[w], e.classes)
		case int(s.target[w]) != e.only:
			e.only = -1
		}
		e.first[where[w]+1]++
	}
	one := true
	for i := range n {
		one = one && (e.rules[i].mode == leaf) == (e.first[i+1] == 1)
		e.first[i+1] += e.first[i]
	}
	next := append([]int32(nil), e.first...)
	e.targets, e.weights = make([]int32, len(where)), make([]T, len(where))
	for w, i := range where {
		e.targets[next[i]], e.weights[next[i]] = int32(s.target[w]), T(s.weight.at(w))
		next[i]++
	}
	if one && e.only >= 0 {
		e.values = make([]T, n)
		for w, i := range where {
			e.values[i] = T(s.weight.at(w))
		}
	}
	for i := range s.base.len() {
		e.base = append(e.base, T(s.base.at(i)))
	}
	return nil
}
