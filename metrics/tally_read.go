package metrics

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

var errTally = errors.New("this is no tally that could have been counted")

// DecodeTally reads an encoded tally. It accepts just what Encode gives of some rows:
// other bytes, and counts and sums that no rows have, are an error. It does not know
// whether the rows were counted right: whoever sends a tally is trusted with that.
func DecodeTally(b []byte) (*Tally, error) {
	if !bytes.HasPrefix(b, []byte(tallyMagic)) {
		return nil, fmt.Errorf("decode tally: it does not begin with %q", tallyMagic)
	}
	r := &tallyReader{rest: b[len(tallyMagic):]}
	t := r.tally()
	switch {
	case r.bad:
		return nil, fmt.Errorf("decode tally: %w", errTally)
	case len(r.rest) > 0:
		return nil, fmt.Errorf("decode tally: %d bytes too many", len(r.rest))
	case !t.possible() || !bytes.Equal(t.Encode(), b):
		return nil, fmt.Errorf("decode tally: %w", errTally)
	}
	return t, nil
}

// A tallyReader takes a tally apart. What it cannot read is 0, and bad says so.
type tallyReader struct {
	rest []byte
	bad  bool
}

func (r *tallyReader) tally() *Tally {
	t := &Tally{From: r.number(0, maxTallyRows), To: r.number(0, maxTallyRows)}
	t.classes = r.texts()
	t.positive = int(r.number(-1, int64(len(t.classes))-1))
	f := r.number(0, 7)
	t.alone, t.probs = f&1 != 0, [2]bool{f&2 != 0, f&4 != 0}
	t.families = families(r.number(0, int64(allFamilies)))
	t.cells = r.cells()
	for range r.count(3) {
		g := groupTable{name: r.text(), values: r.texts()}
		for range g.values {
			g.cells = append(g.cells, r.cells())
		}
		t.dimensions = append(t.dimensions, g)
	}
	if t.families&labelFamily != 0 {
		top := int64(len(t.classes)) - 1
		for range r.count(4) {
			t.labels = append(t.labels, labelCell{int32(r.number(0, top)), int32(r.number(-1, top)), int32(r.number(-1, top)), r.number(1, maxTallyRows)})
		}
	}
	if t.families&logLossFamily != 0 {
		t.logLosses = &moments{}
	}
	if t.families&brierFamily != 0 {
		t.briers = &moments{}
	}
	if t.families&binFamily != 0 {
		t.bins = &binTable{}
	}
	for _, m := range t.allMoments() {
		r.moments(m)
	}
	if t.families&rankFamily != 0 {
		t.ranks = r.rows(t)
	}
	return t
}

// number reads a whole number from lo to hi.
func (r *tallyReader) number(lo, hi int64) int64 {
	n, size := binary.Varint(r.rest)
	if size <= 0 || n < lo || n > hi {
		r.bad, r.rest = true, nil
		return max(0, lo)
	}
	r.rest = r.rest[size:]
	return n
}

// count reads how many things of at least size bytes follow.
func (r *tallyReader) count(size int) int64 {
	return r.number(0, int64(len(r.rest)/size))
}

func (r *tallyReader) bytes(n int64) []byte {
	if n > int64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

// text reads what texts wrote of one.
func (r *tallyReader) text() string {
	if all := r.texts(); len(all) == 1 {
		return all[0]
	}
	r.bad = true
	return ""
}

func (r *tallyReader) texts() (out []string) {
	for range r.count(1) {
		out = append(out, string(r.bytes(r.count(1))))
	}
	return out
}

func (r *tallyReader) cells() (c Cells) {
	for _, n := range []*int64{&c.BothRight, &c.Broke, &c.Fixed, &c.SameWrong, &c.OtherWrong} {
		*n = r.number(0, maxTallyRows)
	}
	return c
}

func (r *tallyReader) moments(m *moments) {
	if m.n = r.number(0, maxTallyRows); m.n == 0 {
		return
	}
	for _, x := range []*wide{&m.b, &m.c, &m.bb, &m.bc, &m.cc} {
		if b := r.bytes(24); b != nil {
			for i := range x {
				x[i] = binary.LittleEndian.Uint64(b[8*i:])
			}
		}
	}
}

func (r *tallyReader) rows(t *Tally) *rankRows {
	n := t.N()
	if n < 0 || n > int64(len(r.rest)) {
		r.bad = true
		return &rankRows{}
	}
	out := &rankRows{answers: make([]int32, n), step: len(t.classes)}
	if t.positive >= 0 {
		out.step, out.first = 1, t.positive
	}
	for i := range out.answers {
		out.answers[i] = int32(r.number(0, int64(len(t.classes))-1))
	}
	for model, there := range t.probs {
		if !there {
			continue
		}
		if n > 0 && int64(out.step) > int64(len(r.rest))/8/n {
			r.bad = true
			return out
		}
		b := r.bytes(8 * n * int64(out.step))
		out.probs[model] = make([]float64, len(b)/8)
		for i := range out.probs[model] {
			out.probs[model][i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
		}
	}
	return out
}
