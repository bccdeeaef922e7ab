package holdout

import (
	"crypto/cipher"
	"encoding/binary"
	"testing"

	"proctor/holdout/rows"
)

// A naive set is what the guards are measured against: chunks under one key for
// all versions, each with its nonce in front, nothing in the associated data.
type naive struct {
	key    cipher.AEAD
	nonces byte
	fields []rows.Field
}

func (n *naive) seal(t testing.TB, tab rows.Table) (chunks [][]byte) {
	t.Helper()
	n.fields = tab.Fields()
	sizes, err := cut(tab)
	if err != nil {
		t.Fatal(err)
	}
	first := 0
	for _, size := range sizes {
		nonce := make([]byte, 12)
		n.nonces++
		nonce[0] = n.nonces
		chunks = append(chunks, n.key.Seal(nonce, nonce, tab.Slice(first, first+size).AppendBlock(binary.BigEndian.AppendUint32(nil, uint32(size))), nil))
		first += size
	}
	return chunks
}

// open reads whatever chunks are there.
func (n *naive) open(chunks [][]byte) (rows.Table, error) {
	var all []rows.Table
	for _, c := range chunks {
		plain, err := n.key.Open(nil, c[:12], c[12:], nil)
		if err != nil {
			return rows.Table{}, err
		}
		b, err := rows.NewBuilder(n.fields, 0)
		if err == nil {
			err = b.Append(plain[4:], int(binary.BigEndian.Uint32(plain)))
		}
		if err != nil {
			return rows.Table{}, err
		}
		all = append(all, b.Table())
	}
	return rows.Concat(all...)
}
