package metrics

import (
	"math"
	"math/big"
	"slices"
)

// possible says whether there are rows with this tally, as far as its parts can tell
// of each other.
func (t *Tally) possible() bool {
	n := t.N()
	ok := n >= 0 && len(t.classes) >= 2 && distinct(t.classes) == nil && !(t.alone && t.probs[0]) && t.cells.N() == n
	if t.alone {
		ok = ok && t.cells.Discordant() == 0 && t.cells.OtherWrong == 0 && len(t.dimensions) == 0
	}
	var names []string
	for _, g := range t.dimensions {
		names = append(names, g.name)
		var all Cells
		for _, c := range g.cells {
			all = all.Add(c)
		}
		ok = ok && all == t.cells && distinctValues(g.values)
	}
	ok = ok && distinct(names) == nil
	if t.families&labelFamily != 0 {
		ok = ok && t.possibleLabels()
	}
	return ok && t.possibleSums() && (t.families&rankFamily == 0 || t.ranks.possible())
}

func distinctValues(values []string) bool {
	seen := make(map[string]bool, len(values))
	for _, v := range values {
		if seen[v] {
			return false
		}
		seen[v] = true
	}
	return true
}

func (t *Tally) possibleLabels() bool {
	for i, c := range t.labels {
		if i > 0 && t.labels[i-1].compare(c) >= 0 || t.alone && c.baseline != c.candidate {
			return false
		}
	}
	return t.labels.cells(nil) == t.cells
}

// possibleSums says whether every family of sums is of all rows, if any model gave
// probabilities, and of none otherwise.
func (t *Tally) possibleSums() bool {
	want := int64(0)
	if t.probs[0] || t.probs[1] {
		want = t.N()
	}
	losses := t.allMoments()
	if t.families&binFamily != 0 {
		losses = losses[:len(losses)-len(t.bins)]
		rows := int64(0)
		for i := range t.bins {
			rows += t.bins[i].n
			if !t.bins[i].possible(true, t.probs) {
				return false
			}
		}
		if rows != want {
			return false
		}
	}
	for _, m := range losses {
		if m.n != want || !m.possible(false, t.probs) {
			return false
		}
	}
	return true
}

// possible says whether rows of these models have these moments: each number is at most
// 2^62 and, unless signed, none is negative; no variance is negative, and no correlation
// above 1.
func (m *moments) possible(signed bool, models [2]bool) bool {
	if m.n <= 0 || !models[0] && !models[1] {
		return *m == moments{}
	}
	if !models[0] && (m.b != wide{} || m.bb != wide{} || m.bc != wide{}) || !models[1] && (m.c != wide{} || m.cc != wide{} || m.bc != wide{}) {
		return false
	}
	n := big.NewInt(m.n)
	most, squares := new(big.Int).Lsh(n, 62), new(big.Int).Lsh(n, 124)
	for _, x := range []wide{m.b, m.c} {
		if v := x.big(); v.CmpAbs(most) > 0 || !signed && v.Sign() < 0 {
			return false
		}
	}
	for _, x := range []wide{m.bb, m.cc} {
		if x.big().Cmp(squares) > 0 {
			return false
		}
	}
	b, c := deviations(m.n, m.b.big(), m.bb.big()), deviations(m.n, m.c.big(), m.cc.big())
	bc := new(big.Int).Mul(n, m.bc.big())
	bc.Sub(bc, new(big.Int).Mul(m.b.big(), m.c.big()))
	return b.Sign() >= 0 && c.Sign() >= 0 && bc.Mul(bc, bc).Cmp(b.Mul(b, c)) <= 0
}

func (r *rankRows) possible() bool {
	for _, p := range r.probs {
		if !inUnit(p) || slices.ContainsFunc(p, math.Signbit) {
			return false
		}
	}
	return true
}
