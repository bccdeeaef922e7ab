package metrics

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// wildNumbers are of every size that float64 has: tiny without a leading one, huge, zeros
// of both signs, and many near each other, as errors are.
func wildNumbers(rnd *rand.Rand, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		switch rnd.IntN(8) {
		case 0:
			for out[i] = math.NaN(); !(math.Abs(out[i]) <= math.MaxFloat64); {
				out[i] = math.Float64frombits(rnd.Uint64())
			}
		case 1:
			out[i] = math.Float64frombits(rnd.Uint64() &^ (0x7ff << 52)) // no leading one
		case 2:
			out[i] = math.Copysign(0, rnd.Float64()-.5)
		case 3:
			out[i] = math.Ldexp(rnd.NormFloat64(), rnd.IntN(160)-80)
		default:
			out[i] = rnd.NormFloat64()
		}
	}
	return out
}

// slowSum is the sum of products in the slow obvious way, in units of 2^leastBit.
func slowSum(products ...[]float64) *big.Int {
	total := new(big.Int)
	for i := range products[0] {
		term := big.NewInt(1)
		for _, x := range products {
			r := new(big.Rat).SetFloat64(x[i])
			r.Mul(r, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 1074)))
			term.Mul(term, r.Num())
		}
		total.Add(total, term.Lsh(term, uint(1074*(3-len(products)))))
	}
	return total
}

// TestExactSumIsThatOfBig: sums of numbers, products, squares and weighted squares are
// those of math/big, term by term and by block, whatever the sizes.
func TestExactSumIsThatOfBig(t *testing.T) {
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		x, w := wildNumbers(rnd, 1+rnd.IntN(200)), []float64(nil)
		if seed%3 == 0 { // near each other: the register takes nearly all
			for i := range x {
				x[i] = math.Ldexp(rnd.NormFloat64(), int(seed)-20)
			}
		}
		for _, v := range wildNumbers(rnd, len(x)) {
			w = append(w, math.Abs(v))
		}
		var one, product, square, ones, squares exactSum
		for i, v := range x {
			one.add(v)
			product.addProduct(w[i], v)
			square.addSquare(w[i], v)
		}
		ones.addBlock(x)
		squares.addSquares(x)
		for what, c := range map[string][2]*big.Int{
			"add": {one.big(), slowSum(x)}, "addBlock": {ones.big(), slowSum(x)}, "addProduct": {product.big(), slowSum(w, x)},
			"addSquares": {squares.big(), slowSum(x, x)}, "addSquare": {square.big(), slowSum(w, x, x)},
		} {
			if c[0].Cmp(c[1]) != 0 {
				t.Errorf("seed %d, %s: %v, want %v", seed, what, c[0], c[1])
			}
		}
	}
}

// TestExactSumAtItsEnds: the largest terms that there are, many of them, and the least.
func TestExactSumAtItsEnds(t *testing.T) {
	x := make([]float64, block)
	for i := range x {
		x[i] = math.MaxFloat64
	}
	for _, sign := range []float64{1, -1} {
		var s, u exactSum
		s.addBlock(x)
		for _, v := range x {
			u.addSquare(sign*v, v)
		}
		if s.big().Cmp(slowSum(x)) != 0 || new(big.Int).Abs(u.big()).Cmp(slowSum(x, x, x)) != 0 {
			t.Error("the sum of the largest is another")
		}
		if got := quotient(s.big(), whole(1)); !math.IsInf(got, 1) {
			t.Errorf("it is %v in float64", got)
		}
	}
	least := math.SmallestNonzeroFloat64
	var s exactSum
	s.addSquare(least, -least)
	if s.big().Cmp(big.NewInt(1)) != 0 {
		t.Errorf("the least product is %v", s.big())
	}
	s.add(math.Inf(-1))
	s.addBlock([]float64{1, math.NaN(), math.Inf(1)})
	s.addSquares([]float64{math.Inf(-1), 1})
	s.addProduct(0, math.Inf(1))
	s.addSquare(math.NaN(), 1)
	if s.infinites != 6 {
		t.Errorf("%d infinite terms", s.infinites)
	}
}

// TestExactSumAtTheEdgeOfTheRegister: the least exponents whose block still has one, with
// numbers beside them that have no leading one.
func TestExactSumAtTheEdgeOfTheRegister(t *testing.T) {
	for most := range 2 * window {
		x := []float64{math.Float64frombits(uint64(most)<<52 | 5), 5e-324, -0x1.8p-1030, math.Float64frombits(1 << 52)}
		var ones, squares exactSum
		ones.addBlock(x)
		squares.addSquares(x)
		if ones.big().Cmp(slowSum(x)) != 0 || squares.big().Cmp(slowSum(x, x)) != 0 {
			t.Errorf("exponent %d: another sum", most)
		}
	}
}

