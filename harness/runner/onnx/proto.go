package onnx

import (
	"errors"
	"fmt"
)

// Limits of a model. They are far above what tables need and keep a small file from
// becoming a large structure.
const (
	maxNodes      = 1 << 16
	maxPorts      = 1 << 16 // inputs and outputs of one node, or of the graph
	maxAttributes = 64
	maxRank       = 8
)

type modelProto struct {
	ir     int64
	opsets map[string]int64 // "" and "ai.onnx" are one
	graph  graphProto
}

type graphProto struct {
	nodes   []nodeProto
	inits   []namedTensor
	inputs  []valueProto
	outputs []valueProto
}

type nodeProto struct {
	domain, op, name string
	in, out          []string
	attrs            []attribute
}

type namedTensor struct {
	name string
	*tensor
}

// A valueProto is a declared input or output. dims holds -1 for a free dimension and
// is nil when no shape is declared. A sequence of maps has kind 0.
type valueProto struct {
	name string
	kind kind
	dims []int64
}

func decodeModel(b []byte) (*modelProto, error) {
	m := &modelProto{opsets: map[string]int64{}}
	graphs := 0
	err := each(b, "model", set(1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26), set(1, 2, 3, 4, 5, 6, 7), func(v field) (err error) {
		switch v.num {
		case 1:
			m.ir, err = v.integer()
		case 7:
			graphs++
			b, wrong := v.message()
			if err = wrong; err == nil {
				err = m.graph.decode(b)
			}
		case 8:
			err = m.opset(v)
		case 20:
			err = errors.New("training information is not supported")
		case 25:
			err = errors.New("functions are not supported; export with every operator inlined")
		case 26:
			err = errors.New("device configurations are not supported")
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case graphs == 0:
		return nil, errors.New("there is no graph in it; is it an ONNX file?")
	case m.ir < 3 || m.ir > 13:
		return nil, fmt.Errorf("IR version %d is not supported; 3 to 13 are", m.ir)
	}
	return m, nil
}

func (m *modelProto) opset(v field) error {
	b, err := v.message()
	if err != nil {
		return err
	}
	var domain string
	var version int64
	err = each(b, "opset", set(1, 2), set(1, 2), func(v field) (err error) {
		if v.num == 1 {
			domain, err = v.text()
		} else {
			version, err = v.integer()
		}
		return err
	})
	if err != nil {
		return err
	}
	if domain == "ai.onnx" {
		domain = ""
	}
	if was, ok := m.opsets[domain]; ok && was != version { // skl2onnx repeats itself
		return fmt.Errorf("opsets %d and %d of domain %q", was, version, domain)
	}
	m.opsets[domain] = version
	return nil
}

func (g *graphProto) decode(b []byte) error {
	return each(b, "graph", set(1, 2, 5, 10, 11, 12, 13, 14, 15, 16), set(2, 10), func(v field) error {
		b, err := v.message()
		if err != nil {
			return err
		}
		switch v.num {
		case 1:
			var n nodeProto
			err = n.decode(b)
			g.nodes = append(g.nodes, n)
		case 5:
			t, wrong := decodeTensor(b)
			err = wrong
			g.inits = append(g.inits, t)
		case 11:
			g.inputs, err = appendValue(g.inputs, b)
		case 12:
			g.outputs, err = appendValue(g.outputs, b)
		case 14:
			err = errors.New("quantisation annotations are not supported")
		case 15:
			err = errors.New("sparse initialisers are not supported")
		}
		if max(len(g.nodes), len(g.inits), len(g.inputs), len(g.outputs)) > maxNodes {
			return fmt.Errorf("more than %d nodes, initialisers, inputs or outputs", maxNodes)
		}
		return err
	})
}

func (n *nodeProto) decode(b []byte) error {
	return each(b, "node", set(1, 2, 3, 4, 5, 6, 7, 8, 9), set(3, 4, 6, 7, 8), func(v field) (err error) {
		switch v.num {
		case 1:
			n.in, err = v.texts(n.in)
		case 2:
			n.out, err = v.texts(n.out)
		case 3:
			n.name, err = v.text()
		case 4:
			n.op, err = v.text()
		case 5:
			var a attribute
			err = a.decode(v)
			n.attrs = append(n.attrs, a)
		case 7:
			n.domain, err = v.text()
			if n.domain == "ai.onnx" {
				n.domain = ""
			}
		case 8:
			var s string
			if s, err = v.text(); err == nil && s != "" {
				err = errors.New("overloads are not supported")
			}
		}
		if max(len(n.in), len(n.out)) > maxPorts || len(n.attrs) > maxAttributes {
			return errors.New("too many inputs, outputs or attributes")
		}
		return err
	})
}

func (v field) texts(dst []string) ([]string, error) {
	s, err := v.text()
	return append(dst, s), err
}
