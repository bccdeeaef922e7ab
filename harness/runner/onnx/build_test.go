package onnx

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"google.golang.org/protobuf/encoding/protowire"
)

// A message writes protobuf for the tests.
type message []byte

func (m message) n(num protowire.Number, v int64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, num, protowire.VarintType), uint64(v))
}

func (m message) b(num protowire.Number, v []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, num, protowire.BytesType), v)
}

func (m message) s(num protowire.Number, v string) message { return m.b(num, []byte(v)) }

func packed(vs []int64) (b []byte) {
	for _, v := range vs {
		b = protowire.AppendVarint(b, uint64(v))
	}
	return b
}

func raw32(vs []float32) (b []byte) {
	for _, v := range vs {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func attrI(name string, v int64) message { return message{}.s(1, name).n(3, v).n(20, attrInt) }
func attrS(name, v string) message       { return message{}.s(1, name).s(4, v).n(20, attrString) }
func attrIs(name string, vs ...int64) message {
	return message{}.s(1, name).b(8, packed(vs)).n(20, attrInts)
}
func attrFs(name string, vs ...float32) message {
	return message{}.s(1, name).b(7, raw32(vs)).n(20, attrFloats)
}
func attrSs(name string, vs ...string) message {
	m := message{}.s(1, name)
	for _, v := range vs {
		m = m.s(9, v)
	}
	return m.n(20, attrStrings)
}

func floatsOf(name string, dims []int64, vs ...float32) message {
	return message{}.b(1, packed(dims)).n(2, int64(kindFloat)).s(8, name).b(9, raw32(vs))
}

func integersOf(name string, dims []int64, vs ...int64) message {
	return message{}.b(1, packed(dims)).n(2, int64(kindInt64)).s(8, name).b(7, packed(vs))
}

func nodeOf(domain, op string, in, out []string, attrs ...message) message {
	var m message
	for _, s := range in {
		m = m.s(1, s)
	}
	for _, s := range out {
		m = m.s(2, s)
	}
	m = m.s(4, op)
	for _, a := range attrs {
		m = m.b(5, a)
	}
	return m.s(7, domain)
}

func valueOf(name string, k kind, dims ...int64) message {
	var shape message
	for _, d := range dims {
		dim := message{}
		if d >= 0 {
			dim = dim.n(1, d)
		}
		shape = shape.b(1, dim)
	}
	tensor := message{}.n(1, int64(k)).b(2, shape)
	return message{}.s(1, name).b(2, message{}.b(1, tensor))
}

// A draft is a graph under construction.
type draft struct {
	nodes, inits, inputs, outputs []message
	core, ml                      int64
}

func (d draft) bytes() []byte {
	var g message
	for num, list := range map[protowire.Number][]message{1: d.nodes, 5: d.inits, 11: d.inputs, 12: d.outputs} {
		for _, m := range list {
			g = g.b(num, m)
		}
	}
	if d.core == 0 {
		d.core = 17
	}
	if d.ml == 0 {
		d.ml = 3
	}
	return message{}.n(1, 8).b(7, g).b(8, message{}.s(1, "").n(2, d.core)).b(8, message{}.s(1, mlDomain).n(2, d.ml))
}

// table is a draft with one matrix of floats in, and a label and two scores out.
func table(cols int64, nodes ...message) draft {
	return draft{
		nodes:   nodes,
		inputs:  []message{valueOf("X", kindFloat, -1, cols)},
		outputs: []message{valueOf("label", kindInt64, -1), valueOf("scores", kindFloat, -1, 2)},
	}
}

type treeNode struct {
	tree, node, feature, yes, no int64
	mode                         string
	value, weight                float32
}

func treeClassifier(post string, nodes []treeNode, more ...message) message {
	var tree, node, feature, yes, no, ids, at, where []int64
	var values, weights []float32
	var modes []string
	for _, n := range nodes {
		tree, node, feature = append(tree, n.tree), append(node, n.node), append(feature, n.feature)
		yes, no, modes, values = append(yes, n.yes), append(no, n.no), append(modes, n.mode), append(values, n.value)
		if n.mode == "LEAF" {
			ids, at, where, weights = append(ids, 0), append(at, n.node), append(where, n.tree), append(weights, n.weight)
		}
	}
	attrs := []message{
		attrIs("nodes_treeids", tree...), attrIs("nodes_nodeids", node...), attrIs("nodes_featureids", feature...),
		attrIs("nodes_truenodeids", yes...), attrIs("nodes_falsenodeids", no...), attrSs("nodes_modes", modes...),
		attrFs("nodes_values", values...), attrIs("class_ids", ids...), attrIs("class_nodeids", at...),
		attrIs("class_treeids", where...), attrFs("class_weights", weights...), attrIs("classlabels_int64s", 0, 1),
		attrS("post_transform", post),
	}
	return nodeOf(mlDomain, "TreeEnsembleClassifier", []string{"X"}, []string{"label", "scores"}, append(attrs, more...)...)
}

// boostedTrees are full trees with random thresholds.
func boostedTrees(trees, depth int, features int64) []byte {
	rng := rand.New(rand.NewPCG(3, 4))
	var nodes []treeNode
	inner := int64(1)<<depth - 1
	for t := range int64(trees) {
		for i := range 2*inner + 1 {
			n := treeNode{tree: t, node: i, mode: "LEAF", weight: float32(rng.NormFloat64()) / 10}
			if i < inner {
				n = treeNode{tree: t, node: i, feature: rng.Int64N(features), yes: 2*i + 1, no: 2*i + 2, mode: "BRANCH_LEQ", value: float32(rng.NormFloat64())}
			}
			nodes = append(nodes, n)
		}
	}
	return table(features, treeClassifier("LOGISTIC", nodes, attrFs("base_values", 0.1))).bytes()
}

func randomFloats(n int) []float32 {
	rng := rand.New(rand.NewPCG(5, uint64(n)))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(rng.NormFloat64()) / 4
	}
	return out
}

// network is a multilayer perceptron as PyTorch exports it: Gemm, Relu, Softmax.
func network(sizes ...int64) []byte {
	d := table(sizes[0])
	d.outputs = d.outputs[1:]
	at := "X"
	sizes = append(sizes, 2)
	for i := 1; i < len(sizes); i++ {
		w, c, g := "w"+string(rune('0'+i)), "c"+string(rune('0'+i)), "g"+string(rune('0'+i))
		d.inits = append(d.inits, floatsOf(w, []int64{sizes[i], sizes[i-1]}, randomFloats(int(sizes[i]*sizes[i-1]))...),
			floatsOf(c, []int64{sizes[i]}, randomFloats(int(sizes[i]))...))
		d.nodes = append(d.nodes, nodeOf("", "Gemm", []string{at, w, c}, []string{g}, attrI("transB", 1)))
		at = g
		if i < len(sizes)-1 {
			d.nodes = append(d.nodes, nodeOf("", "Relu", []string{g}, []string{"r" + g}))
			at = "r" + g
		}
	}
	d.nodes = append(d.nodes, nodeOf("", "Softmax", []string{at}, []string{"scores"}))
	return d.bytes()
}

func logisticModel(features int) []byte {
	w := randomFloats(features)
	both := append([]float32(nil), w...)
	for i := range w {
		both[i] = -w[i]
	}
	return table(int64(features), nodeOf(mlDomain, "LinearClassifier", []string{"X"}, []string{"label", "scores"},
		attrFs("coefficients", append(both, w...)...), attrFs("intercepts", -0.1, 0.1), attrIs("classlabels_ints", 0, 1),
		attrS("post_transform", "LOGISTIC"))).bytes()
}
