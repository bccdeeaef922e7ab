package metrics

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// maxTERWords bounds the words of a text for TER, whose search is quadratic.
const maxTERWords = 1000

// TER counts edits of a corpus: words to insert, delete, replace, and runs of
// words to shift, to turn a hypothesis into a reference (Snover 2006). The best
// shifts are searched for greedily with the limits of Tercom, as sacreBLEU
// restates it; another search gives other numbers. Texts are compared in lower
// case, cut at white space. The zero value is ready. Counts of parts add up to
// those of the whole, in any order.
type TER struct {
	Edits      int64
	Words      int64 // of all references
	References int64 // references of each segment
	Segments   int64
}

// Add counts one segment against the reference that needs the fewest edits. Every
// segment of a corpus has the same number of references, or it is an error; so is
// a text of more than 1000 words. Other errors as [BLEU.Add].
func (t *TER) Add(hypothesis string, references []string) error {
	if err := checkSegment(hypothesis, references); err != nil {
		return fmt.Errorf("ter: %w", err)
	}
	if t.Segments > 0 && int64(len(references)) != t.References {
		return fmt.Errorf("ter: %d references, the segments before have %d", len(references), t.References)
	}
	d := dictionary[string]{}
	h := d.codes(words(strings.ToLower(hypothesis)))
	least, length := int64(math.MaxInt64), int64(0)
	for _, text := range references {
		r := d.codes(words(strings.ToLower(text)))
		if len(h) > maxTERWords || len(r) > maxTERWords {
			return fmt.Errorf("ter: a text has more than %d words", maxTERWords)
		}
		edits, err := translationEdits(h, r)
		if err != nil {
			return err
		}
		least, length = min(least, edits), length+int64(len(r))
	}
	t.Edits, t.Words, t.References, t.Segments = t.Edits+least, t.Words+length, int64(len(references)), t.Segments+1
	return nil
}

// Merge adds the counts of other segments. It is an error if those have another
// number of references.
func (t *TER) Merge(o TER) error {
	if t.Segments > 0 && o.Segments > 0 && t.References != o.References {
		return errors.New("ter: counts of segments with different numbers of references do not add up")
	}
	t.References = max(t.References, o.References)
	t.Edits, t.Words, t.Segments = t.Edits+o.Edits, t.Words+o.Words, t.Segments+o.Segments
	return nil
}

// Score is 100 times edits over the references' mean length ("ter@1"), in [0,
// inf), lower is better. Against empty references it is 0 or 100, as sacreBLEU
// has it; without segments it is undefined. N counts segments.
func (t TER) Score() Estimate {
	switch {
	case t.Segments == 0:
		return undefined("no segments", 0)
	case t.Words == 0:
		return number("ter@1", float64(100*oneIf(t.Edits > 0)), int(t.Segments))
	}
	return number("ter@1", 100*float64(t.Edits)/(float64(t.Words)/float64(t.References)), int(t.Segments))
}

// Tercom's limits of the search.
const (
	terShiftWords = 10   // longest run that is shifted
	terShiftFar   = 50   // how far apart a run's places in the two texts may be
	terTried      = 1000 // shifts tried for one pair
	terBeam       = 25   // half the width of the table about its diagonal
)

// translationEdits applies the shift that saves most until none saves any, and
// counts the shifts and the edits left. A shift found when the search is cut off
// is not applied.
func translationEdits(h, r []int32) (int64, error) {
	if len(r) == 0 {
		return int64(len(h)), nil
	}
	s := terSearch{r: r}
	for shifts := int64(0); ; shifts++ {
		t := terTable(h, r)
		best, err := s.bestShift(h, t)
		if err != nil {
			return 0, err
		}
		if s.tried >= terTried || best.saved <= 0 {
			return shifts + int64(t.edits()), nil
		}
		h = best.words
	}
}

type terSearch struct {
	r     []int32
	tried int
}

// A terShift is a run of words moved. Of two the better saves more, then is
// longer, then comes from further ahead, then goes further ahead.
type terShift struct {
	saved, length, from, to int
	words                   []int32
}

func (a terShift) better(b terShift) bool {
	return slices.Compare([]int{a.saved, a.length, -a.from, -a.to}, []int{b.saved, b.length, -b.from, -b.to}) > 0
}

// bestShift tries to move each run of the hypothesis that the reference has
// elsewhere, if there are errors in both places.
func (s *terSearch) bestShift(h []int32, t *editTable) (terShift, error) {
	align, refErr, hypErr, err := t.alignment()
	if err != nil {
		return terShift{}, err
	}
	best := terShift{length: -1}
	for from := range h {
		for at := max(0, from-terShiftFar); at < min(len(s.r), from+terShiftFar+1); at++ {
			for n := 1; n <= terShiftWords && from+n <= len(h) && at+n <= len(s.r) && h[from+n-1] == s.r[at+n-1]; n++ {
				wrong := slices.Contains(hypErr[from:from+n], true) && slices.Contains(refErr[at:at+n], true)
				if !wrong || from <= align[at] && align[at] < from+n {
					continue
				}
				s.try(&best, h, t.edits(), terShift{length: n, from: from}, at, align)
				if s.tried >= terTried {
					return best, nil
				}
			}
		}
	}
	return best, nil
}

