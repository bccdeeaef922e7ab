package metrics

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkTenfold prints how time and memory of each task grow with the rows: the CPU
// seconds at 10^5, 10^6 and 10^7 rows, how many times the former number the latter is,
// and what the process held at most above what it held with the rows alone.
func BenchmarkTenfold(b *testing.B) {
	var lines []string
	last := map[string]float64{}
	for _, n := range []int{million / 10, million, 10 * million} {
		r := newTaskRows(n)
		for _, t := range tasks {
			took := seconds(func() { t.run(b, r) })
			lines = append(lines, fmt.Sprintf("%9d rows  %-15s %10.6f s %6.1f times %8.1f MB", n, t.name, took, took/last[t.name], peakMB(b, func() { t.run(b, r) })))
			last[t.name] = took
		}
	}
	fmt.Println(strings.Join(lines, "\n"))
	for b.Loop() { // the figures are above
	}
}

// peakMB is how far the resident memory of this process rises above what it is now, in
// 10^6 bytes: all of it, what is garbage already too.
func peakMB(b *testing.B, work func()) float64 {
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // the high water is now
		b.Skipf("peak memory is told by Linux alone: %v", err)
	}
	before := statusKB(b, "VmHWM:")
	work()
	return float64(statusKB(b, "VmHWM:")-before) * 1024 / 1e6
}

func statusKB(b *testing.B, key string) int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for _, line := range strings.Split(string(status), "\n") {
		if f := strings.Fields(line); len(f) > 1 && f[0] == key {
			kb, err := strconv.Atoi(f[1])
			if err != nil {
				b.Fatal(err)
			}
			return kb
		}
	}
	b.Fatalf("no %s in /proc/self/status", key)
	return 0
}
