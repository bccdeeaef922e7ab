package onnx

import (
	"fmt"

	"proctor/holdout/rows"
)

// Columns returns columns that the model takes: one an input, or for a model with one
// matrix as many as it is wide, named c1, c2, ... It is nil where the file does not say
// how many.
func (m *Model) Columns() []rows.Field {
	inputs := m.graph.inputs
	if len(inputs) != 1 || len(inputs[0].dims) != 2 || inputs[0].dims[1] == 1 {
		var out []rows.Field
		for _, in := range inputs {
			out = append(out, rows.Field{Name: in.name, Number: in.kind != kindString})
		}
		return out
	}
	var out []rows.Field
	for i := range min(inputs[0].dims[1], 10_000) {
		out = append(out, rows.Field{Name: fmt.Sprintf("c%d", i+1), Number: inputs[0].kind != kindString})
	}
	return out
}
