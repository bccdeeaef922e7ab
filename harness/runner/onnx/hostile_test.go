package onnx

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"proctor/holdout/rows"
)

// within fails the test when f takes longer than any honest refusal could.
func quickly(t *testing.T, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("took %s", d)
	}
}

// attempt loads, binds and runs; the first error is what a submitter's package gets.
func attempt(file []byte) error {
	m, err := Load(file)
	if err != nil {
		return err
	}
	tab := randomRows(40, 3)
	b, err := m.Bind(tab.Fields(), []string{"0", "1"})
	if err != nil {
		return err
	}
	_, _, err = b.Predict(tab)
	return err
}

func softmaxOf(in string) message { return nodeOf("", "Softmax", []string{in}, []string{"scores"}) }

func scoresOnly(cols int64, nodes ...message) draft {
	d := table(cols, nodes...)
	d.outputs = d.outputs[1:]
	return d
}

func with(d draft, f func(*draft)) []byte {
	f(&d)
	return d.bytes()
}

// A stump is the smallest tree: one question, two leaves.
func stump(f func(n []treeNode)) []byte {
	n := []treeNode{
		{0, 0, 1, 1, 2, "BRANCH_LEQ", 0.5, 0}, {0, 1, 0, 0, 0, "LEAF", 0, -1}, {0, 2, 0, 0, 0, "LEAF", 0, 1},
	}
	f(n)
	return table(3, treeClassifier("LOGISTIC", n)).bytes()
}

