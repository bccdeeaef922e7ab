package onnx

import (
	"fmt"
	"math"
)

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
