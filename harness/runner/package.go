package runner

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a package may hold at most.
const (
	MaxFiles = 10000
	MaxBytes = 4 << 30
	MaxPath  = 240 // bytes of a path
	maxDepth = 32
)

// A File is one file of a package.
type File struct {
	Path   string `json:"path"` // slash-separated, below the package's folder
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // lower-case hex
}

// A Package is a candidate's files as they were read: ReadPackage alone makes
// one. Digest binds every path, size and byte, the manifest's included; it does
// not bind modes or times, so that none of them has an effect when it runs.
type Package struct {
	Manifest Manifest `json:"manifest"`
	Files    []File   `json:"files"` // sorted by the bytes of Path
	Digest   string   `json:"digest"`
}

// A PackageError lists all that is wrong with a package's folder, one sentence each.
type PackageError struct{ Problems []string }

func (e *PackageError) Error() string {
	const most = 5
	if n := len(e.Problems); n > most {
		return strings.Join(e.Problems[:most], "; ") + fmt.Sprintf("; and %d more", n-most)
	}
	return strings.Join(e.Problems, "; ")
}

// ReadPackage reads and hashes the package in a folder. It refuses, with a
// *PackageError that lists everything found: links, devices, sockets, names that
// differ only in case, names that another system would read differently, a
// missing or bad manifest, more files or bytes than a package may hold. Empty
// folders do not count.
func ReadPackage(dir string) (*Package, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open package: %w", err)
	}
	defer root.Close()
	w := walk{root: root, folded: map[string]string{}}
	if err := w.dir(".", 0); err != nil {
		return nil, err
	}
	p := &Package{Files: w.files}
	slices.SortFunc(p.Files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	w.problems = append(w.problems, p.readManifest(root)...)
	if len(w.problems) > 0 {
		slices.Sort(w.problems)
		return nil, &PackageError{w.problems}
	}
	p.Digest = Digest(p.Files)
	return p, nil
}

// Digest names a set of files: the SHA-256 of
//
//	proctor-package/1
//	<sha256 hex>  <size>  <path>      one line a file, sorted by the bytes of path
func Digest(files []File) string {
	sorted := slices.SortedFunc(slices.Values(files), func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	h := sha256.New()
	io.WriteString(h, "proctor-package/1\n")
	for _, f := range sorted {
		fmt.Fprintf(h, "%s  %d  %s\n", f.SHA256, f.Size, f.Path)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// readManifest says what is wrong with the manifest, or nothing.
func (p *Package) readManifest(root *os.Root) []string {
	f, ok := p.file(ManifestFile)
	if !ok {
		return []string{fmt.Sprintf("%s is missing: every package has one at its top", ManifestFile)}
	}
	if f.Size > MaxManifest {
		return []string{fmt.Sprintf("%s: longer than %d bytes", ManifestFile, MaxManifest)}
	}
	data, err := root.ReadFile(ManifestFile)
	if err != nil {
		return []string{err.Error()}
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != f.SHA256 {
		return []string{ManifestFile + " changed while it was read"}
	}
	if p.Manifest, err = ParseManifest(data); err != nil {
		return []string{err.Error()}
	}
	name := p.Manifest.file()
	if _, ok := p.file(name); name != "" && !ok {
		return []string{fmt.Sprintf("%s names %q, which is not in the package", ManifestFile, name)}
	}
	return nil
}

func (p *Package) file(name string) (File, bool) {
	i, ok := slices.BinarySearchFunc(p.Files, name, func(f File, n string) int { return cmp.Compare(f.Path, n) })
	if !ok {
		return File{}, false
	}
	return p.Files[i], true
}

// A walk collects the files of a package and what is wrong with them.
type walk struct {
	root     *os.Root
	files    []File
	bytes    int64
	folded   map[string]string // case-folded path -> path
	problems []string
}

func (w *walk) problem(format string, a ...any) {
	w.problems = append(w.problems, fmt.Sprintf(format, a...))
}

func (w *walk) dir(dir string, depth int) error {
	if depth > maxDepth {
		w.problem("%q is nested deeper than %d folders", dir, maxDepth)
		return nil
	}
	entries, err := fs.ReadDir(w.root.FS(), dir)
	if err != nil {
		return fmt.Errorf("read package: %w", err)
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if err := checkPath(name); err != nil {
			w.problem("%v", err)
			continue
		}
		if twin, ok := w.folded[fold(name)]; ok {
			w.problem("%q and %q differ only in case", twin, name)
			continue
		}
		w.folded[fold(name)] = name
		switch {
		case e.IsDir():
			if err := w.dir(name, depth+1); err != nil {
				return err
			}
		case !e.Type().IsRegular():
			w.problem("%q is a %s; a package holds plain files only", name, kindOf(e.Type()))
		default:
			if err := w.file(name); err != nil {
				return err
			}
		}
		if len(w.files) > MaxFiles || w.bytes > MaxBytes {
			return &PackageError{[]string{fmt.Sprintf("a package holds at most %d files and %d bytes", MaxFiles, int64(MaxBytes))}}
		}
	}
	return nil
}

func (w *walk) file(name string) error {
	f, err := openPlain(w.root, name)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(f, MaxBytes-w.bytes+1))
	if err != nil {
		return fmt.Errorf("read package: %w", err)
	}
	w.bytes += n
	w.files = append(w.files, File{name, n, hexSum(h)})
	return nil
}

// openPlain opens a file and checks on the open file, not on the name, that it
// is a plain one: a name can be swapped between two looks.
func openPlain(root *os.Root, name string) (*os.File, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, fmt.Errorf("read package: %w", err)
	}
	if fi, err := f.Stat(); err != nil || !fi.Mode().IsRegular() {
		f.Close()
		return nil, errors.Join(err, fmt.Errorf("%q is not a plain file", name))
	}
	return f, nil
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

func kindOf(m fs.FileMode) string {
	switch {
	case m&fs.ModeSymlink != 0:
		return "link"
	case m&fs.ModeNamedPipe != 0:
		return "named pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}

// checkPath refuses paths that leave the package or that people, archives or
// other systems would read differently.
func checkPath(p string) error {
	switch {
	case p == "" || p == "." || !fs.ValidPath(p):
		return fmt.Errorf("%q is not a path inside the package", p)
	case len(p) > MaxPath:
		return fmt.Errorf("path %.40q... is longer than %d bytes", p, MaxPath)
	case !utf8.ValidString(p) || hasControl(p):
		return fmt.Errorf("path %q holds control or invalid characters", p)
	case strings.ContainsAny(p, `\:`):
		return fmt.Errorf("path %q holds a backslash or a colon", p)
	}
	for part := range strings.SplitSeq(p, "/") {
		if strings.TrimSpace(part) != part || strings.HasSuffix(part, ".") {
			return fmt.Errorf("path %q has a part that starts or ends with a space or ends with a dot", p)
		}
	}
	return nil
}

// hasControl finds characters that do not print: control characters, line
// separators, marks that change the direction of text.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) })
}

// fold maps names that some file systems take for one to one string.
func fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }
