package main

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	server "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	registry "github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"proctor/harness/jail"
	"proctor/testdata/models"
)

func TestMain(m *testing.M) {
	jail.Main(roles())
	os.Exit(m.Run())
}

// layerOf is a layer with files.
func layerOf(t *testing.T, files map[string][]byte) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for path, content := range files {
		if err := w.WriteHeader(&tar.Header{Name: path, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		w.Write(content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// goModel builds the template's program.
func goModel(t *testing.T) []byte {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("go is not installed")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, models.Files); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, "command-go")
	if err := buildTemplate(t.Context(), dir, build["command-go"]); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "serve"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// An image from a registry becomes a package that answers in the jail, from its own root
// filesystem.
func TestPackageImage(t *testing.T) {
	if tier, why := jail.Probe(); !tier.AtLeast(jail.NoCgroup) {
		t.Skipf("an image needs a root of its own; this machine has tier %s: %v", tier, why)
	}
	manifest, err := models.Files.ReadFile("command-go/proctor-model.json")
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, layerOf(t, map[string][]byte{"app/serve": goModel(t), "app/old": nil}), layerOf(t, map[string][]byte{"app/proctor-model.json": manifest, "app/.wh.old": nil}))
	if err == nil {
		img, err = mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: "amd64", RootFS: rootFS(t, img),
			Config: v1.Config{Entrypoint: []string{"serve"}, Env: []string{"PATH=/app"}, WorkingDir: "/app"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	reg := httptest.NewServer(server.New(server.Logger(log.New(io.Discard, "", 0))))
	defer reg.Close()
	host := strings.TrimPrefix(reg.URL, "http://")
	tag, err := name.ParseReference(host + "/models/toy:latest")
	if err == nil {
		err = registry.Write(tag, img)
	}
	if err != nil {
		t.Fatal(err)
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "toy")
	proctor(t, 2, "name the image by digest", "package", "image", tag.String(), dir, "--class", "no", "--class", "yes")
	proctor(t, 0, "toy", "package", "image", host+"/models/toy@"+digest.String(), dir, "--class", "no", "--class", "yes")
	example, err := models.Files.ReadFile("command-go/example.jsonl")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "example.jsonl"), example, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	proctor(t, 0, `->  "no" 0.75 0.25`, "package", "lint", dir)

	// One byte of a blob changed: hashed again when it is laid out.
	blobs, err := filepath.Glob(filepath.Join(dir, "image", "blobs", "sha256", "*"))
	if err != nil || len(blobs) != 4 {
		t.Fatal(blobs, err)
	}
	for _, path := range blobs {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := bytes.Clone(b)
		changed[len(b)/2] ^= 1
		if err := os.WriteFile(path, changed, 0o644); err != nil {
			t.Fatal(err)
		}
		proctor(t, 2, "start.failed", "package", "lint", dir)
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func rootFS(t *testing.T, img v1.Image) v1.RootFS {
	t.Helper()
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return c.RootFS
}

// proctor runs the command line and wants an exit code and a part of what it says.
func proctor(t *testing.T, code int, says string, args ...string) {
	t.Helper()
	var out bytes.Buffer
	if got := run(context.Background(), args, &out, &out); got != code || !strings.Contains(out.String(), says) {
		t.Fatalf("%v: exit code %d, want %d with %q:\n%s", args, got, code, says, &out)
	}
}
