package metrics

import (
	"math"
	"math/big"
	"math/bits"
)

// An exactSum adds numbers, and products of two or three of them, without rounding:
// any order and any grouping of the same terms gives the same state. The terms that were
// infinite or NaN are counted, and make the sum no number.
//
// It is Kulisch's fixed-point register over the whole range of such products, held as
// Neal's small superaccumulator is (Fast exact summation using small and large
// superaccumulators, 2015, arXiv:1505.05571): chunks that count 2^32 times the one below
// and have room for the carries of many terms.
type exactSum struct {
	chunks    [sumChunks]int64 // chunk i counts whole 2^(32 i + leastBit)
	waiting   int              // terms since carries were settled
	infinites int64
}

const (
	leastBit   = 3 * -1074 // exponent of the least bit of a product of three
	mostBit    = 3*1024 + 40
	chunkBits  = 32
	sumChunks  = (mostBit-leastBit)/chunkBits + 3 // the last one has the sign
	maxWaiting = 1 << 30                          // a term adds less than 2^32 to a chunk
)

// parts are the mantissa and the exponent of |x|, a whole number and that of its least
// bit less -1074; sign is -1 for negative x, else 0. It is not ok if x is infinite or NaN.
func parts(x float64) (mantissa uint64, exponent int, sign int64, ok bool) {
	b := math.Float64bits(x)
	exponent = int(b >> 52 & 0x7ff)
	mantissa = b & (1<<52 - 1)
	if exponent == 0 {
		return mantissa, 0, int64(b) >> 63, true
	}
	return mantissa | 1<<52, exponent - 1, int64(b) >> 63, exponent < 0x7ff
}

// add adds x.
func (s *exactSum) add(x float64) {
	m, e, sign, ok := parts(x)
	if !ok {
		s.infinites++
		return
	}
	e += 2 * 1074
	shift := uint(e % chunkBits)
	lo, hi := m<<shift, m>>(64-shift)
	c := (*[3]int64)(s.chunks[e/chunkBits:])
	c[0] += (int64(lo&math.MaxUint32) ^ sign) - sign
	c[1] += (int64(lo>>chunkBits) ^ sign) - sign
	c[2] += (int64(hi) ^ sign) - sign
	s.wait()
}

// addProduct adds x*y.
func (s *exactSum) addProduct(x, y float64) {
	m, e, sign, ok := parts(x)
	n, f, other, fine := parts(y)
	if !ok || !fine {
		s.infinites++
		return
	}
	hi, lo := bits.Mul64(m, n)
	s.addWide(lo, hi, 0, e+f+1074, sign^other)
}

// addSquare adds w*x*x.
func (s *exactSum) addSquare(w, x float64) {
	m, e, sign, ok := parts(w)
	n, f, _, fine := parts(x)
	if !ok || !fine {
		s.infinites++
		return
	}
	hi, lo := bits.Mul64(n, n)
	carry, low := bits.Mul64(lo, m)
	top, mid := bits.Mul64(hi, m)
	mid, carry = bits.Add64(mid, carry, 0)
	s.addWide(low, mid, top+carry, e+2*f, sign)
}

// addWide adds the whole number m2 m1 m0, of at most 161 bits, at the bit e from the
// least; sign is -1 to subtract it, else 0.
func (s *exactSum) addWide(m0, m1, m2 uint64, e int, sign int64) {
	shift := uint(e % chunkBits)
	m0, m1, m2 = m0<<shift, m1<<shift|m0>>(64-shift), m2<<shift|m1>>(64-shift)
	c := (*[6]int64)(s.chunks[e/chunkBits:])
	c[0] += (int64(m0&math.MaxUint32) ^ sign) - sign
	c[1] += (int64(m0>>chunkBits) ^ sign) - sign
	c[2] += (int64(m1&math.MaxUint32) ^ sign) - sign
	c[3] += (int64(m1>>chunkBits) ^ sign) - sign
	c[4] += (int64(m2&math.MaxUint32) ^ sign) - sign
	c[5] += (int64(m2>>chunkBits) ^ sign) - sign
	s.wait()
}

func (s *exactSum) wait() {
	if s.waiting++; s.waiting == maxWaiting {
		s.settle()
	}
}

// settle carries, after which equal sums have equal chunks: all but the last are in
// [0, 2^32).
func (s *exactSum) settle() {
	carry := int64(0)
	for i := range s.chunks[:sumChunks-1] {
		v := s.chunks[i] + carry
		s.chunks[i], carry = v&math.MaxUint32, v>>chunkBits
	}
	s.chunks[sumChunks-1] += carry
	s.waiting = 0
}

// join adds the terms of u.
func (s *exactSum) join(u exactSum) {
	s.settle()
	u.settle()
	for i := range s.chunks {
		s.chunks[i] += u.chunks[i]
	}
	s.settle()
	s.infinites += u.infinites
}

// big is the sum as a whole number of 2^leastBit, its infinite terms left out.
func (s exactSum) big() *big.Int {
	s.settle()
	var b [4 * (sumChunks - 1)]byte
	for i, c := range s.chunks[:sumChunks-1] {
		at := len(b) - 4*i
		b[at-1], b[at-2], b[at-3], b[at-4] = byte(c), byte(c>>8), byte(c>>16), byte(c>>24)
	}
	top := big.NewInt(s.chunks[sumChunks-1])
	return top.Add(top.Lsh(top, chunkBits*(sumChunks-1)), new(big.Int).SetBytes(b[:]))
}

// unitOfSums is 1 as the sums count it.
var unitOfSums = new(big.Int).Lsh(big.NewInt(1), -leastBit)

// whole is finite x as a whole number of 2^-1074.
func whole(x float64) *big.Int {
	m, e, sign, _ := parts(x)
	out := new(big.Int).SetUint64(m)
	out.Lsh(out, uint(e))
	if sign < 0 {
		out.Neg(out)
	}
	return out
}

// quotient is num/den rounded once, to nearest, ties to even; den is not 0. It is
// infinite beyond float64.
func quotient(num, den *big.Int) float64 {
	if num.Sign() == 0 {
		return 0
	}
	common := min(num.TrailingZeroBits(), den.TrailingZeroBits())
	num, den = new(big.Int).Rsh(num, common), new(big.Int).Rsh(den, common)
	x, _ := new(big.Rat).SetFrac(num, den).Float64()
	return x
}
