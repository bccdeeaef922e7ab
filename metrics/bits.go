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
	var t rightCounts
	i := 0
	for ; i+32 <= len(baseline); i += 32 { // four words at a time halve the time
		b, c, s := (*[32]byte)(baseline[i:]), (*[32]byte)(candidate[i:]), (*[32]byte)(same[i:])
		t.add(b[0:], c[0:], s[0:])
		t.add(b[8:], c[8:], s[8:])
		t.add(b[16:], c[16:], s[16:])
		t.add(b[24:], c[24:], s[24:])
	}
	for ; i+8 <= len(baseline); i += 8 {
		t.add(baseline[i:], candidate[i:], same[i:])
	}
	return Cells{
		BothRight: int64(t.both), Broke: int64(t.baseline - t.both), Fixed: int64(t.candidate - t.both),
		SameWrong: int64(t.sameWrong), OtherWrong: int64(n - t.baseline - t.candidate + t.both - t.sameWrong),
	}
}

// rightCounts are rows that one, the other and both models have right, and those
// that both have wrong alike.
type rightCounts struct{ both, baseline, candidate, sameWrong int }

// add counts a word of 64 rows.
func (t *rightCounts) add(baseline, candidate, same []byte) {
	b, c, s := binary.LittleEndian.Uint64(baseline), binary.LittleEndian.Uint64(candidate), binary.LittleEndian.Uint64(same)
	t.both += bits.OnesCount64(b & c)
	t.baseline += bits.OnesCount64(b)
	t.candidate += bits.OnesCount64(c)
	t.sameWrong += bits.OnesCount64(s &^ b)
}