// Each hostile or broken model, and the sentence that refuses it.
func TestRefused(t *testing.T) {
	relu := func(in, out string) message { return nodeOf("", "Relu", []string{in}, []string{out}) }
	huge := []int64{1 << 20, 1 << 20}
	for _, c := range []struct {
		want string
		file []byte
	}{
		{"is empty", nil},
		{"field 7 has wire type 0", message{}.n(7, 1)},
		{"field 63 is not known", message{}.n(63, 1)},
		{"no graph in it", message{}.n(1, 8)},
		{"IR version 99", message{}.n(1, 99).b(7, message{})},
		{"field 1 appears twice", message{}.n(1, 8).n(1, 8)},
		{"functions are not supported", message{}.n(1, 8).b(25, message{})},
		{"training information", message{}.n(1, 8).b(20, message{})},
		{"subgraphs are not supported", table(3, nodeOf("", "If", []string{"X"}, []string{"label"}, message{}.s(1, "then_branch").b(6, message{}).n(20, 5))).bytes()},
		{"operator ai.onnx.ml.TreeEnsemble version 5 is not supported; supported are ArrayFeatureExtractor", with(table(3, nodeOf(mlDomain, "TreeEnsemble", []string{"X"}, []string{"label"})), func(d *draft) { d.ml = 5 })},
		{"operator ai.onnx.ml.TreeEnsembleClassifier version 5", with(table(3, nodeOf(mlDomain, "TreeEnsembleClassifier", []string{"X"}, []string{"label"})), func(d *draft) { d.ml = 5 })},
		{"operator ai.onnx.Conv version 17 is not supported", table(3, nodeOf("", "Conv", []string{"X"}, []string{"label"})).bytes()},
		{"opset 6 of ai.onnx", with(table(3), func(d *draft) { d.core = 6 })},
		{"the model does not say which opset", message{}.n(1, 8).b(7, message{}.b(11, valueOf("X", kindFloat)).b(1, relu("X", "scores")))},
		{`domain "com.microsoft" is not supported`, with(table(3, nodeOf("com.microsoft", "Gelu", []string{"X"}, []string{"label"})), func(*draft) {})},
		{`attribute "alpha" is not supported`, table(3, nodeOf("", "Relu", []string{"X"}, []string{"scores"}, attrI("alpha", 1))).bytes()},
		{`attribute "axis" appears twice`, scoresOnly(3, nodeOf("", "Softmax", []string{"X"}, []string{"scores"}, attrI("axis", 1), attrI("axis", 0))).bytes()},
		{`attribute "axis" has type 3`, scoresOnly(3, nodeOf("", "Softmax", []string{"X"}, []string{"scores"}, attrS("axis", "1"))).bytes()},
		{"external_data is not supported", with(scoresOnly(3, softmaxOf("w")), func(d *draft) {
			d.inits = []message{message{}.n(2, 1).s(8, "w").b(13, message{}.s(1, "location").s(2, "../../etc/passwd")).n(14, 1)}
		})},
		{"external_data is not supported", with(scoresOnly(3, softmaxOf("w")), func(d *draft) { d.inits = []message{message{}.n(2, 1).s(8, "w").n(14, 1)} })},
		{"calls for", with(scoresOnly(3), func(d *draft) { d.inits = []message{floatsOf("w", []int64{1 << 27}, 1)} })},
		{"dimension", with(scoresOnly(3), func(d *draft) { d.inits = []message{floatsOf("w", []int64{math.MaxInt64, math.MaxInt64}, 1)} })},
		{"dimension 0 is -1", with(scoresOnly(3), func(d *draft) { d.inits = []message{floatsOf("w", []int64{-1}, 1)} })},
		{"element type 10 is not supported", with(scoresOnly(3), func(d *draft) { d.inits = []message{message{}.n(2, 10).s(8, "w")} })},
		{`reads "b", which no earlier node makes`, scoresOnly(3, relu("b", "a"), relu("a", "b"), softmaxOf("b")).bytes()},
		{`reads "a", which no earlier node makes`, scoresOnly(3, relu("a", "a")).bytes()},
		{`value "a" is made twice`, scoresOnly(3, relu("X", "a"), relu("X", "a"), softmaxOf("a")).bytes()},
		{`value "X" is made twice`, scoresOnly(3, relu("X", "X")).bytes()},
		{`output "scores" is made by no node`, scoresOnly(3, relu("X", "a")).bytes()},
		{"is declared twice", with(scoresOnly(3, softmaxOf("X")), func(d *draft) { d.outputs = append(d.outputs, d.outputs[0]) })},
		{"no outputs", with(scoresOnly(3, softmaxOf("X")), func(d *draft) { d.outputs = nil })},
		{"axis -9 is outside of 2 dimensions", scoresOnly(3, nodeOf("", "Softmax", []string{"X"}, []string{"scores"}, attrI("axis", -9))).bytes()},
		{"more memory", with(scoresOnly(3, nodeOf("", "Expand", []string{"X", "big"}, []string{"a"}), softmaxOf("a")), func(d *draft) {
			d.inits = []message{integersOf("big", []int64{3}, 5_000_000, 1, 3)}
		})},
		{"too large", with(scoresOnly(3, nodeOf("", "ConstantOfShape", []string{"big"}, []string{"a"}), softmaxOf("a")), func(d *draft) {
			d.inits = []message{integersOf("big", []int64{2}, huge...)}
		})},
		{"more steps", with(scoresOnly(3, nodeOf("", "ConstantOfShape", []string{"big"}, []string{"a"}), nodeOf("", "MatMul", []string{"a", "a"}, []string{"b"}), softmaxOf("b")), func(d *draft) {
			d.inits = []message{integersOf("big", []int64{2}, 3000, 3000)}
		})},
		{"too large", with(scoresOnly(3, nodeOf("", "ConstantOfShape", []string{"big"}, []string{"a"}), nodeOf("", "Concat", []string{"a", "a"}, []string{"b"}, attrI("axis", 2)), softmaxOf("b")), func(d *draft) {
			d.inits = []message{integersOf("big", []int64{3}, 1<<20, 1<<20, 0)}
		})},
		{"more steps", with(scoresOnly(3, nodeOf("", "ConstantOfShape", []string{"big"}, []string{"a"}), softmaxOf("a")), func(d *draft) {
			d.inits = []message{integersOf("big", []int64{2}, 1<<27, 0)}
		})},
		{"want 1", with(scoresOnly(3, nodeOf("", "Sigmoid", []string{"X"}, []string{"a"}), nodeOf("", "Gather", []string{"a", "i"}, []string{"scores"}, attrI("axis", 1))), func(d *draft) {
			d.inits = []message{integersOf("i", []int64{2}, 0, 1)}
		})},
		{"scores of 2 rows have shape [2 3]", scoresOnly(3, softmaxOf("X")).bytes()},
		{"fixed first dimension of 7", with(scoresOnly(3, softmaxOf("X")), func(d *draft) { d.inputs = []message{valueOf("X", kindFloat, 7, 3)} })},
		{"tree 0 has two parents or is its own", stump(func(n []treeNode) { n[0].yes = 0 })},
		{"tree 0 has two parents or is its own", stump(func(n []treeNode) { n[0].no = 1 })},
		{"a node that does not exist", stump(func(n []treeNode) { n[0].no = 1 << 40 })},
		{"a node that does not exist", stump(func(n []treeNode) { n[0].yes = -1 })},
		{"feature -1 does not exist", stump(func(n []treeNode) { n[0].feature = -1 })},
		{"trees ask for column 4", stump(func(n []treeNode) { n[0].feature = 3 })},
		{`mode "BRANCH_IN" is not known`, stump(func(n []treeNode) { n[0].mode = "BRANCH_IN" })},
		{"appears twice", stump(func(n []treeNode) { n[2].node = 1 })},
		{"are not together", table(3, treeClassifier("NONE", []treeNode{{0, 0, 0, 0, 0, "LEAF", 0, 1}, {1, 0, 0, 0, 0, "LEAF", 0, 1}, {0, 1, 0, 0, 0, "LEAF", 0, 1}})).bytes()},
		{"PROBIT", table(3, treeClassifier("PROBIT", []treeNode{{0, 0, 0, 0, 0, "LEAF", 0, 1}})).bytes()},
		{"no probability", with(scoresOnly(3, nodeOf("", "Log", []string{"X"}, []string{"a"}), nodeOf("", "Gather", []string{"a", "i"}, []string{"scores"}, attrI("axis", 1))), func(d *draft) {
			d.inits = []message{integersOf("i", []int64{2}, 0, 1)}
		})},
		{"index 9 is outside", with(scoresOnly(3, nodeOf("", "Gather", []string{"X", "i"}, []string{"scores"}, attrI("axis", 1))), func(d *draft) {
			d.inits = []message{integersOf("i", []int64{2}, 0, 9)}
		})},
	} {
		quickly(t, func() {
			if err := attempt(c.file); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want %q, got %v", c.want, err)
			}
		})
	}
	if err := attempt(stump(func([]treeNode) {})); err != nil {
		t.Errorf("the unharmed tree: %v", err)
	}
}

