package holdout

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"

	"proctor/holdout/rows"
)

// A blur shows rows as near copies show them: it leaves out upper case, outer space
// and noise of a billionth. Numbers become text, so that it does
// not matter how a column was declared.
type blur struct {
	cols []rows.Column
	tiny []float64 // per column: what counts as no difference from a whole number
}

func newBlur(t rows.Table) blur {
	b := blur{cols: t.Columns()}
	for _, c := range b.cols {
		most := 0.0
		for _, v := range c.Floats {
			most = max(most, math.Abs(v))
		}
		tiny := 1e-8
		if most > 0 && most < 1 { // a column of small numbers has small noise
			tiny *= math.Pow(10, math.Ceil(math.Log10(most)))
		}
		b.tiny = append(b.tiny, tiny)
	}
	return b
}

// cell appends the blurred value of one column of a row, with its length before it.
func (b blur) cell(dst []byte, col, r int) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	if c := b.cols[col]; c.IsNumber() {
		dst = strconv.AppendFloat(dst, steady(c.Floats[r], b.tiny[col]), 'g', -1, 64)
	} else {
		dst = append(dst, strings.ToLower(strings.TrimSpace(c.Strings[r]))...)
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// steady returns the whole number that v nearly is, so that large identifiers stay
// apart, and otherwise v to 20 binary digits. Noise of a billionth of v changes the
// result once in a thousand values.
func steady(v, tiny float64) float64 {
	if whole := math.Round(v); math.Abs(v-whole) <= max(tiny, math.Abs(v)/(1<<27)) {
		return whole + 0
	}
	m, exp := math.Frexp(v)
	return math.Ldexp(math.Round(m*(1<<20)), exp-20)
}

// nearKeys returns a key for each row; near copies share it. Tables of the same
// columns, concatenated, are compared with each other too.
func nearKeys(t rows.Table) [][16]byte {
	b := newBlur(t)
	keys := make([][16]byte, t.Len())
	var buf []byte
	for r := range keys {
		buf = buf[:0]
		for i := range b.cols {
			buf = b.cell(buf, i, r)
		}
		sum := sha256.Sum256(buf)
		keys[r] = [16]byte(sum[:16])
	}
	return keys
}

// A mixer gives each row one form whatever its columns are called and however they
// are ordered: the blurred values, sorted. Columns of a single value say nothing of
// a row and are left out.
type mixer struct {
	blur
	use   []int
	cells []byte
	ends  []int
	order []int
}

func newMixer(t rows.Table) *mixer {
	m := &mixer{blur: newBlur(t)}
	for i, c := range m.cols {
		varies := false
		for r := 1; r < c.Len() && !varies; r++ {
			varies = c.IsNumber() && c.Floats[r] != c.Floats[0] || !c.IsNumber() && c.Strings[r] != c.Strings[0]
		}
		if varies || c.Len() == 1 {
			m.use = append(m.use, i)
		}
	}
	return m
}

// row appends the form of row r.
func (m *mixer) row(dst []byte, r int) []byte {
	m.cells, m.ends, m.order = m.cells[:0], append(m.ends[:0], 0), m.order[:0]
	for k, i := range m.use {
		m.cells = m.cell(m.cells, i, r)
		m.ends, m.order = append(m.ends, len(m.cells)), append(m.order, k)
	}
	value := func(k int) []byte { return m.cells[m.ends[k]:m.ends[k+1]] }
	slices.SortFunc(m.order, func(a, b int) int { return slices.Compare(value(a), value(b)) })
	for _, k := range m.order {
		dst = append(dst, value(k)...)
	}
	return dst
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
