package wasm

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"proctor/harness/jail"
	"proctor/harness/runner"
	"proctor/holdout/rows"
)

func TestMain(m *testing.M) {
	jail.Main(map[string]func([]string) int{runner.RoleWASM: Main})
	os.Exit(m.Run())
}

const example = "../../../testdata/models/wasm-go"

// built is the example's module, built once.
var built = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "proctor-wasm-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("go", "build", "-buildvcs=false", "-ldflags=-s -w", "-o", dir+"/model.wasm", example+"/main.go")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return os.ReadFile(dir + "/model.wasm")
})

const manifest = `{"protocol":"proctor/1","kind":"wasm","model":"model.wasm","batch_max":64,"task":"classification","classes":["no","yes"]}`

// stage makes a package of a module and stages it.
func stage(t testing.TB, module []byte) (string, *runner.Package) {
	t.Helper()
	src := t.TempDir()
	for file, data := range map[string][]byte{"model.wasm": module, runner.ManifestFile: []byte(manifest)} {
		if err := os.WriteFile(filepath.Join(src, file), data, 0o644); err != nil {
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

func sheet(t testing.TB, n int) runner.Sheet {
	t.Helper()
	x, tag := make([]float64, n), make([]string, n)
	var s runner.Sheet
	for i := range n {
		x[i], tag[i] = float64(i%97)/97, fmt.Sprintf("tag %d \"ü\"", i)
	}
	var err error
	if s.Rows, err = rows.New(rows.Column{Name: "x", Floats: x}, rows.Column{Name: "tag", Strings: tag}); err != nil {
		t.Fatal(err)
	}
	for ; n > 0; n -= 32 {
		s.Batches = append(s.Batches, min(n, 32))
	}
	return s
}

// The example answers as it should in every jail, twice the same.
func TestExample(t *testing.T) {
	module, err := built()
	if err != nil {
		t.Fatal(err)
	}
	if err := Lint(module); err != nil {
		t.Error(err)
	}
	dir, p := stage(t, module)
	s := sheet(t, 200)
	have, reasons := jail.Probe()
	t.Logf("%s %v", have, reasons)
	var first runner.Output
	for _, tier := range []jail.Tier{jail.None, jail.NoCgroup, jail.Jail} {
		if !have.AtLeast(tier) {
			continue // told above
		}
		out, facts, err := runner.Runner{MinTier: tier, MaxTier: tier}.Run(t.Context(), dir, p, s, runner.Limits{})
		if err != nil || facts.Tier != string(tier) {
			t.Fatalf("%s: %v, %+v", tier, err, facts)
		}
		x, _ := s.Rows.Column("x")
		for i, v := range x.Floats {
			if math.Abs(out.Probs[2*i+1]-v) > 1e-6 {
				t.Fatalf("row %d: %v, want %v", i, out.Probs[2*i+1], v)
			}
		}
		if first.Labels != nil && (!slices.Equal(first.Labels, out.Labels) || !slices.Equal(first.Probs, out.Probs)) {
			t.Errorf("%s: other answers", tier)
		}
		first = out
		t.Logf("%s: %v, %d MiB", tier, facts.Wall, facts.PeakMemory>>20)
	}
}

// The package brings code: it does not run where the policy's tier is not reached.
func TestTier(t *testing.T) {
	dir, p := stage(t, assemble("_start", 1, nil))
	_, _, err := runner.Runner{MinTier: jail.NoCgroup, MaxTier: jail.None}.Run(t.Context(), dir, p, sheet(t, 5), runner.Limits{})
	var f *runner.Failure
	if !p.Manifest.Code() || !errors.As(err, &f) || f.Reason != runner.ServiceTier {
		t.Error(err)
	}
}

// What a module does, and what its submitter is told.
func TestHostile(t *testing.T) {
	spin := []byte{0x03, 0x40, 0x0c, 0, end}                                                                            // loop br 0
	hoard := join([]byte{0x03, 0x40}, constant(1), []byte{0x40, 0, drop, 0x0c, 0, end})                                 // loop memory.grow
	write := join(store(0, 64), store(4, 4), store(64, 0x7b7b7b7b), constant(1), constant(0), constant(1), constant(8)) // {{{{
	recurse := []byte{0x10, 0}
	for _, c := range []struct {
		name   string
		module []byte
		reason string
		detail string // on standard error, for reviewers
	}{
		{"empty", nil, runner.ExitEarly, "compile the module"},
		{"garbage", []byte("\x00asm\x01\x00\x00\x00\xff\xff\xff\xff"), runner.ExitEarly, "compile the module"},
		{"cut", assemble("_start", 1, nil, spin)[:60], runner.ExitEarly, "compile the module"},
		{"silent", assemble("_start", 1, nil), runner.ExitEarly, ""},
		{"library", assemble("predict", 1, nil), runner.ExitEarly, "no function _start"},
		{"host call", assemble("_start", 1, []imported{{"env", "system", 1, -1, true}}), runner.ExitEarly, "imports env.system"},
		{"too much memory at once", assemble("_start", 60000, nil), runner.ExitEarly, "memory"},
		{"for ever", assemble("_start", 1, nil, spin), runner.StartTimeout, ""},
		{"hoards", assemble("_start", 1, nil, hoard), runner.StartTimeout, ""},
		{"recurses", assemble("_start", 1, nil, recurse), runner.ExitEarly, "stack overflow"},
		{"traps", assemble("_start", 1, nil, []byte{unreachable}), runner.ExitEarly, "unreachable"},
		{"exits", assemble("_start", 1, []imported{procExit}, constant(7), call(0)), runner.ExitEarly, ""},
		{"babbles", assemble("_start", 1, []imported{fdWrite}, []byte{0x03, 0x40}, write, call(0), []byte{drop, 0x0c, 0, end}), runner.AnswerLong, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir, p := stage(t, c.module)
			l := runner.Limits{Start: 2 * time.Second, Memory: 256 << 20}
			_, facts, err := runner.Runner{MinTier: jail.None}.Run(t.Context(), dir, p, sheet(t, 5), l)
			var f *runner.Failure
			if !errors.As(err, &f) || f.Reason != c.reason || !strings.Contains(facts.Stderr, c.detail) {
				t.Errorf("%v, %q; want %s, %q", err, facts.Stderr, c.reason, c.detail)
			}
		})
	}
}

// A module may have as much memory as it is given, and no more.
func TestMemory(t *testing.T) {
	// Grows by 32 pages and exits with 1 if it was refused.
	module := assemble("_start", 1, []imported{procExit}, constant(32), []byte{0x40, 0}, constant(1), []byte{i32add, i32eqz}, call(0))
	for pages, want := range map[uint32]uint32{64: 0, 33: 0, 32: 1, 16: 1} {
		if got := exitCode(t, run(module, pages, nil, nil, nil)); got != want {
			t.Errorf("%d pages: exit %d, want %d", pages, got, want)
		}
	}
}

func exitCode(t *testing.T, err error) uint32 {
	t.Helper()
	var exit *sys.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit == nil {
		return 0
	}
	return exit.ExitCode()
}

// telltale writes eight random bytes, the wall clock and the monotonic clock.
var telltale = assemble("_start", 1, []imported{randomGet, clockGet, fdWrite},
	constant(64), constant(8), call(0), []byte{drop},
	constant(0), []byte{0x42, 0}, constant(72), call(1), []byte{drop},
	constant(1), []byte{0x42, 0}, constant(80), call(1), []byte{drop},
	store(0, 64), store(4, 24), constant(1), constant(0), constant(1), constant(8), call(2), []byte{drop})

// Clock and entropy are the same in every run. With the machine's, two runs differ.
func TestDeterministic(t *testing.T) {
	told := func() []byte {
		var out bytes.Buffer
		if err := run(telltale, 16, nil, &out, nil); err != nil || out.Len() != 24 {
			t.Fatal(err, out.Len())
		}
		return out.Bytes()
	}
	if a, b := told(), told(); !bytes.Equal(a, b) || binary.LittleEndian.Uint64(a[8:]) != uint64(began.UnixNano()) {
		t.Errorf("%x\n%x", a, b)
	}
	if a, b := withHost(t, telltale, true), withHost(t, telltale, true); bytes.Equal(a, b) {
		t.Error("the true clock does not show: the test above shows nothing")
	}
}

// The module finds no folder and no variable, and would find them if they were given.
func TestNothingOfTheHost(t *testing.T) {
	t.Setenv("SECRET", "x")
	for what, module := range map[string][]byte{
		"folder": assemble("_start", 1, []imported{prestatGet, procExit}, constant(3), constant(64), call(0), []byte{i32eqz}, call(1)),
		"environment": assemble("_start", 1, []imported{environSizes, procExit}, constant(64), constant(68), call(0), []byte{drop},
			load(64), call(1)),
	} {
		if got := exitCode(t, run(module, 16, nil, nil, nil)); got != 0 {
			t.Errorf("%s: exit %d", what, got)
		}
		if got := withHost(t, module, false); string(got) != "1" {
			t.Errorf("%s: not found where it is given: the test above shows nothing: %q", what, got)
		}
	}
}

// withHost runs a module with all that Run withholds: the negative control. It gives
// what the module wrote, or its exit code.
func withHost(t *testing.T, module []byte, output bool) []byte {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	config := wazero.NewModuleConfig().WithStdout(&out).WithSysWalltime().WithSysNanotime().WithRandSource(randomSource{}).
		WithEnv("SECRET", "x").WithFSConfig(wazero.NewFSConfig().WithReadOnlyDirMount(t.TempDir(), "/"))
	_, err := r.InstantiateWithConfig(ctx, module, config)
	if code := exitCode(t, err); !output {
		return fmt.Append(nil, code)
	}
	return out.Bytes()
}

type randomSource struct{}

func (randomSource) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(time.Now().UnixNano() >> (i % 4))
	}
	return len(p), nil
}

