package metrics

import (
	"math"
	"math/big"
)

// possible says whether there are rows with this tally, as far as its parts can tell of
// each other.
func (t *RegressionTally) possible() bool {
	return t.possibleRows() && t.possibleBits() && t.possibleErrors() && t.possibleTruth()
}

func (t *RegressionTally) possibleRows() bool {
	end := int64(-1)
	for _, r := range t.rows {
		if r.from <= end || r.to <= r.from {
			return false
		}
		end = r.to
	}
	return len(t.rows) > 0 && t.negatives <= t.N()
}

// possibleBits says whether each sum is one of so many terms of float64: a multiple of
// the least product and no larger than the largest of them, not negative unless its
// terms are signed, and of infinite terms only where there can be some.
func (t *RegressionTally) possibleBits() bool {
	if t.weight.infinites > 0 || !t.weight.within(1, t.N()) || t.weight.big().Sign() < 0 {
		return false
	}
	for k := range regressionSums {
		s, factors := &t.sums[k], 1+oneIf(k.squared())+oneIf(t.weighted)
		signed := k == errorTerms || k == truthTerms
		if !s.within(factors, t.N()) || !signed && s.big().Sign() < 0 || s.infinites > t.N() {
			return false
		}
		if t.weight.big().Sign() == 0 && (s.big().Sign() != 0 || s.infinites > 0) {
			return false
		}
	}
	return true
}

// within says whether the sum is one of n products of so many numbers.
func (s *exactSum) within(factors int, n int64) bool {
	x := s.big()
	if x.Sign() == 0 {
		return true
	}
	most := new(big.Int).Lsh(big.NewInt(n), uint(1024*factors-leastBit))
	return int(x.TrailingZeroBits()) >= -leastBit-1074*factors && x.CmpAbs(most) < 0
}

// possibleErrors holds the sums of errors to each other and to the largest one.
func (t *RegressionTally) possibleErrors() bool {
	e, a, q := &t.sums[errorTerms], &t.sums[absoluteTerms], &t.sums[squareTerms]
	far := a.infinites > 0
	switch {
	case e.infinites != a.infinites || q.infinites != a.infinites || t.sums[ratioTerms].infinites < a.infinites:
		return false
	case !(t.worst >= 0) || math.Signbit(t.worst) || math.IsInf(t.worst, 0) != far:
		return false
	case e.big().CmpAbs(a.big()) > 0 || !t.spread(a, q):
		return false
	}
	if far {
		return true
	}
	top := whole(t.worst)
	return (a.big().Sign() == 0) == (t.worst == 0) &&
		atMost(a.big(), whole(1), top, t.weight.big()) && atMost(q.big(), whole(1), top, a.big())
}

// possibleTruth holds the other sums to what their terms can be.
func (t *RegressionTally) possibleTruth() bool {
	h, l := &t.sums[evenRatioTerms], &t.sums[logSquareTerms]
	if h.infinites+l.infinites+t.sums[truthTerms].infinites+t.sums[truthSquareTerms].infinites > 0 {
		return false
	}
	const mostLog = 710 // log1p of the largest float64 is below
	return t.spread(&t.sums[truthTerms], &t.sums[truthSquareTerms]) &&
		atMost(h.big(), big.NewInt(1), big.NewInt(2), t.weight.big()) &&
		atMost(l.big(), big.NewInt(1), big.NewInt(mostLog*mostLog), t.weight.big())
}

// spread says whether terms with this sum can have that sum of squares: Cauchy's
// inequality.
func (t *RegressionTally) spread(of, squares *exactSum) bool {
	return atMost(of.big(), of.big(), t.weight.big(), squares.big())
}

// atMost says whether a*b <= c*d.
func atMost(a, b, c, d *big.Int) bool {
	return new(big.Int).Mul(a, b).Cmp(new(big.Int).Mul(c, d)) <= 0
}
