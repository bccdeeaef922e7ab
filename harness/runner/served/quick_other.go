//go:build !linux

package served

import "net"

func quick(c net.Conn) net.Conn { return c }
