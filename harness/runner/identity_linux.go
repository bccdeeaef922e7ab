package runner

import (
	"io/fs"
	"syscall"
)

// A fileIdentity is what of a file nobody can set: a new file has another, even with
// the old one's size and time.
type fileIdentity struct {
	device, inode uint64
	changed       syscall.Timespec
}

func identify(fi fs.FileInfo) fileIdentity {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return fileIdentity{}
	}
	return fileIdentity{uint64(st.Dev), st.Ino, st.Ctim}
}
