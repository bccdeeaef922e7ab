package onnx

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"proctor/holdout/rows"
)

func columns(t testing.TB, cols ...rows.Column) rows.Table {
	t.Helper()
	tab, err := rows.New(cols...)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func load(t testing.TB, file []byte) *Model {
	t.Helper()
	m, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// What Bind says about columns and classes that are not the model's.
func TestBindRefuses(t *testing.T) {
	number := func(names ...string) (fs []rows.Field) {
		for _, n := range names {
			fs = append(fs, rows.Field{Name: n, Number: true})
		}
		return fs
	}
	people := load(t, readFixture(t, "columns").file)
	fields := readRows(t, "people").Fields()
	renamed := slices.Clone(fields)
	renamed[0].Name = "Age"
	typed := slices.Clone(fields)
	typed[5].Number = true
	ab := []string{"0", "1"}
	for _, c := range []struct {
		want    string
		model   *Model
		fields  []rows.Field
		classes []string
	}{
		{`input "X" wants 20 columns, and there are 3`, load(t, logisticModel(20)), number("a", "b", "c"), ab},
		{`input "X" takes float, and column "b" (text) does not hold that`, load(t, logisticModel(2)), []rows.Field{{Name: "a", Number: true}, {Name: "b"}}, ab},
		{`the model has an input "age", and there is no such column; columns are Age, hours`, people, renamed, []string{"no", "yes"}},
		{`input "city" takes string, and column "city" (number) does not hold that`, people, typed, []string{"no", "yes"}},
		{`the model knows the classes ["no" "yes"], and declared are ["no" "maybe"]`, people, fields, []string{"no", "maybe"}},
		{`the model knows the classes ["no" "yes"], and declared are ["no" "yes" "maybe"]`, people, fields, []string{"no", "yes", "maybe"}},
		{`1 classes are declared`, people, fields, []string{"no"}},
		{`a class is declared twice`, people, fields, []string{"no", "no"}},
		{`scores of 2 rows have shape [2 2], and 3 classes are declared`, load(t, network(2, 4)), number("a", "b"), []string{"x", "y", "z"}},
	} {
		if _, err := c.model.Bind(c.fields, c.classes); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("want %q, got %v", c.want, err)
		}
	}
}

// Classes declared in another order give the same answers under their names.
func TestClassOrder(t *testing.T) {
	f, tab := readFixture(t, "softmax"), readRows(t, "numbers")
	labels, probs, err := bind(t, f.file, tab, f.Classes).Predict(tab)
	if err != nil {
		t.Fatal(err)
	}
	turned := []string{f.Classes[2], f.Classes[0], f.Classes[1]}
	labels2, probs2, err := bind(t, f.file, tab, turned).Predict(tab)
	if err != nil {
		t.Fatal(err)
	}
	for r := range labels {
		if f.Classes[labels[r]] != turned[labels2[r]] {
			t.Fatalf("row %d: %s and %s", r, f.Classes[labels[r]], turned[labels2[r]])
		}
		for j := range 3 {
			if probs[3*r+j] != probs2[3*r+(j+1)%3] {
				t.Fatalf("row %d: %v and %v", r, probs[3*r:3*r+3], probs2[3*r:3*r+3])
			}
		}
	}
}

// Labels 0..K-1, and models without labels, mean the declared classes in order.
func TestClassesByPlace(t *testing.T) {
	tab := randomRows(30, 2)
	for _, file := range [][]byte{logisticModel(2), network(2, 4)} {
		labels, probs, err := bind(t, file, tab, []string{"good", "bad"}).Predict(tab)
		if err != nil {
			t.Fatal(err)
		}
		for r, y := range labels {
			if (probs[2*r+1] > probs[2*r]) != (y == 1) {
				t.Fatalf("row %d: label %d for %v", r, y, probs[2*r:2*r+2])
			}
		}
	}
}

// Where the graph hides the order of its scores, labels must agree with the scores.
func TestHiddenClassOrder(t *testing.T) {
	d := table(2, softmaxOf("X"), nodeOf("", "ArgMin", []string{"X"}, []string{"label"}, attrI("axis", 1), attrI("keepdims", 0)))
	tab := randomRows(9, 2)
	if _, _, err := bind(t, d.bytes(), tab, []string{"a", "b"}).Predict(tab); err == nil || !strings.Contains(err.Error(), "another class has a larger score") {
		t.Errorf("got %v", err)
	}
	d.nodes[1] = nodeOf("", "ArgMax", []string{"X"}, []string{"label"}, attrI("axis", 1), attrI("keepdims", 0))
	if _, _, err := bind(t, d.bytes(), tab, []string{"a", "b"}).Predict(tab); err != nil {
		t.Error(err)
	}
}

// One probability of the second class is enough for two; names with characters that
// converters replace find their column.
func TestSigmoidAndNames(t *testing.T) {
	d := draft{
		nodes:   []message{nodeOf("", "Sigmoid", []string{"hours_per_week"}, []string{"p"})},
		inputs:  []message{valueOf("hours_per_week", kindFloat, -1, 1)},
		outputs: []message{valueOf("p", kindFloat, -1, 1)},
	}
	tab := columns(t, rows.Column{Name: "age", Strings: []string{"", ""}}, rows.Column{Name: "hours-per-week", Floats: []float64{-2, 3}})
	m := load(t, d.bytes())
	if _, err := m.Bind(tab.Fields(), []string{"a", "b"}); err == nil {
		t.Error("one input named as no column took two columns")
	}
	d.nodes[0] = nodeOf("", "Mul", []string{"hours_per_week", "age_"}, []string{"x"})
	d.nodes = append(d.nodes, nodeOf("", "Sigmoid", []string{"x"}, []string{"p"}))
	d.inputs = append(d.inputs, valueOf("age_", kindFloat, -1, 1))
	tab = columns(t, rows.Column{Name: "age!", Floats: []float64{1, 1}}, rows.Column{Name: "hours-per-week", Floats: []float64{-2, 3}})
	labels, probs, err := bind(t, d.bytes(), tab, []string{"a", "b"}).Predict(tab)
	if err != nil || !slices.Equal(labels, []int32{0, 1}) || probs[0] != 1-probs[1] {
		t.Errorf("%v %v %v", labels, probs, err)
	}
}

// Numbers that the model's type cannot hold are an error that names the place.
func TestInputRange(t *testing.T) {
	for want, c := range map[string]struct {
		kind kind
		v    float64
	}{
		`column "a", row 2: 1e+300 is too large for float32`: {kindFloat, 1e300},
		`column "a", row 2: 1.5 is not an int64`:             {kindInt64, 1.5},
		`column "a", row 2: 5e+09 is not an int32`:           {kindInt32, 5e9},
	} {
		d := draft{
			nodes:   []message{nodeOf("", "Cast", []string{"a"}, []string{"x"}, attrI("to", 1)), nodeOf("", "Sigmoid", []string{"x"}, []string{"p"})},
			inputs:  []message{valueOf("a", c.kind, -1, 1)},
			outputs: []message{valueOf("p", kindFloat, -1, 1)},
		}
		tab := columns(t, rows.Column{Name: "a", Floats: []float64{0, c.v}})
		if _, _, err := bind(t, d.bytes(), tab, []string{"0", "1"}).Predict(tab); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// A row's answer is the same bits in every batch.
func TestBatchesAgree(t *testing.T) {
	file, err := os.ReadFile(filepath.Join(incomeModels(t)[0], "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	tab := people(t, "reserve").Slice(0, 1500)
	b := bind(t, file, tab, []string{"<=50K", ">50K"})
	labels, probs, err := b.Predict(tab)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for lo := 0; lo < tab.Len(); {
		hi := min(lo+1+rng.IntN(90), tab.Len())
		y, p, err := b.Predict(tab.Slice(lo, hi))
		if err != nil || !slices.Equal(y, labels[lo:hi]) || !slices.Equal(p, probs[2*lo:2*hi]) {
			t.Fatalf("rows %d to %d differ (%v)", lo, hi, err)
		}
		lo = hi
	}
}

// The budgets are what stops a greedy model: with them raised it runs.
func TestBudgets(t *testing.T) {
	defer func(b, s int) { blockBytes, rowSteps = b, s }(blockBytes, rowSteps)
	build := func(op string, big int64) []byte {
		return with(scoresOnly(2, nodeOf("", "ConstantOfShape", []string{"big"}, []string{"a"}), nodeOf("", op, []string{"a", "a"}, []string{"b"}),
			nodeOf("", "ReduceMax", []string{"b"}, []string{"c"}, attrI("keepdims", 0)), nodeOf("", "Mul", []string{"X", "c"}, []string{"d"}), softmaxOf("d")),
			func(d *draft) { d.inits = []message{integersOf("big", []int64{2}, big, big)} })
	}
	tab := randomRows(3, 2)
	run := func(file []byte) error {
		b, err := load(t, file).Bind(tab.Fields(), []string{"0", "1"})
		if err == nil {
			_, _, err = b.Predict(tab)
		}
		return err
	}
	memory, work := build("Add", 500), build("MatMul", 300)
	blockBytes = 1 << 20
	if err := run(memory); err == nil || !strings.Contains(err.Error(), errMemory.Error()) {
		t.Errorf("memory: %v", err)
	}
	blockBytes, rowSteps = 64<<20, 1<<20
	if err := run(work); err == nil || !strings.Contains(err.Error(), errWork.Error()) {
		t.Errorf("work: %v", err)
	}
	rowSteps = 1 << 30
	for _, file := range [][]byte{memory, work} {
		if err := run(file); err != nil {
			t.Errorf("raised: %v", err)
		}
	}
}

// The quick ways give the bits of the slow ones.
func TestQuickIsSlow(t *testing.T) {
	n, k, p := 7, 13, 10
	a, b := randomFloats(n*k), randomFloats(k*p)
	got := make([]float32, n*p)
	multiply(got, a, b, n, k, p)
	for i := range n {
		for j := range p {
			var s float32
			for l := range k {
				s += float32(a[i*k+l] * b[l*p+j])
			}
			if got[i*p+j] != s {
				t.Fatalf("element %d,%d: %v, want %v", i, j, got[i*p+j], s)
			}
		}
	}
	model := load(t, boostedTrees(9, 5, 4))
	tab := randomRows(61, 4)
	x := &tensor{kind: kindFloat, shape: []int{61, 4}}
	for r := range 61 {
		for _, c := range tab.Columns() {
			x.f32 = append(x.f32, float32(c.Floats[r]))
		}
	}
	bound, err := model.Bind(tab.Fields(), []string{"0", "1"})
	if err != nil {
		t.Fatal(err)
	}
	_, quick, err := bound.Predict(tab)
	if err != nil {
		t.Fatal(err)
	}
	// The same trees asked with tests of equality among them walk row by row.
	slow := withEquality(boostedTrees(9, 5, 4))
	_, other, err := bind(t, slow, tab, []string{"0", "1"}).Predict(tab)
	if err != nil || !slices.Equal(quick, other) {
		t.Errorf("trees differ: %v", err)
	}
}

// withEquality adds a tree of its own whose equality test is never met and whose
// leaves weigh nothing, which turns the group walk off.
func withEquality(file []byte) []byte {
	p, err := decodeModel(file)
	if err != nil {
		panic(err)
	}
	var nodes []treeNode
	as := attrs{list: p.graph.nodes[0].attrs}
	s := treeSpec{tree: as.integers("nodes_treeids"), node: as.integers("nodes_nodeids"), feature: as.integers("nodes_featureids"),
		yes: as.integers("nodes_truenodeids"), no: as.integers("nodes_falsenodeids"), modes: as.texts("nodes_modes")}
	weights, w := as.floats("class_weights"), 0
	for i := range s.tree {
		n := treeNode{s.tree[i], s.node[i], s.feature[i], s.yes[i], s.no[i], s.modes[i], as.floats("nodes_values")[i], 0}
		if n.mode == "LEAF" {
			n.weight = weights[w]
			w++
		}
		nodes = append(nodes, n)
	}
	nodes = append(nodes, treeNode{999, 0, 0, 1, 2, "BRANCH_EQ", 1e30, 0}, treeNode{999, 1, 0, 0, 0, "LEAF", 0, 0}, treeNode{999, 2, 0, 0, 0, "LEAF", 0, 0})
	return table(4, treeClassifier("LOGISTIC", nodes, attrFs("base_values", 0.1))).bytes()
}

// Our own functions are those of package math but for the last bits.
func TestFunctions(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 3))
	near := func(what string, got, want, most float64) {
		if got != want && !(math.IsNaN(got) && math.IsNaN(want)) && math.Abs(got-want) > most*math.Abs(want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	ends := []float64{0, math.Copysign(0, -1), 1, -1, math.Inf(1), math.Inf(-1), math.NaN(), 709.7, 710, -745, -746, 1e-300, 1e308, 2, 3, 0.5, -3}
	for range 2000 {
		ends = append(ends, rng.NormFloat64()*math.Pow(10, rng.Float64()*6-3))
	}
	near("log of the smallest number", log(5e-324), -744.4400719213812, 1e-15) // package math on amd64 says -709.09
	for _, x := range ends {
		near(fmt.Sprintf("exp(%v)", x), exp(x), math.Exp(x), 1e-15)
		near(fmt.Sprintf("log(%v)", x), log(x), math.Log(x), 1e-15)
		near(fmt.Sprintf("tanh(%v)", x), tanh(x), math.Tanh(x), 1e-10)
		for _, y := range ends[:40] {
			if !math.IsInf(x, 0) && !math.IsInf(y, 0) {
				near(fmt.Sprintf("pow(%v, %v)", x, y), pow(x, y), math.Pow(x, y), 1e-12)
			}
		}
	}
}
