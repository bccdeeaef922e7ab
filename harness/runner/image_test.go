package runner

import (
	"os"
	"slices"
	"strings"
	"testing"

	"proctor/harness/intake"
)

func TestImageManifest(t *testing.T) {
	const rest = `,"task":"classification","classes":["no","yes"]}`
	digest := "sha256:" + strings.Repeat("a", 64)
	for text, want := range map[string]string{
		`{"protocol":"proctor/1","kind":"image","image":"` + digest + `"` + rest:                   "",
		`{"protocol":"proctor/1","kind":"image"` + rest:                                            `kind "image" needs "image"`,
		`{"protocol":"proctor/1","kind":"image","image":"python:3.12"` + rest:                      "must be the digest of the image's manifest",
		`{"protocol":"proctor/1","kind":"image","image":"sha256:../x"` + rest:                      "must be the digest of the image's manifest",
		`{"protocol":"proctor/1","kind":"image","image":"` + digest + `","command":["x"]` + rest:   `kind "image" has no "command"`,
		`{"protocol":"proctor/1","kind":"command","image":"` + digest + `","command":["x"]` + rest: `kind "command" has no "image"`,
	} {
		m, err := ParseManifest([]byte(text))
		if want == "" && (err != nil || !m.Code() || m.file() != "image/blobs/sha256/"+strings.Repeat("a", 64)) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// A program is looked for where the image says, in the image only.
func TestImageProgram(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"usr/bin", "app/bin"} {
		if err := os.MkdirAll(dir+"/"+d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(dir+"/usr/bin/serve", nil, 0o555); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"bin": "usr/bin", "usr/bin/py": "/opt/python", "host": "/bin", "out": "/"} {
		if err := os.Symlink(to, dir+"/"+link); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, c := range []struct{ word, path, dir, want string }{
		{"serve", "", "/", "/usr/bin/serve"},
		{"serve", "PATH=/app/bin:/bin", "/app", "/bin/serve"},
		{"py", "", "/", "/usr/bin/py"}, // the jail follows it
		{"./serve", "PATH=/nowhere", "/usr/bin", "./serve"},
		{"serve", "PATH=/app/bin", "/", ""},
		{"serve", "PATH=usr/bin", "/", ""}, // relative
		{"sh", "PATH=/host", "/", ""},      // the host's
		{"bin", "PATH=/app", "/", ""},      // a folder
		{"serve", "", "/work", ""},
		{"serve", "", "/out/tmp", ""},
	} {
		img := intake.Image{Argv: []string{c.word, "-x"}, Dir: c.dir}
		if c.path != "" {
			img.Env = []string{c.path}
		}
		got, err := imageProgram(root, img)
		if c.want == "" && err == nil || c.want != "" && !slices.Equal(got, []string{c.want, "-x"}) {
			t.Errorf("%+v: %v %v", c, got, err)
		}
	}
}
