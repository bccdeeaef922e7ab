package metrics

import (
	"errors"
	"fmt"
	"math"
)

// bets sets the stakes of a stream of numbers in [0, 1]: larger the less the
// numbers have varied so far, and never by what comes next.
type bets struct {
	level        float64
	t            float64 // numbers seen
	sum, squares float64 // of the numbers, and of their distances from the running means
}

// stake is what to bet on the next number (Waudby-Smith and Ramdas 2023, equation 15).
func (b *bets) stake() float64 {
	variance := (0.25 + b.squares) / (b.t + 1)
	return math.Sqrt(-2 * math.Log(b.level) / ((b.t + 1) * math.Log(b.t+2) * variance))
}

func (b *bets) add(x float64) {
	b.t++
	b.sum += x
	mean := (0.5 + b.sum) / (b.t + 1)
	b.squares += float64((x - mean) * (x - mean))
}

func checkUnit(x float64) error {
	if !(x >= 0 && x <= 1) {
		return fmt.Errorf("a number of the stream is %v, not in [0, 1]", x)
	}
	return nil
}

var errNoStream = errors.New("stream: the zero value is none")

const methodEmpiricalBernstein = "predictable-mixture empirical Bernstein confidence sequence"

// An EmpiricalBernstein estimates the mean of a stream of numbers in [0, 1], each
// with the same mean given those before it, with an interval that covers at all
// times at once. In closed form, a few operations a number; [Hedge] is tighter.
// Only [NewEmpiricalBernstein] makes one (Waudby-Smith and Ramdas 2023, theorem 2).
type EmpiricalBernstein struct {
	bets
	alpha            float64
	stakes, staked   float64 // sum of stakes, and of stakes times numbers
	lost, lostMirror float64 // what the numbers' and 1-numbers' spread costs
	last             float64
}

// NewEmpiricalBernstein starts at level alpha in (0, 1), half of it for each side.
func NewEmpiricalBernstein(alpha float64) (*EmpiricalBernstein, error) {
	if err := checkLevel(alpha); err != nil {
		return nil, err
	}
	return &EmpiricalBernstein{alpha: alpha, bets: bets{level: alpha / 2}}, nil
}

// Add takes the next number. It is an error, and changes nothing, if it is outside
// [0, 1].
func (e *EmpiricalBernstein) Add(x float64) error {
	if err := checkUnit(x); err != nil {
		return err
	}
	if e.alpha == 0 {
		return errNoStream
	}
	mean, mirror := 0.0, 0.0
	if e.t > 0 {
		mean = e.sum / e.t
		mirror = 1 - mean
	}
	e.last = math.Min(0.5, e.stake())
	psi := -math.Log1p(-e.last) - e.last
	e.stakes += e.last
	e.staked += float64(e.last * x)
	e.lost += float64(psi * (x - mean) * (x - mean))
	e.lostMirror += float64(psi * (1 - x - mirror) * (1 - x - mirror))
	e.add(x)
	return nil
}

// Estimate is the weighted mean of the numbers so far, in [0, 1], with the interval
// of this moment; the interval of an earlier one holds too. It is undefined before
// the first number.
func (e *EmpiricalBernstein) Estimate() Estimate {
	if e.t == 0 {
		return undefined("no number yet", 0)
	}
	cost, mean := -math.Log(e.level), e.staked/e.stakes
	return Estimate{
		Value: mean, N: int64(e.t), Interval: true, Confidence: 1 - e.alpha, Method: methodEmpiricalBernstein,
		Low: math.Max(0, mean-(cost+e.lost)/e.stakes), High: math.Min(1, mean+(cost+e.lostMirror)/e.stakes),
	}
}
