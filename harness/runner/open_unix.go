//go:build unix

package runner

import "syscall"

// A named pipe must not hold up the reader, nor a link lead elsewhere.
const openFlags = syscall.O_NONBLOCK | syscall.O_NOFOLLOW
