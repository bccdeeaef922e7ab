package intake

import (
	"io/fs"
	"path"
	"strings"
)

// Names of entries that take away what a lower layer has.
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq" // everything in its folder
)

// maxLooked is how often opaque marks may go through an image's names, for each that
// it may have: once to take it away, once to keep it, and as much for marks in marked
// folders. Tools write far fewer.
const maxLooked = 4

// remove takes away what a whiteout names. What is not there needs no taking away.
func (t *rootfs) remove(dir, base string, own map[string]bool) error {
	if base != opaque {
		name := strings.TrimPrefix(base, whiteout)
		if name == "" || name == "." || name == ".." || strings.HasPrefix(name, whiteout) {
			return imageFault("%.80q takes away nothing that can be named", base)
		}
		return t.removeAll(path.Join(dir, name))
	}
	mark := path.Join(dir, opaque) // no entry has such a name
	if own[mark] {
		return nil // of the first mark on, all that is there is this layer's
	}
	own[mark] = true
	return t.removeOthers(dir, own)
}

// removeOthers takes away what lower layers have in a folder.
func (t *rootfs) removeOthers(dir string, own map[string]bool) error {
	entries, err := fs.ReadDir(t.root.FS(), dir)
	if notThere(err) {
		return nil
	}
	if err != nil {
		return through(dir, err)
	}
	if t.looked += len(entries); t.looked > maxLooked*t.limits.Files {
		return imageFault("it has too many folders marked opaque within each other")
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch {
		case !own[name]:
			err = t.removeAll(name)
		case e.IsDir():
			err = t.removeOthers(name, own)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *rootfs) removeAll(name string) error {
	if err := t.root.RemoveAll(name); err != nil && !notThere(err) {
		return through(name, err)
	}
	return nil
}
