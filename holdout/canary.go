package holdout

import (
	"cmp"
	"slices"

	"proctor/holdout/rows"
)

// Canaries makes up to n rows that look like rows of t and carry a wrong label:
// copies of different rows whose numbers are moved by some percent of their
// column's spread, whose rare amounts and now and then a category come from
// another row, and whose label is flipped. None equals a row of t or another
// canary, and each keeps a clear distance from its original, so that a model with
// room to memorise can learn the flipped label. Where the columns leave no room
// for n such rows, fewer are made.
//
// The result depends on the arguments only. Who knows the seed and the rows knows
// the canaries, so a seed is as secret as the set.
func Canaries(t rows.Table, labels []int32, classes int, n int, seed [32]byte) (rows.Table, []int32) {
	p := newPerturber(t, seed, "proctor/holdout/1/canaries")
	var made [][]cell
	flipped := []int32{}
	for _, r := range p.order {
		if len(made) >= n || classes < 2 {
			break
		}
		for try := range 24 {
			if row := p.canary(r, try); p.take(row) {
				made = append(made, row)
				other := int32(p.rng.IntN(classes - 1))
				if other >= labels[r] {
					other++
				}
				flipped = append(flipped, other)
				break
			}
		}
	}
	return p.table(made), flipped
}

// canary changes row r, the more the more tries have failed.
func (p *perturber) canary(r, try int) []cell {
	row := p.row(r)
	var others []int // columns whose values come from other rows
	clear := 0       // columns that are far from the original already
	for i, c := range p.cols {
		switch c.kind {
		case kindSpread:
			row[i].num = p.move(i, row[i].num, .04+float64(.06*p.rng.Float64()), 2)
			clear++
		case kindProse:
			row[i].text = p.reword(row[i].text)
			clear++
		case kindSparse:
			if p.rng.IntN(2) == 0 {
				row[i] = p.at(i, p.rng.IntN(p.n))
			}
		case kindCategory:
			if c.distinct > 1 || c.IsNumber() {
				others = append(others, i)
			}
		}
	}
	swaps := try / 3
	switch {
	case clear == 0:
		swaps += 2
	case p.rng.IntN(2) == 0:
		swaps++
	}
	for _, k := range p.rng.Perm(len(others))[:min(swaps, len(others))] {
		i := others[k]
		for range 8 { // a common value is drawn again and again
			if v := p.at(i, p.rng.IntN(p.n)); v != row[i] {
				row[i] = v
				break
			}
		}
	}
	return row
}

// Twins makes up to n copies of different rows that are changed so little that
// the label of the original holds, and says which row each is a copy of. The two
// number columns of the most values move by one step or half a percent of their
// spread; texts that hardly repeat get a space at the end. A table with neither
// has no twins: exchanging a category could change the label.
func Twins(t rows.Table, n int, seed [32]byte) (rows.Table, []int) {
	p := newPerturber(t, seed, "proctor/holdout/1/twins")
	var wide, prose []int
	for i, c := range p.cols {
		switch c.kind {
		case kindSpread:
			wide = append(wide, i)
		case kindProse:
			prose = append(prose, i)
		}
	}
	slices.SortStableFunc(wide, func(a, b int) int { return cmp.Compare(p.cols[b].distinct, p.cols[a].distinct) })
	wide = wide[:min(2, len(wide))]
	var made [][]cell
	of := []int{}
	for _, r := range p.order {
		if len(made) >= n || len(wide)+len(prose) == 0 {
			break
		}
		for range 8 {
			row := p.row(r)
			for _, i := range wide {
				row[i].num = p.move(i, row[i].num, .005*p.rng.Float64(), 1)
			}
			if len(wide) == 0 {
				for _, i := range prose {
					row[i].text += " "
				}
			}
			if p.take(row) {
				made, of = append(made, row), append(of, r)
				break
			}
		}
	}
	return p.table(made), of
}
