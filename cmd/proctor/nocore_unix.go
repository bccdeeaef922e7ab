//go:build unix

package main

import "golang.org/x/sys/unix"

// noCore keeps the memory of this process and of what it starts, in which sealed rows
// are, from being written to disk when it crashes.
func noCore() error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) }
