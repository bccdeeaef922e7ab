//go:build unix

package gate

import "syscall"

// A named pipe that is put in a file's place must not hold up the reader.
const openFlags = syscall.O_NONBLOCK
