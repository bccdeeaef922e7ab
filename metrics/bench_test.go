package metrics

import (
	"sync"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"
)

const million = 1_000_000

var benchRows = sync.OnceValues(func() (Answers, Predictions) {
	a := randomAnswers(1, million, 2, 1)
	return a, randomPredictions(1, a)
})

func benchPair(b *testing.B) *Pair {
	a, p := benchRows()
	q := randomPredictions(2, a)
	pair, err := NewPair(mustJoin(b, a, p), mustJoin(b, a, q))
	if err != nil {
		b.Fatal(err)
	}
	return pair
}

func BenchmarkJoin(b *testing.B) {
	a, p := benchRows()
	for b.Loop() {
		f, err := Join(memory.DefaultAllocator, a, p)
		if err != nil {
			b.Fatal(err)
		}
		f.Release()
	}
}

func BenchmarkCells(b *testing.B) {
	p := benchPair(b)
	for b.Loop() {
		p.Cells()
	}
}

func BenchmarkBy(b *testing.B) {
	p := benchPair(b)
	for b.Loop() {
		if _, err := p.By("sex*race"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScores(b *testing.B) {
	p := benchPair(b)
	f := &Frame{view: p.baseline}
	for b.Loop() {
		for _, name := range []string{"roc_auc", "log_loss", "brier", "ece"} {
			if _, err := f.Estimate(name, 0.95); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkLimits(b *testing.B) {
	p := benchPair(b)
	for _, d := range All() {
		b.Run(d.Name, func(b *testing.B) {
			for b.Loop() {
				if _, err := p.Limits(d.Name, 0.01); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkHoldPower(b *testing.B) {
	for b.Loop() {
		HoldPower(16281, .049, .01, .01)
	}
}

func BenchmarkBootstrap(b *testing.B) {
	for b.Loop() {
		must(Bootstrap([]int64{700_000, 30_000, 40_000, 230_000}, 1000, 1, func(c []int64) float64 { return float64(c[2] - c[1]) }))
	}
}
