package practice

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"proctor/holdout/rows"
	"proctor/regress"
)

// made is a suite file that makes n cases of sentences.
func made(n int) fstest.MapFS {
	words := func(prefix string, n int) string {
		out := make([]string, n)
		for i := range out {
			out[i] = fmt.Sprint(prefix, i)
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	yaml := "suite: large\nwords:\n  thing: " + words("thing", 200) + "\n  good: " + words("good", 100) + "\ntests:\n"
	for i := range 10 {
		yaml += fmt.Sprintf("  - {name: t%d, capability: c%d, kind: MFT, generate: {columns: {text: [\"Number %d: the {thing} in {city} was {good}.\"]}, expect: \"yes\", at_most: %d}}\n", i, i/3, i, n/10)
	}
	return fstest.MapFS{"s.yaml": {Data: []byte(yaml)}}
}

// What a run of 200,000 cases takes, the making of the cases included, in one thread of
// the judge. The figure to hold is 5 s; reading the prediction file comes on top, see
// BenchmarkDecode of package intake.
func BenchmarkRun200k(b *testing.B) { benchmark(b, 200_000) }

func BenchmarkRun1M(b *testing.B) { benchmark(b, 1_000_000) }

func benchmark(b *testing.B, n int) {
	for range b.N {
		start := time.Now()
		s, err := regress.Load(made(n), "s.yaml")
		if err != nil {
			b.Fatal(err)
		}
		loaded := time.Since(start)
		suites := []*regress.Suite{s}
		ids := ExampleIDs(suites)
		labels := make([]string, len(ids))
		for i := range labels {
			labels[i] = []string{"yes", "no"}[i/7%10/9]
		}
		tab, err := rows.New(rows.Column{Name: "id", Strings: ids}, rows.Column{Name: "label", Strings: labels})
		if err != nil {
			b.Fatal(err)
		}
		as := [2]*Answers{}
		for i := range as {
			if as[i], err = ReadAnswers("f", tab, ids); err != nil {
				b.Fatal(err)
			}
		}
		r, err := Run(suites, as[0], as[1], nil, standard)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(r.Pooled.CandidateCases), "cases")
		b.ReportMetric(loaded.Seconds(), "s-made")
		b.ReportMetric(time.Since(start).Seconds(), "s-whole")
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapSys>>20), "MiB-heap")
		b.ReportMetric(peakMiB(), "MiB-peak")
	}
}

// peakMiB is the most memory that the process had, 0 where the system does not tell.
func peakMiB() float64 {
	b, err := os.ReadFile(filepath.FromSlash("/proc/self/status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		var kib float64
		if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kib); n == 1 {
			return kib / 1024
		}
	}
	return 0
}

// The figure to hold for lint is 2 s at 100,000 cases.
func BenchmarkLint100k(b *testing.B) {
	for range b.N {
		s, err := regress.Load(made(100_000), "s.yaml")
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		s.Lint()
		b.ReportMetric(time.Since(start).Seconds(), "s-lint")
	}
}
