package jail

import (
	"os"
	"path/filepath"
	"testing"
)

// The root filesystem that a killed service leaves behind is swept; that of a living
// one is not, nor what has no lock, which is another's or only half made.
func TestSweepRoots(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	living, remove, err := MakeRoot()
	if err != nil {
		t.Fatal(err)
	}
	dead, err := makeScratch("root", 0o755)
	if err != nil {
		t.Fatal(err)
	}
	unlocked, err := os.MkdirTemp("", scratchPrefix)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{living, dead.dir, unlocked} {
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte("x"), 0o444); err != nil {
			t.Fatal(err)
		}
	}
	sweep()
	if !there(dead.dir + "/file") {
		t.Error("a sweep took a folder whose lock is held")
	}
	dead.lock.Close() // what the kernel does when a process is killed
	sweep()
	if there(dead.top) {
		t.Error("the root of a dead service is left")
	}
	if !there(living+"/file") || !there(unlocked+"/file") {
		t.Error("a sweep took what is not a dead service's")
	}
	remove()
	if there(filepath.Dir(living)) {
		t.Error("a root that was removed is left")
	}
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
