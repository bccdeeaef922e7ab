package onnx

import (
	"fmt"
	"slices"
	"strconv"
)

// bindOutputs finds the label and the scores among the graph's outputs by their types:
// labels are strings or integers, scores are floats or a ZipMap.
func (b *Bound) bindOutputs() error {
	g := &b.model.graph
	for _, out := range g.outputs {
		to := &b.score
		switch out.kind {
		case kindString, kindInt64, kindInt32:
			to = &b.label
		case kindBool:
			return fmt.Errorf("output %q is bool, which is neither a label nor a score", out.name)
		}
		if *to >= 0 {
			return fmt.Errorf("outputs %q and %q are both %s; want one label and one list of scores", g.names[*to], out.name, map[bool]string{true: "labels", false: "scores"}[to == &b.label])
		}
		*to = out.id
		if g.consts[out.id] != nil || slices.ContainsFunc(g.inputs, func(p port) bool { return p.id == out.id }) {
			return fmt.Errorf("output %q does not come from a node", out.name)
		}
	}
	for _, s := range g.steps {
		if s.op == "ZipMap" && s.out[0] != b.score {
			return fmt.Errorf("a ZipMap that is not the output is not supported")
		}
	}
	b.names = map[string]int32{}
	for i, c := range b.classes {
		b.names[c] = int32(i)
	}
	if len(b.names) != len(b.classes) {
		return fmt.Errorf("a class is declared twice")
	}
	return b.bindClasses()
}

// bindClasses compares the labels that the model can give with the declared classes.
func (b *Bound) bindClasses() error {
	zip, _, fromZip := b.trace(b.score)
	labels, ints, known := b.trace(b.label)
	if !known {
		labels, ints, known = zip, false, fromZip
		for i, l := range labels {
			ints = ints || l == strconv.Itoa(i)
		}
	}
	b.ordered = known || b.label < 0
	if !known { // names are checked row by row; numbers are places unless classes are numbers
		b.index = b.label < 0 || !slices.ContainsFunc(b.classes, func(c string) bool {
			_, err := strconv.ParseInt(c, 10, 64)
			return err == nil
		})
		return nil
	}
	if fromZip && !slices.Equal(zip, labels) {
		return fmt.Errorf("its ZipMap names %q and its labels are %q", zip, labels)
	}
	if len(labels) != len(b.classes) {
		return fmt.Errorf("the model knows the classes %q, and declared are %q", labels, b.classes)
	}
	column := make([]int, len(labels))
	for i, l := range labels {
		at, ok := b.names[l]
		if !ok {
			if ints && inOrder(labels) {
				b.index = true // 0..K-1 stand for the declared classes
				return nil
			}
			return fmt.Errorf("the model knows the classes %q, and declared are %q", labels, b.classes)
		}
		column[i] = int(at)
	}
	b.column = column
	return nil
}

func inOrder(labels []string) bool {
	for i, l := range labels {
		if l != strconv.Itoa(i) {
			return false
		}
	}
	return true
}

// trace follows a value back to the node that names classes, in the order of scores.
func (b *Bound) trace(id int) (labels []string, ints, ok bool) {
	g := &b.model.graph
	var renames []func(string) (string, bool)
	for range len(g.steps) {
		if id < 0 || g.maker[id] < 0 {
			return nil, false, false
		}
		s := g.steps[g.maker[id]]
		if s.labels != nil && s.out[0] == id {
			labels, ints = slices.Clone(s.labels), s.ints
			for i := range labels {
				for _, f := range slices.Backward(renames) {
					if labels[i], ok = f(labels[i]); !ok {
						return nil, false, false
					}
				}
			}
			return labels, ints, true
		}
		switch s.op {
		case "LabelEncoder", "CategoryMapper":
			if s.rename == nil {
				return nil, false, false
			}
			renames = append(renames, s.rename)
		case "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast":
		default:
			return nil, false, false
		}
		id = s.in[0]
	}
	return nil, false, false
}
