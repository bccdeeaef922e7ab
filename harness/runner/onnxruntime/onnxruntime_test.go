package onnxruntime

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"proctor/harness/jail"
	"proctor/harness/runner"
	"proctor/holdout/rows"
)

func TestMain(m *testing.M) {
	jail.Main(map[string]func([]string) int{runner.RoleONNXRuntime: Main})
	os.Exit(m.Run())
}

// library is the one that ONNXRUNTIME_LIBRARY names, pinned to what it is now.
func library(t testing.TB) runner.Library {
	t.Helper()
	path := os.Getenv("ONNXRUNTIME_LIBRARY")
	if path == "" {
		t.Skip("ONNXRUNTIME_LIBRARY names no onnxruntime library")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	return runner.Library{Path: path, SHA256: hex.EncodeToString(sum[:])}
}

// stage makes a package of a model and stages it.
func stage(t testing.TB, model []byte, classes []string) (string, *runner.Package) {
	t.Helper()
	src := t.TempDir()
	names, err := json.Marshal(classes)
	if err != nil {
		t.Fatal(err)
	}
	manifest := fmt.Sprintf(`{"protocol":"proctor/1","kind":"onnxruntime","model":"model.onnx","task":"classification","classes":%s}`, names)
	for name, data := range map[string][]byte{"model.onnx": model, runner.ManifestFile: []byte(manifest)} {
		if err := os.WriteFile(filepath.Join(src, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, err := runner.ReadPackage(src)
	if err != nil {
		t.Fatal(err)
	}
	dir, remove, err := runner.StageTemp(p, src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remove)
	return dir, p
}

func sheet(t rows.Table) runner.Sheet {
	s := runner.Sheet{Rows: t}
	for n := t.Len(); n > 0; n -= 64 {
		s.Batches = append(s.Batches, min(n, 64))
	}
	return s
}

func rule(t testing.TB) (file []byte, tab rows.Table) {
	t.Helper()
	file, err := os.ReadFile("../../../testdata/models/onnxruntime/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	x, tag := make([]float64, 200), make([]string, 200)
	for i := range x {
		x[i] = float64(i%97) / 97
	}
	if tab, err = rows.New(rows.Column{Name: "x", Floats: x}, rows.Column{Name: "tag", Strings: tag}); err != nil {
		t.Fatal(err)
	}
	return file, tab
}

// The example, which has an operator that our own evaluator does not know, answers in
// every jail what its formula says.
func TestExample(t *testing.T) {
	lib := library(t)
	file, tab := rule(t)
	dir, p := stage(t, file, []string{"no", "yes"})
	have, reasons := jail.Probe()
	t.Logf("%s %v", have, reasons)
	for _, tier := range []jail.Tier{jail.None, jail.Landlock, jail.NoCgroup, jail.Jail} {
		if !have.AtLeast(tier) {
			continue // told above
		}
		if tier == jail.Landlock && !reachable(lib.Path) {
			continue // by the model's own user, where no bind shows it
		}
		out, facts, err := runner.Runner{MinTier: tier, MaxTier: tier, ONNXRuntime: lib}.Run(t.Context(), dir, p, sheet(tab), runner.Limits{})
		if err != nil || facts.Tier != string(tier) {
			t.Fatalf("%s: %v, %+v", tier, err, facts)
		}
		x, _ := tab.Column("x")
		for i, v := range x.Floats {
			if want := (1 + math.Erf(20*(v-0.5))) / 2; math.Abs(out.Probs[2*i+1]-want) > 1e-5 {
				t.Fatalf("row %d: %v, want %v", i, out.Probs[2*i+1], want)
			}
		}
	}
}

// reachable says whether everybody can walk to a file.
func reachable(path string) bool {
	for p := filepath.Dir(path); ; p = filepath.Dir(p) {
		if fi, err := os.Stat(p); err != nil || fi.Mode()&1 == 0 {
			return false
		}
		if p == "/" {
			return true
		}
	}
}

// Models that our own evaluator knows too: the answers are those that onnxruntime gave
// in Python when the fixtures were made.
func TestFixtures(t *testing.T) {
	lib := library(t)
	const dir = "../../../testdata/models/onnx-ops/"
	read := func(name string, v any) {
		b, err := os.ReadFile(dir + name + ".json")
		if err == nil {
			err = json.Unmarshal(b, v)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"logistic", "logistic-zipmap", "logistic-double", "columns", "columns-int", "forest", "hist-boosting-3", "mlp", "ordinal"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f struct {
				Rows    string
				Classes []string
				Labels  []int32
				Probs   [][]float64
			}
			read(name, &f)
			var doc struct{ Columns []rows.Column }
			read(f.Rows, &doc)
			tab, err := rows.New(doc.Columns...)
			if err != nil {
				t.Fatal(err)
			}
			file, err := os.ReadFile(dir + name + ".onnx")
			if err != nil {
				t.Fatal(err)
			}
			staged, p := stage(t, file, f.Classes)
			out, facts, err := runner.Runner{MinTier: jail.None, ONNXRuntime: lib}.Run(t.Context(), staged, p, sheet(tab), runner.Limits{})
			if err != nil {
				t.Fatalf("%v, %+v", err, facts)
			}
			for r, want := range f.Labels {
				if out.Labels[r] != want {
					t.Fatalf("row %d: label %d, want %d", r, out.Labels[r], want)
				}
				for j, p := range f.Probs[r] {
					if math.Abs(out.Probs[r*len(f.Classes)+j]-p) > 2e-6 {
						t.Fatalf("row %d: %v, want %v", r, out.Probs[r*len(f.Classes):(r+1)*len(f.Classes)], f.Probs[r])
					}
				}
			}
		})
	}
}

// Files that are no models, and models that do not fit, end their own run only.
func TestHostile(t *testing.T) {
	lib := library(t)
	file, tab := rule(t)
	flipped := func(at int) []byte {
		b := append([]byte{}, file...)
		b[at%len(b)] ^= 0x41
		return b
	}
	for name, c := range map[string]struct {
		file    []byte
		classes []string
		stderr  string
	}{
		"empty":       {nil, []string{"no", "yes"}, "the file is empty"},
		"garbage":     {[]byte("PK\x03\x04 not a model"), []string{"no", "yes"}, "ONNX model"},
		"cut":         {file[:len(file)/2], []string{"no", "yes"}, "ONNX model"},
		"3 classes":   {file, []string{"a", "b", "c"}, "no output of the model has"},
		"other input": {[]byte(strings.ReplaceAll(string(file), "\x01x", "\x01q")), []string{"no", "yes"}, "is not a tensor of rows and 2 columns"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, p := stage(t, c.file, c.classes)
			_, facts, err := runner.Runner{MinTier: jail.None, ONNXRuntime: lib}.Run(t.Context(), dir, p, sheet(tab), runner.Limits{Memory: 1 << 30})
			var f *runner.Failure
			if !errors.As(err, &f) || f.Reason != runner.ExitEarly || !strings.Contains(facts.Stderr, c.stderr) {
				t.Errorf("%v, %q; want %q", err, facts.Stderr, c.stderr)
			}
		})
	}
	for at := range 12 { // whatever a flipped bit does, the answer is an answer or a failure of the model's
		dir, p := stage(t, flipped(at*37+5), []string{"no", "yes"})
		_, _, err := runner.Runner{MinTier: jail.None, ONNXRuntime: lib}.Run(t.Context(), dir, p, sheet(tab), runner.Limits{Start: 10 * time.Second, Memory: 1 << 30})
		if f := new(runner.Failure); err != nil && (!errors.As(err, &f) || f.Service()) {
			t.Errorf("byte %d: %v", at*37+5, err)
		}
	}
}

// Without a library, or with another than the one that was pinned, the kind is refused
// in the service's name, before a row is given.
func TestLibrary(t *testing.T) {
	file, tab := rule(t)
	dir, p := stage(t, file, []string{"no", "yes"})
	other := filepath.Join(t.TempDir(), "libonnxruntime.so")
	if err := os.WriteFile(other, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("x"))
	for _, c := range []struct {
		lib            runner.Library
		reason, detail string
	}{
		{runner.Library{}, runner.ServiceKind, "no library or no endpoint is configured"},
		{runner.Library{Path: other}, runner.ServiceError, `pinned is ""`},
		{runner.Library{Path: other, SHA256: strings.Repeat("0", 64)}, runner.ServiceError, "has SHA-256 2d711642"},
		{runner.Library{Path: other + ".gone", SHA256: hex.EncodeToString(sum[:])}, runner.ServiceError, "no such file"},
		{runner.Library{Path: "lib.so", SHA256: hex.EncodeToString(sum[:])}, runner.ServiceError, "absolute"},
		// Pinned, and still no library: the fault shows in the jail.
		{runner.Library{Path: other, SHA256: hex.EncodeToString(sum[:])}, runner.ExitEarly, "exit code 1"},
	} {
		_, facts, err := runner.Runner{MinTier: jail.None, ONNXRuntime: c.lib}.Run(t.Context(), dir, p, sheet(tab), runner.Limits{})
		var f *runner.Failure
		if !errors.As(err, &f) || f.Reason != c.reason || !strings.Contains(f.Detail, c.detail) || f.Service() != (c.reason != runner.ExitEarly) {
			t.Errorf("%+v: %v, %q", c.lib, err, facts.Stderr)
		}
	}
	if (runner.Runner{}).Takes(runner.KindONNXRuntime) || !(runner.Runner{}).Takes(runner.KindONNX) || (runner.Runner{}).Takes("pickle") {
		t.Error("a runner without a library takes the kind")
	}
}

// The library is not loaded unless telemetry is off.
func TestTelemetry(t *testing.T) {
	file, _ := rule(t)
	dir, _ := stage(t, file, []string{"no", "yes"})
	for _, v := range []string{"", "0"} {
		t.Setenv(runner.NoTelemetry, v)
		if err := serve([]string{dir, "/nonexistent"}); err == nil || !strings.Contains(err.Error(), runner.NoTelemetry) {
			t.Error(err)
		}
	}
	t.Setenv(runner.NoTelemetry, "1")
	if err := serve([]string{dir, "/nonexistent"}); err == nil || !strings.Contains(err.Error(), "load onnxruntime") {
		t.Error(err)
	}
}
