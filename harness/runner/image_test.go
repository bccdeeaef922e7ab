package runner

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"proctor/harness/intake"
	"proctor/harness/jail"
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

// onePackage is an image of one layer with one program, as the files of a package.
func onePackage(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	blob := func(b string) string {
		sum := sha256.Sum256([]byte(b))
		digest := hex.EncodeToString(sum[:])
		files["image/blobs/sha256/"+digest] = b
		return fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%d}`, digest, len(b))
	}
	var tarred bytes.Buffer
	w := tar.NewWriter(&tarred)
	if err := errors.Join(w.WriteHeader(&tar.Header{Name: "serve", Mode: 0o755, Typeflag: tar.TypeReg}), w.Close()); err != nil {
		t.Fatal(err)
	}
	layer := blob(tarred.String())
	digest := func(b string) string { _, d, _ := strings.Cut(b, `"digest":"`); return d[:71] }
	config := blob(`{"os":"linux","config":{"Entrypoint":["/serve"]},"rootfs":{"diff_ids":["` + digest(layer) + `"]}}`)
	manifest := blob(`{"config":` + config + `,"layers":[` + layer + `]}`)
	files[ManifestFile] = `{"protocol":"proctor/1","kind":"image","image":"` + digest(manifest) + `","task":"classification","classes":["no","yes"]}`
	return files
}

// Laying an image out counts against the time of the run, and a run that ends there
// says so. Of a caller who gives up, the failure is the service's.
func TestImageTime(t *testing.T) {
	if have, why := jail.Probe(); !have.AtLeast(jail.NoCgroup) {
		t.Skipf("an image needs a root of its own; this machine has tier %s: %v", have, why)
	}
	dir, p := stage(t, onePackage(t))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	overdue, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	for name, c := range map[string]struct {
		ctx            context.Context
		total          time.Duration
		reason, detail string
	}{
		"no time":               {t.Context(), 1, RunTimeout, "its image was not laid out after 1ns"},
		"enough time":           {t.Context(), time.Minute, StartFailed, ""}, // the program is an empty file: the layout is done
		"cancelled":             {cancelled, time.Minute, ServiceCancelled, "canceled"},
		"the caller's time":     {overdue, time.Minute, ServiceCancelled, "deadline exceeded"},
		"both, by one deadline": {overdue, 1, ServiceCancelled, "deadline exceeded"},
	} {
		l := quick
		l.Total = c.total
		_, facts, err := Runner{}.Run(c.ctx, dir, p, sheet(t, 3), l)
		var f *Failure
		if !errors.As(err, &f) || f.Reason != c.reason || !strings.Contains(f.Detail, c.detail) || facts.Tier != "" || f.Delivered != 0 {
			t.Errorf("%s: %v, %+v; want %s: %s", name, err, facts, c.reason, c.detail)
		}
	}
}
