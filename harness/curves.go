package harness

import (
	"cmp"
	"fmt"
	"slices"

	"proctor/harness/policy"
	"proctor/harness/report"
	"proctor/metrics"
)

// curves counts what the page draws of both models. baseline is nil for a first model.
func curves(baseline, candidate *metrics.Frame) (*report.Curves, error) {
	c := &report.Curves{Confusion: confusion(baseline, candidate)}
	if candidate.Probs() == nil {
		return c, nil
	}
	s := &report.Scores{}
	if k := candidate.Positive(); k >= 0 {
		s.Of = candidate.Classes()[k]
	}
	var err error
	if s.Candidate, s.After, err = reliability(candidate); err != nil {
		return nil, err
	}
	if baseline != nil && baseline.Probs() != nil {
		s.Baseline, s.Before, err = reliability(baseline)
	}
	c.Scores = s
	return c, err
}

// reliability bins a model's scores by how often they came true, and counts how they lie.
func reliability(f *metrics.Frame) (bins []report.ReliabilityBin, lie []int64, err error) {
	c, err := f.Calibration()
	if err != nil {
		return nil, nil, err
	}
	all := c.EqualWidth(report.ReliabilityBins).All()
	for _, b := range all {
		bins = append(bins, report.ReliabilityBin{N: int64(b.N), Score: b.Confidence, Right: b.Right})
	}
	lie = make([]int64, report.ScoreBins)
	k, positive := len(f.Classes()), f.Positive()
	probs := f.Probs()
	for i := 0; i < len(probs); i += k {
		p := slices.Max(probs[i : i+k])
		if positive >= 0 {
			p = probs[i+positive]
		}
		lie[min(int(p*report.ScoreBins), report.ScoreBins-1)]++
	}
	return bins, lie, nil
}

// confusion counts rows by right and given answer. With many classes those whose
// rows changed least stand together.
func confusion(baseline, candidate *metrics.Frame) report.Confusion {
	names, after := candidate.Classes(), candidate.Confusion()
	var before [][]int64
	if baseline != nil {
		before = baseline.Confusion()
	}
	c := report.Confusion{Classes: names, Baseline: before, Candidate: after}
	if len(names) <= report.MaxConfusion {
		return c
	}
	own := changedMost(before, after)
	c.Others = len(names) - len(own)
	c.Classes = make([]string, 0, len(own)+1)
	at := make([]int, len(names))
	for i, name := range names {
		if at[i] = len(own); slices.Contains(own, i) {
			at[i] = len(c.Classes)
			c.Classes = append(c.Classes, name)
		}
	}
	c.Classes = append(c.Classes, "")
	c.Candidate = together(after, at, len(c.Classes))
	if before != nil {
		c.Baseline = together(before, at, len(c.Classes))
	}
	return c
}

// changedMost returns the classes, in their order, that are named alone: those whose
// rows got other answers most often, or the commonest where nothing was compared.
func changedMost(before, after [][]int64) []int {
	moved := make([]int64, len(after))
	for y, row := range after {
		for h, n := range row {
			if before != nil {
				n -= before[y][h]
			}
			moved[y] += max(n, -n)
		}
	}
	order := make([]int, len(after))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(moved[b], moved[a]) })
	own := order[:report.MaxConfusion-1]
	slices.Sort(own)
	return own
}

// together adds up the classes that have the same place. The last column stays that
// of no class.
func together(cells [][]int64, at []int, n int) [][]int64 {
	out := make([][]int64, n)
	for i := range out {
		out[i] = make([]int64, n+1)
	}
	for y, row := range cells {
		for h, count := range row {
			to := n
			if h < len(at) {
				to = at[h]
			}
			out[at[y]][to] += count
		}
	}
	return out
}

// sliceCosts says what the change costs the rows of each slice; nil where the policy
// names no costs.
func sliceCosts(rule *policy.Resolved, pair *metrics.Pair, list []report.Slice) ([]report.SliceCost, error) {
	costs := rule.Costs()
	if costs == nil {
		return nil, nil
	}
	var out []report.SliceCost
	for _, s := range list {
		p, err := pair.Where(s.Dimension, s.Value)
		if err != nil {
			return nil, fmt.Errorf("cost of slices: %w", err)
		}
		c, err := p.FlipCost(costs, rule.Policy.Confidence)
		if err != nil {
			return nil, fmt.Errorf("cost of slices: %w", err)
		}
		if c.Change.Undefined == "" {
			out = append(out, report.SliceCost{Dimension: s.Dimension, Value: s.Value, Change: c.Change.Value * float64(p.N())})
		}
	}
	return out, nil
}
