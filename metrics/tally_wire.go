package metrics

import (
	"encoding/binary"
	"math"
)

// tallyMagic begins an encoded tally. Another number is another form.
const tallyMagic = "proctor-tally/1\n"

// Encode returns the one encoding of the tally: tallyMagic, what it was made for, the
// counts in the order of the fields, and last the rows where a metric of rank asks for
// them. Whole numbers are varints, texts have their length before them, sums are three
// words and scores the bits of float64, low byte first. Every number is in the state of
// 64 bits that it is counted in: equal rows give equal bytes.
func (t *Tally) Encode() []byte {
	w := tallyWriter(tallyMagic)
	w.numbers(t.From, t.To)
	w.texts(t.classes)
	w.numbers(int64(t.positive), flags(t.alone, t.probs[0], t.probs[1]), int64(t.families))
	w.cells(t.cells)
	w.numbers(int64(len(t.dimensions)))
	for _, g := range t.dimensions {
		w.texts([]string{g.name})
		w.texts(g.values)
		for _, c := range g.cells {
			w.cells(c)
		}
	}
	if t.families&labelFamily != 0 {
		w.numbers(int64(len(t.labels)))
		for _, c := range t.labels {
			w.numbers(int64(c.truth), int64(c.baseline), int64(c.candidate), c.n)
		}
	}
	for _, m := range t.allMoments() {
		w.moments(m)
	}
	if t.families&rankFamily != 0 {
		w.rows(t.ranks.compact(t.positive))
	}
	return w
}

// allMoments are those of the families that the tally has, in the order of the encoding.
func (t *Tally) allMoments() []*moments {
	var out []*moments
	if t.families&logLossFamily != 0 {
		out = append(out, t.logLosses)
	}
	if t.families&brierFamily != 0 {
		out = append(out, t.briers)
	}
	if t.families&binFamily != 0 {
		for i := range t.bins {
			out = append(out, &t.bins[i])
		}
	}
	return out
}

func flags(of ...bool) (f int64) {
	for i, b := range of {
		f |= int64(oneIf(b)) << i
	}
	return f
}

type tallyWriter []byte

func (w *tallyWriter) numbers(x ...int64) {
	for _, n := range x {
		*w = binary.AppendVarint(*w, n)
	}
}

func (w *tallyWriter) texts(texts []string) {
	w.numbers(int64(len(texts)))
	for _, s := range texts {
		w.numbers(int64(len(s)))
		*w = append(*w, s...)
	}
}

func (w *tallyWriter) cells(c Cells) {
	w.numbers(c.BothRight, c.Broke, c.Fixed, c.SameWrong, c.OtherWrong)
}

func (w *tallyWriter) moments(m *moments) {
	w.numbers(m.n)
	if m.n == 0 {
		return
	}
	for _, x := range []wide{m.b, m.c, m.bb, m.bc, m.cc} {
		for _, word := range x {
			*w = binary.LittleEndian.AppendUint64(*w, word)
		}
	}
}

func (w *tallyWriter) rows(r *rankRows) {
	for _, y := range r.answers {
		w.numbers(int64(y))
	}
	for _, p := range r.probs {
		for _, x := range p {
			*w = binary.LittleEndian.AppendUint64(*w, math.Float64bits(x))
		}
	}
}
