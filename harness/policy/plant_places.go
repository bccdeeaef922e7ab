package policy

import (
	"math"
	"slices"

	"proctor/metrics"
)

// places lists the subjects, in a fixed order.
func (p *planter) places() []place {
	var out []place
	if p.clearOverall("accuracy", -1) && p.before[len(p.before)-1] == rankHolds {
		a := place{kind: plantOverall, promised: p.promises("", "")}
		a.count(p.e.Diff.Pair.Cells())
		out = append(out, a)
	}
	for _, d := range p.dimensions() {
		groups, err := p.e.Diff.Pair.By(d)
		if err != nil {
			continue // nothing can be planted there; claims on it are undefined
		}
		for _, g := range groups {
			a := place{kind: plantSlice, dimension: d, value: g.Value, promised: p.promises(d, g.Value)}
			if d == metrics.ByClass {
				a.kind = plantClass
			}
			if a.count(g.Cells); a.n >= minPlantRows && p.clear(d, g.Value) {
				out = append(out, a)
			}
		}
	}
	for _, turn := range []string{sharper, flatter} {
		if p.brier != nil && p.clearOverall("brier", +1) {
			out = append(out, place{kind: plantCalibration, value: turn, promised: p.promisesBrier()})
		}
	}
	return append(out, p.tests()...)
}

func (a *place) count(c metrics.Cells) {
	a.n, a.right, a.net = c.N(), c.BothRight+c.Fixed, c.Broke-c.Fixed
}

// tests lists the tests of suites. A critical test is watched to its last case.
func (p *planter) tests() []place {
	var out []place
	for i, t := range p.e.Diff.Tests {
		if t.Test == nil {
			continue
		}
		a := place{kind: plantSuite, test: i, value: t.Suite + "/" + t.Test.Name, promised: math.Inf(1)}
		a.count(t.Cells)
		clear := true
		for k, h := range p.r.Hypotheses {
			if h.Suite == t.Suite && h.Test == t.Test.Name {
				clear = clear && p.before[k] == rankHolds
				if b := p.r.bounds(h); h.Judged && b.sign > 0 {
					a.promised = math.Min(a.promised, b.limit)
				}
			}
		}
		if t.Test.Critical {
			a.promised = 0
			clear = clear && p.before[len(p.effects)] == rankHolds
		}
		if clear && (a.n >= minPlantRows || t.Test.Critical) {
			out = append(out, a)
		}
	}
	return out
}

// dimensions lists where to plant: those of the policy and the true class, then
// every slice column and every two of them.
func (p *planter) dimensions() []string {
	out := p.r.Dimensions()
	add := func(name, turned string) {
		if len(out) < maxPlantDimensions && !slices.Contains(out, name) && !slices.Contains(out, turned) {
			out = append(out, name)
		}
	}
	columns := p.e.Candidate.Dimensions()
	for _, d := range columns {
		add(d.Name, d.Name)
	}
	for i, d := range columns {
		for _, f := range columns[i+1:] {
			add(d.Name+"*"+f.Name, f.Name+"*"+d.Name)
		}
	}
	return out
}

// promises returns the least loss of accuracy on a subject of its own from which
// some claim cannot hold: its estimate alone is then beyond what the limit must clear.
func (p *planter) promises(dimension, value string) float64 {
	least := math.Inf(1)
	for _, h := range p.r.Hypotheses {
		b := p.r.bounds(h)
		judged := h.Judged || h.Dimension == "" // all rows are judged however few
		if h.Suite == "" && h.Metric == "accuracy" && h.Dimension == dimension && h.Value == value && h.Pooled == nil && judged && b.sign < 0 {
			least = math.Min(least, b.limit)
		}
	}
	if a := p.r.Policy.Anchor; dimension == "" && a != nil && p.anchored() {
		least = math.Min(least, -a.ChangeAtLeastPP/100)
	}
	return least
}

func (p *planter) promisesBrier() float64 {
	least := math.Inf(1)
	for _, h := range p.r.Hypotheses {
		if b := p.r.bounds(h); h.Metric == "brier" && h.Dimension == "" && b.sign > 0 {
			least = math.Min(least, b.limit)
		}
	}
	return least
}

// clear says whether every claim that counts a slice's rows in its dimension holds.
func (p *planter) clear(dimension, value string) bool {
	for i, h := range p.r.Hypotheses {
		if h.Dimension == dimension && (h.Value == value || contains(h.Pooled, value)) && p.before[i] != rankHolds {
			return false
		}
	}
	return true
}

// clearOverall says whether every claim on a metric of all rows holds that a loss
// would hurt.
func (p *planter) clearOverall(metric string, sign float64) bool {
	for i, h := range p.r.Hypotheses {
		if h.Suite == "" && h.Dimension == "" && h.Metric == metric && p.r.bounds(h).sign == sign && p.before[i] != rankHolds {
			return false
		}
	}
	return true
}
