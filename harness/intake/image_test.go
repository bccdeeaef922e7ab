package intake

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// An imageOf is an image as the OCI lays it out, in memory.
type imageOf struct {
	fs     fstest.MapFS
	digest string
}

func (i imageOf) blob(b []byte) descriptor {
	sum := sha256.Sum256(b)
	i.fs["blobs/sha256/"+hex.EncodeToString(sum[:])] = &fstest.MapFile{Data: b}
	return descriptor{Digest: "sha256:" + hex.EncodeToString(sum[:]), Size: int64(len(b))}
}

// image makes one of layers; change may spoil its documents.
func image(t testing.TB, change func(m, c map[string]any), layers ...[]byte) imageOf {
	t.Helper()
	i := imageOf{fs: fstest.MapFS{}}
	var list []descriptor
	var diffs []string
	for n, l := range layers {
		sum := sha256.Sum256(l)
		diffs = append(diffs, "sha256:"+hex.EncodeToString(sum[:]))
		kind := "application/vnd.oci.image.layer.v1.tar"
		if n%2 == 0 {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			z.Write(l)
			z.Close()
			l, kind = b.Bytes(), kind+"+gzip"
		}
		d := i.blob(l)
		d.MediaType = kind
		list = append(list, d)
	}
	c := map[string]any{"os": "linux", "config": map[string]any{"Entrypoint": []string{"/serve"}, "Cmd": []string{"-x"}, "Env": []string{"PATH=/app", "PATH=/evil", "nonsense"}, "WorkingDir": "app"},
		"rootfs": map[string]any{"diff_ids": diffs}}
	m := map[string]any{"schemaVersion": 2, "layers": list}
	if change != nil {
		change(m, c)
	}
	config, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	m["config"] = i.blob(config)
	manifest, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	i.digest = i.blob(manifest).Digest
	return i
}

func (i imageOf) unpack(t testing.TB) (Image, string, error) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "root")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	img, err := UnpackImage(t.Context(), i.fs, i.digest, dir, Limits{Bytes: 1 << 20, Files: 50})
	return img, dir, err
}

// layer makes a tar of lines: "path content", "path/", "path -> target", "path = hard link".
func layer(t testing.TB, lines ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, l := range lines {
		name, rest, _ := strings.Cut(l, " ")
		h := &tar.Header{Name: name, Mode: 0o4755, Typeflag: tar.TypeReg, Size: int64(len(rest)), Uid: 7}
		switch {
		case strings.HasSuffix(name, "/"):
			h.Typeflag = tar.TypeDir
		case strings.HasPrefix(rest, "-> "):
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, rest[3:], 0
		case strings.HasPrefix(rest, "= "):
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, rest[2:], 0
		case rest == "device":
			h.Typeflag, h.Devmajor, h.Size = tar.TypeChar, 1, 0
		case rest == "pipe":
			h.Typeflag, h.Size = tar.TypeFifo, 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			io.WriteString(w, rest)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Layers are laid over each other as the OCI says: what is named again replaces, a
// whiteout takes away, an opaque folder keeps only what its own layer has.
func TestUnpackImage(t *testing.T) {
	img, dir, err := image(t, nil,
		layer(t, "./", "app/serve one", "lib/", "lib/a a", "lib/b b", "usr/bin/x x", "bin -> usr/bin", "abs -> /usr/bin", "old old", "d/e/f f", "d/e/g g", "swap/x x", "twin = app/serve"),
		layer(t, "app/serve two", "bin/y y", ".wh.old", "lib/.wh.a", "d/.wh..wh..opq", "d/e/h h", "swap file", "lib/.wh.never"),
	).unpack(t)
	if err != nil {
		t.Fatal(err)
	}
	want := "abs -> /usr/bin\napp/serve 0555 two\nbin -> usr/bin\nd/e/h 0555 h\nlib/b 0555 b\nswap 0555 file\ntwin 0555 one\nusr/bin/x 0555 x\nusr/bin/y 0555 y\n"
	if got := listing(t, dir); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if fmt.Sprint(img) != "{[/serve -x] [PATH=/app] /app}" {
		t.Errorf("%v", img)
	}
}

func listing(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			t.Fatal(err)
		}
		name, _ := filepath.Rel(dir, path)
		switch {
		case d.Type()&os.ModeSymlink != 0:
			to, _ := os.Readlink(path)
			fmt.Fprintf(&b, "%s -> %s\n", name, to)
		case d.Type().IsRegular():
			text, _ := os.ReadFile(path)
			fi, _ := d.Info()
			fmt.Fprintf(&b, "%s %#o %.40s\n", name, fi.Mode(), text)
		}
		return nil
	})
	return b.String()
}

