package holdout

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"golang.org/x/mod/sumdb/tlog"

	"proctor/holdout/rows"
)

// The commitment to the rows of a part is the root of a Merkle tree as in RFC 6962
// whose record i is the hashes of rows 16i to 16i+15, the last one's as many as are
// left:
//
//	row  = SHA-256(02 | salt | values)      salt of row r = AES-256(salt key, r)
//	leaf = SHA-256(00 | row | row ...)      node = SHA-256(01 | left | right)
//
// Without its salt nobody can try values against a row's hash; with salt and values
// the owner proves one row and shows nothing of another. Salts follow from the data
// key, so nothing more is stored. What the columns are is in the manifest, beside
// the root. A leaf has 16 rows because a node of its own for every row costs more
// than hashing a narrow row does.
const (
	leafRows = 16
	rowMark  = 0x02
	saltSize = aes.BlockSize
)

// A rowHasher gives the salted hashes of the rows of one part.
type rowHasher struct {
	key  cipher.Block
	salt [saltSize]byte
	buf  []byte
}

func newRowHasher(dek []byte, part string) *rowHasher {
	key, err := aes.NewCipher(derive(dek, "proctor/holdout/1/salt/"+part))
	if err != nil {
		panic(err) // the derived key has 32 bytes
	}
	return &rowHasher{key: key}
}

// saltOf returns the 16 bytes of row r, from 0; good until the next call.
func (h *rowHasher) saltOf(r int) []byte {
	clear(h.salt[:8])
	binary.BigEndian.PutUint64(h.salt[8:], uint64(r))
	h.key.Encrypt(h.salt[:], h.salt[:])
	return h.salt[:]
}

// row returns the hash of row i of t, which is row first+i of the part.
func (h *rowHasher) row(t rows.Table, first, i int) tlog.Hash {
	h.buf = appendRow(h.buf[:0], h.saltOf(first+i), t, i)
	return sha256.Sum256(h.buf)
}

// appendRow appends what a row's hash is of.
func appendRow(dst, salt []byte, t rows.Table, r int) []byte {
	return t.AppendValues(append(append(dst, rowMark), salt...), r)
}

// A leafHasher gathers rows into leaves, in order.
type leafHasher struct {
	*rowHasher
	rows int
	open []byte // 00 and the hashes of the leaf that is being filled
}

func newLeafHasher(dek []byte, part string) *leafHasher {
	return &leafHasher{newRowHasher(dek, part), 0, []byte{0}}
}

// add takes the rows that follow and gives leaf each hash that is complete.
func (h *leafHasher) add(t rows.Table, leaf func(tlog.Hash)) {
	first := h.rows
	for i := range t.Len() {
		sum := h.row(t, first, i)
		h.open = append(h.open, sum[:]...)
		if h.rows++; h.rows%leafRows == 0 {
			h.end(leaf)
		}
	}
}

// end closes the last leaf, which may have fewer rows.
func (h *leafHasher) end(leaf func(tlog.Hash)) {
	if len(h.open) > 1 {
		leaf(sha256.Sum256(h.open))
		h.open = h.open[:1]
	}
}

// rowRoot commits to every row of a part.
func rowRoot(dek []byte, part string, t rows.Table) string {
	var tree merkle
	h := newLeafHasher(dek, part)
	h.add(t, tree.add)
	h.end(tree.add)
	return tree.rootName()
}

func (m *merkle) rootName() string {
	root := m.root()
	return "sha256:" + hex.EncodeToString(root[:])
}

// A rowTree is the Merkle tree of a part with all its inner nodes: 4 bytes a row.
type rowTree struct {
	t      rows.Table
	rows   *rowHasher
	n      int64 // leaves
	hashes []tlog.Hash
}

func newRowTree(dek []byte, part string, t rows.Table) (*rowTree, error) {
	tree := &rowTree{t: t, rows: newRowHasher(dek, part), hashes: make([]tlog.Hash, 0, 2*(t.Len()/leafRows+1))}
	var err error
	grow := func(leaf tlog.Hash) {
		more, e := tlog.StoredHashesForRecordHash(tree.n, leaf, tree)
		if e != nil {
			err = e
			return
		}
		tree.hashes = append(tree.hashes, more...)
		tree.n++
	}
	h := newLeafHasher(dek, part)
	h.add(t, grow)
	h.end(grow)
	return tree, err
}

// ReadHashes implements [tlog.HashReader].
func (t *rowTree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		out[i] = t.hashes[at]
	}
	return out, nil
}

// prove returns the hashes of the other rows of a row's leaf, and those that lead
// from the leaf to the root.
func (t *rowTree) prove(r int) (others []tlog.Hash, path tlog.RecordProof, err error) {
	first := r - r%leafRows
	for i := first; i < min(first+leafRows, t.t.Len()); i++ {
		if i != r {
			others = append(others, t.rows.row(t.t, 0, i))
		}
	}
	path, err = tlog.ProveRecord(t.n, int64(r/leafRows), t)
	return others, path, err
}

// checkRow says whether a row's hash, r from 0, leads to the root of n rows.
func checkRow(root, row tlog.Hash, others []tlog.Hash, path tlog.RecordProof, r, n int) bool {
	first := r - r%leafRows
	if len(others) != min(first+leafRows, n)-first-1 {
		return false
	}
	leaf := []byte{0}
	for i := range len(others) + 1 {
		h := row
		switch at := r - first; {
		case i < at:
			h = others[i]
		case i > at:
			h = others[i-1]
		}
		leaf = append(leaf, h[:]...)
	}
	leaves := int64((n + leafRows - 1) / leafRows)
	return tlog.CheckRecord(path, leaves, root, int64(r/leafRows), sha256.Sum256(leaf)) == nil
}
