package metrics

import (
	"fmt"
	"math"
)

// ReuseBounds say how far any estimate of a mean of numbers in [0, 1] can be from the
// truth, with probability 1-delta, after k questions to the same n rows. They count
// what the answers can have told, in bits.
type ReuseBounds struct {
	NonAdaptive  float64 // questions fixed beforehand: Hoeffding's bound over all, two-sided
	AdaptiveBits float64 // each answer one bit, pass or fail, seen before the next question
	Ladder       float64 // a Ladder of step 1/n that moved at most the given number of times
}

// BoundReuse computes them for n >= 1 rows, k >= 1 questions, delta in (0, 1) and
// moves in [0, k] of a Ladder. A bound of 1 or more promises nothing.
func BoundReuse(n, k int64, delta float64, moves int64) (ReuseBounds, error) {
	if err := checkLevel(delta); err != nil {
		return ReuseBounds{}, fmt.Errorf("reuse: %w", err)
	}
	if n < 1 || k < 1 || moves < 0 || moves > k {
		return ReuseBounds{}, fmt.Errorf("reuse: %d rows, %d questions, %d moves: need rows and questions at least 1, moves at most the questions", n, k, moves)
	}
	two := math.Ln2 - math.Log(delta)
	bound := func(nats float64) float64 { return math.Sqrt((nats + two) / (2 * float64(n))) }
	return ReuseBounds{
		NonAdaptive:  bound(math.Log(float64(k))),
		AdaptiveBits: bound(float64(float64(k) * math.Ln2)),
		Ladder:       bound(float64(float64(moves) * (math.Log1p(float64(k)) + math.Log(float64(n))))),
	}, nil
}

// TranscriptLevel is the level at which the run's limits are computed so that all
// limits together hold at level alpha, whatever the earlier results were: alpha over
// the results^(run-1) transcripts that can have been seen before. run counts from 1;
// results is how many answers a run can give, 3 for PASS, FAIL, INCONCLUSIVE.
//
// Each run's limits fail with probability alpha at most; a caller that wants that for
// all runs together divides alpha by their number too.
func TranscriptLevel(alpha float64, results, run int) (float64, error) {
	if err := checkLevel(alpha); err != nil {
		return 0, fmt.Errorf("reuse: %w", err)
	}
	if results < 1 || run < 1 {
		return 0, fmt.Errorf("reuse: run %d of %d possible results: need both at least 1", run, results)
	}
	level := alpha * math.Pow(float64(results), -float64(run-1))
	if level < math.SmallestNonzeroFloat64*0x1p52 {
		return 0, fmt.Errorf("reuse: run %d: the level is too small to compute with", run)
	}
	return level, nil
}
