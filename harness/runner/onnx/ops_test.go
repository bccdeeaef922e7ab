package onnx

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"
)

// jsonTensor is a tensor of ops.json.gz.
type jsonTensor struct {
	Kind  string
	Shape []int
	Data  []any
}

func (j jsonTensor) tensor() *tensor {
	t := &tensor{shape: j.Shape}
	for k, name := range kindNames {
		if name == j.Kind {
			t.kind = k
		}
	}
	for _, v := range j.Data {
		if s, ok := v.(string); ok && t.kind != kindString {
			v = map[string]float64{"NaN": math.NaN(), "+Inf": math.Inf(1), "-Inf": math.Inf(-1)}[s]
		}
		switch t.kind {
		case kindFloat:
			t.f32 = append(t.f32, float32(v.(float64)))
		case kindDouble:
			t.f64 = append(t.f64, v.(float64))
		case kindInt64, kindInt32:
			t.i64 = append(t.i64, int64(v.(float64)))
		case kindString:
			t.str = append(t.str, v.(string))
		case kindBool:
			t.bit = append(t.bit, v.(bool))
		}
	}
	return t
}

// close says whether two tensors agree: numbers within a millionth of their size
// (onnxruntime's exp, tanh and sigmoid are approximations), all else exactly.
func (t *tensor) close(u *tensor) error {
	if t.kind != u.kind || !slices.Equal(t.shape, u.shape) {
		return fmt.Errorf("%s %v, want %s %v", t.kind, t.shape, u.kind, u.shape)
	}
	near := func(a, b float64) bool {
		return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-6*max(1, math.Abs(b))
	}
	for i := range t.f32 {
		if !near(float64(t.f32[i]), float64(u.f32[i])) {
			return fmt.Errorf("element %d: %v, want %v", i, t.f32[i], u.f32[i])
		}
	}
	for i := range t.f64 {
		if !near(t.f64[i], u.f64[i]) {
			return fmt.Errorf("element %d: %v, want %v", i, t.f64[i], u.f64[i])
		}
	}
	if !slices.Equal(t.i64, u.i64) || !slices.Equal(t.str, u.str) || !slices.Equal(t.bit, u.bit) {
		return fmt.Errorf("%v %q %v, want %v %q %v", t.i64, t.str, t.bit, u.i64, u.str, u.bit)
	}
	return nil
}

// Every operator alone gives what onnxruntime gives, over types, shapes, versions and,
// for trees, every way that labels and scores are made.
func TestOperatorsAgree(t *testing.T) {
	var cases []struct {
		Name    string
		Model   []byte
		In, Out map[string]jsonTensor
	}
	if err := json.Unmarshal(unzip(t, filepath.Join(fixtures, "ops.json.gz")), &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 300 {
		t.Fatalf("%d cases", len(cases))
	}
	used := map[string]bool{}
	for _, c := range cases {
		m, err := Load(c.Model)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		machine := machine{maxBytes: 1 << 20, work: 1 << 20}
		values := make([]tensor, len(m.graph.names))
		for _, p := range m.graph.inputs {
			values[p.id] = *c.In[p.name].tensor()
		}
		s := m.graph.steps[0]
		used[s.op] = true
		var in, out []*tensor
		for _, id := range s.in {
			switch {
			case id < 0:
				in = append(in, nil)
			case m.graph.consts[id] != nil:
				in = append(in, m.graph.consts[id])
			default:
				in = append(in, &values[id])
			}
		}
		for _, id := range s.out {
			out = append(out, &values[id])
		}
		if err := s.run(&machine, in, out); err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		for i, id := range s.out {
			if err := values[id].close(c.Out[m.graph.names[id]].tensor()); err != nil {
				in, _ := json.Marshal(c.In)
				t.Errorf("%s: output %d: %v\n%.600s", c.Name, i, err, in)
			}
		}
	}
	for _, o := range operators {
		if !used[o.name] && o.name != "Constant" && o.name != "ZipMap" && o.name != "ReduceLogSum" {
			t.Errorf("no case uses %s", o.name)
		}
	}
}
