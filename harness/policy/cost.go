package policy

import (
	"errors"
	"fmt"
	"slices"

	"proctor/harness/spell"
	"proctor/metrics"
)

// A Cost is what one wrong answer costs, in a unit of the owner's: given where the
// right answer is another class. What no Cost names costs 1. Costs weigh the flips
// of a report; they judge nothing.
type Cost struct {
	Answer string // the right class
	Given  string
	Cost   float64
}

const (
	maxCosts = 200
	maxCost  = 1e6
)

func costs(files []costFile) ([]Cost, error) {
	if files != nil && len(files) == 0 {
		return nil, errors.New("costs: the list is empty; leave the key out")
	}
	if len(files) > maxCosts {
		return nil, fmt.Errorf("costs: %d are listed; at most %d", len(files), maxCosts)
	}
	var out []Cost
	for i, f := range files {
		if f.Answer == nil || f.Given == nil || f.Cost == nil {
			return nil, fmt.Errorf("costs, entry %d: answer, given and cost are all needed", i+1)
		}
		c := Cost{*f.Answer, *f.Given, *f.Cost}
		switch {
		case c.Answer == c.Given:
			return nil, fmt.Errorf("costs, entry %d: %.80q is right where it is the answer, and that costs nothing", i+1, c.Given)
		case !(c.Cost >= 0 && c.Cost <= maxCost):
			return nil, fmt.Errorf("costs, entry %d: %s is not within 0 to %s", i+1, number(c.Cost), number(maxCost))
		case slices.ContainsFunc(out, func(d Cost) bool { return d.Answer == c.Answer && d.Given == c.Given }):
			return nil, fmt.Errorf("costs, entry %d: %.80q where the answer is %.80q is there twice", i+1, c.Given, c.Answer)
		}
		out = append(out, c)
	}
	return out, nil
}

// checkCosts refuses costs of classes that the set does not have.
func (r *Resolved) checkCosts() error {
	for _, c := range r.Policy.Costs {
		for _, class := range []string{c.Answer, c.Given} {
			if !slices.Contains(r.Holdout.Classes, class) {
				return fmt.Errorf("costs: set %s has no class %.80q%s", r.Holdout.Name, class, spell.Suggest(class, r.Holdout.Classes))
			}
		}
	}
	return nil
}

// Costs returns what each wrong answer costs on the set's classes; nil where the
// policy names no costs. An answer that is none of the classes costs as much as the
// worst that is one.
func (r *Resolved) Costs() metrics.Costs {
	if len(r.Policy.Costs) == 0 {
		return nil
	}
	k := len(r.Holdout.Classes)
	out := make(metrics.Costs, k)
	for y := range out {
		out[y] = make([]float64, k+1)
		for h := range k {
			if h != y {
				out[y][h] = 1
			}
		}
	}
	for _, c := range r.Policy.Costs {
		out[slices.Index(r.Holdout.Classes, c.Answer)][slices.Index(r.Holdout.Classes, c.Given)] = c.Cost
	}
	for y := range out {
		out[y][k] = slices.Max(out[y][:k])
	}
	return out
}
