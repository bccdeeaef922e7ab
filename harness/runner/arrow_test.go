package runner

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"proctor/harness/jail"
	"proctor/holdout/rows"
)

const arrowExample = "../../testdata/models/command-arrow-go"

// arrowChild is the example's program, built once.
var arrowChild = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "proctor-test-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", dir+"/serve", arrowExample+"/main.go")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	data, err := os.ReadFile(dir + "/serve")
	return string(data), err
})

func stageArrow(t testing.TB) (string, *Package) {
	t.Helper()
	bin, err := arrowChild()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile(filepath.Join(arrowExample, ManifestFile))
	if err != nil {
		t.Fatal(err)
	}
	return stage(t, map[string]string{"serve": bin, ManifestFile: string(manifest)})
}

// What is written is a stream that Arrow's own reader takes, with the rows that were
// given, cut as they were cut.
func TestArrowStream(t *testing.T) {
	s := sheet(t, 23)
	var b bytes.Buffer
	w := newBatchWriter(InputArrow, &b)
	lo := 0
	for i, n := range s.Batches {
		if err := w.write(i+1, s.Rows.Slice(lo, lo+n)); err != nil {
			t.Fatal(err)
		}
		lo += n
	}
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	r, err := ipc.NewReader(&b, ipc.WithAllocator(mem))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var parts []rows.Table
	for r.Next() {
		part, err := rows.FromRecord(r.Record())
		if err != nil {
			t.Fatal(err)
		}
		if len(parts) >= len(s.Batches) || part.Len() != s.Batches[len(parts)] {
			t.Fatalf("batch %d has %d rows", len(parts)+1, part.Len())
		}
		parts = append(parts, part)
	}
	got, err := rows.Concat(parts...)
	if err != nil || r.Err() != nil || b.Len() != 0 || got.Len() != 23 {
		t.Fatal(err, r.Err(), b.Len(), got.Len())
	}
	for i := range 23 {
		if !bytes.Equal(got.AppendCanonical(nil, i), s.Rows.AppendCanonical(nil, i)) {
			t.Errorf("row %d changed", i)
		}
	}
}

// The example that reads Arrow answers as it should, in lock-step as any other.
func TestArrowModel(t *testing.T) {
	dir, p := stageArrow(t)
	s := sheet(t, 200)
	s.InHand = 1
	out, facts, err := Runner{MinTier: jail.None}.Run(t.Context(), dir, p, s, Limits{})
	if err != nil {
		t.Fatalf("%v, %+v", err, facts)
	}
	x, _ := s.Rows.Column("x")
	for i, v := range x.Floats {
		if math.Abs(out.Probs[2*i+1]-v) > 1e-6 {
			t.Fatalf("row %d: %v, want %v", i, out.Probs[2*i+1], v)
		}
	}
}

// A model that reads lines where Arrow was asked for, or the other way round, ends as
// any that misbehaves.
func TestArrowMistaken(t *testing.T) {
	bin, err := arrowChild()
	if err != nil {
		t.Fatal(err)
	}
	dir, p := stage(t, map[string]string{"serve": bin, ManifestFile: strings.Replace(command("well"), "./misbehave", "./serve", 1)})
	lines, lp := stage(t, map[string]string{"misbehave": misbehave(t), ManifestFile: strings.Replace(command("well"), `"batch_max"`, `"input":"arrow","batch_max"`, 1)})
	for dir, p := range map[string]*Package{dir: p, lines: lp} {
		_, _, err := Runner{MinTier: jail.None}.Run(t.Context(), dir, p, sheet(t, 23), quick)
		var f *Failure
		if !errors.As(err, &f) || f.Service() {
			t.Errorf("%s: %v", p.Manifest.Command[0], err)
		}
	}
}

// twenty are n rows of 20 numbers, in batches of 4,096.
func twenty(b *testing.B, n int) Sheet {
	cols := make([]rows.Column, 20)
	for i := range cols {
		cols[i] = rows.Column{Name: fmt.Sprintf("x%d", i), Floats: make([]float64, n)}
		for r := range n {
			cols[i].Floats[r] = float64((r*31+i*7)%1009) / 1009
		}
	}
	cols[0].Name = "x"
	t, err := rows.New(cols...)
	if err != nil {
		b.Fatal(err)
	}
	s := Sheet{Rows: t}
	for ; n > 0; n -= 4096 {
		s.Batches = append(s.Batches, min(n, 4096))
	}
	return s
}

// BenchmarkPipe is the protocol's own cost with a child in Go and 20 columns of
// numbers, the child's start included: rows a second of processor time of parent and
// child together, which is what one idle core does in a second.
//
//	go test ./harness/runner -run - -bench Pipe -benchtime 3x
func BenchmarkPipe(b *testing.B) {
	arrowDir, arrowPackage := stageArrow(b)
	linesDir, linesPackage := stage(b, map[string]string{"m.onnx": "-", ManifestFile: good})
	for _, c := range []struct {
		name string
		rows int
		dir  string
		p    *Package
	}{{"arrow", 4_000_000, arrowDir, arrowPackage}, {"jsonl", 400_000, linesDir, linesPackage}} {
		b.Run(c.name, func(b *testing.B) {
			s := twenty(b, c.rows)
			used := -processorTime(b)
			for b.Loop() {
				_, facts, err := Runner{}.Run(b.Context(), c.dir, c.p, s, Limits{Total: time.Hour, Memory: 1 << 30})
				if err != nil {
					b.Fatal(err, facts)
				}
				used += facts.CPU
			}
			used += processorTime(b)
			b.ReportMetric(float64(c.rows*b.N)/used.Seconds(), "rows/cpu-s")
		})
	}
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