// Layers that would reach out of the root, or make what no model needs.
var hostileLayers = []struct {
	name, want string
	layers     [][]string
}{
	{"up", "is not a path inside it", [][]string{{"../x y"}}},
	{"up in the middle", "is not a path inside it", [][]string{{"a/../../x y"}}},
	{"absolute", "is not a path inside it", [][]string{{"/etc/x y"}}},
	{"long", "is longer than 1024 bytes", [][]string{{strings.Repeat("aaaaaaaaa/", 110) + "x y"}}},
	{"deep", "deeper than 64", [][]string{{strings.Repeat("a/", 80) + "x y"}}},
	{"link up", "is a link that leads out of it", [][]string{{"a/l -> ../../x"}}},
	{"link up and down", "is a link that leads out of it", [][]string{{"l -> b/../../etc"}}},
	{"through an absolute link", "its path leads through", [][]string{{"l -> /tmp"}, {"l/x y"}}},
	{"through an absolute link, in one layer", "its path leads through", [][]string{{"l -> /tmp", "l/x y"}}},
	{"through two links", "its path leads through", [][]string{{"a/b -> /tmp", "l -> a/b"}, {"l/x y"}}},
	{"whiteout through a link", "its path leads through", [][]string{{"l -> /tmp"}, {"l/.wh.x "}}},
	{"opaque through a link", "its path leads through", [][]string{{"l -> /tmp"}, {"l/.wh..wh..opq "}}},
	{"whiteout of nothing", "takes away nothing", [][]string{{"a/.wh. "}}},
	{"whiteout of the folder above", "takes away nothing", [][]string{{"a/.wh... "}}},
	{"hard link out", "is not a path inside it", [][]string{{"x = ../../etc/passwd"}}},
	{"hard link to the host", "is a hard link to something", [][]string{{"x = /etc/passwd"}}},
	{"hard link to a link", "is a hard link to something", [][]string{{"l -> /etc/passwd", "x = l"}}},
	{"hard link through a link", "is a hard link to something", [][]string{{"l -> /etc", "x = l/passwd"}}},
	{"hard link to a folder", "is a hard link to something", [][]string{{"d/", "x = d"}}},
	{"device", "is a device", [][]string{{"x device"}}},
	{"pipe", "is a device", [][]string{{"x pipe"}}},
	{"through a file", "its path leads through", [][]string{{"f f"}, {"f/x y"}}},
	{"too many", "has more than 50 entries and folders", [][]string{strings.Split(strings.Repeat("x y,", 50)+"x y", ",")}},
	{"too large", "larger than", [][]string{{"x " + strings.Repeat("x", 1<<20)}}},
	{"too large together", "larger than", [][]string{{"x " + strings.Repeat("x", 700<<10)}, {"y " + strings.Repeat("x", 700<<10)}}},
}

func TestHostileLayers(t *testing.T) {
	outside := listing(t, "/etc/ssl") // stands for the host: nothing of it changes
	for _, c := range hostileLayers {
		t.Run(c.name, func(t *testing.T) {
			var layers [][]byte
			for _, l := range c.layers {
				layers = append(layers, layer(t, l...))
			}
			_, dir, err := image(t, nil, layers...).unpack(t)
			var file *FileError
			if !errors.As(err, &file) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if left, _ := filepath.Glob(filepath.Dir(dir) + "/*"); len(left) != 1 {
				t.Errorf("something was written beside the root: %v", left)
			}
			if err != nil && strings.Contains(err.Error(), dir) {
				t.Errorf("the error names a path of the host: %v", err)
			}
		})
	}
	if listing(t, "/etc/ssl") != outside {
		t.Error("the host changed")
	}
}

