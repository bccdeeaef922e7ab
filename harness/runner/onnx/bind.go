package onnx

import (
	"fmt"
	"slices"
	"strings"

	"proctor/holdout/rows"
)

// A Bound is a model joined to columns and classes: it knows which input takes which
// column and which score belongs to which class. Only Bind makes one. It reuses its
// storage between calls and is for one goroutine at a time.
type Bound struct {
	model   *Model
	fields  []rows.Field
	classes []string
	feeds   []feed
	steps   []step
	last    [][]int // values that nobody reads after the step
	label   int     // value id, or -1
	score   int     // value id, or -1
	column  []int   // column of the scores -> class; nil when the columns are the classes
	names   map[string]int32
	ordered bool // the graph shows which class each score is of, or there are no labels
	index   bool // the model speaks of 0..K-1, or not at all: the declared order holds
	values  []tensor
	machine machine
	in, out []*tensor
}

// A feed fills one model input. columns are the table's, in order; a matrix takes all.
type feed struct {
	port
	columns []int
}

// Bind joins the model to the columns that rows will have and to the declared classes.
//
// Inputs: either the model has one input, which takes all columns in their order, or
// each input takes the column of its name. A name in which every character outside
// [A-Za-z0-9_] became "_", as converters write it, will do when only one column fits.
// Columns that no input asks for are not shown to the model.
//
// Classes: the model's labels must be the declared classes, in any order. A model whose
// labels are 0..K-1, or that gives only scores, means the declared classes in order.
func (m *Model) Bind(fields []rows.Field, classes []string) (b *Bound, err error) {
	defer calm(&err)
	b = &Bound{model: m, fields: slices.Clone(fields), classes: slices.Clone(classes), label: -1, score: -1}
	if len(classes) < 2 {
		return nil, fmt.Errorf("bind ONNX model: %d classes are declared, want at least 2", len(classes))
	}
	if err := b.bindInputs(); err != nil {
		return nil, fmt.Errorf("bind ONNX model: %w", err)
	}
	if err := b.bindOutputs(); err != nil {
		return nil, fmt.Errorf("bind ONNX model: %w", err)
	}
	b.prune()
	if err := b.try(); err != nil {
		return nil, fmt.Errorf("bind ONNX model: a trial row: %w", err)
	}
	return b, nil
}

func (b *Bound) bindInputs() error {
	inputs := b.model.graph.inputs
	for _, in := range inputs {
		if in.kind == 0 || in.kind == kindBool {
			return fmt.Errorf("input %q is not a tensor of numbers or strings", in.name)
		}
		if len(in.dims) > 0 && in.dims[0] >= 0 {
			return fmt.Errorf("input %q has a fixed first dimension of %d; export the model with a free batch dimension", in.name, in.dims[0])
		}
		if in.dims != nil && (len(in.dims) == 0 || len(in.dims) > 2) {
			return fmt.Errorf("input %q has %d dimensions, want rows and columns", in.name, len(in.dims))
		}
	}
	if len(inputs) == 1 && !slices.ContainsFunc(b.fields, func(f rows.Field) bool { return f.Name == inputs[0].name }) {
		return b.bindMatrix(inputs[0])
	}
	for _, in := range inputs {
		at, err := b.columnFor(in.name)
		if err != nil {
			return err
		}
		if len(in.dims) == 2 && in.dims[1] > 1 {
			return fmt.Errorf("input %q wants %d columns; an input named as a column takes that one", in.name, in.dims[1])
		}
		if err := fits(in, b.fields[at]); err != nil {
			return err
		}
		b.feeds = append(b.feeds, feed{in, []int{at}})
	}
	return nil
}

func (b *Bound) bindMatrix(in port) error {
	f := feed{port: in}
	if want := in.dims; len(want) == 2 && want[1] >= 0 && want[1] != int64(len(b.fields)) {
		return fmt.Errorf("input %q wants %d columns, and there are %d", in.name, want[1], len(b.fields))
	}
	if len(in.dims) == 1 && len(b.fields) != 1 {
		return fmt.Errorf("input %q takes one column, and there are %d", in.name, len(b.fields))
	}
	for i, field := range b.fields {
		if err := fits(in, field); err != nil {
			return err
		}
		f.columns = append(f.columns, i)
	}
	if len(f.columns) == 0 {
		return fmt.Errorf("there are no columns")
	}
	b.feeds = append(b.feeds, f)
	return nil
}

func fits(in port, f rows.Field) error {
	if f.Number == (in.kind == kindString) {
		return fmt.Errorf("input %q takes %s, and column %s does not hold that", in.name, in.kind, f)
	}
	return nil
}

func (b *Bound) columnFor(input string) (int, error) {
	var close []int
	var all []string
	for i, f := range b.fields {
		if f.Name == input {
			return i, nil
		}
		if mangled(f.Name) == input {
			close = append(close, i)
		}
		all = append(all, f.Name)
	}
	if len(close) == 1 {
		return close[0], nil
	}
	return 0, fmt.Errorf("the model has an input %q, and there is no such column; columns are %s", input, strings.Join(all, ", "))
}

func mangled(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
}

// prune keeps the nodes that the chosen outputs depend on and notes after which of
// them each value can go.
func (b *Bound) prune() {
	g := &b.model.graph
	needed := make([]bool, len(g.names))
	for _, id := range []int{b.label, b.score} {
		if id >= 0 {
			needed[id] = true
		}
	}
	for i := len(g.steps) - 1; i >= 0; i-- {
		s := g.steps[i]
		if !slices.ContainsFunc(s.out, func(id int) bool { return id >= 0 && needed[id] }) {
			continue
		}
		b.steps = append(b.steps, s)
		for _, id := range s.in {
			if id >= 0 {
				needed[id] = true
			}
		}
	}
	slices.Reverse(b.steps)
	b.last = make([][]int, len(b.steps))
	done := make([]bool, len(g.names))
	for _, id := range []int{b.label, b.score} {
		if id >= 0 {
			done[id] = true // read after the last step
		}
	}
	for i := len(b.steps) - 1; i >= 0; i-- {
		for _, id := range slices.Concat(b.steps[i].in, b.steps[i].out) {
			if id >= 0 && !done[id] && g.consts[id] == nil {
				done[id] = true
				b.last[i] = append(b.last[i], id)
			}
		}
	}
	b.values = make([]tensor, len(g.names))
}
