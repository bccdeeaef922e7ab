package gate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a package may hold at most, as where it is evaluated.
const (
	maxFiles = 10000
	maxBytes = 4 << 30
	maxPath  = 240
	maxDepth = 32
)

// PackageDigest returns the digest of the package in a folder: the SHA-256 of
//
//	proctor-package/1
//	<sha256 hex>  <size>  <path>      one line a file, sorted by the bytes of path
//
// It reads every file, hidden ones too, and refuses what the digest could not
// bind: links, devices, pipes, and paths with characters that do not print, which
// could pass for lines. Empty folders do not count. The folder has to stay as it
// is until it is released; a copy that nobody else can write does.
func PackageDigest(dir string) (string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", refuse(Unreadable, "model: %v", err)
	}
	defer root.Close()
	w := &folder{root: root}
	if err := w.walk(".", 0); err != nil {
		return "", err
	}
	return w.digest(dir)
}

func (w *folder) digest(dir string) (string, error) {
	if len(w.files) == 0 {
		return "", refuse(Unreadable, "model: the folder %s holds no file", dir)
	}
	slices.SortFunc(w.files, func(a, b file) int { return cmp.Compare(a.path, b.path) })
	h := sha256.New()
	io.WriteString(h, "proctor-package/1\n")
	for _, f := range w.files {
		fmt.Fprintf(h, "%s  %d  %s\n", f.sum, f.size, f.path)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// shipped returns the digest of what is about to be released.
func (in Input) shipped() (string, error) {
	switch {
	case (in.Model == "") == (in.Digest == ""), in.Digest != "" && len(in.Files) > 0:
		return "", refuse(Unreadable, "model: give a folder, files of a folder, or a digest")
	case in.Digest != "" && !isDigest(in.Digest):
		return "", refuse(Unreadable, "model: a digest is sha256:<64 lower-case hex digits>")
	case in.Digest != "":
		return in.Digest, nil
	case len(in.Files) > 0:
		return FilesDigest(in.Model, in.Files)
	}
	return PackageDigest(in.Model)
}

// FilesDigest is [PackageDigest] of some files of a folder alone.
func FilesDigest(dir string, names []string) (string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", refuse(Unreadable, "model: %v", err)
	}
	defer root.Close()
	w := &folder{root: root}
	seen := map[string]bool{}
	for _, name := range names {
		if !fs.ValidPath(name) || seen[name] || len(name) > maxPath || !printable(name) || len(names) > maxFiles {
			return "", refuse(Denied, "model: %.60q is no path inside the folder, or stands twice", name)
		}
		seen[name] = true
		for at := name; at != "."; at = path.Dir(at) { // none of its folders is a link
			fi, err := root.Lstat(at)
			if err != nil {
				return "", refuse(Unreadable, "model: %v", err)
			}
			if at == name && !fi.Mode().IsRegular() || at != name && !fi.IsDir() {
				return "", refuse(Denied, "model: %q is no plain file in plain folders", name)
			}
		}
		if err := w.add(name); err != nil {
			return "", err
		}
		if w.bytes > maxBytes {
			return "", refuse(Denied, "model: a package holds at most %d bytes", int64(maxBytes))
		}
	}
	return w.digest(dir)
}

type file struct {
	path, sum string
	size      int64
}

// A folder collects the files of a package.
type folder struct {
	root  *os.Root
	files []file
	bytes int64
}

func (w *folder) walk(dir string, depth int) error {
	if depth > maxDepth {
		return refuse(Denied, "model: %q is nested deeper than %d folders", dir, maxDepth)
	}
	entries, err := fs.ReadDir(w.root.FS(), dir)
	if err != nil {
		return refuse(Unreadable, "model: %v", err)
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch {
		case len(name) > maxPath || !printable(name):
			return refuse(Denied, "model: path %.60q is too long or does not print", name)
		case e.IsDir():
			err = w.walk(name, depth+1)
		case !e.Type().IsRegular():
			return refuse(Denied, "model: %q is a link or a device; a package holds plain files only", name)
		default:
			err = w.add(name)
		}
		if err != nil {
			return err
		}
		if len(w.files) > maxFiles || w.bytes > maxBytes {
			return refuse(Denied, "model: a package holds at most %d files and %d bytes", maxFiles, int64(maxBytes))
		}
	}
	return nil
}

func (w *folder) add(name string) error {
	f, err := w.root.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return refuse(Unreadable, "model: %v", err)
	}
	defer f.Close()
	if fi, err := f.Stat(); err != nil || !fi.Mode().IsRegular() { // the name may have been swapped
		return refuse(Denied, "model: %q is not a plain file", name)
	}
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(f, maxBytes-w.bytes+1))
	if err != nil {
		return refuse(Unreadable, "model: %v", err)
	}
	w.bytes += n
	w.files = append(w.files, file{name, hex.EncodeToString(h.Sum(nil)), n})
	return nil
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
