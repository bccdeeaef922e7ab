package jail

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// gvisor readies the tier, or skips.
func gvisor(t *testing.T) {
	t.Helper()
	path, err := exec.LookPath("runsc")
	if err != nil || os.Geteuid() != 0 {
		t.Skip("runsc is not installed, or not for this user")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if err := UseRunsc(path, "sha256:"+hex.EncodeToString(sum[:])); err != nil {
		t.Fatal(err)
	}
	if err := try(GVisor); err != nil {
		t.Skipf("runsc does not run here: %v", err)
	}
}

// start runs a spec under gVisor, whether or not Probe found the tier.
func runGVisor(t *testing.T, s Spec) (string, Exit, string) {
	t.Helper()
	if s.Limits == (Limits{}) {
		s.Limits = Limits{Memory: 256 << 20, Pids: 64, Tmp: 4 << 20, CPU: time.Minute}
	}
	p, err := startAt(t.Context(), s, GVisor)
	if err != nil {
		t.Fatal(err)
	}
	return collect(t, p, "over the pipe\n")
}

// A program and a role run under gVisor, see a kernel that is not ours, and none of
// the ways out is open.
func TestGVisor(t *testing.T) {
	gvisor(t)
	dir := openDir(t)
	if err := os.WriteFile(dir+"/words", []byte("from the package\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	out, exit, stderr := runGVisor(t, Spec{Argv: []string{"/bin/sh", "-c", "cat; cat words; echo $GREETING; cat /proc/version; echo x >$HOME/x && cat $HOME/x; echo y >/model/y; exit 7"},
		Dir: "/model", Binds: []Bind{{dir, "/model"}}, Env: []string{"GREETING=hello", "PATH=/usr/bin:/bin"}})
	host, _ := os.ReadFile("/proc/version")
	if !strings.HasPrefix(out, "over the pipe\nfrom the package\nhello\n") || !strings.HasSuffix(out, "\nx\n") || strings.Contains(out, strings.TrimSpace(string(host))) || exit.Code != 7 {
		t.Errorf("%q, %v, stderr %q", out, exit, stderr)
	}
	t.Logf("in %v, %v peak", time.Since(start), exit.PeakMemory>>20)
	if out, exit, stderr := runGVisor(t, Spec{Role: "echo"}); out != "over the pipe\n" || !exit.OK() {
		t.Errorf("role: %q, %v, %s", out, exit, stderr)
	}
}

// What gets out of no other jail gets out of this one either; TestEscape shows that
// each attempt works where nothing guards against it.
func TestGVisorEscape(t *testing.T) {
	gvisor(t)
	w := newWays(t)
	for _, a := range [][2]string{{"tcp", w.tcp}, {"unix", w.sock}, {"abstract", w.abstract}, {"vsock", ""}, {"read", w.secret}, {"append", w.secret},
		{"append", "/usr/bin/env"}, {"core_pattern", ""}, {"environ", w.self}, {"vm_read", w.self}, {"bpf", ""}, {"root", ""}} {
		if out, exit, stderr := runGVisor(t, Spec{Role: "attempt", Args: a[:]}); !strings.HasPrefix(out, "closed") || !exit.OK() {
			t.Errorf("%s: %q, %v %s", a[0], out, exit, stderr)
		}
	}
}

// Limits hold, and at each of them the whole tree is dead and nothing is left.
func TestGVisorLimits(t *testing.T) {
	gvisor(t)
	l := Limits{Memory: 128 << 20, Pids: 64, Tmp: 1 << 20, CPU: time.Second}
	if out, exit, _ := runGVisor(t, Spec{Role: "attempt", Args: []string{"memory", "314572800"}, Limits: l}); out == "had" || exit.OK() || !exit.OutOfMem {
		t.Errorf("300 MiB of 128 allowed: %q, %+v", out, exit)
	}
	if out, _, _ := runGVisor(t, Spec{Role: "attempt", Args: []string{"tmp", "2097152"}, Limits: l}); out != "false" {
		t.Errorf("2 MiB of 1 allowed: %q", out)
	}
	// The kernel ends the sandbox; how much of its time is counted as the program's varies.
	if _, exit, _ := runGVisor(t, Spec{Role: "attempt", Args: []string{"cpu", ""}, Limits: l}); exit.OK() || exit.Killed || exit.Signal == "" {
		t.Errorf("more than a second: %+v", exit)
	}
	l.CPU = time.Minute
	p, err := startAt(t.Context(), Spec{Role: "attempt", Args: []string{"grandchildren", "proctor-gvisor"}, Limits: l}, GVisor)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Stdout.Read(make([]byte, 2)); err != nil {
		t.Fatal(err, string(p.Stderr()))
	}
	p.Kill()
	if exit, err := p.Wait(); err != nil || !exit.Killed {
		t.Error(exit, err)
	}
	p.closePipes()
	if _, err := os.Stat(p.tmp.top); err == nil {
		t.Errorf("%s is left", p.tmp.top)
	}
	for _, dir := range p.cg.dirs() {
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s is left: processes are in it", dir)
		}
	}
}

// As many processes and threads as are allowed can be had, and not one more.
func TestGVisorProcesses(t *testing.T) {
	gvisor(t)
	const sleepers = `i=0; while [ $i -lt 100 ]; do sleep 20 & i=$((i+1)); echo; done`
	for _, pids := range []int{24, 80} { // of which one is the shell
		spec := Spec{Argv: []string{"/bin/sh", "-c", sleepers}, Env: []string{"PATH=/usr/bin:/bin"}, Limits: Limits{Memory: 512 << 20, Pids: pids, CPU: time.Minute}}
		out, exit, stderr := runGVisor(t, spec)
		if n := strings.Count(out, "\n"); n != pids-1 || !strings.Contains(stderr, "Cannot fork") {
			t.Errorf("%d of %d: %v, %s", n+1, pids, exit, stderr)
		}
	}
}

// The bytes are held to the digest.
func TestUseRunsc(t *testing.T) {
	path := t.TempDir() + "/runsc"
	if err := os.WriteFile(path, []byte("x"), 0o755); err != nil {
		t.Fatal(err)
	}
	for digest, want := range map[string]string{"": "not ", "sha256:00": "not sha256:00"} {
		if err := UseRunsc(path, digest); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", digest, err)
		}
	}
	if err := UseRunsc(path+"x", ""); err == nil {
		t.Error("no file")
	}
}
