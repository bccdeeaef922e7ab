package regress

import (
	"errors"
	"fmt"
	"strings"

	"proctor/metrics"
)

// A Predicate is one feature having one value.
type Predicate struct{ Feature, Value string }

// String says a predicate in words: "sex is Female".
func (p Predicate) String() string { return p.Feature + " is " + p.Value }

// inWords says a slice: "sex is Female and education is Masters", or "all rows".
func inWords(ps []Predicate) string {
	if len(ps) == 0 {
		return "all rows"
	}
	texts := make([]string, len(ps))
	for i, p := range ps {
		texts[i] = p.String()
	}
	return strings.Join(texts, " and ")
}

const (
	// maxLevels bounds the predicates of one slice.
	maxLevels = 8
	// maxFeatures bounds the columns of a search.
	maxFeatures = 1000
	// maxSlices bounds the slices of one search. More is an error and not a list
	// that ends early: a search that leaves out slices has no corrected p-values.
	maxSlices = 1 << 21
)

var errTooMany = fmt.Errorf("more than %d slices have enough rows; ask for more rows a slice, fewer predicates or fewer features", maxSlices)

// A predicateTable holds the predicates that have enough rows, by feature and
// then value, each with two bitmaps: of the rows that it is true of, and of the
// events that it is true of. An event is a row that is searched for, such as one
// that changed; where they are few, counting them in a slice costs next to nothing.
type predicateTable struct {
	features           []metrics.Dimension
	rows               int
	feature, value     []int32 // of each predicate
	size               []int   // rows of each predicate
	rowWords, evtWords int
	rowBits, evtBits   []uint64
}

// newPredicateTable takes the rows of the events, ascending.
func newPredicateTable(features []metrics.Dimension, rows, minRows int, events []int) (*predicateTable, error) {
	if err := checkFeatures(features, rows); err != nil {
		return nil, err
	}
	t := &predicateTable{features: features, rows: rows, rowWords: (rows + 63) / 64, evtWords: (len(events) + 63) / 64}
	ids := make([][]int32, len(features)) // predicate of a value, -1: too few rows
	for f, d := range features {
		ids[f] = t.add(int32(f), d, minRows)
	}
	t.rowBits, t.evtBits = make([]uint64, len(t.size)*t.rowWords), make([]uint64, len(t.size)*t.evtWords)
	for f, d := range features {
		for i, c := range d.Codes {
			if id := int(ids[f][c]); id >= 0 {
				t.rowBits[id*t.rowWords+i>>6] |= 1 << (i & 63)
			}
		}
		for j, row := range events {
			if id := int(ids[f][d.Codes[row]]); id >= 0 {
				t.evtBits[id*t.evtWords+j>>6] |= 1 << (j & 63)
			}
		}
	}
	return t, nil
}

func (t *predicateTable) add(feature int32, d metrics.Dimension, minRows int) []int32 {
	sizes := make([]int, len(d.Values))
	for _, c := range d.Codes {
		sizes[c]++
	}
	ids := make([]int32, len(sizes))
	for v, n := range sizes {
		ids[v] = -1
		if n >= minRows && n > 0 {
			ids[v] = int32(len(t.size))
			t.feature, t.value, t.size = append(t.feature, feature), append(t.value, int32(v)), append(t.size, n)
		}
	}
	return ids
}

func checkFeatures(features []metrics.Dimension, rows int) error {
	switch {
	case rows < 1:
		return errors.New("there are no rows to search")
	case len(features) == 0 || len(features) > maxFeatures:
		return fmt.Errorf("there are %d features; a search takes 1 to %d", len(features), maxFeatures)
	}
	names := make(map[string]bool, len(features))
	for _, d := range features {
		if d.Name == "" || names[d.Name] {
			return fmt.Errorf("feature %q has no name or stands twice", d.Name)
		}
		names[d.Name] = true
		if twice(d.Values) {
			return fmt.Errorf("feature %q names a value twice", d.Name)
		}
		if len(d.Codes) != rows {
			return fmt.Errorf("feature %q has %d rows, the others %d", d.Name, len(d.Codes), rows)
		}
		for _, c := range d.Codes {
			if c < 0 || int(c) >= len(d.Values) {
				return fmt.Errorf("feature %q holds a code that is none of its %d values", d.Name, len(d.Values))
			}
		}
	}
	return nil
}

func twice(values []string) bool {
	seen := make(map[string]bool, len(values))
	for _, v := range values {
		seen[v] = true
	}
	return len(seen) < len(values)
}

func (t *predicateTable) rowsOf(id int32) []uint64 {
	return t.rowBits[int(id)*t.rowWords : (int(id)+1)*t.rowWords]
}

func (t *predicateTable) eventsOf(id int32) []uint64 {
	return t.evtBits[int(id)*t.evtWords : (int(id)+1)*t.evtWords]
}

// predicates names a slice.
func (t *predicateTable) predicates(ids []int32) []Predicate {
	out := make([]Predicate, len(ids))
	for i, id := range ids {
		d := t.features[t.feature[id]]
		out[i] = Predicate{d.Name, d.Values[t.value[id]]}
	}
	return out
}
