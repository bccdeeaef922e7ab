package regress

import (
	"errors"
	"fmt"

	"proctor/metrics"
)

// Changes says of each row what became of it: -1 it broke, right under the
// baseline only; +1 it was fixed; 0 both were right or both wrong.
func (d *Diff) Changes() []int8 {
	if d.baseline == nil || d.candidate == nil {
		return nil
	}
	before, now := d.baseline.Labels(), d.candidate.Labels()
	out := make([]int8, len(before))
	for i, y := range d.baseline.Answers() {
		switch b, c := before[i] == y, now[i] == y; {
		case b && !c:
			out[i] = -1
		case c && !b:
			out[i] = 1
		}
	}
	return out
}

// Against pairs the diff's baseline with another candidate on the same rows.
func (d *Diff) Against(candidate *metrics.Frame) (*metrics.Pair, error) {
	if d.baseline == nil {
		return nil, errors.New("the diff has no baseline")
	}
	p, err := metrics.NewPair(d.baseline, candidate)
	if err != nil {
		return nil, fmt.Errorf("against: %w", err)
	}
	return p, nil
}
