package regress

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// A lineSearch is one run of a SliceLine.
type lineSearch struct {
	SliceLine
	table  *predicateTable
	errors []float64 // of the events
	ones   bool      // every one of them is 1
	mean   float64   // over all rows
	level  []lineNode
	top    []lineNode
	levels []int    // predicates of each of top
	rows   []uint64 // the slice that is extended
	events []uint64
	both   []uint64
}

func newLine(s SliceLine, t *predicateTable, errs []float64, events []int) *lineSearch {
	l := &lineSearch{SliceLine: s, table: t, ones: true, rows: make([]uint64, t.rowWords), events: make([]uint64, t.evtWords), both: make([]uint64, t.evtWords)}
	sum := 0.0
	for _, i := range events {
		l.errors = append(l.errors, errs[i])
		l.ones = l.ones && errs[i] == 1
		sum += errs[i]
	}
	l.mean = sum / float64(t.rows)
	return l
}

func (l *lineSearch) scoreOf(rows int, sum float64) float64 {
	return sliceScore(l.Alpha, l.mean, l.table.rows, rows, sum)
}

// sliceScore is the score of a [SliceLine]: of rows of all rows, whose errors have a
// mean, with a sum of errors.
func sliceScore(alpha, mean float64, all, rows int, sum float64) float64 {
	n := float64(rows)
	return float64(alpha*(sum/n/mean-1)) - float64((1-alpha)*(float64(all)/n-1))
}

// bound is the most that a slice can score whose parents have at most so many
// rows, such a sum and such a largest error. A slice of n rows has errors of at
// most min(sum, n most); on either side of n = sum/most the score is monotone in n,
// so that one of three sizes has the most.
func (l *lineSearch) bound(rows int, sum, most float64) float64 {
	if sum <= 0 || rows < l.MinRows {
		return math.Inf(-1)
	}
	best := math.Inf(-1)
	for _, n := range []float64{float64(l.MinRows), sum / most, float64(rows)} {
		n = math.Min(math.Max(n, float64(l.MinRows)), float64(rows))
		e := math.Min(sum, n*most)
		best = math.Max(best, float64(l.Alpha*(e/n/l.mean-1))-float64((1-l.Alpha)*(float64(l.table.rows)/n-1)))
	}
	return best
}

// least is what a bound must reach: 0, or the last score of the top, less rounding.
func (l *lineSearch) least() float64 {
	if len(l.top) < l.Top {
		return rounded(0)
	}
	return rounded(l.top[l.Top-1].score)
}

// rounded leaves room for the rounding of a score.
func rounded(score float64) float64 { return score - float64(1e-12*math.Max(1, math.Abs(score))) }

// next counts the slices of one level, and keeps those with rows and errors enough.
func (l *lineSearch) next(level int) error {
	parents := l.level
	l.level = nil
	if level == 1 {
		for id := range l.table.size {
			l.count(lineNode{ids: [maxLevels]int32{int32(id)}, rows: l.table.size[id]}, l.table.eventsOf(int32(id)))
		}
	} else if err := l.join(parents, level); err != nil {
		return err
	}
	for _, n := range l.level {
		if n.score > 0 {
			l.top, l.levels = append(l.top, n), append(l.levels, level)
		}
	}
	l.rank()
	return nil
}

// count fills in the errors of a slice, and keeps it where it has any.
func (l *lineSearch) count(n lineNode, events []uint64) {
	if l.ones {
		n.sum, n.max = float64(popcount(events)), 1
	} else {
		n.sum, n.max = l.sum(events)
	}
	l.keep(n)
}

func (l *lineSearch) keep(n lineNode) {
	if n.sum > 0 {
		n.score = l.scoreOf(n.rows, n.sum)
		l.level = append(l.level, n)
	}
}

func (l *lineSearch) sum(events []uint64) (sum, most float64) {
	for w, word := range events {
		for ; word != 0; word &= word - 1 {
			e := l.errors[w<<6+bits.TrailingZeros64(word)]
			sum, most = sum+e, math.Max(most, e)
		}
	}
	return sum, most
}

