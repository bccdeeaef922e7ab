package intake

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// Limits of an archive.
type Limits struct {
	Bytes int64 // of the archive as it arrives
	Files int   // files and folders in it
}

// What the harness takes.
var (
	SuiteLimits   = Limits{Bytes: 64 << 20, Files: 1000}
	PackageLimits = Limits{Bytes: 256 << 20, Files: 10_000}
)

// howToPack ends the refusal of archives that are odd without ill will.
const howToPack = "make it with: tar --format=ustar -cf ARCHIVE -C FOLDER ."

// Untar unpacks a plain tar archive into dir, an empty folder. Files get mode
// 0600 and folders 0700, whatever the archive says of modes, owners and times.
//
// It refuses, with a *FileError: links, devices and everything else that is not a
// file or a folder; paths that are absolute, lead upwards, or that another system
// would read differently; names that appear twice or differ only in case; sparse
// files and extended headers other than for long paths, owners and times; more
// files or bytes than the limits; an archive that is cut, or has anything but
// zeros after its end. When it fails, dir is empty again as far as the disk lets
// it; the caller removes dir itself.
//
// This runs in the service and not in a jailed child: archive/tar is plain Go,
// reads one header at a time and allocates no more than the bytes it has read,
// the files must be written by the service anyway, and every write goes through
// an os.Root, so that no path can leave dir.
func Untar(ctx context.Context, r io.Reader, dir string, l Limits) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	defer root.Close()
	if left, err := fs.ReadDir(root.FS(), "."); err != nil || len(left) > 0 {
		return errors.Join(fmt.Errorf("unpack: %s is not an empty folder", dir), err)
	}
	if err := unpack(ctx, r, root, l); err != nil {
		return errors.Join(err, clearRoot(root))
	}
	return nil
}

func clearRoot(root *os.Root) error {
	left, err := fs.ReadDir(root.FS(), ".")
	for _, e := range left {
		err = errors.Join(err, root.RemoveAll(e.Name()))
	}
	return err
}

func unpack(ctx context.Context, r io.Reader, root *os.Root, l Limits) error {
	buffered := bufio.NewReader(r)
	if err := notPacked(buffered); err != nil {
		return err
	}
	in := &source{ctx: ctx, r: buffered, most: l.Bytes}
	a := archive{root: root, limits: l, names: names{}}
	tr := tar.NewReader(in)
	end := int64(0) // where the last file ends
	for {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return in.explain(err, a.files)
		}
		if err := a.entry(h, tr); err != nil {
			return in.explain(err, a.files)
		}
		end = in.n
	}
	if a.files == 0 {
		return &FileError{What: "the archive holds no files"}
	}
	return in.rest((end + block - 1) / block * block)
}

// notPacked refuses compressed archives by name.
func notPacked(r *bufio.Reader) error {
	head, _ := r.Peek(6)
	for magic, name := range map[string]string{"\x1f\x8b": "gzip", "PK\x03\x04": "zip", "BZh": "bzip2", "\xfd7zXZ\x00": "xz", "\x28\xb5\x2f\xfd": "zstd"} {
		if strings.HasPrefix(string(head), magic) {
			return &FileError{What: "the archive is packed with " + name + "; send a plain tar, " + howToPack}
		}
	}
	return nil
}

// An archive is what has been unpacked so far.
type archive struct {
	root   *os.Root
	limits Limits
	files  int // and folders
	names  names
}

func (a *archive) entry(h *tar.Header, content io.Reader) error {
	if a.files++; a.files > a.limits.Files {
		return &FileError{What: fmt.Sprintf("the archive holds more than %d files and folders", a.limits.Files)}
	}
	if err := plain(h); err != nil {
		return err
	}
	folder := h.Typeflag == tar.TypeDir
	name := strings.TrimPrefix(h.Name, "./")
	if folder {
		name = strings.TrimSuffix(name, "/")
	}
	if folder && (name == "" || name == ".") {
		return nil // the folder itself, as "tar -C FOLDER ." writes it
	}
	if err := a.names.add(name, folder); err != nil {
		return err
	}
	if folder {
		return wrap(a.root.MkdirAll(name, 0o700))
	}
	return a.file(name, h.Size, content)
}

func wrap(err error) error {
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	return nil
}

// plain refuses headers that mean more than a file or a folder.
func plain(h *tar.Header) error {
	what := ""
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir:
	case tar.TypeSymlink, tar.TypeLink:
		what = "a link"
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		what = "a device"
	case tar.TypeGNUSparse:
		what = "a sparse file"
	default:
		what = "neither a file nor a folder"
	}
	for key := range h.PAXRecords {
		switch key {
		case "path", "mtime", "atime", "ctime", "uid", "gid", "uname", "gname":
		default:
			what = "stored with an extended header that is not taken"
		}
	}
	if what == "" && (h.Linkname != "" || h.Typeflag == tar.TypeDir && h.Size != 0) {
		what = "a file or folder with the fields of something else"
	}
	if what != "" {
		return &FileError{What: fmt.Sprintf("%.80q is %s; %s", h.Name, what, howToPack)}
	}
	return nil
}

func (a *archive) file(name string, size int64, content io.Reader) (err error) {
	if err := a.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return wrap(err)
	}
	f, err := a.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return wrap(err)
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = wrap(cerr)
		}
	}()
	n, err := io.Copy(f, content)
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	return err
}
