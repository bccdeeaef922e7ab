package metrics

import (
	"fmt"
	"math"
)

// A Hedge bets on a stream of numbers in [0, 1] that their mean is not m: a share
// theta of a capital of 1 on a higher mean, the rest on a lower one. While the mean
// is m the capital is, as a whole, no larger than fair, so it reaches 1/alpha,
// ever, with probability alpha at most. Only [NewHedge] makes one (Waudby-Smith and
// Ramdas 2023, section 4.4).
type Hedge struct {
	bets
	up, down wager
	best     float64 // the largest log capital so far
}

// NewHedge starts a bet against the mean m in (0, 1). The stakes are set for level
// alpha in (0, 1); theta is in [0, 1], 1/2 favours neither side.
func NewHedge(m, alpha, theta float64) (*Hedge, error) {
	if err := checkLevel(alpha); err != nil {
		return nil, err
	}
	if !(m > 0 && m < 1) || !(theta >= 0 && theta <= 1) {
		return nil, fmt.Errorf("hedge: mean %v is not in (0, 1), or share %v not in [0, 1]", m, theta)
	}
	up, down := newWagers(m, theta)
	return &Hedge{bets: bets{level: alpha / 2}, up: up, down: down}, nil
}

// A wager is the log capital on one side of a mean.
type wager struct{ m, side, most, log float64 }

// newWagers stakes on each side at most half of what the worst number would take.
func newWagers(m, theta float64) (up, down wager) {
	return wager{m, 1, 0.5 / m, math.Log(theta)}, wager{m, -1, 0.5 / (1 - m), math.Log1p(-theta)}
}

func (w *wager) bet(stake, x float64) {
	w.log += math.Log1p(w.side * math.Min(w.most, stake) * (x - w.m))
}

// Add takes the next number. It is an error, and changes nothing, if it is outside
// [0, 1].
func (h *Hedge) Add(x float64) error {
	if err := checkUnit(x); err != nil {
		return err
	}
	if h.level == 0 {
		return errNoStream
	}
	stake := h.stake()
	h.up.bet(stake, x)
	h.down.bet(stake, x)
	h.add(x)
	h.best = math.Max(h.best, h.LogCapital())
	return nil
}

// LogCapital is ln of the larger of the two sides' capital.
func (h *Hedge) LogCapital() float64 { return math.Max(h.up.log, h.down.log) }

// P is the always-valid p-value of "the mean is m": 1 over the largest capital so far.
func (h *Hedge) P() float64 { return AlwaysValidP(h.best) }

// AlwaysValidP is the p-value min(1, 1/wealth) of the largest wealth that a
// supermartingale has reached so far, given its logarithm. It may be looked at after
// every row. NaN is no evidence: its p-value is 1.
func AlwaysValidP(logWealth float64) float64 {
	if !(logWealth > 0) {
		return 1
	}
	return math.Exp(-logWealth)
}

const methodHedged = "hedged betting confidence sequence"

// A HedgedSequence estimates the mean of a stream of numbers in [0, 1], each with
// the same mean given those before it, with an interval that covers at all times at
// once: the means against which no [Hedge] has won. A number costs one step a point
// of its grid. Only [NewHedgedSequence] makes one.
type HedgedSequence struct {
	bets
	alpha    float64
	wagers   [][2]wager // at the means 1/grid to (grid-1)/grid
	low, end int        // the means not excluded: wagers[low:end]
}

// NewHedgedSequence starts at level alpha in (0, 1). The interval's ends are rounded
// outwards to 1/grid; grid is in [2, 100,000].
func NewHedgedSequence(alpha float64, grid int) (*HedgedSequence, error) {
	if err := checkLevel(alpha); err != nil {
		return nil, err
	}
	if grid < 2 || grid > 100_000 {
		return nil, fmt.Errorf("hedged sequence: a grid of %d, need 2 to 100000", grid)
	}
	s := &HedgedSequence{bets: bets{level: alpha / 2}, alpha: alpha, wagers: make([][2]wager, grid-1), end: grid - 1}
	for i := range s.wagers {
		up, down := newWagers(float64(i+1)/float64(grid), 0.5)
		s.wagers[i] = [2]wager{up, down}
	}
	return s, nil
}

// Add takes the next number. It is an error, and changes nothing, if it is outside
// [0, 1].
func (s *HedgedSequence) Add(x float64) error {
	if err := checkUnit(x); err != nil {
		return err
	}
	if s.wagers == nil {
		return errNoStream
	}
	stake := s.stake()
	for i := s.low; i < s.end; i++ {
		s.wagers[i][0].bet(stake, x)
		s.wagers[i][1].bet(stake, x)
	}
	s.add(x)
	for s.low < s.end && s.lost(s.low, 0) {
		s.low++
	}
	for s.end > s.low && s.lost(s.end-1, 1) {
		s.end--
	}
	return nil
}

// lost tells whether the wager on one side of mean i has won. Where a mean has lost
// to a higher one, so has every mean below it; and so downwards.
func (s *HedgedSequence) lost(i, side int) bool { return s.wagers[i][side].log >= -math.Log(s.alpha) }

// Estimate is the mean of the numbers so far with the interval of all moments up to
// now. It is undefined before the first number, and where the mean lies outside the
// interval: then the numbers have not one mean.
func (s *HedgedSequence) Estimate() Estimate {
	if s.t == 0 {
		return undefined("no number yet", 0)
	}
	cells := float64(len(s.wagers) + 1)
	e := Estimate{
		Value: s.sum / s.t, N: int64(s.t), Interval: true, Confidence: 1 - s.alpha, Method: methodHedged,
		Low: float64(s.low) / cells, High: float64(s.end+1) / cells,
	}
	if e.Value < e.Low || e.Value > e.High {
		return undefined("the mean has drifted out of its own interval", e.N)
	}
	return e
}
