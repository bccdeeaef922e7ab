package holdout

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"golang.org/x/mod/sumdb/tlog"

	"proctor/holdout/rows"
)

// A salter gives the salts of a part's rows, which follow from the data key.
type salter struct {
	mac hash.Hash
	buf []byte
}

func newSalter(dek []byte, part string) *salter {
	return &salter{mac: hmac.New(sha256.New, derive(dek, "proctor/holdout/1/salt/"+part))}
}

// salt returns the 16 bytes of row r, from 0; good until the next call.
func (s *salter) salt(r int) []byte {
	s.mac.Reset()
	s.buf = binary.BigEndian.AppendUint64(s.buf[:0], uint64(r))
	s.mac.Write(s.buf)
	s.buf = s.mac.Sum(s.buf[:0])
	return s.buf[:16]
}

// appendLeaf appends what the leaf of a row is the hash of.
func appendLeaf(dst, salt []byte, t rows.Table, r int) []byte {
	return t.AppendCanonical(append(append(dst, 0x00), salt...), r)
}

// A rowTree is the Merkle tree of a part with all its inner nodes: 64 bytes a row.
type rowTree struct {
	n      int64
	hashes []tlog.Hash
}

func newRowTree(dek []byte, part string, t rows.Table) (*rowTree, error) {
	tree := &rowTree{hashes: make([]tlog.Hash, 0, 2*t.Len())}
	salts := newSalter(dek, part)
	var buf []byte
	for r := range t.Len() {
		buf = appendLeaf(buf[:0], salts.salt(r), t, r)
		more, err := tlog.StoredHashesForRecordHash(int64(r), sha256.Sum256(buf), tree)
		if err != nil {
			return nil, err
		}
		tree.hashes = append(tree.hashes, more...)
		tree.n++
	}
	return tree, nil
}

// ReadHashes implements [tlog.HashReader].
func (t *rowTree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		out[i] = t.hashes[at]
	}
	return out, nil
}

// prove returns the hashes that lead from row r to the root.
func (t *rowTree) prove(r int) (tlog.RecordProof, error) {
	return tlog.ProveRecord(t.n, int64(r), t)
}
