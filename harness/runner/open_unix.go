//go:build unix

package runner

import "syscall"

// A named pipe must not hold up the reader. Links were refused by the walk; one
// that is put there later stays inside the os.Root, and the hash decides.
const openFlags = syscall.O_NONBLOCK
