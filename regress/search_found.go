package regress

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"proctor/metrics"
)

// A sliceCount is a slice that was tested. It is small: there may be millions.
type sliceCount struct {
	ids                        [maxLevels]int32
	levels, rows, broke, fixed int32
}

// list tests and corrects all counts, and lists the first.
func (f *Found) list(s Search, all []sliceCount, predicates func(sliceCount) []Predicate) {
	type change struct{ broke, fixed int32 }
	known := map[change]float64{} // the same few counts come again and again
	p := make([]float64, len(all))
	for i, c := range all {
		k := change{c.broke, c.fixed}
		v, ok := known[k]
		if !ok {
			v = metrics.McNemarWorse(int64(c.broke), int64(c.fixed))
			known[k] = v
		}
		p[i] = v
	}
	holm, bh := metrics.Holm(p), metrics.BenjaminiHochberg(p)
	f.Tested = int64(len(all))
	order := make([]int, len(all))
	for i := range all {
		order[i] = i
		if holm[i] <= 1-s.Confidence {
			f.SignificantHolm++
		}
		if bh[i] <= 1-s.Confidence {
			f.SignificantBH++
		}
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(p[i], p[j]), cmp.Compare(all[i].levels, all[j].levels), cmp.Compare(all[j].rows, all[i].rows))
	})
	for _, i := range order[:min(s.Top, len(order))] {
		ps := predicates(all[i])
		f.Slices = append(f.Slices, BrokenSlice{
			Predicates: ps, Words: inWords(ps), Rows: int64(all[i].rows), Broke: int64(all[i].broke), Fixed: int64(all[i].fixed),
			P: p[i], Holm: holm[i], BH: bh[i], Within: -1,
		})
	}
}

// halves puts each row into one of two sets with even chance, ascending.
func halves(rows int, seed [32]byte) (first, second []int) {
	source := rand.NewChaCha8(seed)
	for i := range rows {
		if source.Uint64()>>63 == 0 {
			first = append(first, i)
		} else {
			second = append(second, i)
		}
	}
	return first, second
}

func pickRows(features []metrics.Dimension, rows []int) []metrics.Dimension {
	out := make([]metrics.Dimension, len(features))
	for f, d := range features {
		codes := make([]int32, len(rows))
		for i, row := range rows {
			codes[i] = d.Codes[row]
		}
		out[f] = metrics.Dimension{Name: d.Name, Values: d.Values, Codes: codes}
	}
	return out
}

func pickChanges(changes []int8, rows []int) []int8 {
	out := make([]int8, len(rows))
	for i, row := range rows {
		out[i] = changes[row]
	}
	return out
}

func changed(changes []int8, rows []int) (broke, fixed int64) {
	for _, row := range rows {
		switch changes[row] {
		case -1:
			broke++
		case 1:
			fixed++
		}
	}
	return broke, fixed
}

// countSlice counts one slice over some rows.
func countSlice(features []metrics.Dimension, changes []int8, rows []int, slice []Predicate) sliceCount {
	rows = inSlice(features, rows, slice)
	broke, fixed := changed(changes, rows)
	return sliceCount{levels: int32(len(slice)), rows: int32(len(rows)), broke: int32(broke), fixed: int32(fixed)}
}

// inSlice picks those of some rows that are in a slice.
func inSlice(features []metrics.Dimension, rows []int, slice []Predicate) []int {
	for _, p := range slice {
		d := features[slices.IndexFunc(features, func(d metrics.Dimension) bool { return d.Name == p.Feature })]
		code := int32(slices.Index(d.Values, p.Value))
		var in []int
		for _, row := range rows {
			if d.Codes[row] == code {
				in = append(in, row)
			}
		}
		rows = in
	}
	return rows
}
