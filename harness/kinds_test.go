package harness

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"proctor/harness/jail"
	"proctor/harness/report"
	"proctor/harness/runner"
	"proctor/harness/store"
	"proctor/harness/verdict"
)

// folder packs a folder's files, and more.
func folder(t *testing.T, dir string, more map[string]string) []byte {
	t.Helper()
	files := map[string]string{}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(root, name)
		files[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range more {
		files[name] = text
	}
	return pack(files)
}

// compile builds an example's program.
func compile(t *testing.T, dir, out string, env ...string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), out)
	cmd := exec.Command("go", "build", "-buildvcs=false", "-ldflags=-s -w", "-o", bin, ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), append([]string{"CGO_ENABLED=0"}, env...)...)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	b, err := os.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Each kind's example goes the whole way: submitted, run beside the deployed model,
// judged, signed. It answers as the deployed model does.
func TestExamples(t *testing.T) {
	const models = "../testdata/models/"
	have, reasons := jail.Probe()
	_, noPython := exec.LookPath("python3")
	for _, c := range []struct {
		dir, runtime string
		least        jail.Tier // for the kind, whatever the policy says
		more         func() map[string]string
	}{
		{"wasm-go", "proctor", jail.None, func() map[string]string {
			return map[string]string{"model.wasm": compile(t, models+"wasm-go", "model.wasm", "GOOS=wasip1", "GOARCH=wasm")}
		}},
		{"command-arrow-go", "package", jail.None, func() map[string]string {
			return map[string]string{"serve": compile(t, models+"command-arrow-go", "serve")}
		}},
		{"onnxruntime", "onnxruntime", jail.None, nil},
		{"http-oip-python", "python3", jail.NoCgroup, nil},
		{"http-openai-python", "python3", jail.NoCgroup, nil},
	} {
		t.Run(c.dir, func(t *testing.T) {
			if c.least != jail.None && noPython != nil {
				t.Skip("python3 is not installed")
			}
			if !have.AtLeast(c.least) {
				t.Skipf("needs tier %s: %v", c.least, reasons)
			}
			more := map[string]string{}
			if c.more != nil {
				more = c.more()
			}
			w := newWorld(t).begin()
			w.s.Limits = runner.Limits{Memory: 1 << 30} // the others as a service has them: compiling takes time
			if c.dir == "onnxruntime" {
				w.s.Runner.ONNXRuntime = onnxLibrary(t)
			}
			w.deploy("base", model(0, ""))
			v := w.run(c.dir, folder(t, models+c.dir, more))
			if v.Result != report.Pass {
				t.Fatalf("%+v\n%s", v, w.log)
			}
			r := w.record(v.ID)
			var e *verdict.Evidence
			err := w.store.View(t.Context(), func(tx *store.Tx) (err error) {
				_, e, err = w.s.loggedEvidence(tx, r)
				return err
			})
			if err != nil || !e.Code || e.Tier != string(have) || e.Binding != "package" || !runner.KindBringsCode(r.PackageKind) {
				t.Errorf("%v, %+v", err, e)
			}
			if e.Runtime == nil || !strings.HasPrefix(e.Runtime.Name, c.runtime) || (c.runtime == "package") != (e.Runtime.Digest == r.Package) {
				t.Errorf("run by %+v, want %s", e.Runtime, c.runtime)
			}
			w.clean()
		})
	}
}

// onnxLibrary is the one that ONNXRUNTIME_LIBRARY names.
func onnxLibrary(t *testing.T) runner.Library {
	t.Helper()
	path := os.Getenv("ONNXRUNTIME_LIBRARY")
	if path == "" {
		t.Skip("ONNXRUNTIME_LIBRARY names no onnxruntime library")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return runner.Library{Path: path, SHA256: fmt.Sprintf("%x", sha256.Sum256(b))}
}
