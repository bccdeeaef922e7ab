//go:build linux || darwin || freebsd || netbsd || openbsd

package tlog

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

// patience is how long a lock may still be held by what a killed process left: a
// child between fork and exec has its descriptors for a moment.
const patience = 2 * time.Second

// Lock takes a lock that the system gives up when the process ends, however
// it ends. The file stays.
func Lock(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return f, nil
		case !errors.Is(err, syscall.EWOULDBLOCK):
			f.Close()
			return nil, err
		case time.Since(began) > patience:
			f.Close()
			return nil, ErrHeld
		}
	}
}
