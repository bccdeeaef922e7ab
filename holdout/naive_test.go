package holdout

import (
	"bytes"
	"crypto/cipher"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"proctor/holdout/rows"
)

// A naive set is what the guards are measured against: chunks under one key for
// all versions, each with its nonce in front, nothing in the associated data.
type naive struct {
	key    cipher.AEAD
	nonces byte
}

func (n *naive) seal(t testing.TB, tab rows.Table) (chunks [][]byte) {
	t.Helper()
	sizes, err := cut(tab)
	if err != nil {
		t.Fatal(err)
	}
	first := 0
	for _, size := range sizes {
		nonce := make([]byte, 12)
		n.nonces++
		nonce[0] = n.nonces
		chunks = append(chunks, n.key.Seal(nonce, nonce, plainArrow(t, tab.Slice(first, first+size)), nil))
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
		r, err := ipc.NewReader(bytes.NewReader(plain))
		if err != nil {
			return rows.Table{}, err
		}
		for r.Next() {
			t, err := rows.FromRecord(r.Record())
			if err != nil {
				return rows.Table{}, err
			}
			all = append(all, t)
		}
		r.Release()
	}
	return rows.Concat(all...)
}

func plainArrow(t testing.TB, tab rows.Table) []byte {
	t.Helper()
	var b bytes.Buffer
	rec := tab.Record(memory.DefaultAllocator)
	defer rec.Release()
	w := ipc.NewWriter(&b, ipc.WithSchema(rec.Schema()))
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
