package jail

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func init() {
	attempts["paths"] = func(list string) error { // any of them, for reading
		for _, path := range strings.Split(list, "\n") {
			if f, err := os.Open(path); err == nil {
				f.Close()
				return nil
			}
		}
		return errors.New("all of them")
	}
}

// T61: a model looks for what the service keeps, at 80 paths: its database, keys and log
// head, files of other runs, its memory, environment, descriptors and folder, by their
// names, through the links of /proc, and from below. None can be opened, and each of the
// service's own can be where no jail is.
func TestPaths(t *testing.T) {
	dir := openDir(t)
	var own []string
	for _, name := range []string{"proctor.db", "proctor.db-wal", "keys/evidence.pem", "keys/log.key", "keys/kek", "log-head", "blobs/ab", "scratch/run-1/rows.arrow", ".env", "id_ed25519"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("x"), 0o644)); err != nil {
			t.Fatal(err)
		}
		own = append(own, path)
	}
	pid := strconv.Itoa(os.Getpid())
	for _, proc := range []string{"/proc/" + pid, "/proc/" + pid + "/task/" + pid} {
		for _, name := range []string{"environ", "maps", "mem", "cmdline", "fd/0", "cwd/jail.go", "root/etc/hostname", "stat", "exe", "fd"} {
			own = append(own, filepath.Join(proc, name))
		}
	}
	var all []string
	for _, path := range own {
		all = append(all, path, "/proc/self/root"+path)
		if !strings.HasPrefix(path, "/proc/") {
			all = append(all, "../../../../../.."+path, "/proc/self/cwd/../../.."+path)
		}
	}
	if len(all) < 50 {
		t.Fatalf("%d paths only", len(all))
	}
	for _, path := range own { // negative control
		if err := attempts["paths"](path); err != nil {
			t.Errorf("without a jail %s cannot be opened either", path)
		}
	}
	have, reasons := Probe()
	t.Logf("%d paths, %s %v", len(all), have, reasons)
	for _, tier := range []Tier{Landlock, NoCgroup, Jail} {
		if !have.AtLeast(tier) {
			continue // told above
		}
		out, exit, stderr := run(t, tier, Spec{Role: "attempt", Args: []string{"paths", strings.Join(all, "\n")}}, "")
		if !strings.HasPrefix(out, "closed") || !exit.OK() {
			t.Errorf("tier %s: %q, %v %s", tier, out, exit, stderr)
		}
	}
}