// TestExactSumOfManyProducts: full mantissas, so that every carry between words happens.
func TestExactSumOfManyProducts(t *testing.T) {
	rnd := rand.New(rand.NewPCG(21, 22))
	x, w := make([]float64, 20000), make([]float64, 20000)
	var s exactSum
	for i := range x {
		x[i], w[i] = 1+rnd.Float64(), 1+rnd.Float64()
		s.addSquare(w[i], x[i])
	}
	if s.big().Cmp(slowSum(w, x, x)) != 0 {
		t.Error("another sum")
	}
}

// TestExactSumCarries: chunks that are about to overflow are settled first.
func TestExactSumCarries(t *testing.T) {
	var s, once exactSum
	s.add(-3.75)
	for i := range s.chunks {
		s.chunks[i] *= 1 << 29 // as so many terms would leave it
	}
	s.waiting = maxWaiting - 1
	s.add(1)
	once.add(math.Ldexp(-3.75, 29))
	once.add(1)
	if s.waiting != 0 || s.big().Cmp(once.big()) != 0 {
		t.Errorf("%d waiting, sum %v, want %v", s.waiting, s.big(), once.big())
	}
	for i, c := range s.chunks[:sumChunks-1] {
		if c < 0 || c > math.MaxUint32 {
			t.Errorf("chunk %d is %d", i, c)
		}
	}
}

// TestExactSumHasNoOrder: any order and any cut of the terms leaves the same chunks. That
// of float64 does not: the control.
func TestExactSumHasNoOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 9))
	x := wildNumbers(rnd, 3000)
	for i, v := range x {
		x[i] = math.Ldexp(v, -80) // the control is not to overflow
	}
	var want exactSum
	want.addBlock(x)
	want.settle()
	naive, differ := sum(x), 0
	for range 20 {
		rnd.Shuffle(len(x), func(i, j int) { x[i], x[j] = x[j], x[i] })
		cut := rnd.IntN(len(x) + 1)
		var a, b exactSum
		a.addBlock(x[:cut])
		for _, v := range x[cut:] {
			b.add(v)
		}
		b.join(a)
		if b != want {
			t.Fatalf("cut at %d: another state", cut)
		}
		differ += oneIf(sum(x[:cut])+sum(x[cut:]) != naive)
	}
	if differ == 0 {
		t.Error("sums of float64 have no order either: the test cannot fail")
	}
}

// TestQuotientIsRoundedOnce: to nearest, ties to even, down to the least number.
func TestQuotientIsRoundedOnce(t *testing.T) {
	for what, c := range map[string][3]float64{
		"a third": {1, 3, 1. / 3}, "a tie": {1 + 0x1p-52, 2, .5 + 0x1p-53}, "negative": {-7, 10, -.7}, "zero": {0, 5, 0},
		"half of the least": {math.SmallestNonzeroFloat64, 2, 0}, "more than half": {3 * math.SmallestNonzeroFloat64, 4, math.SmallestNonzeroFloat64},
		"too large": {math.MaxFloat64, .5, math.Inf(1)},
	} {
		if got := quotient(whole(c[0]), whole(c[1])); got != c[2] {
			t.Errorf("%s: %v, want %v", what, got, c[2])
		}
	}
}

// FuzzExactSum: the sum of any bytes' numbers is that of math/big, in any cut.
func FuzzExactSum(f *testing.F) {
	rnd := rand.New(rand.NewPCG(1, 1))
	var seed []byte
	for _, v := range wildNumbers(rnd, 40) {
		seed = binary.LittleEndian.AppendUint64(seed, math.Float64bits(v))
	}
	f.Add(seed, uint(7))
	f.Fuzz(func(t *testing.T, b []byte, cut uint) {
		var x []float64
		for len(b) >= 8 && len(x) < 300 {
			v := math.Float64frombits(binary.LittleEndian.Uint64(b))
			b = b[8:]
			if math.Abs(v) <= math.MaxFloat64 {
				x = append(x, v)
			}
		}
		if len(x) == 0 {
			return
		}
		at := int(cut % uint(len(x)+1))
		var low, high, squares exactSum
		low.addBlock(x[:at])
		high.addBlock(x[at:])
		high.join(low)
		squares.addSquares(x)
		if high.big().Cmp(slowSum(x)) != 0 || squares.big().Cmp(slowSum(x, x)) != 0 {
			t.Fatalf("another sum of %v", x)
		}
	})
}
