package regress

import "math/bits"

// walk visits every conjunction of up to levels predicates of different features
// that has at least minRows rows, in lexicographic order. visit gets its
// predicates, its rows and the bitmap of its events, all valid during the call
// only. Which slices are visited depends on the features alone, not on the
// events, so that a correction over all of them is honest.
func (t *predicateTable) walk(levels, minRows int, visit func(ids []int32, rows int, events []uint64)) error {
	w := walker{table: t, minRows: minRows, visit: visit, rows: make([][]uint64, levels), events: make([][]uint64, levels)}
	for l := range levels {
		w.rows[l], w.events[l] = make([]uint64, t.rowWords), make([]uint64, t.evtWords)
	}
	for id := range t.size {
		w.ids = append(w.ids[:0], int32(id))
		if err := w.descend(t.size[id], t.rowsOf(int32(id)), t.eventsOf(int32(id))); err != nil {
			return err
		}
	}
	return nil
}

type walker struct {
	table        *predicateTable
	minRows      int
	visit        func(ids []int32, rows int, events []uint64)
	ids          []int32
	rows, events [][]uint64 // by level: the bitmaps of a slice that is extended
	seen         int
}

func (w *walker) descend(n int, rows, events []uint64) error {
	if w.seen++; w.seen > maxSlices {
		return errTooMany
	}
	w.visit(w.ids, n, events)
	level, last := len(w.ids), w.ids[len(w.ids)-1]
	if level == len(w.rows) {
		return nil
	}
	for id := last + 1; int(id) < len(w.table.size); id++ {
		if w.table.feature[id] == w.table.feature[last] {
			continue
		}
		n := w.size(level, rows, w.table.rowsOf(id))
		if n < w.minRows {
			continue
		}
		and(w.events[level], events, w.table.eventsOf(id))
		w.ids = append(w.ids, id)
		if err := w.descend(n, w.rows[level], w.events[level]); err != nil {
			return err
		}
		w.ids = w.ids[:level]
	}
	return nil
}

// size counts the rows of two bitmaps' intersection, and keeps it where it will
// be extended.
func (w *walker) size(level int, a, b []uint64) int {
	if level+1 == len(w.rows) {
		return countBoth(a, b)
	}
	and(w.rows[level], a, b)
	return popcount(w.rows[level])
}

func popcount(a []uint64) (n int) {
	for _, w := range a {
		n += bits.OnesCount64(w)
	}
	return n
}

func countBoth(a, b []uint64) (n int) {
	b = b[:len(a)]
	for i, w := range a {
		n += bits.OnesCount64(w & b[i])
	}
	return n
}

func and(dst, a, b []uint64) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] & b[i]
	}
}