// Ten thousand nodes, each reading the one before, are a model like any other; their
// values do not add up in memory. Doubling sizes instead ends at the budget.
func TestLongGraphs(t *testing.T) {
	chain := func(op string, more []string, attrs ...message) []byte {
		d := scoresOnly(3)
		at := "X"
		for i := range 10000 {
			to := fmt.Sprint("v", i)
			d.nodes = append(d.nodes, nodeOf("", op, append([]string{at}, slices.Repeat([]string{at}, len(more))...), []string{to}, attrs...))
			at = to
		}
		d.nodes = append(d.nodes, nodeOf("", "Slice", []string{at, "from", "to", "axis"}, []string{"cut"}), softmaxOf("cut"))
		d.inits = []message{integersOf("from", []int64{1}, 0), integersOf("to", []int64{1}, 2), integersOf("axis", []int64{1}, 1)}
		return d.bytes()
	}
	quickly(t, func() {
		if err := attempt(chain("Relu", nil)); err != nil {
			t.Error(err)
		}
		if err := attempt(chain("Concat", []string{"again"}, attrI("axis", 1))); err == nil || !strings.Contains(err.Error(), "more ") {
			t.Errorf("doubling: %v", err)
		}
	})
}

// A tree as deep as a list costs its depth and no stack.
func TestDeepTree(t *testing.T) {
	const n = 100_000
	var nodes []treeNode
	for i := range int64(n) {
		nodes = append(nodes, treeNode{0, 2 * i, 0, 2*i + 1, 2*i + 2, "BRANCH_LEQ", float32(i) - n, 0}, treeNode{0, 2*i + 1, 0, 0, 0, "LEAF", 0, -1})
	}
	nodes = append(nodes, treeNode{0, 2 * n, 0, 0, 0, "LEAF", 0, 1})
	quickly(t, func() {
		if err := attempt(table(3, treeClassifier("LOGISTIC", nodes)).bytes()); err != nil {
			t.Error(err)
		}
	})
}

