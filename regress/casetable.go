package regress

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"proctor/holdout/rows"
)

// Columns of a case table that are no features.
const (
	expectColumn    = "expect"     // MFT, golden: expected class of each case
	expectNotColumn = "expect_not" // MFT: class that the case must not get
	caseColumn      = "case"       // INV, DIR: rows of one case have one value, the carrier is the first
)

// A rawTable is a case table as it was read, column by column and still as text.
type rawTable struct {
	names  []string
	values [][]string
	text   []bool // JSONL says which columns are text; in CSV every column may be numbers
}

// decoded is a case table that another process has read. Its columns have types.
func decoded(name string, b []byte, decode TableReader) (*rawTable, error) {
	tab, err := decode("parquet", b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	t := &rawTable{}
	for _, c := range tab.Columns() {
		t.names, t.text = append(t.names, c.Name), append(t.text, !c.IsNumber())
		values := c.Strings
		for _, f := range c.Floats {
			values = append(values, formatNumber(f))
		}
		t.values = append(t.values, values)
	}
	if tab.Len() == 0 {
		return nil, fmt.Errorf("%s has no rows", name)
	}
	if err := errors.Join(t.checkNames(), t.checkSize()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// readTable reads a case table by the ending of its name.
func readTable(name string, b []byte) (*rawTable, error) {
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("%s is not UTF-8", name)
	}
	var t *rawTable
	var err error
	switch strings.ToLower(path.Ext(name)) {
	case ".csv":
		t, err = readCSV(bytes.TrimPrefix(b, []byte("\ufeff")))
	case ".jsonl", ".ndjson":
		t, err = readJSONL(b)
	default:
		return nil, fmt.Errorf("%s: a case table is a .csv, a .jsonl or, where a process of its own can read it, a .parquet file", name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(t.values[0]) == 0 {
		return nil, fmt.Errorf("%s has no rows", name)
	}
	return t, nil
}

func readCSV(b []byte) (*rawTable, error) {
	r := csv.NewReader(bytes.NewReader(b))
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the file is empty; its first line names the columns")
		}
		return nil, err
	}
	t := &rawTable{names: slices.Clone(head), values: make([][]string, len(head)), text: make([]bool, len(head))}
	if err := t.checkNames(); err != nil {
		return nil, err
	}
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, err // names the line
		}
		for i, v := range rec {
			t.values[i] = append(t.values[i], v)
		}
		if err := t.checkSize(); err != nil {
			return nil, err
		}
	}
}

// checkSize stops reading before a table of many short values fills the memory.
func (t *rawTable) checkSize() error {
	if n := len(t.values[0]); n > MaxCases || n*len(t.names) > MaxCells {
		return fmt.Errorf("there are more than %d rows or %d values", MaxCases, MaxCells)
	}
	return nil
}

func (t *rawTable) checkNames() error {
	seen := map[string]bool{}
	for i, n := range t.names {
		if n == "" {
			return fmt.Errorf("column %d has no name", i+1)
		}
		if seen[n] {
			return fmt.Errorf("column %q appears twice", n)
		}
		seen[n] = true
	}
	return nil
}

// table types the columns: numbers where every value is a finite decimal number
// and the suite does not call the column text. Columns named in take are no features:
// those that are there are taken out and returned as text.
func (t *rawTable) table(textColumns, take []string) (rows.Table, map[string][]string, error) {
	var cols []rows.Column
	taken := map[string][]string{}
	for i, name := range t.names {
		if slices.Contains(take, name) {
			taken[name] = t.values[i]
			continue
		}
		c := rows.Column{Name: name, Strings: t.values[i]}
		if !t.text[i] && !slices.Contains(textColumns, name) {
			if f, ok := numbers(t.values[i]); ok {
				c = rows.Column{Name: name, Floats: f}
			}
		}
		cols = append(cols, c)
	}
	if len(cols) == 0 {
		return rows.Table{}, nil, errors.New("there are no features")
	}
	tab, err := rows.New(cols...)
	return tab, taken, err
}

func numbers(values []string) ([]float64, bool) {
	out := make([]float64, len(values))
	for i, v := range values {
		f, ok := number(v)
		if !ok {
			return nil, false
		}
		out[i] = f
	}
	return out, true
}

// number reads a finite decimal number; Go's own hexadecimal forms, underscores,
// Inf and NaN are text.
func number(s string) (float64, bool) {
	if s == "" || strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64) // an error where it does not fit
	return f + 0, err == nil            // -0 becomes 0, so that a value has one form
}
