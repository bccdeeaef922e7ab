// Package secret keeps small secrets in files: signing keys, key-encryption keys.
//
// A file that Create made is whole and on the disk, or not there, and only its
// owner can read it. Create never replaces a file: to replace a key is to lose
// what it signed or sealed. Read refuses a file that others can read, since they
// may have. The package trusts the file system and never quotes what a file holds.
package secret

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// max is the most bytes that a secret has: some hundred retired keys with their ends.
const max = 1 << 16

// Create stores data in a new file.
func Create(path string, data []byte) error {
	return write(path, data, os.Link) // unlike a rename, never over another file
}

// Replace stores data in the place of an existing file: the old or the new one is
// whole, whatever happens.
func Replace(path string, data []byte) error {
	if _, err := os.Lstat(path); err != nil {
		return err
	}
	return write(path, data, os.Rename)
}

func write(path string, data []byte, put func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".secret-") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := put(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Read returns what a file holds. What is looked at is the file that was opened,
// whatever its name stands for later.
func Read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a plain file", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others can read %s: run chmod 600 on it, and make a new key if anybody did", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return nil, err
	}
	if len(b) > max {
		return nil, fmt.Errorf("%s holds more than %d bytes", path, max)
	}
	return b, nil
}
