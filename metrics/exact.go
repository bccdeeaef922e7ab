package metrics

import (
	"math"
	"math/big"
	"math/bits"
)

// A wide is a whole number in three words of two's complement, low word first.
// Sums of whole numbers do not depend on their order, so that parts of the rows
// add up to all of them bit for bit; sums of float64 do not. It holds 2^64
// products of two int64.
type wide [3]uint64

func (w *wide) add(x int64) { w.add128(uint64(x>>63), uint64(x)) }

// addProduct adds x*y.
func (w *wide) addProduct(x, y int64) {
	hi, lo := bits.Mul64(uint64(x), uint64(y))
	w.add128(hi-(uint64(x>>63)&uint64(y)+uint64(y>>63)&uint64(x)), lo)
}

func (w *wide) add128(hi, lo uint64) { w.join(wide{lo, hi, uint64(int64(hi) >> 63)}) }

// join adds v.
func (w *wide) join(v wide) {
	var carry uint64
	w[0], carry = bits.Add64(w[0], v[0], 0)
	w[1], carry = bits.Add64(w[1], v[1], carry)
	w[2], _ = bits.Add64(w[2], v[2], carry)
}

func (w wide) big() *big.Int {
	x := big.NewInt(int64(w[2]))
	for _, word := range []uint64{w[1], w[0]} {
		x.Or(x.Lsh(x, 64), new(big.Int).SetUint64(word))
	}
	return x
}

// A fixedPoint is the size of a row's loss or residual in fixed point: the row's float64 is
// rounded to a whole number of 2^-u once, and from there on nothing is rounded.
type fixedPoint int

// fixed is x as a whole number of units. |x| is at most 2^(62-u).
func (u fixedPoint) fixed(x float64) int64 {
	one := math.Float64frombits(uint64(1023+u) << 52) // 2^u
	return int64(math.RoundToEven(one * x))
}

// float is a sum of products of so many fixed numbers, of which there are n.
func (u fixedPoint) float(x *big.Int, factors int, n float64) float64 {
	f, _ := new(big.Float).SetInt(x).Float64()
	return math.Ldexp(f/n, -factors*int(u))
}

// moments are the sums of a number of the baseline and one of the candidate over
// rows, and those of their squares and products: all that the means, their
// difference and the paired standard errors need. They are exact.
type moments struct {
	n          int64
	b, c       wide
	bb, bc, cc wide
}

func (m *moments) add(b, c int64) {
	m.n++
	m.b.add(b)
	m.c.add(c)
	m.bb.addProduct(b, b)
	m.bc.addProduct(b, c)
	m.cc.addProduct(c, c)
}

func (m *moments) join(o moments) {
	m.n += o.n
	m.b.join(o.b)
	m.c.join(o.c)
	m.bb.join(o.bb)
	m.bc.join(o.bc)
	m.cc.join(o.cc)
}

// deviations are n times the sum of squares about the mean, of sums over n rows.
func deviations(n int64, sum, squares *big.Int) *big.Int {
	d := new(big.Int).Mul(big.NewInt(n), squares)
	return d.Sub(d, new(big.Int).Mul(sum, sum))
}

// change are the sums of the differences, candidate - baseline, and of their squares.
func (m *moments) change() (sum, squares *big.Int) {
	sum = m.c.big()
	squares = m.cc.big()
	squares.Add(squares, m.bb.big()).Sub(squares, new(big.Int).Lsh(m.bc.big(), 1))
	return sum.Sub(sum, m.b.big()), squares
}
