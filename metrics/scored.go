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

// A scoreColumn is the scores p[i*step] of the rows i, in [0, 1], each of a class or not.
type scoreColumn struct {
	p      []float64
	step   int
	labels []int32
	class  int32
}

func (c scoreColumn) score(row int) float64 { return c.p[row*c.step] }

// sides counts the rows of the class and the others.
func (c scoreColumn) sides() (pos, neg int64) {
	for _, y := range c.labels {
		pos += int64(oneIf(y == c.class))
	}
	return pos, int64(len(c.labels)) - pos
}

// A sorter sorts a column, all at once or piece by piece. What it hands out is used
// before it is asked again: it is the room of what comes next.
type sorter struct {
	rows, room sortedRows
	ends       []int32
	in         []uint8 // which piece each row is in
	chosen     []int32 // the rows of one piece
}

// pieces is the largest number of pieces, and pieceRows from how many rows there is
// another one: what a sort needs beside its column is that of one piece.
const (
	pieces    = 6
	pieceRows = 1 << 20
)

// each hands out the rows of a column in ascending order, in pieces that no score is in
// two of, with room that is free. Rows have the given tags, or else their numbers.
func (s *sorter) each(c scoreColumn, tags []int32, do func(rows, room sortedRows)) {
	cuts := c.cuts()
	if len(cuts) == 0 {
		s.all(c, tags, true)
		do(s.rows, s.room)
		return
	}
	sizes := c.pieceOf(cuts, s)
	most := slices.Max(sizes)
	most += most/16 + 1 // the next column's pieces are a little larger
	s.chosen = resize(s.chosen, most)
	s.grow(most, true)
	lo := 0.0
	for k, cut := range append(cuts, 2) {
		s.grow(sizes[k], true)
		s.load(c, tags, s.choose(uint8(k)))
		s.sort(lo, min(1, cut))
		do(s.rows, s.room)
		lo = cut
	}
}

// load puts in the keys and tags of some rows.
func (s *sorter) load(c scoreColumn, tags, rows []int32) {
	keys, p, step, labels, class := s.rows.keys, c.p, c.step, c.labels, c.class
	for i, row := range rows {
		keys[i] = math.Float64bits(math.Abs(p[int(row)*step]))<<1 | uint64(oneIf(labels[row] == class))
	}
	if tags == nil {
		copy(s.rows.tags, rows)
		return
	}
	for i, row := range rows {
		s.rows.tags[i] = tags[row]
	}
}

// all sorts a whole column at once.
func (s *sorter) all(c scoreColumn, tags []int32, tagged bool) {
	s.grow(len(c.labels), tagged)
	keys, p, step, class := s.rows.keys, c.p, c.step, c.class
	for i, y := range c.labels {
		keys[i] = math.Float64bits(math.Abs(p[i*step]))<<1 | uint64(oneIf(y == class))
	}
	if tags != nil {
		copy(s.rows.tags, tags)
	} else {
		for i := range s.rows.tags {
			s.rows.tags[i] = int32(i)
		}
	}
	s.sort(0, 1)
}

// pieceOf finds the number of cuts that each row's score is not below, into s.in, and
// how many rows have each.
func (c scoreColumn) pieceOf(cuts []float64, s *sorter) []int {
	var all [pieces - 1]float64
	for k := range all {
		all[k] = 2
	}
	copy(all[:], cuts)
	s.in = resize(s.in, len(c.labels))
	sizes := make([]int, pieces)
	for i := range s.in {
		x, k := c.score(i), 0
		for _, cut := range all {
			k += oneIf(x >= cut)
		}
		s.in[i] = uint8(k)
		sizes[k]++
	}
	return sizes
}

// choose lists the rows of a piece. It does not branch on the piece: there is no telling
// which comes next.
func (s *sorter) choose(piece uint8) []int32 {
	n, rows := 0, s.chosen[:cap(s.chosen)]
	for i, k := range s.in {
		rows[n] = int32(i)
		n += oneIf(k == piece)
	}
	return rows[:n]
}

