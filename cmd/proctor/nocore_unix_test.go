//go:build unix

package main

import (
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// T109: what this process starts can write no core file, whatever the limit was.
func TestNoCore(t *testing.T) {
	limit := func() string {
		out, err := exec.Command("sh", "-c", "ulimit -c").Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &was); err != nil {
		t.Fatal(err)
	}
	if was.Max > 0 { // the control, where this process may have core files at all
		if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: was.Max, Max: was.Max}); err != nil {
			t.Fatal(err)
		}
		if limit() == "0" {
			t.Error("negative control: no core file is allowed already")
		}
	}
	if err := noCore(); err != nil || limit() != "0" {
		t.Errorf("%v, ulimit -c %s", err, limit())
	}
}
