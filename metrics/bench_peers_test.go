package metrics

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// peerRows are the rows of the table of figures: what a peer takes, the task here
// that does as much or more, and how many times faster it should be.
var peerRows = []struct {
	name  string
	peers []string
	tasks []string
	reach float64
}{
	{"confusion / 8 paired cells from bitmaps", []string{"confusion"}, []string{"cells"}, 1000},
	{"all eight of one model", []string{"eight"}, []string{"cells", "class_cells", "auc_ap_ks", "log_loss", "brier", "ece"}, 25},
	{"AUC + AP + KS", []string{"auc_ap_ks"}, []string{"auc_ap_ks"}, 15},
	{"log loss", []string{"log_loss"}, []string{"log_loss"}, 0},
	{"Brier", []string{"brier"}, []string{"brier"}, 0},
	{"ECE, 15 bins", []string{"ece"}, []string{"ece"}, 0},
	{"1000 bootstraps of accuracy and F1 change", []string{"bootstrap_accuracy", "bootstrap_f1"}, []string{"bootstrap"}, 6000},
	{"AUC change with interval, of DeLong in numpy", []string{"auc_difference"}, []string{"auc_difference"}, 6},
	{"AUC change with interval, of 1000 bootstraps", []string{"auc_bootstrap"}, []string{"auc_difference"}, 5000},
	{"AUC over 100 slices", []string{"auc_slices"}, []string{"auc_slices"}, 5},
	{"regression: nine metrics", []string{"regression"}, []string{"regression"}, 0},
	{"mean absolute error", []string{"mae"}, []string{"mae"}, 0},
	{"R2", []string{"r2"}, []string{"r2"}, 0},
}

// BenchmarkPeers prints how many times faster each row is than scikit-learn, scipy
// and numpy, both measured in this run. PROCTOR_PYTHON names the Python to use,
// else python3; without scikit-learn it is skipped.
func BenchmarkPeers(b *testing.B) {
	python := os.Getenv("PROCTOR_PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.Command(python, "-c", "import sklearn, scipy").Run(); err != nil {
		b.Skipf("%s with scikit-learn and scipy: %v", python, err)
	}
	r := bigRows()
	peers, says := peerSeconds(b, python, r)
	ours := map[string]float64{}
	for _, t := range tasks {
		ours[t.name] = seconds(func() { t.run(b, r) })
	}
	lines := []string{says}
	for _, row := range peerRows {
		theirs, mine := 0.0, 0.0
		for _, name := range row.peers {
			theirs += peers[name]
		}
		for _, name := range row.tasks {
			mine += ours[name]
		}
		lines = append(lines, fmt.Sprintf("%-46s %10.4f s %10.6f s %9.1f times, to reach %g", row.name, theirs, mine, theirs/mine, row.reach))
	}
	fmt.Println(strings.Join(lines, "\n")) // a benchmark's log is cut after ten lines
	for b.Loop() {                         // the figures are above
	}
}

// seconds is the median CPU time of a few runs, after one that does not count, of all
// threads of this process. Short work is done many times in a run. Like the peers' it
// is not the wall's: that one tells what else the machine does.
func seconds(work func()) float64 {
	start := cpuSeconds()
	work()
	times := max(1, int(0.05/max(1e-6, cpuSeconds()-start)))
	var took []float64
	for len(took) < 5 {
		start = cpuSeconds()
		for range times {
			work()
		}
		took = append(took, (cpuSeconds()-start)/float64(times))
	}
	return quantile(took, .5)
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// peerSeconds runs testdata/bench/peers.py on the same rows.
func peerSeconds(b *testing.B, python string, r *taskRows) (peers map[string]float64, says string) {
	dir := b.TempDir()
	for name, column := range map[string]any{"y.i32": r.y, "ha.i32": r.ha, "hb.i32": r.hb, "slice.i32": r.slice, "a.f64": r.a, "b.f64": r.b} {
		var out bytes.Buffer
		if err := binary.Write(&out, binary.LittleEndian, column); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), out.Bytes(), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	out, err := exec.Command(python, filepath.Join("testdata", "bench", "peers.py"), dir).Output()
	if err != nil {
		b.Fatalf("peers.py: %v", err)
	}
	peers = map[string]float64{}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		f := strings.Fields(line)
		if f[0] == "#" {
			says = line
		} else if peers[f[0]], err = strconv.ParseFloat(f[1], 64); err != nil {
			b.Fatalf("peers.py: %q", line)
		}
	}
	return peers, says
}
