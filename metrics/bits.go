package metrics

import (
	"encoding/binary"
	"math/bits"
)

// Bitmaps hold one bit a row, low bit first as Arrow has it, in whole words of 8
// bytes. Bits past the last row are 0.

// bytesFor returns the bytes of a bitmap of n rows.
func bytesFor(n int) int { return (n + 63) / 64 * 8 }

// equalBits sets each bit of dst to whether x and y agree on that row.
func equalBits(dst []byte, x, y []int32) {
	y = y[:len(x)]
	for w := 0; w < len(x); w += 64 {
		var word uint64
		for j := range min(64, len(x)-w) {
			if x[w+j] == y[w+j] {
				word |= 1 << j
			}
		}
		binary.LittleEndian.PutUint64(dst[w/8:], word)
	}
}

// gatherBits returns the bits of the given rows.
func gatherBits(src []byte, rows []int) []byte {
	dst := make([]byte, bytesFor(len(rows)))
	for i, r := range rows {
		dst[i/8] |= (src[r/8] >> (r % 8) & 1) << (i % 8)
	}
	return dst
}

func bit(bitmap []byte, i int) bool { return bitmap[i/8]>>(i%8)&1 == 1 }

// countCells counts n rows by who is right and whether both say the same.
func countCells(baseline, candidate, same []byte, n int) Cells {
	var both, broke, fixed, sameWrong int
	for i := 0; i+8 <= len(baseline); i += 8 {
		b := binary.LittleEndian.Uint64(baseline[i:])
		c := binary.LittleEndian.Uint64(candidate[i:])
		s := binary.LittleEndian.Uint64(same[i:])
		both += bits.OnesCount64(b & c)
		broke += bits.OnesCount64(b &^ c)
		fixed += bits.OnesCount64(c &^ b)
		sameWrong += bits.OnesCount64(s &^ b)
	}
	return Cells{
		BothRight: int64(both), Broke: int64(broke), Fixed: int64(fixed),
		SameWrong: int64(sameWrong), OtherWrong: int64(n - both - broke - fixed - sameWrong),
	}
}
