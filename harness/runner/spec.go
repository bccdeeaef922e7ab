package runner

import (
	"strconv"

	"proctor/harness/jail"
)

// Roles of our own binary that run packages of a kind; the first argument of each
// is the package's folder.
const (
	RoleONNX = "runner-onnx"
	RoleWASM = "runner-wasm" // second argument: the most pages of 64 KiB that the module's memory may have
	RoleHTTP = "runner-http" // further arguments: the server's command

	RoleONNXRuntime = "runner-onnxruntime" // second argument: the library
)

// NoTelemetry is the variable that keeps onnxruntime from writing to its makers when
// it starts. It is 1.
const NoTelemetry = "ORT_DISABLE_TELEMETRY"

// spec says how a package is run: what is executed, what it sees, what it may use.
func (r Runner) spec(dir string, p *Package, l Limits) (jail.Spec, string, error) {
	spec := jail.Spec{
		Dir:     modelDir,
		Binds:   []jail.Bind{{Source: dir, Target: modelDir}},
		Limits:  jail.Limits{CPU: l.CPU, Memory: l.Memory, Pids: l.Pids, Files: 256, Tmp: l.Tmp},
		MinTier: r.MinTier,
		MaxTier: r.MaxTier,
	}
	switch p.Manifest.Kind {
	case KindONNX:
		spec.Role, spec.Args = RoleONNX, []string{"."}
		spec.Limits.Tmp, spec.MinTier = 0, jail.None
		return spec, "proctor", nil
	case KindImage: // Run lays the image out and completes it
		spec.Dir, spec.Binds = "", nil
		return spec, "image", nil
	case KindWASM:
		spec.Role, spec.Args = RoleWASM, []string{".", strconv.FormatInt(wasmPages(l.Memory), 10)}
		spec.Limits.Tmp = 0
		return spec, "proctor", nil
	}
	if p.Manifest.Kind == KindONNXRuntime {
		lib := r.ONNXRuntime.Path
		spec.Role, spec.Args, spec.Limits.Tmp = RoleONNXRuntime, []string{".", lib}, 0
		spec.Binds, spec.Env = append(spec.Binds, jail.Bind{Source: lib, Target: lib}), []string{NoTelemetry + "=1"}
		return spec, "onnxruntime", nil
	}
	prog, err := r.program(p)
	if err != nil {
		return spec, "", err
	}
	spec.Env, spec.Binds = prog.environ(), append(spec.Binds, prog.binds...)
	if p.Manifest.Kind == KindHTTP {
		spec.Role, spec.Args, spec.Loopback = RoleHTTP, append([]string{"."}, prog.argv...), true
	} else {
		spec.Argv = prog.argv
	}
	return spec, prog.name, nil
}

// wasmPages is the most memory that a module may have: a quarter of the process's,
// since memory that grows is held twice for a moment, and compiling needs some.
func wasmPages(memory int64) int64 { return min(max(memory/4>>16, 1), 1<<16) }

// environ is the whole environment of a program.
func (p program) environ() []string {
	path := "/usr/local/bin:/usr/bin:/bin"
	if p.dir != "" {
		path = p.dir + ":" + path
	}
	return []string{"PATH=" + path, "LANG=C.UTF-8", "PYTHONHASHSEED=0", "PYTHONDONTWRITEBYTECODE=1"}
}
