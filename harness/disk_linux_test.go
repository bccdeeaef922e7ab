package harness

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"proctor/web/api"
)

// A full disk: one sentence for the operator, no half of anything, and with room
// again the run goes on and is charged once.
func TestDiskFull(t *testing.T) {
	w := newWorld(t)
	w.close()
	if err := syscall.Mount("tmpfs", w.dir, "tmpfs", 0, "size=16m,mode=711"); err != nil {
		t.Skip("a small disk cannot be mounted here: ", err)
	}
	t.Cleanup(func() { w.close(); syscall.Unmount(w.dir, 0) })
	w.open()
	w.begin()
	v := must1[api.Submission](w)(w.submit("sub1", "m", model(0, "")))
	full := w.dir + "/ballast"
	f, err := os.Create(full)
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	f.Close()
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := w.submit("sub1", "n", model(0, "n")); err == nil {
			t.Error("submitted on a full disk")
		} else if refused := (*Error)(nil); errors.As(err, &refused) {
			t.Errorf("the submitter is told of the disk: %v", err)
		}
		err := w.s.evaluate(context.Background(), v.ID)
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "full") && !strings.Contains(err.Error(), "no space") && !strings.Contains(err.Error(), "start again") {
			t.Errorf("a run on a full disk: %v", err)
		}
	}
	if got := w.see(v.ID); got.Done() {
		t.Errorf("the run ended on a full disk: %+v", got)
	}
	os.Remove(full)
	w.restart()
	w.clean()
	if v = w.work(v.ID); v.State != "done" || w.charges() != 1 {
		t.Errorf("with room again: %+v, %d charges", v, w.charges())
	}
	if again := w.run("n", model(0, "n")); again.State != "done" {
		t.Errorf("the other: %+v", again)
	}
	w.clean()
}
