//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package tlog

import (
	"errors"
	"io"
)

func Lock(string) (io.Closer, error) {
	return nil, errors.New("this system has no file locks that end with the process; run the log elsewhere")
}
