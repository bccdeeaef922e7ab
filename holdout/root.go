package holdout

import (
	"crypto/sha256"
	"encoding/hex"

	"proctor/holdout/rows"
)

// rowRoot commits to every row of a part: the root of a Merkle tree as in RFC 6962
// whose leaf i is H(0x00 | salt_i | canonical row i). Without the salt nobody can
// try rows against a leaf; with salt_i and row i the owner can prove one row and
// show no other. The salts follow from the data key, so nothing more is stored.
func rowRoot(dek []byte, part string, t rows.Table) string {
	salts := newSalter(dek, part)
	var tree merkle
	var buf []byte
	for r := range t.Len() {
		buf = appendLeaf(buf[:0], salts.salt(r), t, r)
		tree.add(sha256.Sum256(buf))
	}
	root := tree.root()
	return "sha256:" + hex.EncodeToString(root[:])
}

// merkle is an RFC 6962 tree that keeps only the roots of its complete subtrees.
type merkle struct {
	n     uint64
	roots [][32]byte
}

func (m *merkle) add(leaf [32]byte) {
	for k := m.n; k&1 == 1; k >>= 1 {
		last := len(m.roots) - 1
		leaf = node(m.roots[last], leaf)
		m.roots = m.roots[:last]
	}
	m.roots = append(m.roots, leaf)
	m.n++
}

func (m *merkle) root() [32]byte {
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

func node(left, right [32]byte) [32]byte {
	var b [65]byte
	b[0] = 0x01
	copy(b[1:], left[:])
	copy(b[33:], right[:])
	return sha256.Sum256(b[:])
}
