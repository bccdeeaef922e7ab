package metrics

import (
	"math"
	"math/bits"
)

// A block of terms of nearly one size is added in a register first: a whole number that
// begins window bits below the largest term. What is smaller goes to the chunks. Both are
// exact, so that it is seen in the time alone.
const window = 60

// addBlock adds at most [block] terms.
func (s *exactSum) addBlock(x []float64) {
	base, ok := windowBelow(x, window)
	if !ok {
		for _, v := range x {
			s.add(v)
		}
		return
	}
	var hi, lo, carry uint64 // below 2^(53 + window) * block in size
	for _, v := range x {
		b := math.Float64bits(v)
		shift := uint(int(b>>52&0x7ff) - base)
		if shift > window {
			s.add(v)
			continue
		}
		m, sign := b&(1<<52-1)|1<<52, uint64(int64(b)>>63)
		lo, carry = bits.Add64(lo, m<<(shift&63)^sign, sign&1)
		hi, _ = bits.Add64(hi, m>>1>>((63-shift)&63)^sign, carry)
	}
	sign := uint64(int64(hi) >> 63)
	lo, carry = bits.Add64(lo^sign, 0, sign&1)
	s.addWide(lo, hi^sign+carry, 0, base-1+2*1074, int64(sign))
}

// addSquares adds the squares of at most [block] numbers.
func (s *exactSum) addSquares(x []float64) {
	base, ok := windowBelow(x, window/2)
	if !ok {
		for _, v := range x {
			s.addProduct(v, v)
		}
		return
	}
	var w0, w1, w2, carry uint64 // below 2^(106 + window) * block
	for _, v := range x {
		b := math.Float64bits(v)
		shift := uint(int(b>>52&0x7ff)-base) * 2
		if shift > window {
			s.addProduct(v, v)
			continue
		}
		m := b&(1<<52-1) | 1<<52
		hi, lo := bits.Mul64(m, m)
		w0, carry = bits.Add64(w0, lo<<(shift&63), 0)
		w1, carry = bits.Add64(w1, hi<<(shift&63)|lo>>1>>((63-shift)&63), carry)
		w2, _ = bits.Add64(w2, hi>>1>>((63-shift)&63), carry)
	}
	e := 2*(base-1) + 1074
	s.addWide(w0, w1, 0, e, 0)
	s.addWide(w2, 0, 0, e+128, 0)
}

// windowBelow is the exponent, in the bits of float64, from which on terms are added in
// a register. It is not ok where terms are infinite, NaN, or so small that some have no
// leading one.
func windowBelow(x []float64, below int) (base int, ok bool) {
	most := uint64(0)
	for _, v := range x {
		most = max(most, math.Float64bits(v)&^(1<<63))
	}
	base = int(most>>52) - below
	return base, base >= 1 && most>>52 < 0x7ff
}
