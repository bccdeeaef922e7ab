package intake

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// What a path in a layer may be at most.
const (
	maxLayerPath  = 1024
	maxLayerDepth = 64
)

// A rootfs is a root filesystem that is being laid out, layer over layer.
type rootfs struct {
	root    *os.Root
	limits  Limits
	files   int   // entries of all layers, and folders that they imply
	bytes   int64 // uncompressed, of all layers
	written int64 // into files: a tar may stand for more bytes than it has
	looked  int   // names that opaque marks went through
}

// layer lays one tar out over what is there.
func (t *rootfs) layer(in *source) error {
	own := map[string]bool{} // paths of this layer, which its own opaque marks leave alone
	tr := tar.NewReader(in)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return in.explain(err, t.files)
		}
		if err := t.count(); err != nil {
			return err
		}
		if err := t.entry(h, tr, own); err != nil {
			return in.explain(err, t.files)
		}
	}
}

// count counts an entry, or a folder that one implies.
func (t *rootfs) count() error {
	if t.files++; t.files > t.limits.Files {
		return imageFault("it has more than %d entries and folders", t.limits.Files)
	}
	return nil
}

func (t *rootfs) entry(h *tar.Header, content io.Reader, own map[string]bool) error {
	name, err := layerPath(h.Name)
	if err != nil {
		return err
	}
	if sparse(h) {
		return imageFault("%.80q is a sparse file", name)
	}
	if name == "." {
		return nil
	}
	dir, base := path.Split(name)
	dir = path.Clean(dir)
	if strings.HasPrefix(base, whiteout) {
		return t.remove(dir, base, own)
	}
	if err := t.folders(dir); err != nil {
		return err
	}
	for p := name; p != "."; p = path.Dir(p) {
		own[p] = true
	}
	if len(own) > t.limits.Files { // links give one folder many names
		return imageFault("a layer names more than %d paths", t.limits.Files)
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return t.folder(name)
	case tar.TypeReg:
		return t.file(name, h, content)
	case tar.TypeSymlink:
		return t.symlink(name, h.Linkname)
	case tar.TypeLink:
		return t.link(name, h.Linkname)
	}
	return imageFault("%.80q is a device, a pipe or nothing that is known", name)
}

// sparse says whether an entry has holes, which a few bytes of the tar can make as large
// as they like. In the form of PAX its type is that of any file, and its records tell.
func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// layerPath gives the path of an entry from the root, "." for the root itself.
func layerPath(name string) (string, error) {
	p := strings.TrimPrefix(strings.TrimSuffix(name, "/"), "./")
	if p == "" {
		p = "."
	}
	if !fs.ValidPath(p) || len(p) > maxLayerPath || strings.ContainsRune(p, 0) || strings.Count(p, "/") > maxLayerDepth {
		return "", imageFault("%.80q is not a path inside it, is longer than %d bytes or deeper than %d folders", name, maxLayerPath, maxLayerDepth)
	}
	return p, nil
}

// through words a refusal of the operating system's: the path leads through a link
// that leaves the root, or through a file.
func through(name string, err error) error {
	var bad *fs.PathError
	var badLink *os.LinkError
	if errors.As(err, &bad) || errors.As(err, &badLink) {
		return imageFault("%.80q cannot be laid out: its path leads through a file, or through a link that leaves the image or is absolute", name)
	}
	return wrap(err)
}

// folders makes the folders above an entry that no layer has named.
func (t *rootfs) folders(dir string) error {
	if dir == "." {
		return nil
	}
	if fi, err := t.root.Stat(dir); err == nil && fi.IsDir() {
		return nil
	}
	if _, err := t.root.Lstat(dir); err == nil {
		return through(dir, &fs.PathError{Op: "enter", Path: dir, Err: fs.ErrInvalid})
	}
	if err := t.folders(path.Dir(dir)); err != nil {
		return err
	}
	if err := t.count(); err != nil {
		return err
	}
	return t.folder(dir)
}

func (t *rootfs) folder(name string) error {
	if fi, err := t.root.Lstat(name); err == nil {
		if fi.IsDir() {
			return nil
		}
		if err := t.removeAll(name); err != nil {
			return err
		}
	}
	if err := t.root.Mkdir(name, 0o755); err != nil {
		return through(name, err)
	}
	return nil
}

// free makes room for an entry that is no folder.
func (t *rootfs) free(name string) error {
	if _, err := t.root.Lstat(name); notThere(err) {
		return nil
	}
	return t.removeAll(name)
}

func (t *rootfs) file(name string, h *tar.Header, content io.Reader) (err error) {
	if h.Size > t.limits.Bytes-t.written {
		return imageFault("its files are larger than %d bytes", t.limits.Bytes)
	}
	t.written += h.Size // no less is written, or this fails
	if err := t.free(name); err != nil {
		return err
	}
	f, err := t.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return through(name, err)
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = wrap(cerr)
		}
	}()
	n, err := io.Copy(f, content)
	if err == nil && n != h.Size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o444)
	if h.Mode&0o111 != 0 {
		mode = 0o555
	}
	return wrap(f.Chmod(mode))
}

// symlink lays out a link that stays in the image. It is not followed here.
func (t *rootfs) symlink(name, target string) error {
	if target == "" || len(target) > maxLayerPath || strings.ContainsRune(target, 0) || !path.IsAbs(target) && climbs(path.Dir(name), target) {
		return imageFault("%.80q is a link that leads out of it", name)
	}
	if err := t.free(name); err != nil {
		return err
	}
	if err := t.root.Symlink(target, name); err != nil {
		return through(name, err)
	}
	return nil
}

// climbs says whether a relative link in dir rises above the root on its way.
func climbs(dir, target string) bool {
	depth := 0
	if dir != "." {
		depth = strings.Count(dir, "/") + 1
	}
	for part := range strings.SplitSeq(target, "/") {
		switch part {
		case "", ".":
		case "..":
			depth--
		default:
			depth++
		}
		if depth < 0 {
			return true
		}
	}
	return false
}

// link gives a file that is there a second name.
func (t *rootfs) link(name, target string) error {
	old, err := layerPath(strings.TrimPrefix(target, "/"))
	if err != nil {
		return err
	}
	if fi, err := t.root.Lstat(old); err != nil || !fi.Mode().IsRegular() {
		return imageFault("%.80q is a hard link to something that is no file of it", name)
	}
	if old == name {
		return nil
	}
	if err := t.free(name); err != nil {
		return err
	}
	if err := t.root.Link(old, name); err != nil {
		return through(name, fmt.Errorf("link: %w", err))
	}
	return nil
}
