package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// The program as it is shipped: static, at most 10 MB, and one whole decision from a cold
// process takes at most 32 MiB. How long it takes is printed.
func TestBinary(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "proctor-gate")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(bin)
	if err != nil || info.Size() > 10e6 {
		t.Errorf("%d bytes %v", info.Size(), err)
	}
	f, err := elf.Open(bin)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if libs, err := f.ImportedLibraries(); err != nil || len(libs) > 0 {
		t.Errorf("it loads %v %v", libs, err)
	}
	var wall, cpu []time.Duration
	most := int64(0)
	for range 15 {
		c := exec.Command(bin, in(vectors).args()...)
		start := time.Now()
		if err := c.Run(); c.ProcessState.ExitCode() != exitDenied { // the vectors are not valid today
			t.Fatal(c.ProcessState, err)
		}
		wall, cpu = append(wall, time.Since(start)), append(cpu, c.ProcessState.UserTime()+c.ProcessState.SystemTime())
		most = max(most, c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	}
	slices.Sort(wall)
	slices.Sort(cpu)
	t.Logf("%d bytes; of 15 processes: wall %v to %v, median %v; processor %v; at most %d KiB", info.Size(), wall[0], wall[14], wall[7], cpu[7], most)
	if most > 32<<10 {
		t.Errorf("%d KiB", most)
	}
}
