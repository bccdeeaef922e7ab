package harness

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"proctor/harness/jail"
	"proctor/harness/runner"
	"proctor/holdout/rows"
)

// network answers like a perceptron of layers 20, 64, 32 and 2 with fixed weights.
func network(t rows.Table) (labels []int32, probs []float64, err error) {
	layers := [][2]int{{20, 64}, {64, 32}, {32, 2}}
	cols := t.Columns()
	for r := range t.Len() {
		in := make([]float64, len(cols))
		for i, c := range cols {
			in[i] = c.Floats[r]
		}
		for _, l := range layers {
			out := make([]float64, l[1])
			for j := range out {
				for i, v := range in {
					out[j] += v * (float64((i*31+j*17)%13) - 6) / 20
				}
				if l[1] > 2 {
					out[j] = max(0, out[j])
				}
			}
			in = out
		}
		p := 1 / (1 + math.Exp(in[0]-in[1]))
		probs = append(probs, 1-p, p)
	}
	return nil, probs, nil
}

// BenchmarkOverhead compares a model of a million rows as a plain process, in one
// order and asked once, with the same model as a candidate: jail, drawn order and
// batches, rows asked twice, a second process. It counts processor time of both
// sides, which other programs disturb less than the clock's.
//
//	go test ./harness -run xxx -bench Overhead -benchtime 1x
func BenchmarkOverhead(b *testing.B) {
	const n = 1_000_000
	rng := rand.New(rand.NewPCG(1, 2))
	cols := make([]rows.Column, 20)
	for i := range cols {
		cols[i] = rows.Column{Name: fmt.Sprintf("c%02d", i), Floats: make([]float64, n)}
		for r := range n {
			cols[i].Floats[r] = math.Round(rng.NormFloat64()*1e4) / 1e4
		}
	}
	table, err := rows.New(cols...)
	if err != nil {
		b.Fatal(err)
	}
	dir, pkg := stagedToy(b, toyModel{Cheat: "network"})
	run := func(r runner.Runner, s runner.Sheet) (runner.Output, time.Duration) {
		out, facts, err := r.Run(b.Context(), dir, pkg, s, runner.Limits{Total: time.Hour, CPU: time.Hour})
		if err != nil {
			b.Fatal(err)
		}
		return out, facts.CPU
	}
	var plain, whole time.Duration
	for b.Loop() {
		own := cpuTime()
		s := runner.Sheet{Rows: table}
		for left := n; left > 0; left -= 4096 {
			s.Batches = append(s.Batches, min(4096, left))
		}
		_, child := run(runner.Runner{MinTier: jail.None, MaxTier: jail.None}, s)
		plain += child + cpuTime() - own

		own = cpuTime()
		sh, err := newSheet(table, 4096, []byte("seed"))
		if err != nil {
			b.Fatal(err)
		}
		first, child := run(runner.Runner{}, sh.Sheet)
		if _, err := sh.collect(first, []int32{0, 1}); err != nil {
			b.Fatal(err)
		}
		z := sh.again([]byte("seed"))
		out, again := run(runner.Runner{}, z.Sheet)
		z.compare(first, out, 2)
		whole += child + again + cpuTime() - own
	}
	b.ReportMetric(plain.Seconds()/float64(b.N), "plain-cpu-s")
	b.ReportMetric(whole.Seconds()/float64(b.N), "whole-cpu-s")
	b.ReportMetric(100*(whole.Seconds()/plain.Seconds()-1), "overhead-%")
}

// cpuTime is the processor time of this process; its children are counted by Run.
func cpuTime() time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		panic(err)
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

func stagedToy(b *testing.B, m toyModel) (string, *runner.Package) {
	b.Helper()
	src := b.TempDir()
	text, err := json.Marshal(m)
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{"m.onnx": string(text),
		runner.ManifestFile: `{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","task":"classification","classes":["no","yes"]}`} {
		if err := os.WriteFile(filepath.Join(src, name), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	p, err := runner.ReadPackage(src)
	if err != nil {
		b.Fatal(err)
	}
	dir, remove, err := runner.StageTemp(p, src)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(remove)
	return dir, p
}
