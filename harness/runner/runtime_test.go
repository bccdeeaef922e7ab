package runner

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// installed writes an interpreter with a prefix of its own.
func installed(t *testing.T) string {
	t.Helper()
	top := t.TempDir()
	for name, text := range map[string]string{"bin/python9.1": "\x7fELF rest", "bin/pip": "#!/bin/sh", "lib/python9.1/os.py": "os", "lib/python9.1/site-packages/numpy.py": "np", "share/doc": "not shown"} {
		write(t, top, name, text)
		os.Chmod(filepath.Join(top, name), 0o755)
	}
	if err := os.Symlink("python9.1", filepath.Join(top, "bin/python9")); err != nil {
		t.Fatal(err)
	}
	return top
}

func commandPackage(t *testing.T, manifest string, files map[string]string) *Package {
	t.Helper()
	files[ManifestFile] = manifest
	_, p := stage(t, files)
	return p
}

// An interpreter's digest is what sha256sum says of the text in interpreter's comment,
// and every file of its installation is in it.
func TestRuntimeOfInterpreter(t *testing.T) {
	top := installed(t)
	r := Runner{Interpreters: map[string]string{"python9": filepath.Join(top, "bin/python9")}}
	p := commandPackage(t, `{"protocol":"proctor/1","kind":"command","command":["python9","serve.py"],"task":"classification","classes":["a","b"]}`, map[string]string{"serve.py": ""})
	got, err := r.Runtime(p)
	if err != nil {
		t.Fatal(err)
	}
	text := "proctor-runtime/1\n"
	for _, name := range []string{"bin/pip", "bin/python9.1", "lib/python9.1/os.py", "lib/python9.1/site-packages/numpy.py"} {
		b, err := os.ReadFile(filepath.Join(top, name))
		if err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("%x  %d  %s\n", sha256.Sum256(b), len(b), filepath.Join(top, name))
	}
	if want := (Runtime{"python9.1", fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text)))}); got != want {
		t.Fatalf("%+v, want %+v of\n%s", got, want, text)
	}
	// A file of the same size, put in the old one's place with its time, is another.
	lib := filepath.Join(top, "lib/python9.1/site-packages/numpy.py")
	fi, err := os.Stat(lib)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(lib)
	write(t, top, "lib/python9.1/site-packages/numpy.py", "pn")
	os.Chtimes(lib, fi.ModTime(), fi.ModTime())
	if changed, err := r.Runtime(p); err != nil || changed.Digest == got.Digest || changed.Name != got.Name {
		t.Errorf("%+v, %v: the change is not seen", changed, err)
	}
	write(t, top, "lib/python9.1/site-packages/numpy.py", "np")
	if again, err := r.Runtime(p); err != nil || again != got {
		t.Errorf("%+v, %v: changed back, and not the same", again, err)
	}
	write(t, top, "share/doc", "other")
	if again, err := r.Runtime(p); err != nil || again != got {
		t.Errorf("%+v, %v: a file that no jail shows counts", again, err)
	}
}

// A program of the system is named with the libraries that it is linked with.
func TestRuntimeOfSystem(t *testing.T) {
	files := map[string]bool{}
	if err := linked("/bin/sh", files); err != nil {
		t.Fatal(err)
	}
	libc := false
	for f := range files {
		libc = libc || strings.HasPrefix(filepath.Base(f), "libc.so") || strings.HasPrefix(filepath.Base(f), "libc-")
	}
	if !libc {
		t.Skipf("/bin/sh is linked with no libc here: %v", files)
	}
	got, err := interpreter("/bin/sh", nil)
	if err != nil || !strings.HasPrefix(got.Digest, "sha256:") || got.Name == "" {
		t.Errorf("%+v, %v", got, err)
	}
}

// What is not an interpreter is named by what it is.
func TestRuntimeOfKinds(t *testing.T) {
	lib := Library{"/lib/x.so", strings.Repeat("ab", 32)}
	for manifest, name := range map[string]string{
		`{"protocol":"proctor/1","kind":"onnx","model":"f","task":"classification","classes":["a","b"]}`:          "proctor",
		`{"protocol":"proctor/1","kind":"wasm","model":"f","task":"classification","classes":["a","b"]}`:          "proctor",
		`{"protocol":"proctor/1","kind":"onnxruntime","model":"f","task":"classification","classes":["a","b"]}`:   "onnxruntime",
		`{"protocol":"proctor/1","kind":"command","command":["./f"],"task":"classification","classes":["a","b"]}`: "package",
	} {
		p := commandPackage(t, manifest, map[string]string{"f": ""})
		got, err := Runner{ONNXRuntime: lib}.Runtime(p)
		if err != nil || got.Name != name || len(got.Digest) != len("sha256:")+64 {
			t.Errorf("%s: %+v, %v", manifest, got, err)
		}
		if name == "package" && got.Digest != p.Digest || name == "onnxruntime" && got.Digest != "sha256:"+lib.SHA256 {
			t.Errorf("%s: %+v", manifest, got)
		}
	}
}
