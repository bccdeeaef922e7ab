package holdout

import (
	"crypto/sha256"

	"golang.org/x/mod/sumdb/tlog"
)

// merkle is an RFC 6962 tree that keeps only the roots of its complete subtrees.
type merkle struct {
	n     uint64
	roots []tlog.Hash
}

func (m *merkle) add(leaf tlog.Hash) {
	for k := m.n; k&1 == 1; k >>= 1 {
		last := len(m.roots) - 1
		leaf = node(m.roots[last], leaf)
		m.roots = m.roots[:last]
	}
	m.roots = append(m.roots, leaf)
	m.n++
}

func (m *merkle) root() tlog.Hash {
	if m.n == 0 {
		return sha256.Sum256(nil)
	}
	last := len(m.roots) - 1
	h := m.roots[last]
	for i := last - 1; i >= 0; i-- {
		h = node(m.roots[i], h)
	}
	return h
}

func node(left, right tlog.Hash) tlog.Hash {
	var b [65]byte
	b[0] = 0x01
	copy(b[1:], left[:])
	copy(b[33:], right[:])
	return sha256.Sum256(b[:])
}
