package holdout

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strings"

	"proctor/holdout/rows"
)

// nearKeys returns a key for each row; rows that differ only in case, outer space
// or noise below a billionth of a column's largest number share it.
func nearKeys(t rows.Table) [][16]byte {
	cols := t.Columns()
	step := make([]float64, len(cols))
	for i, c := range cols {
		for _, v := range c.Floats {
			step[i] = max(step[i], math.Abs(v))
		}
		step[i] *= 1.0 / (1 << 29)
	}
	keys := make([][16]byte, t.Len())
	var b []byte
	for r := range keys {
		b = b[:0]
		for i, c := range cols {
			if c.IsNumber() {
				b = binary.BigEndian.AppendUint64(b, math.Float64bits(near(c.Floats[r], step[i])+0))
			} else {
				s := strings.ToLower(strings.TrimSpace(c.Strings[r]))
				b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
				b = append(b, s...)
			}
		}
		sum := sha256.Sum256(b)
		keys[r] = [16]byte(sum[:16])
	}
	return keys
}

// near returns the whole number within a step of v, so that large identifiers stay
// apart, and otherwise the nearest multiple of step.
func near(v, step float64) float64 {
	if whole := math.Round(v); step == 0 || math.Abs(v-whole) <= step {
		return whole
	}
	return math.Round(v/step) * step
}

// countRepeats counts rows that repeat an earlier row, exactly or nearly, and
// gives the first of them and the row that it repeats, counted from 1.
func countRepeats(t rows.Table) (n, first, of int) {
	seen := make(map[[16]byte]int, t.Len())
	for r, k := range nearKeys(t) {
		if earlier, ok := seen[k]; !ok {
			seen[k] = r
		} else if n++; n == 1 {
			first, of = r+1, earlier+1
		}
	}
	return n, first, of
}
