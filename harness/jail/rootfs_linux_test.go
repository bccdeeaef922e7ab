package jail

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// rootWith makes a root filesystem with the program /app/look. A value that begins
// with "->" is a link.
func rootWith(t *testing.T, entries map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "build", "-o", filepath.Join(dir, "app", "look"), "./testdata/look")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, content := range entries {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(content, "->"); ok {
			err = os.Symlink(target, path)
		} else {
			err = os.WriteFile(path, []byte(content), 0o444)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func needNamespaces(t *testing.T) {
	t.Helper()
	if tier, reasons := Probe(); !tier.AtLeast(NoCgroup) {
		t.Skipf("this machine has tier %s: %v", tier, reasons)
	}
}

// A program sees its own root filesystem and nothing of the host's system; links mean
// what they mean in that root.
func TestRoot(t *testing.T) {
	needNamespaces(t)
	root := rootWith(t, map[string]string{
		"etc/os-release": "of the image", "etc/passwd": "root::0:0", "usr/bin/x": "x", "bin": "->usr/bin", "lib": "->/usr/bin", "host": "->/etc", "up": "->../../../etc",
		"loop": "->loop", "nowhere": "->/not/there", "dev/x": "device", "tmp/x": "left", "top": "file",
	})
	_, exit, stdout := runFor(t, Spec{Root: root, Dir: "/app", Argv: []string{"./look", "/etc/os-release", "/etc/passwd", "/bin", "/lib", "/host/os-release", "/up/os-release", "/usr", "/top", "/dev/x", "/tmp/x", "/loop", "/lib64", "/root", "/var", "/proc/1/root/etc/shadow"}})
	want := `/etc/os-release: of the image
/etc/passwd: model:x:1000:1000:model:/tmp:/bin/sh 
/bin: x
/lib: x
/host/os-release: of the image
/up/os-release: of the image
/usr: bin
/top: file
/dev/x: no
/tmp/x: no
/loop: no
/lib64: no
/root: no
/var: no
/proc/1/root/etc/shadow: no
`
	if !exit.OK() || stdout != want {
		t.Errorf("%v\n%s", exit, stdout)
	}
}

func runFor(t *testing.T, s Spec) (*Process, Exit, string) {
	t.Helper()
	s.MinTier = NoCgroup
	p, err := Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	p.Stdin.Close()
	out := make([]byte, 1<<16)
	n := 0
	for {
		k, err := p.Stdout.Read(out[n:])
		n += k
		if err != nil {
			break
		}
	}
	exit, err := p.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return p, exit, string(out[:n]) + string(p.Stderr())
}

// A link whose path leads through another out of the root shows nothing of the host.
// Without the guard it does: the control.
func TestRootLinksOut(t *testing.T) {
	needNamespaces(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("of the host"), 0o444); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(secret), 0o755); err != nil {
		t.Fatal(err)
	}
	root := rootWith(t, map[string]string{"opt/way": "->" + filepath.Dir(secret), "out": "->opt/way/secret"})
	s := Spec{Root: root, Argv: []string{"/app/look", "/out"}, MinTier: NoCgroup}
	if _, err := Start(t.Context(), s); err == nil || !strings.Contains(err.Error(), "/out leads out of it") {
		t.Errorf("with the guard: %v", err)
	}
	s.without = []string{"inside"}
	if _, _, said := runFor(t, s); !strings.Contains(said, "/out: of the host") {
		t.Errorf("without the guard nothing is shown, so this test shows nothing: %s", said)
	}
}

// Where there is no root to be had there is no running with one.
func TestRootNeedsNamespace(t *testing.T) {
	_, err := Start(t.Context(), Spec{Root: t.TempDir(), Argv: []string{"/x"}, MinTier: None, MaxTier: Landlock})
	var tier *TierError
	if !errors.As(err, &tier) || tier.Want != NoCgroup {
		t.Errorf("%v", err)
	}
}
