package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A Dir is a Store in a local folder: sha256/ab/<64 hex digits>, one read-only
// file a blob. A blob appears under its name only by link(2) after its bytes are
// on disk, so no reader and no crash ever sees half of one.
type Dir struct {
	root  string
	write func(*os.File, []byte) error // os.File.Write; tests fill the disk here
}

var _ Store = (*Dir)(nil)

// OpenDir opens a store, and makes its folders where they are missing. What
// writers that died an hour ago or more left in tmp/ is removed.
func OpenDir(path string) (*Dir, error) {
	d := &Dir{root: path, write: func(f *os.File, b []byte) error { _, err := f.Write(b); return err }}
	for _, p := range []string{d.tmp(), filepath.Join(path, "sha256")} {
		if err := os.MkdirAll(p, 0o700); err != nil {
			return nil, fmt.Errorf("open blob store: %w", err)
		}
	}
	if err := errors.Join(d.sweep(time.Now().Add(-time.Hour)), syncDir(path)); err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	return d, nil
}

func (d *Dir) tmp() string { return filepath.Join(d.root, "tmp") }

func (d *Dir) path(hex string) string { return filepath.Join(d.root, "sha256", hex[:2], hex) }

// sweep removes temporary files last written before the given time.
func (d *Dir) sweep(before time.Time) error {
	list, err := os.ReadDir(d.tmp())
	if err != nil {
		return err
	}
	for _, e := range list {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && info.ModTime().Before(before) {
			if err := os.Remove(filepath.Join(d.tmp(), e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// Put implements [Store].
func (d *Dir) Put(ctx context.Context, data []byte) (Ref, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if len(data) > MaxSize {
		return "", fmt.Errorf("put blob: %d bytes are more than the limit of %d", len(data), MaxSize)
	}
	ref := RefOf(data)
	hex, _ := ref.digits()
	if err := d.put(d.path(hex), data); err != nil {
		return "", fmt.Errorf("put blob %s: %w", ref, err)
	}
	return ref, nil
}

func (d *Dir) put(path string, data []byte) (err error) {
	// The same name with other bytes can only be damage: the name says what the
	// bytes are, so they are put back rather than trusted.
	old, err := read(path)
	if err == nil && bytes.Equal(old, data) {
		return nil
	}
	damaged := !errors.Is(err, fs.ErrNotExist)

	dir := filepath.Dir(path)
	if err := os.Mkdir(dir, 0o700); err == nil {
		if err := syncDir(filepath.Dir(dir)); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	tmp, err := d.temp(data)
	if tmp != "" {
		defer func() {
			if e := os.Remove(tmp); e != nil && !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}()
	}
	if err != nil {
		return err
	}
	if damaged {
		err = os.Rename(tmp, path)
	} else if err = os.Link(tmp, path); errors.Is(err, fs.ErrExist) {
		err = nil // another writer was first with the same bytes
	}
	if err != nil {
		return err
	}
	return syncDir(dir)
}

// temp writes data to a new file and to the disk.
func (d *Dir) temp(data []byte) (name string, err error) {
	f, err := os.CreateTemp(d.tmp(), "put-")
	if err != nil {
		return "", err
	}
	err = d.write(f, data)
	if err == nil {
		err = f.Chmod(0o400)
	}
	if err == nil {
		err = f.Sync()
	}
	return f.Name(), errors.Join(err, f.Close())
}

// Get implements [Store].
func (d *Dir) Get(ctx context.Context, ref Ref) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	hex, err := ref.digits()
	if err != nil {
		return nil, err
	}
	data, err := read(d.path(hex))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %s", ErrNotFound, ref)
	case errors.Is(err, errShape):
		return nil, &CorruptError{ref, err.Error()}
	case err != nil:
		return nil, fmt.Errorf("get blob %s: %w", ref, err)
	}
	if got := RefOf(data); got != ref {
		return nil, &CorruptError{ref, fmt.Sprintf("its %d bytes have the digest %s", len(data), strings.TrimPrefix(string(got), prefix))}
	}
	return data, nil
}

// Has implements [Store].
func (d *Dir) Has(ctx context.Context, ref Ref) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	hex, err := ref.digits()
	if err != nil {
		return false, err
	}
	_, err = os.Lstat(d.path(hex))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

var errShape = errors.New("it is not a plain file of a blob's size")

// read reads a plain file of bounded size. A link, a pipe or a device in its
// place is never followed or waited for.
func read(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > MaxSize {
		return nil, errShape
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, info.Size()+1)
	n, err := io.ReadFull(f, data)
	if err == nil {
		return nil, errShape // it grew while we read
	}
	if err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, err
	}
	return data[:n:n], nil
}

func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
