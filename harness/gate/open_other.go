//go:build !unix

package gate

const openFlags = 0
