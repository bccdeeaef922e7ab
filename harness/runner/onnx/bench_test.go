package onnx

import (
	"math/rand/v2"
	"testing"

	"proctor/holdout/rows"
)

// randomRows has columns of numbers named c0, c1, ...
func randomRows(n, cols int) rows.Table {
	rng := rand.New(rand.NewPCG(1, 2))
	var cs []rows.Column
	for j := range cols {
		v := make([]float64, n)
		for i := range v {
			v[i] = rng.NormFloat64()
		}
		cs = append(cs, rows.Column{Name: "c" + string(rune('a'+j)), Floats: v})
	}
	t, err := rows.New(cs...)
	if err != nil {
		panic(err)
	}
	return t
}

func benchmark(b *testing.B, file []byte, cols int) {
	const n = 8192
	t := randomRows(n, cols)
	model := bind(b, file, t, []string{"0", "1"})
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := model.Predict(t); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkTrees100x6(b *testing.B) { benchmark(b, boostedTrees(100, 6, 20), 20) }
func BenchmarkMLP(b *testing.B)        { benchmark(b, network(20, 64, 32), 20) }
func BenchmarkLogistic(b *testing.B)   { benchmark(b, logisticModel(20), 20) }
