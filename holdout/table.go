package holdout

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"proctor/holdout/rows"
)

const (
	minRows       = 100
	maxSliceValue = 500 // values of one slice column
	maxShared     = 25  // percent of the reserve that may equal scored rows
	times         = " × "
)

// An exam paper's table with its meaning: what Seal seals and Audit reads back.
type paper struct {
	sealed   rows.Table // features, slice columns that are none, answer
	features rows.Table
	labels   []int32
	slices   []SliceColumn
	clusters []int32   // nil: every row is one
	weights  []float64 // nil: every row counts 1
}

// A SliceColumn is a column to report by, dictionary coded: row r has the value
// Values[Codes[r]]. Values are sorted, and each has a row.
type SliceColumn struct {
	Name   string
	Values []string
	Codes  []int32
}

// readPaper gives a table its meaning, or says what is wrong with it. Its errors
// name columns, rows and counts, never values: they end up in logs.
func readPaper(s Spec, t rows.Table) (paper, error) {
	var p paper
	var err error
	if p.sealed, err = t.Select(s.sealed()...); err != nil {
		return p, err
	}
	if p.features, err = t.Select(s.Features...); err != nil {
		return p, err
	}
	answer, _ := t.Column(s.Answer)
	if p.labels, err = readLabels(answer, s.Classes); err != nil {
		return p, err
	}
	for _, name := range s.Slices {
		c, _ := t.Column(name)
		col, err := readSlice(c)
		if err != nil {
			return p, err
		}
		p.slices = append(p.slices, col)
	}
	p.clusters, p.weights, err = s.readDependence(t)
	return p, err
}

func readLabels(c rows.Column, classes []string) ([]int32, error) {
	code := map[string]int32{}
	for i, name := range classes {
		code[name] = int32(i)
	}
	labels := make([]int32, c.Len())
	counts := make([]int, len(classes))
	unknown, first := 0, 0
	for r, v := range texts(c) {
		k, ok := code[v]
		if !ok {
			if unknown++; unknown == 1 {
				first = r + 1
			}
			continue
		}
		labels[r] = k
		counts[k]++
	}
	if unknown > 0 {
		return nil, fmt.Errorf("answer column %q: %d of %d rows have an answer that is not a declared class (first: row %d); the classes are %s",
			c.Name, unknown, c.Len(), first, strings.Join(classes, ", "))
	}
	for i, n := range counts {
		if n == 0 {
			return nil, fmt.Errorf("class %q has no rows: nothing could be said about it; add rows or remove the class", classes[i])
		}
	}
	return labels, nil
}

func readSlice(c rows.Column) (SliceColumn, error) {
	text := texts(c)
	values := slices.Clone(text)
	slices.Sort(values)
	values = slices.Compact(values)
	if len(values) > maxSliceValue {
		return SliceColumn{}, fmt.Errorf("slice column %q has %d values; at most %d, put them into groups first", c.Name, len(values), maxSliceValue)
	}
	code := make(map[string]int32, len(values))
	for i, v := range values {
		if strings.Contains(v, times) {
			return SliceColumn{}, fmt.Errorf("slice column %q has a value that contains %q, which joins the values of two columns", c.Name, times)
		}
		code[v] = int32(i)
	}
	codes := make([]int32, len(text))
	for r, v := range text {
		codes[r] = code[v]
	}
	return SliceColumn{c.Name, values, codes}, nil
}

// texts returns a column's values as text; numbers in their shortest form.
func texts(c rows.Column) []string {
	if !c.IsNumber() {
		return c.Strings
	}
	out := make([]string, len(c.Floats))
	for r, v := range c.Floats {
		out[r] = strconv.FormatFloat(v+0, 'g', -1, 64)
	}
	return out
}

// checkScored applies what only the curator's table must pass.
func checkScored(s Spec, t rows.Table, p paper) (repeats int, err error) {
	if t.Len() < minRows {
		return 0, fmt.Errorf("%d rows are too few; at least %d, and thousands to see harms of a few points", t.Len(), minRows)
	}
	for _, name := range s.Text {
		if c, ok := t.Column(name); !ok {
			return 0, fmt.Errorf("text: there is no column %q", name)
		} else if c.IsNumber() {
			return 0, fmt.Errorf("text: column %q was read as numbers", name)
		}
	}
	if err := checkIDs(s, t); err != nil {
		return 0, err
	}
	if err := checkProxies(p.features, p.labels, s.Classes); err != nil {
		return 0, err
	}
	repeats, first, of := countRepeats(p.sealed)
	if pct := 100 * float64(repeats) / float64(t.Len()); pct > s.Duplicates {
		return 0, fmt.Errorf("holdout.duplicates: %d of %d rows (%.1f %%) repeat an earlier row, at most %g %% may (first: row %d repeats row %d); copies make errors look rarer than they are, remove them or raise duplicates_at_most_pct",
			repeats, t.Len(), pct, s.Duplicates, first, of)
	}
	return repeats, nil
}

func checkIDs(s Spec, t rows.Table) error {
	if s.ID == "" {
		return nil
	}
	c, ok := t.Column(s.ID)
	if !ok {
		return fmt.Errorf("id: there is no column %q", s.ID)
	}
	seen := make(map[string]int, c.Len())
	for r, v := range texts(c) {
		if of, ok := seen[v]; ok {
			return fmt.Errorf("id column %q: row %d has the id of row %d", c.Name, r+1, of+1)
		}
		seen[v] = r
	}
	return nil
}

// givesAway says whether a feature of at most twice as many values as there are
// classes names the class of that share of the rows of every class.
func givesAway(c rows.Column, labels []int32, classes int, share float64) bool {
	code := map[string]int{}
	var counts [][]int
	for r, v := range texts(c) {
		k, ok := code[v]
		if !ok {
			if k = len(counts); k == 2*classes {
				return false
			}
			code[v] = k
			counts = append(counts, make([]int, classes))
		}
		counts[k][labels[r]]++
	}
	named, all := make([]int, classes), make([]int, classes)
	for _, n := range counts {
		most := 0
		for k := range n {
			all[k] += n[k]
			if n[k] > n[most] {
				most = k
			}
		}
		named[most] += n[most]
	}
	for k := range all {
		if float64(named[k]) < share*float64(all[k]) {
			return false
		}
	}
	return true
}

// checkReserve applies to the reserve what makes it a reserve: the same columns
// and classes, and fresh rows.
func checkReserve(s Spec, scored, reserve rows.Table) error {
	if err := reserve.SameFields(scored.Fields()); err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	answer, _ := reserve.Column(s.Answer)
	if _, err := readLabels(answer, s.Classes); err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	if err := s.apart("reserve", reserve, scored); err != nil {
		return err
	}
	both, err := rows.Concat(scored, reserve)
	if err != nil {
		return err
	}
	n := nearKeys(both)
	known := make(map[[16]byte]bool, scored.Len())
	for _, k := range n[:scored.Len()] {
		known[k] = true
	}
	shared := 0
	for _, k := range n[scored.Len():] {
		if known[k] {
			shared++
		}
	}
	if shared*100 > reserve.Len()*maxShared {
		return fmt.Errorf("reserve: %d of %d rows are also in the scored table; at most %d %% may, a reserve is for the day when the scored rows are known", shared, reserve.Len(), maxShared)
	}
	return nil
}
