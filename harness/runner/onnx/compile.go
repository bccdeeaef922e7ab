package onnx

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// A graph is a checked model: nodes in an order in which each reads only what is
// already made, every operator known.
type graph struct {
	names   []string  // of values; a value's id is its index
	consts  []*tensor // by id; nil when the value is computed or fed
	maker   []int     // by id: the step that makes it, or -1
	inputs  []port
	outputs []port
	steps   []step
}

// A port is an input or output of the graph.
type port struct {
	id int
	valueProto
}

// A step is one node. in and out are value ids; -1 stands for an absent one.
type step struct {
	title  string // for errors: operator and name
	op     string
	in     []int
	out    []int
	run    kernel
	labels []string                    // classes in the order of the scores, when the operator names them
	ints   bool                        // the labels are integers
	rename func(string) (string, bool) // how an encoder of labels maps them
}

// earliest and latest versions of the operator sets whose meaning was checked.
var opsetRange = map[string][2]int64{"": {7, 24}, mlDomain: {1, 5}}

const mlDomain = "ai.onnx.ml"

func compile(p *modelProto) (graph, error) {
	var g graph
	for _, domain := range slices.Sorted(maps.Keys(p.opsets)) {
		r, known := opsetRange[domain]
		if v := p.opsets[domain]; known && (v < r[0] || v > r[1]) {
			return g, fmt.Errorf("opset %d of %s is not supported; %d to %d are", v, domainName(domain), r[0], r[1])
		}
	}
	ids := map[string]int{}
	define := func(name string) (int, error) {
		if name == "" {
			return 0, errors.New("a value has no name")
		}
		if _, ok := ids[name]; ok {
			return 0, fmt.Errorf("value %q is made twice", name)
		}
		ids[name] = len(g.names)
		g.names = append(g.names, name)
		g.consts = append(g.consts, nil)
		g.maker = append(g.maker, -1)
		return ids[name], nil
	}
	for _, t := range p.graph.inits {
		id, err := define(t.name)
		if err != nil {
			return g, err
		}
		g.consts[id] = t.tensor
	}
	declared := map[string]bool{}
	for _, v := range p.graph.inputs {
		if declared[v.name] {
			return g, fmt.Errorf("input %q is declared twice", v.name)
		}
		declared[v.name] = true
		if _, constant := ids[v.name]; constant {
			continue // an input with a default, as files of IR version 3 list them
		}
		id, err := define(v.name)
		if err != nil {
			return g, err
		}
		g.inputs = append(g.inputs, port{id, v})
	}
	for i, n := range p.graph.nodes {
		if err := g.add(n, p.opsets, ids, define); err != nil {
			return g, fmt.Errorf("node %d, %s: %w", i+1, n.title(), err)
		}
	}
	clear(declared)
	for _, v := range p.graph.outputs {
		id, ok := ids[v.name]
		if !ok {
			return g, fmt.Errorf("output %q is made by no node", v.name)
		}
		if declared[v.name] {
			return g, fmt.Errorf("output %q is declared twice", v.name)
		}
		declared[v.name] = true
		g.outputs = append(g.outputs, port{id, v})
	}
	switch {
	case len(g.inputs) == 0:
		return g, errors.New("it has no inputs")
	case len(g.outputs) == 0:
		return g, errors.New("it has no outputs")
	}
	return g, nil
}

func (n *nodeProto) title() string {
	s := n.op
	if n.domain != "" {
		s = n.domain + "." + s
	}
	if n.name != "" {
		s += fmt.Sprintf(" %q", n.name)
	}
	return s
}

// add checks one node. Since it may read only values that exist already, a cycle
// cannot be written.
func (g *graph) add(n nodeProto, opsets map[string]int64, ids map[string]int, define func(string) (int, error)) error {
	version, ok := opsets[n.domain]
	if !ok {
		version = 1 // as onnxruntime reads a missing entry of ai.onnx.ml
		if n.domain == "" {
			return errors.New("the model does not say which opset of ai.onnx it uses")
		}
	}
	op, err := lookup(n.domain, n.op, version)
	if err != nil {
		return err
	}
	s := step{title: n.title(), op: n.op}
	if len(n.in) < op.in[0] || len(n.in) > op.in[1] {
		return fmt.Errorf("it has %d inputs, want %d to %d", len(n.in), op.in[0], op.in[1])
	}
	if len(n.out) < 1 || len(n.out) > op.out {
		return fmt.Errorf("it has %d outputs, want 1 to %d", len(n.out), op.out)
	}
	fixed := make([]*tensor, len(n.in))
	for i, name := range n.in {
		if name == "" {
			if i < op.in[0] {
				return fmt.Errorf("input %d is missing", i+1)
			}
			s.in = append(s.in, -1)
			continue
		}
		id, ok := ids[name]
		if !ok {
			return fmt.Errorf("it reads %q, which no earlier node makes (a cycle, or not in order)", name)
		}
		s.in, fixed[i] = append(s.in, id), g.consts[id]
	}
	b := builder{attrs: attrs{list: n.attrs}, version: version, fixed: fixed, outputs: len(n.out)}
	s.run, err = op.build(&b)
	if err == nil {
		err = b.done()
	}
	if err != nil {
		return err
	}
	s.labels, s.ints, s.rename = b.labels, b.ints, b.rename
	for _, name := range n.out {
		if name == "" {
			s.out = append(s.out, -1)
			continue
		}
		id, err := define(name)
		if err != nil {
			return err
		}
		g.maker[id] = len(g.steps)
		s.out = append(s.out, id)
	}
	if b.constant != nil {
		if id := s.out[0]; id >= 0 {
			g.consts[id], g.maker[id] = b.constant, -1
		}
		return nil
	}
	g.steps = append(g.steps, s)
	return nil
}

// A builder is what an operator sees of its node: attributes, the version of its
// operator set, and the inputs that are constants.
type builder struct {
	attrs
	version  int64
	fixed    []*tensor
	outputs  int
	constant *tensor // set by Constant instead of a kernel
	labels   []string
	ints     bool
	rename   func(string) (string, bool)
}

// classes reads the labels of a classifier: strings or integers, not both, no twins.
func (b *builder) classes(strs, ints string) (*tensor, error) {
	s, n := b.texts(strs), b.integers(ints)
	t := &tensor{kind: kindString, shape: []int{len(s)}, str: s}
	switch {
	case len(s) > 0 && len(n) > 0:
		return nil, fmt.Errorf("it has both %s and %s", strs, ints)
	case len(s) > 0:
		b.labels = s
	default:
		t = &tensor{kind: kindInt64, shape: []int{len(n)}, i64: n}
		b.labels, b.ints = decimals(n), true
	}
	seen := map[string]bool{}
	for _, l := range b.labels {
		if seen[l] {
			return nil, fmt.Errorf("label %q appears twice", l)
		}
		seen[l] = true
	}
	if len(b.labels) == 0 {
		return nil, fmt.Errorf("it names no classes in %s or %s", strs, ints)
	}
	return t, nil
}
