package runner

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"proctor/harness/jail"
)

// A program is what a command package runs and what it must see for that.
type program struct {
	argv  []string
	binds []jail.Bind
	dir   string // of an interpreter outside the system's folders
	name  string // for the record: ownProgram, or the interpreter's path
}

const ownProgram = "package" // the name of a program that the package brings

// program finds what the first word of a command means: a file of the package,
// or an interpreter of this machine, whose installation is then shown too.
func (r Runner) program(p *Package) (program, error) {
	word, rest := p.Manifest.Command[0], p.Manifest.Command[1:]
	if _, ok := p.file(filepath.Clean(word)); ok {
		return program{argv: append([]string{"./" + filepath.Clean(word)}, rest...), name: ownProgram}, nil
	}
	if strings.Contains(word, "/") {
		return program{}, fmt.Errorf("%q is not in the package", word)
	}
	path, ok := r.Interpreters[word]
	if !ok {
		path = look(word, filepath.SplitList(os.Getenv("PATH")))
	}
	if path == "" {
		return program{}, fmt.Errorf("%q is neither in the package nor on this machine's PATH", word)
	}
	binds, err := installation(path)
	if err != nil {
		return program{}, err
	}
	prog := program{argv: append([]string{path}, rest...), binds: binds, name: path}
	if len(binds) > 0 {
		prog.dir = filepath.Dir(path)
	}
	return prog, nil
}

// look finds a program on a search path. A pyenv-like shim is a script that reads
// its owner's settings, which a jail does not show: it is resolved here.
func look(name string, dirs []string) string {
	for _, dir := range append(dirs, "/usr/local/bin", "/usr/bin", "/bin") {
		if !filepath.IsAbs(dir) {
			continue
		}
		if filepath.Base(dir) == "shims" {
			dir = shimmed(filepath.Dir(dir))
		}
		path := filepath.Join(dir, name)
		if fi, err := os.Stat(path); err == nil && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0 && (binary(path) || system(path)) {
			return path
		}
	}
	return ""
}

func shimmed(root string) string {
	version, _ := os.ReadFile(filepath.Join(root, "version"))
	first, _, _ := strings.Cut(strings.TrimSpace(string(version)), "\n")
	if first == "" || strings.ContainsAny(first, "/ ") {
		return "/nonexistent"
	}
	return filepath.Join(root, "versions", first, "bin")
}

func binary(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 4)
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == "\x7fELF"
}

// system says whether every jail shows the path already.
func system(path string) bool {
	return slices.ContainsFunc(jail.SystemBinds(), func(b jail.Bind) bool { return strings.HasPrefix(path, b.Target+"/") })
}

// installation lists what an interpreter outside the system's folders needs: the
// programs and libraries of its prefix, and those of what its links lead to. A
// prefix that is a home folder or near the root is not opened for it.
func installation(path string) ([]jail.Bind, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	var binds []jail.Bind
	for _, p := range slices.Compact([]string{path, real}) {
		if system(p) {
			continue
		}
		prefix := filepath.Dir(filepath.Dir(p))
		home, _ := os.UserHomeDir()
		if prefix == home || strings.Count(prefix, "/") < 2 || filepath.Base(filepath.Dir(p)) != "bin" {
			binds = append(binds, jail.Bind{Source: p, Target: p})
			continue
		}
		for _, part := range []string{"bin", "lib", "lib64", "pyvenv.cfg"} {
			sub := filepath.Join(prefix, part)
			if _, err := os.Stat(sub); err == nil {
				binds = append(binds, jail.Bind{Source: sub, Target: sub})
			}
		}
	}
	return binds, nil
}
