package holdout

import (
	"bytes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"proctor/holdout/rows"
)

// chunkTarget is the size, in bytes of values, at which a chunk is cut.
const chunkTarget = 1 << 20

// maxRow is the largest row that is sealed: one chunk must hold it.
const maxRow = 64 << 20

// A place is where a chunk belongs. All of it is in the associated data, so that
// a chunk opens at its own place only.
type place struct {
	set      string
	version  int
	part     string
	index    int
	count    int // chunks of the part
	firstRow int
	rows     int
}

func (p place) String() string {
	return fmt.Sprintf("part %s, chunk %d of %d (rows %d to %d)", p.part, p.index+1, p.count, p.firstRow+1, p.firstRow+p.rows)
}

func (p place) associated() []byte {
	var b []byte
	for _, s := range []string{format, p.set, p.part} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	for _, n := range []int{p.version, p.index, p.count, p.firstRow, p.rows} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return b
}

// nonce is the chunk's index: each part of each version has a key of its own, so
// a key sees every index once.
func (p place) nonce() []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 4, 12), uint64(p.index))
}

// partKey derives the key of one part's chunks from the data key.
func partKey(dek []byte, part string) cipher.AEAD {
	return newGCM(derive(dek, "proctor/holdout/1/chunk/"+part))
}

// cut returns the number of rows of each chunk. It depends on the values only.
func cut(t rows.Table) ([]int, error) {
	fixed := 0
	var texts [][]string
	for _, c := range t.Columns() {
		if c.IsNumber() {
			fixed += 8
		} else {
			fixed += 4
			texts = append(texts, c.Strings)
		}
	}
	var sizes []int
	n, size := 0, 0
	for r := range t.Len() {
		row := fixed
		for _, c := range texts {
			row += len(c[r])
		}
		if row > maxRow {
			return nil, fmt.Errorf("row %d holds %d bytes; at most %d", r+1, row, maxRow)
		}
		if n > 0 && size+row > chunkTarget {
			sizes, n, size = append(sizes, n), 0, 0
		}
		n, size = n+1, size+row
	}
	if n > 0 {
		sizes = append(sizes, n)
	}
	return sizes, nil
}

// sealChunk encrypts rows for one place.
func sealChunk(key cipher.AEAD, p place, t rows.Table) ([]byte, error) {
	var plain bytes.Buffer
	plain.Grow(chunkTarget + chunkTarget/4)
	rec := t.Record(memory.DefaultAllocator)
	defer rec.Release()
	w := ipc.NewWriter(&plain, ipc.WithSchema(rec.Schema()))
	if err := errors.Join(w.Write(rec), w.Close()); err != nil {
		return nil, err
	}
	out := make([]byte, 0, plain.Len()+key.Overhead()) // Seal grows by little steps otherwise
	return key.Seal(out, p.nonce(), plain.Bytes(), p.associated()), nil
}

// openChunk returns the rows that sealChunk encrypted for this very place. Arrow
// bytes are decoded only once they are known to be our own: decoding a stranger's
// could end the process.
func openChunk(key cipher.AEAD, p place, fields []rows.Field, sealed []byte) (rows.Table, error) {
	plain, err := key.Open(sealed[:0:0], p.nonce(), sealed, p.associated())
	if err != nil {
		return rows.Table{}, fmt.Errorf("%w: %s does not authenticate", ErrDigestMismatch, p)
	}
	r, err := ipc.NewReader(bytes.NewReader(plain))
	if err != nil {
		return rows.Table{}, fmt.Errorf("%s: %w", p, err)
	}
	defer r.Release()
	if !r.Next() {
		return rows.Table{}, fmt.Errorf("%s: no rows inside", p)
	}
	t, err := rows.FromRecord(r.Record())
	if err == nil {
		err = t.SameFields(fields)
	}
	if err == nil && t.Len() != p.rows {
		err = fmt.Errorf("%d rows inside", t.Len())
	}
	if err == nil && r.Next() {
		err = errors.New("a second record inside")
	}
	if err != nil {
		return rows.Table{}, fmt.Errorf("%s: %w", p, err)
	}
	return t, nil
}
