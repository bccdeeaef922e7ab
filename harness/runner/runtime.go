package runner

import (
	"crypto/sha256"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"proctor/harness/jail"
)

// A Runtime is what runs a package besides the package's own files. It is named, so
// that a verdict can be compared with what runs in production.
type Runtime struct {
	Name   string `json:"name"`   // "python3.11", "onnxruntime", "proctor", "package"
	Digest string `json:"digest"` // "sha256:<hex>"
}

// Runtime names what runs a package:
//
//	proctor       our own program, which evaluates models and runs modules: its binary
//	onnxruntime   the library
//	image         what an image package brings: the image's manifest
//	endpoint      a model elsewhere: the address, interface and name that it is asked by
//	package       a program that the package brings: the package
//	<program>     an interpreter of this machine: see interpreter
//
// The first look at a large installation takes seconds; later ones read only what has
// changed.
func (r Runner) Runtime(p *Package) (Runtime, error) {
	switch p.Manifest.Kind {
	case KindONNX, KindWASM:
		digest, err := ownDigest()
		return Runtime{"proctor", digest}, err
	case KindImage:
		return Runtime{"image", p.Manifest.Image}, nil
	case KindRemote:
		return p.Manifest.asked(), nil
	case KindONNXRuntime:
		return Runtime{"onnxruntime", "sha256:" + r.ONNXRuntime.SHA256}, nil
	}
	prog, err := r.program(p)
	if err != nil {
		return Runtime{}, err
	}
	if prog.name == ownProgram {
		return Runtime{"package", p.Digest}, nil
	}
	return interpreter(prog.name, prog.binds)
}

var ownDigest = sync.OnceValues(func() (string, error) {
	f, err := os.Open("/proc/self/exe") // what runs, even if another has its name by now
	if errors.Is(err, fs.ErrNotExist) {
		var path string
		if path, err = os.Executable(); err == nil {
			f, err = os.Open(path)
		}
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return "sha256:" + hexSum(h), err
})

// interpreter names a program with the SHA-256 of
//
//	proctor-runtime/1
//	<sha256 hex>  <size>  <path>     one line a file, sorted by the bytes of path
//
// over the program, the shared libraries that it is linked with, and its own: the
// folders of its installation that a jail is shown, or, where it is one of the
// system's, lib/NAME beside its bin. What else of the system a package loads is not in it.
func interpreter(path string, shown []jail.Bind) (Runtime, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return Runtime{}, err
	}
	files := map[string]bool{real: true}
	if err := linked(real, files); err != nil {
		return Runtime{}, err
	}
	var folders []string
	for _, b := range shown {
		folders = append(folders, b.Source)
	}
	if system(real) {
		lib := filepath.Join(filepath.Dir(filepath.Dir(real)), "lib")
		folders = append(folders, filepath.Join(lib, filepath.Base(real)), filepath.Join(lib, filepath.Base(path)))
	}
	for _, dir := range folders {
		if err := below(dir, files); err != nil {
			return Runtime{}, err
		}
	}
	digest, err := sums.digest(files)
	return Runtime{filepath.Base(real), digest}, err
}

// below adds the plain files of a folder, or the file; a folder that is not there has
// none. Links lead to what is listed elsewhere, or to what is not shown.
func below(dir string, files map[string]bool) error {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files[path] = true
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// linked adds the shared libraries that a program is linked with, and those that they
// are. One that is not found where libraries are is left out, as is all of a script's.
func linked(path string, files map[string]bool) error {
	f, err := elf.Open(path)
	if err != nil {
		var format *elf.FormatError
		if errors.As(err, &format) || errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
	defer f.Close()
	names, err := f.ImportedLibraries()
	if err != nil {
		return nil // statically linked
	}
	for _, name := range names {
		for _, dir := range append([]string{filepath.Join(filepath.Dir(filepath.Dir(path)), "lib")}, libraryDirs...) {
			lib, err := filepath.EvalSymlinks(filepath.Join(dir, name))
			if err != nil {
				continue
			}
			if !files[lib] {
				files[lib] = true
				if err := linked(lib, files); err != nil {
					return err
				}
			}
			break
		}
	}
	return nil
}

var libraryDirs = []string{"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"}

// fileSums remembers the SHA-256 of files that have not changed since: installations
// are large, and each run names one.
type fileSums struct {
	sync.Mutex
	known map[string]fileSum
}

type fileSum struct {
	stamp  fileStamp
	size   int64
	sha256 string
}

// A fileStamp tells a file from another that took its name.
type fileStamp struct {
	size, modified int64
	identity       fileIdentity
}

var sums = fileSums{known: map[string]fileSum{}}

func (s *fileSums) digest(files map[string]bool) (string, error) {
	var list []File
	buf := make([]byte, 256<<10)
	for path := range files {
		sum, err := s.of(path, buf)
		if err != nil {
			return "", fmt.Errorf("name the runtime: %w", err)
		}
		list = append(list, File{path, sum.size, sum.sha256})
	}
	slices.SortFunc(list, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	h := sha256.New()
	io.WriteString(h, "proctor-runtime/1\n")
	for _, f := range list {
		fmt.Fprintf(h, "%s  %d  %s\n", f.SHA256, f.Size, f.Path)
	}
	return "sha256:" + hexSum(h), nil
}

// of reads a file through buf, if it has to.
func (s *fileSums) of(path string, buf []byte) (fileSum, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return fileSum{}, err
	}
	stamp := fileStamp{fi.Size(), fi.ModTime().UnixNano(), identify(fi)}
	s.Lock()
	sum, ok := s.known[path]
	s.Unlock()
	if ok && sum.stamp == stamp {
		return sum, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return fileSum{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{f}, buf)
	if err != nil {
		return fileSum{}, err
	}
	sum = fileSum{stamp, n, hexSum(h)}
	s.Lock()
	s.known[path] = sum
	s.Unlock()
	return sum, nil
}
