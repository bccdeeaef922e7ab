package regress_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"proctor/metrics"
	"proctor/regress"
)

// benchRows are n rows of 30 features with 3 to 12 values; in one slice rows broke
// twelve times as often as elsewhere.
func benchRows(n int) ([]metrics.Dimension, []int8) {
	rnd := rand.New(rand.NewPCG(20, 25))
	fs := make([]metrics.Dimension, 30)
	for f := range fs {
		values := 3 + f%10
		fs[f] = metrics.Dimension{Name: fmt.Sprint("f", f), Codes: make([]int32, n)}
		for v := range values {
			fs[f].Values = append(fs[f].Values, fmt.Sprint("v", v))
		}
		for i := range n {
			fs[f].Codes[i] = int32(rnd.IntN(values))
		}
	}
	changes := make([]int8, n)
	for i := range n {
		broke := .02
		if fs[3].Codes[i] == 0 && fs[7].Codes[i] == 1 {
			broke = .25
		}
		switch u := rnd.Float64(); {
		case u < broke:
			changes[i] = -1
		case u > .97:
			changes[i] = 1
		}
	}
	return fs, changes
}

func benchErrors(changes []int8) []float64 {
	out := make([]float64, len(changes))
	for i, c := range changes {
		if c < 0 {
			out[i] = 1
		}
	}
	return out
}

// benchLine is the search that the Python script runs too.
var benchLine = regress.SliceLine{Alpha: .95, Top: 10, Levels: 2, MinRows: 100}

func BenchmarkSliceLine(b *testing.B) {
	fs, changes := benchRows(50_000)
	errs := benchErrors(changes)
	b.ReportAllocs()
	for b.Loop() {
		if got, err := benchLine.Find(fs, errs); err != nil || len(got) != 10 {
			b.Fatal(got, err)
		}
	}
}

// BenchmarkSearch counts and tests every slice of up to two predicates: no bound helps.
func BenchmarkSearch(b *testing.B) {
	for _, n := range []int{50_000, 1_000_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			fs, changes := benchRows(n)
			s := regress.Search{Levels: 2, MinRows: 100, Top: 10, Confidence: .99}
			b.ReportAllocs()
			tested := int64(0)
			for b.Loop() {
				f, err := s.All(fs, changes)
				if err != nil || f.SignificantHolm < 1 {
					b.Fatal(err)
				}
				tested = f.Tested
			}
			b.ReportMetric(float64(tested), "slices")
		})
	}
}

func BenchmarkConfirmed(b *testing.B) {
	fs, changes := benchRows(50_000)
	s := regress.Search{Levels: 2, MinRows: 100, Top: 10, Confidence: .99}
	b.ReportAllocs()
	for b.Loop() {
		if f, err := s.Confirmed(fs, changes, [32]byte{}); err != nil || f.SignificantHolm < 1 {
			b.Fatal(err)
		}
	}
}

// A search over 50,000 rows and 30 features needs little memory.
func TestSearchMemory(t *testing.T) {
	fs, changes := benchRows(50_000)
	errs := benchErrors(changes)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	if _, err := benchLine.Find(fs, errs); err != nil {
		t.Fatal(err)
	}
	s := regress.Search{Levels: 2, MinRows: 100, Top: 10, Confidence: .99}
	f, err := s.All(fs, changes)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	mb := (after.TotalAlloc - before.TotalAlloc) >> 20 // ever allocated, freed or not: the peak is below
	t.Logf("%d slices tested, %d MB allocated by both searches together", f.Tested, mb)
	if f.Tested < 20_000 || mb > 300 {
		t.Errorf("%d slices, %d MB", f.Tested, mb)
	}
}

// BenchmarkAgainstPython runs the same search on the same rows in testdata/slices_bench.py
// with DataDome's sliceline, on one thread, in this run, and reports how many times
// longer it takes. PROCTOR_PYTHON names an interpreter that has sliceline.
func BenchmarkAgainstPython(b *testing.B) {
	python := os.Getenv("PROCTOR_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "-c", "import sliceline, numpy").CombinedOutput(); err != nil {
		b.Skipf("%s has no sliceline (pip install sliceline numba): %v %s", python, err, out)
	}
	fs, changes := benchRows(50_000)
	errs := benchErrors(changes)
	file := filepath.Join(b.TempDir(), "rows")
	writeRows(b, file, fs, changes)
	cmd := exec.Command(python, "testdata/slices_bench.py", file, strconv.Itoa(len(fs)))
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", "MKL_NUM_THREADS=1", "NUMBA_NUM_THREADS=1")
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err, string(out))
	}
	lines := strings.Fields(string(out)) // seconds, MB, then the slices found
	seconds, err := strconv.ParseFloat(lines[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	var got []regress.ScoredSlice
	start := time.Now()
	runs := 0
	for b.Loop() {
		if got, err = benchLine.Find(fs, errs); err != nil {
			b.Fatal(err)
		}
		runs++
	}
	mine := time.Since(start).Seconds() / float64(runs)
	for i, g := range got {
		var at []string
		for _, p := range g.Predicates {
			at = append(at, p.Feature[1:]+"="+p.Value[1:])
		}
		if key := strings.Join(at, ","); i+2 >= len(lines) || lines[i+2] != key {
			b.Errorf("place %d is %s; Python says %v", i, key, lines[2:])
		}
	}
	b.ReportMetric(seconds/mine, "times")
	b.ReportMetric(seconds, "python-s")
	mb, _ := strconv.ParseFloat(lines[1], 64)
	b.ReportMetric(mb, "python-MB")
}

// writeRows writes one byte a cell, row by row: the features' codes, then 1 where
// the row broke.
func writeRows(b *testing.B, file string, fs []metrics.Dimension, changes []int8) {
	b.Helper()
	var out []byte
	for i, c := range changes {
		for _, f := range fs {
			out = append(out, byte(f.Codes[i]))
		}
		broke := byte(0)
		if c < 0 {
			broke = 1
		}
		out = append(out, broke)
	}
	if err := os.WriteFile(file, out, 0o600); err != nil {
		b.Fatal(err)
	}
}
