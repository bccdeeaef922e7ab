package metrics

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// Sorted rows are in ascending order of their scores. A key is the score's bits,
// shifted by one, with whether the row is of the class in the lowest: to look that
// up in sorted order would cost more than the sort. Scores are in [0, 1], so that
// the shift loses nothing and keys are in the order of the scores. tags[i] is what
// the row of keys[i] was given: its number, its slice; nil if nothing.
type sortedRows struct {
	keys []uint64
	tags []int32
}

func scoreOf(key uint64) float64 { return math.Float64frombits(key >> 1) }

// coarse is the number of buckets of the first pass: few enough that each is
// written through the cache.
const coarse = 256

// sortRows sorts the rows i by p[i*step] in [0, 1]: scattered into equal parts of
// [0, 1], then each part into as many parts as it has rows, then sorted within
// those. The order of equal scores does not matter to its users. It returns the
// room that it worked in too, to be used again.
func sortRows(p []float64, step int, labels []int32, class int32, tags []int32) (out, room sortedRows) {
	n := len(labels)
	var start [coarse + 2]int32
	for i := range n {
		start[int(p[i*step]*coarse)+1]++
	}
	for b := range coarse + 1 {
		start[b+1] += start[b]
	}
	out, room = newSorted(n, tags != nil), newSorted(n, tags != nil)
	for i, y := range labels {
		x := p[i*step]
		at := start[int(x*coarse)]
		start[int(x*coarse)]++ // ends as the end of its bucket
		room.keys[at] = math.Float64bits(math.Abs(x))<<1 | uint64(oneIf(y == class))
		if tags != nil {
			room.tags[at] = tags[i]
		}
	}
	var ends []int32
	from := int32(0)
	for b := range coarse + 1 {
		ends = finer(out.part(from, start[b]), room.part(from, start[b]), float64(b), ends)
		from = start[b]
	}
	return out, room
}

func newSorted(n int, tagged bool) sortedRows {
	s := sortedRows{keys: make([]uint64, n)}
	if tagged {
		s.tags = make([]int32, n)
	}
	return s
}

func (s sortedRows) part(from, to int32) sortedRows {
	if s.tags == nil {
		return sortedRows{keys: s.keys[from:to]}
	}
	return sortedRows{s.keys[from:to], s.tags[from:to]}
}

// finer sorts one bucket into out. ends is room to count in; it is returned to be
// used again.
func finer(out, in sortedRows, bucket float64, ends []int32) []int32 {
	m := len(in.keys)
	if cap(ends) < m+1 {
		ends = make([]int32, m+m/2+1)
	}
	ends = ends[:m+1]
	clear(ends)
	scale := float64(m)
	for _, key := range in.keys {
		ends[min(m-1, int((scoreOf(key)*coarse-bucket)*scale))+1]++
	}
	for i := range m {
		ends[i+1] += ends[i]
	}
	for i, key := range in.keys {
		part := min(m-1, int((scoreOf(key)*coarse-bucket)*scale))
		at := ends[part]
		ends[part]++
		out.keys[at] = key
		if in.tags != nil {
			out.tags[at] = in.tags[i]
		}
	}
	from := int32(0)
	for _, to := range ends[:m] {
		if to-from > 1 {
			out.part(from, to).sort()
		}
		from = to
	}
	return ends
}

// sort sorts a few rows.
func (s sortedRows) sort() {
	if len(s.keys) > 24 {
		s.sortMany()
		return
	}
	for i := 1; i < len(s.keys); i++ {
		key, j := s.keys[i], i
		for ; j > 0 && s.keys[j-1]>>1 > key>>1; j-- {
			s.keys[j] = s.keys[j-1]
		}
		s.keys[j] = key
		if s.tags != nil {
			tag := s.tags[i]
			copy(s.tags[j+1:i+1], s.tags[j:i])
			s.tags[j] = tag
		}
	}
}

// sortMany is for many rows in one small part, most of them equal.
func (s sortedRows) sortMany() {
	type row struct {
		key uint64
		tag int32
	}
	rows := make([]row, len(s.keys))
	for i, key := range s.keys {
		rows[i].key = key
		if s.tags != nil {
			rows[i].tag = s.tags[i]
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.key>>1, b.key>>1) })
	for i, r := range rows {
		s.keys[i] = r.key
		if s.tags != nil {
			s.tags[i] = r.tag
		}
	}
}

// run returns where the run of equal scores that starts at from ends, and how many
// of its rows are of the class.
func (s sortedRows) run(from int) (to int, in int64) {
	key := s.keys[from] >> 1
	for to = from; to < len(s.keys) && s.keys[to]>>1 == key; to++ {
		in += int64(s.keys[to] & 1)
	}
	return to, in
}

// sides counts the rows of the class and the others.
func (s sortedRows) sides() (pos, neg int64) {
	for _, key := range s.keys {
		pos += int64(key & 1)
	}
	return pos, int64(len(s.keys)) - pos
}

// A byRow collects a number for each row of a sort, each row once, in any order. To
// write all over a long column costs more than to move the numbers twice: first
// near their rows, then into place.
type byRow struct {
	near  sortedRows // keys: the numbers' bits; tags: twice the row, and 1 for a row of the class
	next  []int
	shift int
}

// newByRow works in the room of the sort.
func newByRow(room sortedRows) *byRow {
	n := len(room.keys)
	s := &byRow{near: room, shift: max(12, bits.Len(uint(n))-10)}
	for from := 0; from < n; from += 1 << s.shift {
		s.next = append(s.next, from)
	}
	return s
}

func (s *byRow) put(row int32, key uint64, x float64) {
	at := s.next[row>>s.shift]
	s.next[row>>s.shift]++
	s.near.keys[at], s.near.tags[at] = math.Float64bits(x), int32(uint32(row)<<1|uint32(key&1))
}

// add adds scale * (number - middle) of its side to each row's part; index 1 is
// the class.
func (s *byRow) add(parts []float64, scale, middle [2]float64) {
	for i, tag := range s.near.tags {
		in := tag & 1
		parts[uint32(tag)>>1] += float64(scale[in] * (math.Float64frombits(s.near.keys[i]) - middle[in]))
	}
}
