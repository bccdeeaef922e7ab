package metrics

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
)

// The files named reuse limit what repeated questions to one set of sealed rows give
// away, and say how many rows a number of questions needs.

// A Ladder answers submissions on one set of n sealed rows with the loss of the best
// one so far, and moves only for a submission that is better by more than chance, so
// that an attacker learns little from many (Blum and Hardt 2015). Losses are counts
// of wrong rows and every decision is made in exact integers: its authors' own
// example is a tie that floating point may break either way. Only [NewLadder] and
// [NewFixedLadder] make one; it keeps its leader, so that one Ladder serves one set
// for as long as the set lives.
type Ladder struct {
	n        int
	step     *big.Rat // of the released loss; nil: the parameter-free Ladder
	leader   []bool   // rows that the leader got wrong
	released *big.Rat // nil before the first submission
}

// NewLadder makes the parameter-free Ladder for n >= 2 rows: a submission leads if
// its loss is below the leader's by more than s/sqrt(n), where s is the standard
// deviation (n-1) of the rows' differences.
func NewLadder(n int) (*Ladder, error) {
	if n < 2 {
		return nil, fmt.Errorf("ladder: %d rows, need at least 2", n)
	}
	return &Ladder{n: n}, nil
}

// NewFixedLadder makes the Ladder that releases losses rounded to multiples of step
// in (0, 1], half to even, and only where they are below the last one by more than
// step. The step is taken as the decimal that it prints as: 0.05 is one twentieth.
func NewFixedLadder(n int, step float64) (*Ladder, error) {
	l, err := NewLadder(n)
	if err != nil {
		return nil, err
	}
	if !(step > 0 && step <= 1) {
		return nil, fmt.Errorf("ladder: step %v is not in (0, 1]", step)
	}
	var ok bool
	if l.step, ok = new(big.Rat).SetString(strconv.FormatFloat(step, 'g', -1, 64)); !ok {
		return nil, fmt.Errorf("ladder: step %v is no decimal", step)
	}
	return l, nil
}

// A Rung is the answer to a submission: the loss that is released, in [0, 1], and
// whether this submission moved it.
type Rung struct {
	Released float64
	Moved    bool
}

// Submit takes the rows that a submission got wrong, in the order of the set. The
// first submission moves. It is an error, and changes nothing, if the number of rows
// is another.
func (l *Ladder) Submit(wrong []bool) (Rung, error) {
	if l.n == 0 {
		return Rung{}, errors.New("ladder: the zero value has no rows")
	}
	if len(wrong) != l.n {
		return Rung{}, fmt.Errorf("ladder: %d rows, the set has %d", len(wrong), l.n)
	}
	loss := big.NewRat(int64(countTrue(wrong)), int64(l.n))
	moved := l.released == nil || l.better(wrong, loss)
	if moved {
		l.leader, l.released = append([]bool(nil), wrong...), loss
		if l.step != nil {
			l.released = roundTo(loss, l.step)
		}
	}
	f, _ := l.released.Float64()
	return Rung{f, moved}, nil
}

func (l *Ladder) better(wrong []bool, loss *big.Rat) bool {
	if l.step != nil {
		return new(big.Rat).Add(loss, l.step).Cmp(l.released) < 0
	}
	var fixed, broke int64
	for i, w := range wrong {
		switch {
		case l.leader[i] && !w:
			fixed++
		case w && !l.leader[i]:
			broke++
		}
	}
	return LadderMoves(broke, fixed, int64(l.n))
}

// LadderMoves is the parameter-free rule on paired counts: of n rows the submission
// breaks and fixes so many of the leader's. With D = fixed-broke and q = fixed+broke
// it moves where D > 0 and D^2 (n-1) > n q - D^2, which is D/n > s/sqrt(n) without a
// root or a fraction. Counts that cannot be do not move it.
func LadderMoves(broke, fixed, n int64) bool {
	if broke < 0 || fixed <= broke || fixed > n-broke {
		return false
	}
	d := big.NewInt(fixed - broke)
	d2 := new(big.Int).Mul(d, d) // past 2^63 from some 2 million rows on, with n
	left := new(big.Int).Mul(d2, big.NewInt(n-1))
	right := new(big.Int).Mul(big.NewInt(n), big.NewInt(fixed+broke))
	return left.Cmp(right.Sub(right, d2)) > 0
}

// roundTo is the multiple of step nearest to x >= 0, half to even.
func roundTo(x, step *big.Rat) *big.Rat {
	q := new(big.Rat).Quo(x, step)
	k, rest := new(big.Int).QuoRem(q.Num(), q.Denom(), new(big.Int))
	up := new(big.Int).Lsh(rest, 1).Cmp(q.Denom())
	if up > 0 || up == 0 && k.Bit(0) == 1 {
		k.Add(k, big.NewInt(1))
	}
	return new(big.Rat).Mul(new(big.Rat).SetInt(k), step)
}

func countTrue(x []bool) int {
	n := 0
	for _, b := range x {
		n += oneIf(b)
	}
	return n
}
