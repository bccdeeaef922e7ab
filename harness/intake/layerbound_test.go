package intake

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// emptyRoot is a root filesystem in which nothing is laid out yet.
func emptyRoot(t *testing.T, l Limits) (*rootfs, string) {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return &rootfs{root: root, limits: l}, dir
}

// lay lays tars out, one over the other.
func lay(t *testing.T, r *rootfs, layers ...[]byte) error {
	t.Helper()
	for _, l := range layers {
		if err := r.layer(&source{ctx: t.Context(), r: bytes.NewReader(l), most: 1 << 30}); err != nil {
			return err
		}
	}
	return nil
}

func refused(t *testing.T, err error, want string) {
	t.Helper()
	var file *FileError
	if !errors.As(err, &file) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

// sparseTar is a tar of a few blocks whose one file is of size bytes, all of them a
// hole: kind is the type of its header, 'x' for the records of PAX.
func sparseTar(t *testing.T, kind byte, size int64) []byte {
	t.Helper()
	records := ""
	for _, r := range []string{"GNU.sparse.size=" + strconv.FormatInt(size, 10), "GNU.sparse.numblocks=1", "GNU.sparse.map=" + strconv.FormatInt(size, 10) + ",0"} {
		records += fmt.Sprintf("%d %s\n", len(r)+4, r) // two digits, a space, a newline
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	write := func(name, content string) {
		if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(content)), Mode: 0o644, Format: tar.FormatGNU}); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, content)
	}
	if kind == 'x' {
		write("records", records)
	}
	write("bomb", "")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	head := b.Bytes()[:block]
	head[156] = kind
	if kind == tar.TypeGNUSparse {
		copy(head[386:], fmt.Sprintf("%011o\x00%011o\x00", size, 0)) // the map: nothing, at the end
		copy(head[483:], fmt.Sprintf("%011o\x00", size))
	}
	copy(head[148:156], "        ")
	sum := 0
	for _, c := range head {
		sum += int(c)
	}
	copy(head[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return b.Bytes()
}

// A hole is refused in each of its forms. The tar reader, asked alone, gives 8 MiB for
// 2,560 bytes; and a header that is not known for what it is ends at the limit, before
// anything is written.
func TestSparseLayer(t *testing.T) {
	const limit, size = 1 << 20, 8 << 20
	for _, kind := range []byte{'x', tar.TypeGNUSparse} {
		b := sparseTar(t, kind, size)
		tr := tar.NewReader(bytes.NewReader(b))
		h, err := tr.Next()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, tr); n != size || err != nil || len(b) > 5*block {
			t.Fatalf("%c: %d bytes of a tar of %d, %v: it is no bomb", kind, n, len(b), err)
		}
		r, dir := emptyRoot(t, Limits{Bytes: limit, Files: 10})
		refused(t, lay(t, r, b), "is a sparse file")
		refused(t, r.file("bomb", h, tr), "larger than 1048576 bytes")
		if got := listing(t, dir); got != "" {
			t.Errorf("%c: written: %s", kind, got)
		}
	}
}

// What is written counts over all layers and entries, also where one replaces another.
func TestWrittenBytes(t *testing.T) {
	r, _ := emptyRoot(t, Limits{Bytes: 1000, Files: 10})
	l := layer(t, "x "+strings.Repeat("x", 400))
	if err := lay(t, r, l, l); err != nil {
		t.Fatal(err)
	}
	refused(t, lay(t, r, l), "its files are larger than 1000 bytes")
}

// Folders that no entry names count as those that one does: five files within 30
// folders each are 155 things, which a limit on entries alone lets through.
func TestImpliedFolders(t *testing.T) {
	var lines []string
	for i := range 5 {
		lines = append(lines, fmt.Sprint(i, "/")+strings.Repeat("a/", 29)+"f x")
	}
	l := layer(t, lines...)
	r, dir := emptyRoot(t, Limits{Bytes: 1 << 20, Files: 50})
	refused(t, lay(t, r, l), "more than 50 entries and folders")
	if n := things(t, dir); n > 50 {
		t.Errorf("%d things were made", n)
	}
	for _, most := range []int{154, 155} {
		r, dir = emptyRoot(t, Limits{Bytes: 1 << 20, Files: most})
		err := lay(t, r, l)
		if n := things(t, dir); (err == nil) != (most == 155) || err == nil && n != 155 {
			t.Errorf("at most %d: %d made, %v", most, n, err)
		}
	}
}

// things counts what is in a folder, however deep.
func things(t *testing.T, dir string) int {
	t.Helper()
	n := -1 // itself
	if err := filepath.WalkDir(dir, func(string, fs.DirEntry, error) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// One folder has endlessly many names where links lead back into it; so many are not
// kept.
func TestManyNames(t *testing.T) {
	lines := []string{strings.Repeat("d/", 20) + "f x"}
	for i := range 4 {
		lines = append(lines, fmt.Sprintf("l%d -> .", i), fmt.Sprintf("l%d/%sf x", i, strings.Repeat("d/", 20)))
	}
	r, _ := emptyRoot(t, Limits{Bytes: 1 << 20, Files: 50}) // 20 folders, 9 entries
	refused(t, lay(t, r, layer(t, lines...)), "names more than 50 paths")
}

// Opaque marks go through each folder once, however often they are repeated, and not
// endlessly where they lie within each other.
func TestOpaqueMarks(t *testing.T) {
	const files, marks = 100, 200
	below := []string{"d/lower x"}
	above := []string{}
	for i := range files {
		above = append(above, fmt.Sprint("d/", i, " x"))
	}
	for range marks {
		above = append(above, "d/.wh..wh..opq ")
	}
	r, dir := emptyRoot(t, Limits{Bytes: 1 << 20, Files: 400})
	if err := lay(t, r, layer(t, below...), layer(t, above...)); err != nil {
		t.Fatal(err)
	}
	if r.looked != files+1 || things(t, dir) != files+1 {
		t.Errorf("%d marks went through %d names, of %d; %d are left", marks, r.looked, files+1, things(t, dir)-1)
	}
	// The mark of each layer is its own.
	if err := lay(t, r, layer(t, "d/.wh..wh..opq ")); err != nil || things(t, dir) != 1 {
		t.Errorf("the next layer's mark left %d: %v", things(t, dir)-1, err)
	}

	// 30 folders within each other, all marked: 30 times what is in the last.
	deep := []string{}
	for i := range files {
		deep = append(deep, strings.Repeat("a/", 30)+fmt.Sprint(i, " x"))
	}
	for i := range 30 {
		deep = append(deep, strings.Repeat("a/", 30-i)+".wh..wh..opq ")
	}
	l := layer(t, deep...)
	r, _ = emptyRoot(t, Limits{Bytes: 1 << 20, Files: 250})
	refused(t, lay(t, r, l), "too many folders marked opaque")
	if most := maxLooked*250 + files; r.looked > most {
		t.Errorf("%d names, at most %d", r.looked, most)
	}
	r, _ = emptyRoot(t, Limits{Bytes: 1 << 20, Files: 10_000}) // the bound off
	if err := lay(t, r, l); err != nil || r.looked < 30*files {
		t.Errorf("without a bound %d names, %v: the attack does not even work", r.looked, err)
	}
}
