package metrics

import (
	"errors"
	"fmt"
	"math"
)

// bleuOrder is the longest n-gram of BLEU.
const bleuOrder = 4

// BLEU counts n-grams of a corpus, segment by segment (Papineni 2002), as
// sacreBLEU does (Post 2018). The zero value is ready: words of 13a in their own
// case. Counts of parts add up to those of the whole, in any order.
type BLEU struct {
	Cut             Tokenization
	Lower           bool // compare in lower case
	Matches, Totals [bleuOrder]int64
	Length          int64 // of the hypotheses, in words
	Reference       int64 // of the references nearest in length, the shorter of two as near
	Segments        int64
}

// Add counts one segment: a hypothesis and one reference or more. An n-gram
// matches as often as in the reference that has it most. It is an error if there
// is no reference or more than 16, or a text is longer than 64 KiB or no UTF-8;
// nothing is counted then.
func (b *BLEU) Add(hypothesis string, references []string) error {
	if err := checkSegment(hypothesis, references); err != nil {
		return fmt.Errorf("bleu: %w", err)
	}
	d := dictionary[string]{"": 0} // code 0 fills up shorter n-grams; no word is empty
	h := d.codes(b.Cut.tokens(hypothesis, b.Lower))
	found, best := wordGrams(h), map[gram]int32{}
	nearest := -1
	for _, r := range references {
		codes := d.codes(b.Cut.tokens(r, b.Lower))
		nearest = nearer(nearest, len(codes), len(h))
		for g, c := range wordGrams(codes) {
			if found[g] > 0 {
				best[g] = max(best[g], c)
			}
		}
	}
	for g, c := range found { // whole numbers: the order of the map does not matter
		n := g.order() - 1
		b.Totals[n] += int64(c)
		b.Matches[n] += int64(min(c, best[g]))
	}
	b.Length += int64(len(h))
	b.Reference += int64(nearest)
	b.Segments++
	return nil
}

// nearer is the length nearer to want, the shorter of two as near. -1 is none.
func nearer(a, b, want int) int {
	away := func(x int) int { return max(x-want, want-x) }
	if a < 0 || away(b) < away(a) || away(b) == away(a) && b < a {
		return b
	}
	return a
}

// A gram is up to four words by code, 0 where there is none.
type gram [bleuOrder]int32

func (g gram) order() int {
	n := 0
	for n < bleuOrder && g[n] != 0 {
		n++
	}
	return n
}

func wordGrams(codes []int32) map[gram]int32 {
	out := make(map[gram]int32)
	for i := range codes {
		var g gram
		for n, c := range codes[i:min(i+bleuOrder, len(codes))] {
			g[n] = c
			out[g]++
		}
	}
	return out
}

// Merge adds the counts of other segments. It is an error if they were cut
// otherwise.
func (b *BLEU) Merge(o BLEU) error {
	if b.Cut != o.Cut || b.Lower != o.Lower {
		return errors.New("bleu: counts of differently cut words do not add up")
	}
	for n := range b.Matches {
		b.Matches[n] += o.Matches[n]
		b.Totals[n] += o.Totals[n]
	}
	b.Length, b.Reference, b.Segments = b.Length+o.Length, b.Reference+o.Reference, b.Segments+o.Segments
	return nil
}

// Smoothing is what stands in for a precision of 0.
type Smoothing uint8

const (
	SmoothExp   Smoothing = iota // the k-th such precision is 1/(2^k n) of n n-grams, NIST's rule
	SmoothNone                   // nothing: the score is 0
	SmoothFloor                  // 0.1 match
	SmoothAddK                   // 1 is added to matches and totals above single words
)

func (s Smoothing) String() string { return [...]string{"exp", "none", "floor", "add-k"}[s&3] }

// Score is 100 times the brevity penalty times the geometric mean of the four
// precisions ("bleu@1" for words of 13a and exponential smoothing, as everybody
// compares; the other forms carry theirs in the id). In [0, 100], higher is
// better. It is 0 where nothing matches, and undefined without segments. N counts
// segments.
func (b BLEU) Score(s Smoothing) Estimate { return b.score(s, bleuOrder) }

// SentenceBLEU is BLEU of one segment over the orders that its hypothesis has
// ("sentence_bleu@1"; sacreBLEU's effective order). Errors as [BLEU.Add].
func SentenceBLEU(hypothesis string, references []string) (Estimate, error) {
	var b BLEU
	if err := b.Add(hypothesis, references); err != nil {
		return Estimate{}, err
	}
	orders := 0
	for orders < bleuOrder && b.Totals[orders] > 0 {
		orders++
	}
	e := b.score(SmoothExp, max(1, orders))
	e.Method = "sentence_bleu@1"
	return e, nil
}

func (b BLEU) id(s Smoothing) string {
	if b.Cut == Cut13a && s == SmoothExp && !b.Lower {
		return "bleu@1"
	}
	id := fmt.Sprintf("bleu_%s_%s", b.Cut, s)
	if b.Lower {
		id += "_lower"
	}
	return id + "@1"
}

func (b BLEU) score(s Smoothing, orders int) Estimate {
	if b.Segments == 0 {
		return undefined("no segments", 0)
	}
	if b.Matches == [bleuOrder]int64{} {
		return number(b.id(s), 0, int(b.Segments))
	}
	logs, halving := 0.0, 1.0
	for n := range orders {
		match, total := float64(b.Matches[n]), float64(b.Totals[n])
		if s == SmoothAddK && n > 0 {
			match, total = match+1, total+1
		}
		if match == 0 {
			switch s {
			case SmoothExp:
				halving *= 2
				match = 1 / halving
			case SmoothFloor:
				match = 0.1
			}
		}
		if match == 0 || total == 0 {
			return number(b.id(s), 0, int(b.Segments))
		}
		logs += math.Log(100 * match / total)
	}
	return number(b.id(s), b.Brevity()*math.Exp(logs/float64(orders)), int(b.Segments))
}

// Brevity is the penalty of hypotheses that are shorter than their references,
// in [0, 1].
func (b BLEU) Brevity() float64 {
	switch {
	case b.Length >= b.Reference:
		return 1
	case b.Length == 0:
		return 0
	}
	return math.Exp(1 - float64(b.Reference)/float64(b.Length))
}
