package holdout

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"slices"

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

// blockSize returns the bytes of row r in a block.
func blockSize(cols []rows.Column, r int) int {
	n := 0
	for i := range cols {
		if c := &cols[i]; c.IsNumber() {
			n += 8
		} else {
			n += 4 + len(c.Strings[r])
		}
	}
	return n
}

// cut returns the number of rows of each chunk. It depends on the values only.
func cut(t rows.Table) ([]int, error) {
	var sizes []int
	cols, n, size := t.Columns(), 0, 0
	for r := range t.Len() {
		row := blockSize(cols, r)
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

// sealChunk encrypts rows for one place. It writes into buf's room and beyond it if
// need be.
func sealChunk(key cipher.AEAD, p place, t rows.Table, buf []byte) []byte {
	plain := t.AppendBlock(buf[:0])
	plain = slices.Grow(plain, key.Overhead()) // Seal would move all of it
	return key.Seal(plain[:0], p.nonce(), plain, p.associated())
}

// openChunk appends to b the rows that sealChunk encrypted for this very place. The
// block is in buf's room; it is returned for the next chunk.
func openChunk(key cipher.AEAD, p place, b *rows.Builder, sealed, buf []byte) ([]byte, error) {
	plain, err := key.Open(buf[:0], p.nonce(), sealed, p.associated())
	if err != nil {
		return buf, fmt.Errorf("%w: %s does not authenticate", ErrDigestMismatch, p)
	}
	if err := b.Append(plain, p.rows); err != nil {
		return buf, fmt.Errorf("%s: %w", p, err)
	}
	return plain, nil
}