// try moves a run before and into the place that the reference has it.
func (s *terSearch) try(best *terShift, h []int32, edits int, c terShift, at int, align []int) {
	before := -1
	for k := at - 1; k < at+c.length; k++ {
		c.to = 0
		if k >= 0 {
			c.to = align[k] + 1
		}
		if c.to == before {
			continue
		}
		before = c.to
		c.words = shifted(h, c.from, c.length, c.to)
		c.saved = edits - terTable(c.words, s.r).edits()
		s.tried++
		if best.length < 0 || c.better(*best) {
			*best = c
		}
	}
}

// shifted moves the run of n words at from to the place to. A place inside the
// run, or at its end, counts on from behind the run.
func shifted(w []int32, from, n, to int) []int32 {
	rest := slices.Concat(w[:from], w[from+n:])
	if to > from+n {
		to -= n
	}
	to = min(to, len(rest))
	return slices.Concat(rest[:to], w[from:from+n], rest[to:])
}

// An editTable holds the edits that turn i words of the hypothesis into j words of
// the reference, for j within the beam about the diagonal.
type editTable struct {
	rows []editRow
	n, m int
}

type editRow struct {
	low   int // j of the first cell
	cells []editCell
}

type editCell struct {
	cost int32
	op   byte
}

const (
	opNone = iota // outside of the beam
	opKeep
	opReplace
	opInsert // a word of the reference
	opDelete // a word of the hypothesis
)

const tooFar = math.MaxInt32 / 2

func (r editRow) at(j int) editCell {
	if j < r.low || j >= r.low+len(r.cells) {
		return editCell{cost: tooFar}
	}
	return r.cells[j-r.low]
}

// terTable fills the table row by row. Of equal costs keeping or replacing comes
// first, then deleting, then inserting.
func terTable(h, r []int32) *editTable {
	t := &editTable{n: len(h), m: len(r), rows: make([]editRow, 1, len(h)+1)}
	for j := range len(r) + 1 {
		t.rows[0].cells = append(t.rows[0].cells, editCell{int32(j), opInsert})
	}
	ratio, beam := 1.0, terBeam
	if len(h) > 0 {
		ratio = float64(len(r)) / float64(len(h))
	}
	if terBeam < ratio/2 {
		beam = int(math.Ceil(float64(ratio/2) + terBeam))
	}
	for i := 1; i <= len(h); i++ {
		diagonal := int(math.Floor(float64(i) * ratio))
		low, high := max(0, diagonal-beam), min(len(r)+1, diagonal+beam)
		if i == len(h) {
			high = len(r) + 1
		}
		t.rows = append(t.rows, fillRow(t.rows[i-1], h[i-1], r, low, high))
	}
	return t
}

func fillRow(above editRow, word int32, r []int32, low, high int) editRow {
	row := editRow{low: low, cells: make([]editCell, 0, max(0, high-low))}
	left := editCell{cost: tooFar}
	for j := low; j < high; j++ {
		up := above.at(j)
		cell := editCell{cost: tooFar}
		if j > 0 {
			cost, op := above.at(j-1).cost+1, byte(opReplace)
			if r[j-1] == word {
				cost, op = cost-1, opKeep
			}
			cell.take(cost, op)
		}
		cell.take(up.cost+1, opDelete)
		cell.take(left.cost+1, opInsert)
		row.cells = append(row.cells, cell)
		left = cell
	}
	return row
}

func (c *editCell) take(cost int32, op byte) {
	if cost < c.cost {
		*c = editCell{cost, op}
	}
}

func (t *editTable) edits() int { return int(t.rows[t.n].at(t.m).cost) }

// alignment walks the table back: for each word of the reference the word of the
// hypothesis at or before it, and which words of either are in error.
func (t *editTable) alignment() (align []int, refErr, hypErr []bool, err error) {
	align, refErr, hypErr = make([]int, t.m), make([]bool, t.m), make([]bool, t.n)
	for i, j := t.n, t.m; i > 0 || j > 0; {
		switch op := t.rows[i].at(j).op; op {
		case opKeep, opReplace:
			i, j = i-1, j-1
			align[j], refErr[j], hypErr[i] = i, op == opReplace, op == opReplace
		case opInsert:
			j--
			align[j], refErr[j] = i-1, true
		case opDelete:
			i--
			hypErr[i] = true
		default:
			return nil, nil, nil, errors.New("ter: the texts differ too much in length to be aligned")
		}
	}
	return align, refErr, hypErr, nil
}