// A module that is no command is refused before it is submitted, in words.
func TestLint(t *testing.T) {
	for want, module := range map[string][]byte{
		"not a WebAssembly module": []byte("\x7fELF"),
		"no function _start":       assemble("predict", 1, nil),
		"imports wasi_unstable.x":  assemble("_start", 1, []imported{{"wasi_unstable", "x", 0, -1, true}}),
	} {
		if err := Lint(module); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if err := Lint(assemble("_start", 1, nil)); err != nil {
		t.Error(err)
	}
}

// The role refuses what is not a package of its kind.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	if _, err := read(dir); err == nil {
		t.Error("an empty folder was read")
	}
	other := strings.Replace(manifest, `"wasm"`, `"onnx"`, 1)
	os.WriteFile(filepath.Join(dir, runner.ManifestFile), []byte(other), 0o644)
	if _, err := read(dir); err == nil || !strings.Contains(err.Error(), `kind is "onnx"`) {
		t.Error(err)
	}
	os.WriteFile(filepath.Join(dir, runner.ManifestFile), []byte(manifest), 0o644)
	os.Symlink("/etc/hostname", filepath.Join(dir, "model.wasm"))
	if _, err := read(dir); err == nil {
		t.Error("a link out of the package was followed")
	}
	for _, args := range [][]string{nil, {dir}, {dir, "0"}, {dir, "65537"}, {dir, "x"}, {dir, "1", "1"}} {
		if Main(args) == 0 {
			t.Errorf("%v", args)
		}
	}
}

// Whatever bytes are taken for a module, reading them does not panic.
func FuzzLint(f *testing.F) {
	f.Add(telltale)
	f.Add(assemble("_start", 1, []imported{procExit}, constant(7), call(0)))
	f.Fuzz(func(t *testing.T, module []byte) { Lint(module) })
}

func BenchmarkJSONL(b *testing.B) {
	module, err := built()
	if err != nil {
		b.Fatal(err)
	}
	dir, p := stage(b, module)
	s := sheet(b, 64*400)
	for b.Loop() {
		if _, _, err := (runner.Runner{}).Run(b.Context(), dir, p, s, runner.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(s.Rows.Len()*b.N)/b.Elapsed().Seconds(), "rows/s")
}