// Cut anywhere, a model is refused or answers as before: the end of a file may repeat
// its operator sets, and a message does not tell its length.
func TestTruncated(t *testing.T) {
	for _, f := range readFixtures(t) {
		tab := readRows(t, f.Rows)
		step := max(1, len(f.file)/150)
		for n := 0; n < len(f.file); n += step {
			m, err := Load(f.file[:n])
			if err != nil {
				continue
			}
			b, err := m.Bind(tab.Fields(), f.Classes)
			if err != nil {
				continue
			}
			if labels, _, err := b.Predict(tab); err == nil && !slices.Equal(labels, f.Labels) {
				t.Errorf("%s: the first %d of %d bytes are another model", f.name, n, len(f.file))
			}
		}
	}
}

// Flipped bits and changed bytes give an error or answers that are probabilities; never
// a panic (TestMain leaves panics alone), never a long wait.
func TestFlippedBits(t *testing.T) {
	tables := map[string]rows.Table{"numbers": readRows(t, "numbers").Slice(0, 20), "people": readRows(t, "people").Slice(0, 20)}
	rng := rand.New(rand.NewPCG(7, 8))
	quickly(t, func() {
		for _, f := range readFixtures(t) {
			if len(f.file) > 9000 {
				continue
			}
			for range 150 {
				file := bytes.Clone(f.file)
				for range 1 + rng.IntN(3) {
					file[rng.IntN(len(file))] ^= 1 << rng.IntN(8)
				}
				check(t, file, tables[f.Rows], f.Classes)
			}
		}
	})
}

func check(t *testing.T, file []byte, tab rows.Table, classes []string) {
	m, err := Load(file)
	if err != nil {
		return
	}
	b, err := m.Bind(tab.Fields(), classes)
	if err != nil {
		return
	}
	labels, probs, err := b.Predict(tab)
	if err != nil {
		return
	}
	if len(labels) != tab.Len() || probs != nil && len(probs) != tab.Len()*len(classes) {
		t.Fatalf("%d labels and %d probabilities for %d rows", len(labels), len(probs), tab.Len())
	}
	for _, p := range probs {
		if !(p >= 0 && p <= 1) {
			t.Fatalf("probability %v", p)
		}
	}
	for _, y := range labels {
		if y < 0 || int(y) >= len(classes) {
			t.Fatalf("label %d", y)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, x := range readFixtures(f) {
		if len(x.file) < 3000 {
			f.Add(x.file)
		}
	}
	f.Add(stump(func([]treeNode) {}))
	f.Add(network(3, 4))
	f.Add(twoColumns())
	numbers, people := readRows(f, "numbers").Slice(0, 9), readRows(f, "people").Slice(0, 9)
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, classes := range [][]string{{"no", "yes"}, {"10", "20", "30"}} {
			check(t, file, numbers, classes)
			check(t, file, people, classes)
		}
		check(t, file, randomRows(9, 3), []string{"0", "1"})
	})
}
