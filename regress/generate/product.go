package generate

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"
)

// Bounds of what a product may make.
const (
	MaxRows   = 1_000_000
	MaxBytes  = 1 << 28 // of all values
	MaxValue  = 1 << 20 // bytes of one value
	maxChoice = 10_000  // combinations of templates
	maxTotal  = 1 << 60
)

// A Product makes rows: every choice of one template for each column, with every choice of words for its
// places. A word is the same in all columns of a row.
type Product struct {
	Columns []Column
	Words   map[string][]string // lists by name; some are built in, see [Lists]
	AtMost  int                 // rows; where there are more, as many are drawn
}

// A Column is filled from one of its templates.
type Column struct {
	Name      string
	Templates []string
}

// A block is one choice of templates with the places that they have.
type block struct {
	templates []template // by column
	places    []string
	lists     [][]string
	size      int
}

// Rows returns the values by column. Rows that would repeat, or give two places of one
// list the same word, are left out. It is an error when a template is not in order, a
// list is missing or empty, or the values would exceed MaxBytes.
func (p Product) Rows(seed Seed) ([][]string, error) {
	if p.AtMost < 1 || p.AtMost > MaxRows {
		return nil, fmt.Errorf("at_most is %d; it is from 1 to %d", p.AtMost, MaxRows)
	}
	blocks, total, err := p.blocks()
	if err != nil {
		return nil, err
	}
	ends := make([]int, len(blocks))
	at := 0
	for i, b := range blocks {
		at += b.size
		ends[i] = at
	}
	out := make([][]string, len(p.Columns))
	size := 0
	row := func(index int) error {
		i := sort.SearchInts(ends, index+1)
		if word, ok := blocks[i].words(index - (ends[i] - blocks[i].size)); ok {
			for c, t := range blocks[i].templates {
				n := t.size(word)
				if size += n; n > MaxValue || size > MaxBytes {
					return fmt.Errorf("a value has more than %d bytes, or all have more than %d", MaxValue, MaxBytes)
				}
				out[c] = append(out[c], t.fill(word))
			}
		}
		return nil
	}
	for _, index := range p.choose(seed, total) {
		if err := row(index); err != nil {
			return nil, err
		}
	}
	return distinct(out), nil
}

// choose returns the indices of the rows, ascending: all, or as many as are asked for.
func (p Product) choose(seed Seed, total int) []int {
	if total > p.AtMost {
		return seed.draw().sample(total, p.AtMost)
	}
	all := make([]int, total)
	for i := range all {
		all[i] = i
	}
	return all
}

// blocks lists the choices of templates. A column of values without places is a list
// of words itself, so that a grid of values is sampled and never laid out.
func (p Product) blocks() ([]block, int, error) {
	if len(p.Columns) == 0 {
		return nil, 0, errors.New("it has no columns")
	}
	words := maps.Clone(p.Words)
	if words == nil {
		words = map[string][]string{}
	}
	parsed := make([][]template, len(p.Columns))
	choices := 1
	for c, col := range p.Columns {
		ts, values, err := col.parse()
		if err != nil {
			return nil, 0, fmt.Errorf("column %q: %w", col.Name, err)
		}
		if values != nil { // its place has a name that nobody can write
			name := "=" + strconv.Itoa(c)
			words[name], ts = values, []template{{parts: []string{"", name, ""}}}
		}
		parsed[c] = ts
		if choices *= len(ts); choices > maxChoice {
			return nil, 0, fmt.Errorf("its columns have more than %d combinations of templates; use lists of words", maxChoice)
		}
	}
	return unfold(parsed, choices, words)
}

// parse returns the templates of a column or, where none has a place, its values.
func (c Column) parse() (ts []template, values []string, err error) {
	if len(c.Templates) == 0 {
		return nil, nil, errors.New("it has no templates or values")
	}
	plain := len(c.Templates) > 1
	for _, text := range c.Templates {
		t, err := parse(text)
		if err != nil {
			return nil, nil, err
		}
		ts = append(ts, t)
		plain = plain && len(t.parts) == 1
	}
	if plain {
		for _, t := range ts {
			values = append(values, t.parts[0])
		}
	}
	return ts, values, nil
}

func unfold(parsed [][]template, choices int, words map[string][]string) ([]block, int, error) {
	var out []block
	total := 0
	for i := range choices {
		b := block{size: 1}
		for _, ts := range parsed {
			b.templates = append(b.templates, ts[i%len(ts)])
			i /= len(ts)
		}
		if err := b.measure(words); err != nil {
			return nil, 0, err
		}
		if total += b.size; total > maxTotal {
			return nil, 0, errTooMany
		}
		out = append(out, b)
	}
	return out, total, nil
}

// measure finds the places of a block and how many rows it has.
func (b *block) measure(words map[string][]string) error {
	for _, t := range b.templates {
		for _, name := range t.places() {
			if slices.Contains(b.places, name) {
				continue
			}
			l, err := list(words, name)
			if err != nil {
				return err
			}
			b.places, b.lists = append(b.places, name), append(b.lists, l)
			if b.size > maxTotal/len(l) {
				return errTooMany
			}
			b.size *= len(l)
		}
	}
	return nil
}

// words returns the words of one row, the last place changing fastest, and false
// where two places of one list have the same word.
func (b block) words(index int) (map[string]string, bool) {
	word := make(map[string]string, len(b.places))
	for i := len(b.places) - 1; i >= 0; i-- {
		l := b.lists[i]
		word[b.places[i]] = l[index%len(l)]
		index /= len(l)
	}
	for i, p := range b.places {
		for k := range i {
			if base(p) == base(b.places[k]) && word[p] == word[b.places[k]] {
				return nil, false
			}
		}
	}
	return word, true
}

// distinct drops rows that repeat an earlier one.
func distinct(cols [][]string) [][]string {
	seen := make(map[[sha256.Size]byte]bool, len(cols[0]))
	n := 0
	row := make([]string, len(cols))
	for r := range cols[0] {
		for c := range cols {
			row[c] = cols[c][r]
		}
		if key := SeedOf(row...); !seen[key] {
			seen[key] = true
			for c := range cols {
				cols[c][n] = row[c]
			}
			n++
		}
	}
	for c := range cols {
		cols[c] = cols[c][:n]
	}
	return cols
}