// A naive unpacker, the control: with these layers it does leave the folder.
func TestNaiveLayers(t *testing.T) {
	top := t.TempDir()
	root, out := filepath.Join(top, "root"), filepath.Join(top, "out")
	for _, d := range []string{root, out} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	layers := [][]byte{layer(t, "l -> "+out), layer(t, "l/x y")}
	for _, l := range layers {
		for tr := tar.NewReader(bytes.NewReader(l)); ; {
			h, err := tr.Next()
			if err == io.EOF {
				break
			}
			if h.Typeflag == tar.TypeSymlink {
				os.Symlink(h.Linkname, filepath.Join(root, h.Name))
			} else if b, err := io.ReadAll(tr); err == nil {
				os.WriteFile(filepath.Join(root, h.Name), b, 0o600)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(out, "x")); err != nil {
		t.Error("the attack does not even work on a naive unpacker")
	}
	if _, _, err := image(t, nil, layers...).unpack(t); err == nil {
		t.Error("ours lets it through")
	}
}

// Documents that do not say what they should.
func TestHostileImages(t *testing.T) {
	good := layer(t, "serve x")
	for name, c := range map[string]struct {
		want   string
		change func(m, c map[string]any)
	}{
		"no layers":      {"has 0 layers", func(m, c map[string]any) { m["layers"] = []descriptor{}; c["rootfs"] = map[string]any{} }},
		"another count":  {"its configuration names 0", func(m, c map[string]any) { c["rootfs"] = map[string]any{} }},
		"an index":       {"has 0 layers", func(m, c map[string]any) { delete(m, "layers"); m["manifests"] = []int{} }},
		"windows":        {`for the system "windows"`, func(m, c map[string]any) { c["os"] = "windows" }},
		"no program":     {"neither ENTRYPOINT nor CMD", func(m, c map[string]any) { c["config"] = map[string]any{} }},
		"NUL":            {"holds a NUL", func(m, c map[string]any) { c["config"] = map[string]any{"Cmd": []string{"a\x00b"}} }},
		"many variables": {"more than 256 entries", func(m, c map[string]any) { c["config"] = map[string]any{"Cmd": make257()} }},
		"wrong type":     {"is not the JSON", func(m, c map[string]any) { m["layers"] = "none" }},
		"diff id": {"is not what its digests say", func(m, c map[string]any) {
			c["rootfs"] = map[string]any{"diff_ids": []string{"sha256:" + strings.Repeat("0", 64), "sha256:" + strings.Repeat("0", 64)}}
		}},
		"layer type": {"tar and tar+gzip are taken", func(m, c map[string]any) {
			m["layers"].([]descriptor)[0].MediaType = "application/vnd.oci.image.layer.v1.tar+zstd"
		}},
		"not gzip": {"is not gzip", func(m, c map[string]any) {
			l := m["layers"].([]descriptor)
			l[1].MediaType = l[0].MediaType
		}},
		"missing blob":   {"is missing", func(m, c map[string]any) { m["layers"].([]descriptor)[0].Digest = "sha256:" + strings.Repeat("0", 64) }},
		"blob by a path": {"is not a SHA-256 digest", func(m, c map[string]any) { m["layers"].([]descriptor)[0].Digest = "sha256:../../../etc/passwd" }},
		"another size":   {"does not have the size", func(m, c map[string]any) { m["layers"].([]descriptor)[0].Size++ }},
	} {
		i := image(t, c.change, good, good)
		_, _, err := i.unpack(t)
		var file *FileError
		if !errors.As(err, &file) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func make257() []string {
	out := make([]string, 257)
	for i := range out {
		out[i] = "x"
	}
	return out
}

// Every byte of every blob is bound: change one and nothing comes of it.
func TestImageBytes(t *testing.T) {
	i := image(t, nil, layer(t, "serve x", "a/b c"), layer(t, "d e"))
	for name, f := range i.fs {
		for at := 0; at < len(f.Data); at += 1 + len(f.Data)/60 {
			f.Data[at] ^= 1
			if _, _, err := i.unpack(t); err == nil {
				t.Errorf("byte %d of %s may be changed", at, name)
			}
			f.Data[at] ^= 1
		}
	}
	if _, _, err := i.unpack(t); err != nil {
		t.Fatal(err)
	}
}

// A layer that expands a thousandfold ends at the limit.
func TestImageBomb(t *testing.T) {
	i := image(t, nil, layer(t, "x "+strings.Repeat("\x00", 64<<20)))
	if _, _, err := i.unpack(t); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Error(err)
	}
}

func FuzzLayer(f *testing.F) {
	for _, c := range hostileLayers {
		for _, l := range c.layers {
			if b := layer(f, l...); len(b) < 1<<16 {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		top := t.TempDir()
		dir := filepath.Join(top, "root")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		r := &rootfs{root: root, limits: Limits{Bytes: 1 << 20, Files: 100}}
		r.layer(&source{ctx: context.Background(), r: bytes.NewReader(b), most: 1 << 20})
		if left, _ := filepath.Glob(top + "/*"); len(left) != 1 {
			t.Errorf("written beside the root: %v", left)
		}
		filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.Type()&(os.ModeDevice|os.ModeNamedPipe|os.ModeSetuid) != 0 {
				t.Errorf("%s is a %v", path, d.Type())
			}
			return nil
		})
	})
}
