package metrics

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"
)

// regressionMagic begins an encoded regression tally. Another number is another form.
const regressionMagic = "proctor-regression/1\n"

// Encode returns the one encoding of the tally: regressionMagic, the spans of its rows,
// whether they have weights, how many have a negative number, the largest error, and the
// sums in their order, that of the weights first where there are any. Whole numbers are
// varints and the error is the bits of float64, low byte first. A sum is how many of its
// terms were infinite, its sign, the first of its words that is not 0, how many follow up
// to the last such, and those words of 32 bits, low byte first.
func (t *RegressionTally) Encode() []byte {
	w := tallyWriter(regressionMagic)
	w.numbers(int64(len(t.rows)))
	for _, r := range t.rows {
		w.numbers(r.from, r.to)
	}
	w.numbers(flags(t.weighted), t.negatives)
	w = binary.LittleEndian.AppendUint64(w, math.Float64bits(t.worst))
	if t.weighted {
		w.exactSum(t.weight)
	}
	for _, s := range t.sums {
		w.exactSum(s)
	}
	return w
}

func (w *tallyWriter) exactSum(s exactSum) {
	x := s.big()
	words := lowWords(x)
	first := slices.IndexFunc(words, func(word uint32) bool { return word != 0 })
	first = max(0, first)
	w.numbers(s.infinites, int64(x.Sign()), int64(first), int64(len(words)-first))
	for _, word := range words[first:] {
		*w = binary.LittleEndian.AppendUint32(*w, word)
	}
}

// lowWords is |x| in words of 32 bits, the low ones first, without zeros at the end.
func lowWords(x *big.Int) []uint32 {
	b := x.Bytes()
	out := make([]uint32, (len(b)+3)/4)
	for i := range b {
		out[i/4] |= uint32(b[len(b)-1-i]) << (8 * (i % 4))
	}
	return out
}

// DecodeRegressionTally reads an encoded tally. It accepts just what Encode gives of some
// rows, as far as the sums can tell of each other; it does not know whether the rows were
// counted right.
func DecodeRegressionTally(b []byte) (*RegressionTally, error) {
	if !bytes.HasPrefix(b, []byte(regressionMagic)) {
		return nil, fmt.Errorf("decode regression tally: it does not begin with %q", regressionMagic)
	}
	r := &tallyReader{rest: b[len(regressionMagic):]}
	t := r.regression()
	switch {
	case r.bad:
		return nil, fmt.Errorf("decode regression tally: %w", errTally)
	case len(r.rest) > 0:
		return nil, fmt.Errorf("decode regression tally: %d bytes too many", len(r.rest))
	case !t.possible() || !bytes.Equal(t.Encode(), b):
		return nil, fmt.Errorf("decode regression tally: %w", errTally)
	}
	return t, nil
}

func (r *tallyReader) regression() *RegressionTally {
	t := &RegressionTally{}
	for range r.count(2) {
		t.rows = append(t.rows, rowSpan{r.number(0, maxTallyRows), r.number(0, maxTallyRows)})
	}
	t.weighted = r.number(0, 1) == 1
	t.negatives = r.number(0, maxTallyRows)
	if b := r.bytes(8); b != nil {
		t.worst = math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	if t.weighted {
		t.weight = r.exactSum()
	} else {
		t.weight.add(float64(t.N()))
	}
	for k := range t.sums {
		t.sums[k] = r.exactSum()
	}
	return t
}

func (r *tallyReader) exactSum() (s exactSum) {
	s.infinites = r.number(0, maxTallyRows)
	sign, first := r.number(-1, 1), r.number(0, sumChunks-1)
	words := r.bytes(4 * r.number(0, sumChunks-first))
	for i := 0; i < len(words); i += 4 {
		s.chunks[int(first)+i/4] = sign * int64(binary.LittleEndian.Uint32(words[i:]))
	}
	s.settle()
	return s
}
