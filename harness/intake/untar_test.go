package intake

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// An item is one entry of an archive in the making.
type item struct {
	name, content string
	change        func(*tar.Header) // nil: a plain file, a folder if name ends with /
}

// pack makes an archive that ends well.
func pack(t *testing.T, items ...item) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, it := range items {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: it.name, Size: int64(len(it.content)), Mode: 0o4777, Uid: 7}
		if strings.HasSuffix(it.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if it.change != nil {
			it.change(h)
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatalf("%q: %v", it.name, err)
		}
		if _, err := io.WriteString(w, it.content); err != nil {
			t.Fatalf("%q: %v", it.name, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func typed(flag byte, link string) func(*tar.Header) {
	return func(h *tar.Header) { h.Typeflag, h.Linkname = flag, link }
}

func pax(key, value string) func(*tar.Header) {
	return func(h *tar.Header) { h.Format, h.PAXRecords = tar.FormatPAX, map[string]string{key: value} }
}

var small = Limits{Bytes: 1 << 20, Files: 40}

// tree lists what lies below dir: mode, size and path.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		data := ""
		if info.Mode().IsRegular() {
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			data = " " + strconv.Quote(string(raw))
		}
		b.WriteString(info.Mode().String() + " " + rel + data + "\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What usual tools write is unpacked; modes, owners and times are not.
func TestUntar(t *testing.T) {
	long := strings.Repeat("long-", 30) + "/" + strings.Repeat("name-", 15) + "x"
	for name, items := range map[string][]item{
		"plain": {{name: "b/", change: func(h *tar.Header) { h.Mode = 0 }}, {name: "a.json", content: "{}"}, {name: "b/c", content: "x"}},
		"from .": {{name: "./"}, {name: "./b/"}, {name: "./b/c", content: "x"},
			{name: "./a.json", content: "{}"}},
		"no folders": {{name: "b/c", content: "x"}, {name: "a.json", content: "{}"}},
		"folder after its file": {{name: "b/c", content: "x"}, {name: "b/"},
			{name: "a.json", content: "{}"}},
		"times": {{name: "b/c", content: "x", change: func(h *tar.Header) { h.Format, h.ModTime = tar.FormatPAX, time.Unix(1, 5) }},
			{name: "a.json", content: "{}", change: func(h *tar.Header) { h.Format, h.ModTime = tar.FormatGNU, time.Unix(1, 0) }}},
	} {
		dir := t.TempDir()
		if err := Untar(t.Context(), bytes.NewReader(pack(t, items...)), dir, small); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, want := tree(t, dir), "-rw------- a.json \"{}\"\ndrwx------ b\n-rw------- b/c \"x\"\n"; got != want {
			t.Errorf("%s:\n%swant\n%s", name, got, want)
		}
	}
	for _, format := range []tar.Format{tar.FormatPAX, tar.FormatGNU} {
		dir := t.TempDir()
		raw := pack(t, item{long, "x", func(h *tar.Header) { h.Format = format }})
		if err := Untar(t.Context(), bytes.NewReader(raw), dir, small); err != nil || !strings.Contains(tree(t, dir), long) {
			t.Errorf("%v: a long path: %v", format, err)
		}
	}
}

// Attacks on the folder and on what is read later. Each is refused by name and
// leaves nothing behind, inside the folder or outside; taken without our checks
// (naive), each does what it is meant to do or would have to be trusted not to.
func TestUntarRefuses(t *testing.T) {
	ok := item{name: "ok", content: "x"}
	for _, c := range []struct {
		name, want string
		items      []item
	}{
		{"up", "is not a plain path", []item{ok, {name: "../evil", content: "x"}}},
		{"up inside", "is not a plain path", []item{ok, {name: "a/../../evil", content: "x"}}},
		{"absolute", "is not a plain path", []item{ok, {name: "/evil", content: "x"}}},
		{"dot", "is not a plain path", []item{ok, {name: "a/./evil", content: "x"}}},
		{"dots after dot", "is not a plain path", []item{ok, {name: "./../evil", content: "x"}}},
		{"double slash", "is not a plain path", []item{ok, {name: "a//evil", content: "x"}}},
		{"backslash", "backslash or a colon", []item{ok, {name: `..\evil`, content: "x"}}},
		{"drive", "backslash or a colon", []item{ok, {name: "c:evil", content: "x"}}},
		{"trailing dot", "ends with a dot", []item{ok, {name: "evil.", content: "x"}}},
		{"trailing space", "with a space", []item{ok, {name: "evil ", content: "x"}}},
		{"line feed", "do not print", []item{ok, {name: "e\nvil", content: "x"}}},
		{"right to left", "do not print", []item{ok, {name: "e\u202evil", content: "x"}}},
		{"bad UTF-8", "is not a plain path", []item{ok, {name: "evil\xff", content: "x", change: func(h *tar.Header) { h.Format = tar.FormatGNU }}}},
		{"long", "longer than 240 bytes", []item{ok, {name: strings.Repeat("evil/", 49), content: ""}}},
		{"deep", "nested deeper than 32", []item{ok, {name: strings.Repeat("e/", 33) + "x", content: ""}}},
		{"link", "is a link", []item{ok, {name: "evil", change: typed(tar.TypeSymlink, "/etc")}}},
		{"through a link", "is a link", []item{ok, {name: "evil", change: typed(tar.TypeSymlink, "..")}, {name: "evil/x", content: "x"}}},
		{"hard link", "is a link", []item{ok, {name: "evil", change: typed(tar.TypeLink, "ok")}}},
		{"device", "is a device", []item{ok, {name: "evil", change: typed(tar.TypeChar, "")}}},
		{"block device", "is a device", []item{ok, {name: "evil", change: typed(tar.TypeBlock, "")}}},
		{"pipe", "is a device", []item{ok, {name: "evil", change: typed(tar.TypeFifo, "")}}},
		{"contiguous", "neither a file nor a folder", []item{ok, {name: "evil", change: typed(tar.TypeCont, "")}}},
		{"global header", "neither a file nor a folder", []item{ok, {name: "", change: func(h *tar.Header) {
			*h = tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"path": "evil"}}
		}}}},
		{"attributes", "an extended header", []item{ok, {name: "evil", content: "x", change: pax("SCHILY.xattr.security.capability", "x")}}},
		{"unknown header", "an extended header", []item{ok, {name: "evil", content: "x", change: pax("PROCTOR.evil", "x")}}},
		{"twice", `"ok" is there twice`, []item{ok, ok}},
		{"twice, spelled apart", `"ok" is there twice`, []item{ok, {name: "./ok", content: "y"}}},
		{"folder twice", `"d" is there twice`, []item{{name: "d/"}, {name: "d/"}}},
		{"folder twice, around a file", `"d" is there twice`, []item{{name: "d/"}, {name: "d/x", content: "x"}, {name: "d/"}}},
		{"case", `"ok" and "OK" differ only in case`, []item{ok, {name: "OK", content: "x"}}},
		{"case of a folder", `"d" and "D" differ only in case`, []item{{name: "d/x", content: "x"}, {name: "D/y", content: "x"}}},
		{"case, not ASCII", "differ only in case", []item{{name: "ſ", content: "x"}, {name: "s", content: "x"}}},
		{"file as folder", `"ok" is a file and a folder`, []item{ok, {name: "ok/x", content: "x"}}},
		{"folder as file", `"d" is a file and a folder`, []item{{name: "d/x", content: "x"}, {name: "d", content: "x"}}},
		{"empty", "holds no files", nil},
	} {
		outside := t.TempDir()
		dir := filepath.Join(outside, "in")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		raw := pack(t, c.items...)
		err := Untar(t.Context(), bytes.NewReader(raw), dir, small)
		var file *FileError
		if !errors.As(err, &file) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
		if got := tree(t, outside); got != "drwx------ in\n" {
			t.Errorf("%s: left behind\n%s", c.name, got)
		}
	}
}

// Negative control: an unpacker without checks, fed the same kinds of archives.
func TestNaiveUnpacker(t *testing.T) {
	naive := func(dir string, items ...item) {
		tr := tar.NewReader(bytes.NewReader(pack(t, items...)))
		for h, err := tr.Next(); err == nil; h, err = tr.Next() {
			path := filepath.Join(dir, h.Name)
			if h.Typeflag == tar.TypeSymlink {
				os.Symlink(h.Linkname, path)
				continue
			}
			data, _ := io.ReadAll(tr)
			os.WriteFile(path, data, 0o600)
		}
	}
	for name, items := range map[string][]item{
		"up":             {{name: "../evil", content: "x"}},
		"through a link": {{name: "l", change: typed(tar.TypeSymlink, "..")}, {name: "l/evil", content: "x"}},
	} {
		outside := t.TempDir()
		dir := filepath.Join(outside, "in")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		naive(dir, items...)
		if _, err := os.Stat(filepath.Join(outside, "evil")); err != nil {
			t.Errorf("%s: the attack does not work: %v", name, err)
		}
	}
	dir := t.TempDir()
	naive(dir, item{name: "ok", content: "reviewed"}, item{name: "ok", content: "run"})
	if data, _ := os.ReadFile(filepath.Join(dir, "ok")); string(data) != "run" {
		t.Error("twice: the attack does not work")
	}
	// The tar reader alone takes an archive without its end for a whole one.
	whole := pack(t, item{name: "a", content: "x"}, item{name: "b", content: "y"})
	tr := tar.NewReader(bytes.NewReader(whole[:2*block]))
	if _, err := tr.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Next(); err != io.EOF {
		t.Errorf("cut: the attack does not work: %v", err)
	}
}

// An archive that is cut at any block or within one, or continued, is refused;
// what usual tools pad with is not.
func TestUntarEnds(t *testing.T) {
	whole := pack(t, item{name: "a", content: "x"}, item{name: "b", content: strings.Repeat("\x00", 3*block)}, item{name: "c/"})
	try := func(raw []byte) error {
		dir := t.TempDir()
		err := Untar(t.Context(), bytes.NewReader(raw), dir, small)
		if got := tree(t, dir); err != nil && got != "" {
			t.Errorf("left behind\n%s", got)
		}
		return err
	}
	for n := 0; n < len(whole); n += 128 {
		var file *FileError
		if err := try(whole[:n]); !errors.As(err, &file) {
			t.Errorf("cut to %d of %d bytes: %v", n, len(whole), err)
		}
	}
	if err := try(append(bytes.Clone(whole), make([]byte, 10_240)...)); err != nil {
		t.Errorf("padded: %v", err)
	}
	for name, tail := range map[string][]byte{"a byte": {1}, "a second archive": whole, "a byte after zeros": append(make([]byte, 5000), 1)} {
		if err := try(append(bytes.Clone(whole), tail...)); err == nil || err.Error() != "there is something after the archive's end" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for want, raw := range map[string][]byte{
		"the archive is packed with gzip": []byte("\x1f\x8b\x08\x00\x00\x00\x00"),
		"the archive is packed with zip":  []byte("PK\x03\x04......"),
		"not a tar archive; make it with": bytes.Repeat([]byte("no"), 700),
		"the archive is damaged after entry 1": func() []byte {
			b := bytes.Clone(whole)
			b[2*block+3] ^= 1
			return b
		}(),
	} {
		if err := try(raw); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// Sparse files: a few bytes that stand for a terabyte.
func TestUntarSparse(t *testing.T) {
	old := pack(t, item{name: "evil", content: "x"})
	old[156] = 'S'
	copy(old[386:], "00000000000\x0000000000001\x00")
	copy(old[483:], "00000000001\x00")
	copy(old[257:], "ustar  \x00")
	sum := 0
	copy(old[148:], "        ")
	for _, b := range old[:block] {
		sum += int(b)
	}
	copy(old[148:], strconv.FormatInt(int64(1<<20|sum), 8)[1:]+"\x00 ")
	dir := t.TempDir()
	if err := Untar(t.Context(), bytes.NewReader(old), dir, small); err == nil || !strings.Contains(err.Error(), `"evil" is a sparse file`) {
		t.Errorf("%v", err)
	}
	if got := tree(t, dir); got != "" {
		t.Error(got)
	}
}

// Limits at the limit and one above, a context that ends, a reader that fails, a
// folder that is not empty.
func TestUntarLimits(t *testing.T) {
	raw := pack(t, item{name: "a", content: "x"}, item{name: "b", content: "y"})
	size := int64(len(raw))
	for want, l := range map[string]Limits{
		"":                                   {Bytes: size, Files: 2},
		"the archive is larger than 3071":    {Bytes: size - 1, Files: 2},
		"the archive is larger than 600":     {Bytes: 600, Files: 2},
		"more than 1 files and folders":      {Bytes: size, Files: 1},
		"more than 0 files and folders":      {Bytes: size},
		"the archive is larger than 0 bytes": {Files: 2},
	} {
		dir := t.TempDir()
		err := Untar(t.Context(), bytes.NewReader(raw), dir, l)
		if want == "" && err == nil {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || want == "" || tree(t, dir) != "" {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Untar(ctx, bytes.NewReader(raw), t.TempDir(), small); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	broken, dir := errors.New("connection reset"), t.TempDir()
	r := io.MultiReader(bytes.NewReader(raw[:1024]), failing{broken})
	if err := Untar(t.Context(), r, dir, small); !errors.Is(err, broken) || tree(t, dir) != "" {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Untar(t.Context(), bytes.NewReader(raw), dir, small); err == nil || tree(t, dir) != "-rw------- mine \"\"\n" {
		t.Errorf("into a folder in use: %v\n%s", err, tree(t, dir))
	}
}
