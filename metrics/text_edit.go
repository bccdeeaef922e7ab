package metrics

import "fmt"

// editDistance is the least number of insertions, deletions and replacements of
// one symbol that turn a into b (Levenshtein 1966). It keeps 64 rows of the table
// as differences in two machine words (Myers 1999; the border of the whole
// distance after Hyyro 2003), one strip of 64 symbols of a at a time over all of
// b: len(a) len(b) / 64 steps, memory linear in both. Symbols are in [0, symbols).
func editDistance(a, b []int32, symbols int) int64 {
	if len(a) == 0 {
		return int64(len(b))
	}
	rises, falls := make([]uint8, len(b)), make([]uint8, len(b)) // by column, of the row above the strip
	for j := range rises {
		rises[j] = 1
	}
	match := make([]uint64, symbols)
	distance := int64(len(a))
	for from := 0; from < len(a); from += 64 {
		strip := a[from:min(from+64, len(a))]
		for i, s := range strip {
			match[s] |= 1 << i
		}
		editStrip(match, b, rises, falls, len(strip)-1)
		for _, s := range strip {
			match[s] = 0
		}
	}
	for j := range b { // along the last row
		distance += int64(rises[j]) - int64(falls[j])
	}
	return distance
}

// editStrip fills a strip whose last row is last. match marks the rows of each
// symbol; rises and falls say where the row above goes up or down by 1, and then
// where the last row does. up and down mark the same within a column.
func editStrip(match []uint64, b []int32, rises, falls []uint8, last int) {
	up, down := ^uint64(0), uint64(0)
	rises, falls = rises[:len(b)], falls[:len(b)]
	for j, s := range b {
		eq, riseIn, fallIn := match[s], uint64(rises[j]), uint64(falls[j])
		vertical := eq | down
		eq |= fallIn
		diagonal := (((eq & up) + up) ^ up) | eq
		rise := down | ^(diagonal | up)
		fall := up & diagonal
		rises[j], falls[j] = uint8(rise>>(last&63)&1), uint8(fall>>(last&63)&1)
		rise, fall = rise<<1|riseIn, fall<<1|fallIn
		up, down = fall|^(vertical|rise), rise&vertical
	}
}

// longestCommon is the length of the longest common subsequence, by the same
// strips with a carry of one bit (Crochemore 2001; Hyyro 2004).
func longestCommon(a, b []int32, symbols int) int {
	carry := make([]uint64, len(b))
	match := make([]uint64, symbols)
	total := 0
	for from := 0; from < len(a); from += 64 {
		strip := a[from:min(from+64, len(a))]
		for i, s := range strip {
			match[s] |= 1 << i
		}
		open := ^uint64(0) // zeros end up where a common symbol was counted
		for j, s := range b {
			both := open & match[s]
			added := open + both
			next := added + carry[j]
			carry[j] = uint64(oneIf(added < open || next < added))
			open = next | open&^match[s]
		}
		for i, s := range strip {
			match[s] = 0
			total += oneIf(open>>i&1 == 0)
		}
	}
	return total
}

// A dictionary numbers symbols in the order in which they come.
type dictionary[T comparable] map[T]int32

func (d dictionary[T]) codes(s []T) []int32 {
	out := make([]int32, len(s))
	for i, x := range s {
		c, ok := d[x]
		if !ok {
			c = int32(len(d))
			d[x] = c
		}
		out[i] = c
	}
	return out
}

func editsBetween[T comparable](a, b []T) int64 {
	d := dictionary[T]{}
	x, y := d.codes(a), d.codes(b)
	return editDistance(x, y, len(d))
}

// EditDistance counts the code points to insert, delete or replace to turn one
// text into the other. Composed and decomposed accents differ. It is an error if a
// text is longer than 64 KiB or no UTF-8; the longest pair takes about a second.
func EditDistance(a, b string) (int64, error) {
	for _, s := range []string{a, b} {
		if err := checkText("edit distance", s); err != nil {
			return 0, err
		}
	}
	return editsBetween([]rune(a), []rune(b)), nil
}

// Unit is what an [ErrorRate] counts.
type Unit uint8

const (
	Characters Unit = iota // code points: CER
	Words                  // between white space: WER
)

// An ErrorRate is edits over the length of the references, both summed over all
// pairs: "cer@1" of characters, "wer@1" of words. In [0, inf), lower is better.
// The zero value with a unit is ready; counts of parts add up to those of the
// whole, in any order.
type ErrorRate struct {
	Unit                 Unit
	Edits, Length, Pairs int64
}

// Add counts one pair. Errors as [EditDistance]; nothing is counted then.
func (e *ErrorRate) Add(predicted, reference string) error {
	if err := checkText("predicted text", predicted); err != nil {
		return err
	}
	if err := checkText("reference", reference); err != nil {
		return err
	}
	if e.Unit == Words {
		p, r := words(predicted), words(reference)
		e.Edits, e.Length = e.Edits+editsBetween(p, r), e.Length+int64(len(r))
	} else {
		p, r := []rune(predicted), []rune(reference)
		e.Edits, e.Length = e.Edits+editsBetween(p, r), e.Length+int64(len(r))
	}
	e.Pairs++
	return nil
}

// Merge adds the counts of other pairs. It is an error if the units differ.
func (e *ErrorRate) Merge(o ErrorRate) error {
	if e.Unit != o.Unit {
		return fmt.Errorf("error rates of characters and of words do not add up")
	}
	e.Edits, e.Length, e.Pairs = e.Edits+o.Edits, e.Length+o.Length, e.Pairs+o.Pairs
	return nil
}

// Rate is the rate. Where all texts are empty it is 0; where the references alone
// are it is undefined, since infinite. N counts pairs.
func (e ErrorRate) Rate() Estimate {
	id := "cer@1"
	if e.Unit == Words {
		id = "wer@1"
	}
	switch {
	case e.Pairs == 0:
		return undefined("no pairs", 0)
	case e.Length == 0 && e.Edits > 0:
		return undefined(infinite+"the references are empty", e.Pairs)
	case e.Length == 0:
		return number(id, 0, int(e.Pairs))
	}
	return number(id, float64(e.Edits)/float64(e.Length), int(e.Pairs))
}
