package runner

import (
	"os"
	"path/filepath"
	"testing"

	"proctor/harness/jail"
)

// An interpreter is found past shims and scripts, and a jail is shown its
// installation but never a home folder.
func TestLook(t *testing.T) {
	top := t.TempDir()
	elf := "\x7fELF rest"
	for name, text := range map[string]string{
		"env/shims/python9":             "#!/bin/sh\nexec pyenv\n",
		"env/version":                   "9.1\n",
		"env/versions/9.1/bin/python9":  elf,
		"env/versions/9.1/lib/os.py":    "",
		"env/versions/9.1/secret":       "",
		"scripts/python9":               "#!/bin/sh\n",
		"home/bin/tool":                 elf,
		"home/lib/x":                    "",
		"shims-without-version/shims/x": elf,
	} {
		write(t, top, name, text)
		os.Chmod(filepath.Join(top, name), 0o755)
	}
	want := filepath.Join(top, "env/versions/9.1/bin/python9")
	if got := look("python9", []string{"relative", filepath.Join(top, "scripts"), filepath.Join(top, "shims-without-version/shims"), filepath.Join(top, "env/shims")}); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := look("python9", nil); got != "" {
		t.Error(got)
	}
	binds, err := installation(want)
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, b := range binds {
		shown[b.Target] = true
	}
	prefix := filepath.Join(top, "env/versions/9.1")
	if len(shown) != 2 || !shown[prefix+"/bin"] || !shown[prefix+"/lib"] {
		t.Errorf("%v", binds)
	}
	t.Setenv("HOME", filepath.Join(top, "home"))
	tool := filepath.Join(top, "home/bin/tool")
	if binds, err := installation(tool); err != nil || len(binds) != 1 || binds[0] != (jail.Bind{Source: tool, Target: tool}) {
		t.Errorf("a home folder is opened: %v, %v", binds, err)
	}
	if binds, err := installation("/bin/sh"); err != nil || len(binds) != 0 {
		t.Errorf("%v, %v", binds, err)
	}
}