// cuts are scores between the pieces: quantiles of a sample of rows. A score that is
// so frequent as to be two of them has a piece of its own.
func (c scoreColumn) cuts() []float64 {
	n := len(c.labels)
	want := min(pieces, (n+pieceRows-1)/pieceRows)
	if want < 2 {
		return nil
	}
	const sample = 1 << 13
	x := make([]float64, sample)
	for i := range x {
		x[i] = c.score(int(int64(i) * int64(n) / sample))
	}
	slices.Sort(x)
	var cuts []float64
	last := 0.0
	for k := 1; k < want; k++ {
		q := x[k*sample/want]
		if q == last {
			q = math.Nextafter(q, 2)
		}
		if q > last {
			cuts, last = append(cuts, q), q
		}
	}
	return cuts
}

// sort sorts the rows, whose scores are in [lo, hi]: scattered into equal parts of it,
// then each part into as many parts as it has rows, then sorted within those. The order
// of equal scores does not matter to its users.
func (s *sorter) sort(lo, hi float64) {
	scale := coarse / (hi - lo)
	if !(scale < math.MaxFloat64) { // as good as one score
		scale = 0
	}
	var start [coarse + 2]int32
	for _, key := range s.rows.keys {
		start[int(float64(scoreOf(key)-lo)*scale)+1]++
	}
	for b := range coarse + 1 {
		start[b+1] += start[b]
	}
	room, tags := s.room, s.rows.tags
	for i, key := range s.rows.keys {
		b := int(float64(scoreOf(key)-lo) * scale)
		at := start[b]
		start[b]++ // ends as the end of its bucket
		room.keys[at] = key
		if tags != nil {
			room.tags[at] = tags[i]
		}
	}
	from := int32(0)
	for b := range coarse + 1 {
		s.finer(s.rows.part(from, start[b]), room.part(from, start[b]), lo, scale, float64(b))
		from = start[b]
	}
}

// grow makes room for n rows; what was there is lost.
func (s *sorter) grow(n int, tagged bool) {
	for _, r := range []*sortedRows{&s.rows, &s.room} {
		if r.keys = resize(r.keys, n); tagged {
			r.tags = resize(r.tags, n)
		}
	}
}

// resize returns room for n things, in that of x if it is enough. What was there is lost.
func resize[T any](x []T, n int) []T {
	if cap(x) < n {
		return make([]T, n)
	}
	return x[:n]
}

func (s sortedRows) part(from, to int32) sortedRows {
	if s.tags == nil {
		return sortedRows{keys: s.keys[from:to]}
	}
	return sortedRows{s.keys[from:to], s.tags[from:to]}
}

// finer sorts one bucket into out.
func (s *sorter) finer(out, in sortedRows, lo, scale, bucket float64) {
	m := len(in.keys)
	if cap(s.ends) < m+1 {
		s.ends = make([]int32, m+m/2+1)
	}
	ends := s.ends[:m+1]
	clear(ends)
	parts := float64(m)
	for _, key := range in.keys {
		ends[min(m-1, int((float64((scoreOf(key)-lo)*scale)-bucket)*parts))+1]++
	}
	for i := range m {
		ends[i+1] += ends[i]
	}
	for i, key := range in.keys {
		part := min(m-1, int((float64((scoreOf(key)-lo)*scale)-bucket)*parts))
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

// influences adds to each row's part what each says: it is given the rows in ascending
// order of their scores, piece by piece, and puts the bits of a number in place of each
// key.
//
// To write all over a long column costs more than to move the numbers twice: first
// near their rows, then into place.
func (c scoreColumn) influences(s *sorter, parts []float64, each func(rows sortedRows)) {
	shift := max(12, bits.Len(uint(len(parts)))-10)
	next := make([]int32, len(parts)>>shift+1)
	s.each(c, nil, func(rows, near sortedRows) {
		each(rows)
		rows.starts(next, shift)
		for i, row := range rows.tags {
			at := next[row>>shift]
			next[row>>shift]++
			near.keys[at], near.tags[at] = rows.keys[i], row
		}
		for i, row := range near.tags {
			parts[row] += math.Float64frombits(near.keys[i])
		}
	})
}

// influence puts a number in place of the keys of a run of equal scores, x[1] for rows
// of the class and x[0] for others.
func (s sortedRows) influence(from, to int, x [2]float64) {
	for i := from; i < to; i++ {
		s.keys[i] = math.Float64bits(x[s.keys[i]&1])
	}
}

// starts counts where the rows of each stretch of row numbers begin when they are put
// in the order of the stretches.
func (s sortedRows) starts(next []int32, shift int) {
	clear(next)
	for _, row := range s.tags {
		next[row>>shift]++
	}
	from := int32(0)
	for i, n := range next {
		next[i] = from
		from += n
	}
}
