//go:build linux || darwin || freebsd || netbsd || openbsd

package tlog

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// lockFile takes a lock that the system gives up when the process ends, however
// it ends. The file stays.
func lockFile(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.New("another process holds it: stop that one first")
		}
		return nil, err
	}
	return f, nil
}
