package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io/fs"
)

func everything(string) bool { return true }

// archive packs the regular files of a folder; anything else in it is an error.
// Names alone decide the order, so that equal files make equal archives.
func archive(dir fs.FS, keep func(path string) bool) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := fs.WalkDir(dir, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !keep(path) {
			return err
		}
		if !d.Type().IsRegular() {
			return usagef("%s is not a regular file", path)
		}
		data, err := fs.ReadFile(dir, path)
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: path, Mode: 0o644, Size: int64(len(data)), Format: tar.FormatPAX}); err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	})
	if err := errors.Join(err, w.Close()); err != nil { // Close writes the end mark
		return nil, err
	}
	return b.Bytes(), nil
}