// join makes slices of a level from pairs of parents that differ in their last
// predicate only. Parents come in lexicographic order.
func (l *lineSearch) join(parents []lineNode, level int) error {
	known := map[[maxLevels]int32]int{}
	if level > 2 {
		for i, p := range parents {
			known[p.ids] = i
		}
	}
	least, last, seen := l.least(), level-2, 0
	for i, p := range parents {
		have := false // whether l.rows and l.events hold p
		for j := i + 1; j < len(parents) && sameStart(p.ids, parents[j].ids, last); j++ {
			q := parents[j]
			if l.table.feature[p.ids[last]] == l.table.feature[q.ids[last]] {
				continue
			}
			n := p
			n.ids[last+1] = q.ids[last]
			rows, sum, most, ok := smallest(parents, known, p, q, n.ids, level)
			b := l.bound(rows, sum, most)
			if !ok || b < least {
				continue
			}
			if seen++; seen > maxSlices {
				return errTooMany
			}
			if !have {
				l.load(p.ids[:last+1])
				have = true
			}
			if n.rows = countBoth(l.rows, l.table.rowsOf(q.ids[last])); n.rows >= l.MinRows {
				l.countJoined(n, q.ids[last])
			}
		}
	}
	return nil
}

// load puts the bitmaps of a slice into l.rows and l.events.
func (l *lineSearch) load(ids []int32) {
	copy(l.rows, l.table.rowsOf(ids[0]))
	copy(l.events, l.table.eventsOf(ids[0]))
	for _, id := range ids[1:] {
		and(l.rows, l.rows, l.table.rowsOf(id))
		and(l.events, l.events, l.table.eventsOf(id))
	}
}

// countJoined counts the loaded slice with one predicate more.
func (l *lineSearch) countJoined(n lineNode, id int32) {
	more := l.table.eventsOf(id)
	if l.ones {
		n.sum, n.max = float64(countBoth(l.events, more)), 1
	} else {
		and(l.both, l.events, more)
		n.sum, n.max = l.sum(l.both)
	}
	l.keep(n)
}

func sameStart(a, b [maxLevels]int32, n int) bool { return slices.Equal(a[:n], b[:n]) }

// smallest gives the least rows, sum and largest error of all parents of a slice,
// the two that were joined among them; false where one was not kept.
func smallest(parents []lineNode, known map[[maxLevels]int32]int, p, q lineNode, ids [maxLevels]int32, level int) (rows int, sum, most float64, ok bool) {
	rows, sum, most = min(p.rows, q.rows), math.Min(p.sum, q.sum), math.Min(p.max, q.max)
	for without := range level - 2 {
		var key [maxLevels]int32
		copy(key[:], ids[:without])
		copy(key[without:], ids[without+1:level])
		i, ok := known[key]
		if !ok {
			return 0, 0, 0, false
		}
		rows, sum, most = min(rows, parents[i].rows), math.Min(sum, parents[i].sum), math.Min(most, parents[i].max)
	}
	return rows, sum, most, true
}

// rank sorts the top and cuts it behind the last rank and what ties with it.
func (l *lineSearch) rank() {
	order := make([]int, len(l.top))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := l.top[i], l.top[j]
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(l.levels[i], l.levels[j]), slices.Compare(a.ids[:], b.ids[:]))
	})
	var top []lineNode
	var levels []int
	for rank, i := range order {
		if rank >= l.Top && l.top[i].score < rounded(top[l.Top-1].score) {
			break
		}
		top, levels = append(top, l.top[i]), append(levels, l.levels[i])
	}
	l.top, l.levels = top, levels
}

func (l *lineSearch) found() []ScoredSlice {
	out := make([]ScoredSlice, len(l.top))
	for i, n := range l.top {
		out[i] = ScoredSlice{
			Predicates: l.table.predicates(n.ids[:l.levels[i]]), Score: n.score, Rows: n.rows,
			Sum: n.sum, Max: n.max, Mean: n.sum / float64(n.rows),
		}
	}
	return out
}
