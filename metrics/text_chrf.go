package metrics

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The orders and the weight of recall of chrF.
const (
	charOrder = 6
	wordOrder = 2 // with words, chrF++
	chrfBeta  = 2
)

// ChrF counts character n-grams of a corpus (Popovic 2015), and with Words also
// words and pairs of words (chrF++; Popovic 2017), as sacreBLEU does. The zero
// value is ready: chrF2 without white space. Counts of parts add up to those of
// the whole, in any order.
type ChrF struct {
	Words      bool // chrF++
	Whitespace bool // count white space as characters
	Floor      bool // average F over all orders with 1e-16 for what is 0, as chrF++.py does
	Grams      [charOrder + wordOrder]GramCount
	Segments   int64
}

// GramCount counts the n-grams of one order.
type GramCount struct{ Hypothesis, Reference, Match int64 }

// Add counts one segment against the reference with the highest F of the segment,
// the first of equals. Errors as [BLEU.Add].
func (c *ChrF) Add(hypothesis string, references []string) error {
	if err := checkSegment(hypothesis, references); err != nil {
		return fmt.Errorf("chrf: %w", err)
	}
	best, highest := [charOrder + wordOrder]GramCount{}, -1.0
	for _, r := range references {
		g := c.compare(hypothesis, r)
		if f := c.f(g); f > highest {
			best, highest = g, f
		}
	}
	c.add(best)
	c.Segments++
	return nil
}

func (c *ChrF) add(g [charOrder + wordOrder]GramCount) {
	for i := range g {
		c.Grams[i].Hypothesis += g[i].Hypothesis
		c.Grams[i].Reference += g[i].Reference
		c.Grams[i].Match += g[i].Match
	}
}

// Merge adds the counts of other segments. It is an error if their settings
// differ.
func (c *ChrF) Merge(o ChrF) error {
	if c.Words != o.Words || c.Whitespace != o.Whitespace || c.Floor != o.Floor {
		return errors.New("chrf: counts of different settings do not add up")
	}
	c.add(o.Grams)
	c.Segments += o.Segments
	return nil
}

// Score is 100 times F2 of the mean precision and mean recall over the orders
// that both sides have ("chrf2@1"; with Words "chrf2++@1"). In [0, 100], higher is
// better; 0 where nothing matches, undefined without segments. N counts segments.
func (c ChrF) Score() Estimate {
	if c.Segments == 0 {
		return undefined("no segments", 0)
	}
	id := "chrf2"
	if c.Words {
		id = "chrf2++"
	}
	if c.Whitespace {
		id += "_whitespace"
	}
	if c.Floor {
		id += "_floor"
	}
	return number(id+"@1", 100*c.f(c.Grams), int(c.Segments))
}

// compare counts the n-grams of one pair. Where the reference has none of an
// order, those of the hypothesis do not count either.
func (c *ChrF) compare(h, r string) (out [charOrder + wordOrder]GramCount) {
	hw, rw := cutPunctuation(h), cutPunctuation(r)
	if !c.Whitespace {
		h, r = strings.Join(words(h), ""), strings.Join(words(r), "")
	}
	hs, rs := starts(h), starts(r)
	for n := 1; n <= charOrder; n++ {
		out[n-1] = countGrams(charGrams(h, hs, n), charGrams(r, rs, n))
	}
	if c.Words {
		d := dictionary[string]{}
		hc, rc := d.codes(hw), d.codes(rw)
		out[charOrder] = countGrams(hc, rc)
		out[charOrder+1] = countGrams(pairsOf(hc), pairsOf(rc))
	}
	return out
}

func countGrams[T comparable](h, r []T) GramCount {
	if len(r) == 0 {
		return GramCount{}
	}
	return GramCount{int64(len(h)), int64(len(r)), int64(common(h, r))}
}

// starts returns where each code point starts, and the end.
func starts(s string) []int {
	out := make([]int, 0, utf8.RuneCountInString(s)+1)
	for i := range s {
		out = append(out, i)
	}
	return append(out, len(s))
}

func charGrams(s string, starts []int, n int) []string {
	if len(starts) <= n {
		return nil
	}
	out := make([]string, len(starts)-n)
	for i := range out {
		out[i] = s[starts[i]:starts[i+n]]
	}
	return out
}

// cutPunctuation splits at white space and cuts one ASCII punctuation mark off
// the end of a word, or else off its start.
func cutPunctuation(s string) []string {
	var out []string
	for _, w := range words(s) {
		end, start := w[len(w)-1:], w[:1]
		switch {
		case utf8.RuneCountInString(w) == 1:
			out = append(out, w)
		case strings.Contains(asciiPunctuation, end):
			out = append(out, w[:len(w)-1], end)
		case strings.Contains(asciiPunctuation, start):
			out = append(out, start, w[1:])
		default:
			out = append(out, w)
		}
	}
	return out
}

// chrfFloor stands in for what is 0 where Floor is set.
const chrfFloor = 1e-16

// f is the F score of counts, in [0, 1].
func (c *ChrF) f(g [charOrder + wordOrder]GramCount) float64 {
	orders := charOrder
	if c.Words {
		orders += wordOrder
	}
	precision, recall, floored, both := 0.0, 0.0, 0.0, 0
	for _, o := range g[:orders] {
		p, r := chrfFloor, chrfFloor
		if o.Hypothesis > 0 {
			p = float64(o.Match) / float64(o.Hypothesis)
		}
		if o.Reference > 0 {
			r = float64(o.Match) / float64(o.Reference)
		}
		if floored += fBeta(p, r); p+r == 0 {
			floored += chrfFloor
		}
		if o.Hypothesis > 0 && o.Reference > 0 {
			precision, recall, both = precision+p, recall+r, both+1
		}
	}
	if c.Floor {
		return floored / float64(orders)
	}
	if both == 0 {
		return 0
	}
	return fBeta(precision/float64(both), recall/float64(both))
}

func fBeta(p, r float64) float64 {
	const b2 = chrfBeta * chrfBeta
	if p+r == 0 {
		return 0
	}
	return (1 + b2) * p * r / (float64(b2*p) + r)
}
