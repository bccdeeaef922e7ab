// Package wasm runs packages of kind "wasm": a WebAssembly module for WASI preview 1
// that speaks the pipe protocol on its standard input and output.
//
// The module is compiled and run by wazero inside the jail. It is given the three
// standard streams, a clock that starts at one fixed time and goes on by a fixed
// step each time it is read, and one fixed sequence of "random" bytes; no file, no
// socket, no variable, no argument but its name. So the same module answers the
// same rows with the same bytes, on every machine and at every date.
//
// Whoever made the module is not trusted, and neither is the compiler, a large
// program that reads it: both are in a process of their own, which the jail bounds.
// What a module does for ever ends with that process; there is no second watch in
// here, which would cost five to nine times the speed.
package wasm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"proctor/harness/runner"
)

// began is the time at which every module's clock starts.
var began = time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)

// tick is how far a clock moves when it is read.
const tick = time.Millisecond

// MaxFile is the largest module in bytes.
const MaxFile = 256 << 20

// Main is the role [runner.RoleWASM], to be given to jail.Main: arguments are the
// package's folder and the most pages of memory. Its result is the module's exit code.
func Main(args []string) int {
	err := serve(args)
	var exit *sys.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(min(exit.ExitCode(), 255))
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func serve(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("want the folder of a package and a number of pages, got %d arguments", len(args))
	}
	pages, err := strconv.ParseUint(args[1], 10, 17)
	if err != nil || pages < 1 || pages > 1<<16 {
		return fmt.Errorf("%q pages of memory; want 1 to %d", args[1], 1<<16)
	}
	module, err := read(args[0])
	if err != nil {
		return err
	}
	return run(module, uint32(pages), os.Stdin, os.Stdout, os.Stderr)
}

// read takes the module from the package's folder, and nothing outside of it even
// through a link.
func read(dir string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open package: %w", err)
	}
	defer root.Close()
	manifest, err := root.ReadFile(runner.ManifestFile)
	if err != nil {
		return nil, fmt.Errorf("open package: %w", err)
	}
	m, err := runner.ParseManifest(manifest)
	if err != nil {
		return nil, err
	}
	if m.Kind != runner.KindWASM {
		return nil, fmt.Errorf("%s: kind is %q, want %q", runner.ManifestFile, m.Kind, runner.KindWASM)
	}
	f, err := root.Open(m.Model)
	if err != nil {
		return nil, fmt.Errorf("open package: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err == nil && len(b) > MaxFile {
		err = fmt.Errorf("%s is larger than %d bytes", m.Model, MaxFile)
	}
	return b, err
}

// run runs a module to its end. An *sys.ExitError carries an exit code that is not 0.
func run(module []byte, pages uint32, in io.Reader, out, stderr io.Writer) error {
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(pages))
	defer r.Close(ctx)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		return err
	}
	compiled, err := r.CompileModule(ctx, module)
	if err != nil {
		return fmt.Errorf("compile the module: %w", err)
	}
	if err := check(compiled); err != nil {
		return err
	}
	wall, mono := clock(began), clock(time.Unix(0, 0))
	// Random bytes are left as wazero has them: the same for every module.
	config := wazero.NewModuleConfig().WithName("model").WithArgs("model").WithStdin(in).WithStdout(out).WithStderr(stderr).
		WithWalltime(func() (int64, int32) { t := wall(); return t.Unix(), int32(t.Nanosecond()) }, sys.ClockResolution(tick)).
		WithNanotime(func() int64 { return mono().UnixNano() }, sys.ClockResolution(tick))
	_, err = r.InstantiateModule(ctx, compiled, config)
	var exit *sys.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 0 {
		return nil
	}
	return err
}

// clock gives times that depend on nothing but how often it was asked.
func clock(began time.Time) func() time.Time {
	t := began
	return func() time.Time {
		now := t
		t = t.Add(tick)
		return now
	}
}

// check says in plain words what a module lacks; without it wazero says so in its own.
func check(m wazero.CompiledModule) error {
	for _, f := range m.ImportedFunctions() {
		if from, name, _ := f.Import(); from != wasi_snapshot_preview1.ModuleName {
			return fmt.Errorf("the module imports %s.%s; it may import functions of %s only: build it for WASI preview 1", from, name, wasi_snapshot_preview1.ModuleName)
		}
	}
	if len(m.ImportedMemories()) > 0 {
		return errors.New("the module imports a memory; it must bring its own")
	}
	start, ok := m.ExportedFunctions()["_start"]
	if !ok || len(start.ParamTypes())+len(start.ResultTypes()) > 0 {
		return errors.New("the module has no function _start: build it as a command, not as a library")
	}
	return nil
}

// Lint compiles a module and says whether it could be run at all. It is for the
// module's owner, on the owner's machine: it reads the module in this process.
func Lint(module []byte) error {
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer r.Close(ctx)
	compiled, err := r.CompileModule(ctx, module)
	if err != nil {
		return fmt.Errorf("not a WebAssembly module that can be compiled: %w", err)
	}
	return check(compiled)
}
