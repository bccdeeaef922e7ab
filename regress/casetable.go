package regress

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"proctor/holdout/rows"
)

// expectColumn holds the expected class of each case of an MFT test.
const expectColumn = "expect"

// A rawTable is a case table as it was read, column by column and still as text.
type rawTable struct {
	names  []string
	values [][]string
	text   []bool // JSONL says which columns are text; in CSV every column may be numbers
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
		return nil, fmt.Errorf("%s: a case table is a .csv or a .jsonl file", name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(t.values[0]) == 0 {
		return nil, fmt.Errorf("%s has no rows", name)
	}
	if len(t.values[0]) > MaxCases {
		return nil, fmt.Errorf("%s has %d rows; at most %d are possible", name, len(t.values[0]), MaxCases)
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
			t.values[i] = append(t.values[i], strings.Clone(v))
		}
	}
}

func (t *rawTable) checkNames() error {
	for i, n := range t.names {
		if n == "" {
			return fmt.Errorf("column %d has no name", i+1)
		}
		if slices.Contains(t.names[:i], n) {
			return fmt.Errorf("column %q appears twice", n)
		}
	}
	return nil
}

// readJSONL reads one object a line, each with the keys of the first:
//
//	{"age":25,"sex":"Male","expect":"<=50K"}
func readJSONL(b []byte) (*rawTable, error) {
	sc := bufio.NewScanner(bytes.NewReader(b))
	sc.Buffer(nil, 1<<22)
	var t *rawTable
	line := 0
	for sc.Scan() {
		line++
		if len(bytes.TrimSpace(sc.Bytes())) == 0 {
			continue
		}
		if err := func() error {
			names, values, text, err := readObject(sc.Bytes())
			if err != nil {
				return err
			}
			if t == nil {
				t = &rawTable{names: names, values: make([][]string, len(names)), text: text}
				if err := t.checkNames(); err != nil {
					return err
				}
			}
			return t.add(names, values, text)
		}(); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", line+1, err)
	}
	if t == nil || len(t.names) == 0 {
		return nil, errors.New("the file has no rows")
	}
	return t, nil
}

// add appends a row whose keys may be in another order.
func (t *rawTable) add(names, values []string, text []bool) error {
	if len(names) != len(t.names) {
		return fmt.Errorf("%d keys, the first row has %d", len(names), len(t.names))
	}
	for k, name := range names {
		i := k
		if t.names[k] != name {
			if i = slices.Index(t.names, name); i < 0 {
				return fmt.Errorf("key %q is not in the first row%s", name, suggest(name, t.names))
			}
		}
		if slices.Contains(names[:k], name) {
			return fmt.Errorf("key %q appears twice", name)
		}
		if t.text[i] != text[k] {
			return fmt.Errorf("key %q is text here and a number elsewhere", name)
		}
		t.values[i] = append(t.values[i], values[k])
	}
	return nil
}

// readObject reads one flat object of texts and numbers, in its own key order.
func readObject(b []byte) (names, values []string, text []bool, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
		return nil, nil, nil, errors.New("a row is one JSON object")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, nil, nil, err
		}
		tok, err := d.Token()
		if err != nil {
			return nil, nil, nil, err
		}
		switch v := tok.(type) {
		case string:
			values, text = append(values, v), append(text, true)
		case json.Number:
			values, text = append(values, v.String()), append(text, false)
		default:
			return nil, nil, nil, fmt.Errorf("key %q is neither text nor a number", key)
		}
		names = append(names, key.(string))
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, nil, errors.New("there is more than one value on the line")
	}
	return names, values, text, nil
}

// table types the columns: numbers where every value is a finite decimal number
// and the suite does not call the column text. With expect, that column is taken
// out and returned as classes.
func (t *rawTable) table(textColumns []string, expect bool) (rows.Table, []string, error) {
	var cols []rows.Column
	var expected []string
	for i, name := range t.names {
		if expect && name == expectColumn {
			expected = t.values[i]
			continue
		}
		c := rows.Column{Name: name, Strings: t.values[i]}
		if !t.text[i] && !contains(textColumns, name) {
			if f, ok := numbers(t.values[i]); ok {
				c = rows.Column{Name: name, Floats: f}
			}
		}
		cols = append(cols, c)
	}
	if expect && expected == nil {
		return rows.Table{}, nil, fmt.Errorf("there is no column %q with the class of each case%s", expectColumn, suggest(expectColumn, t.names))
	}
	if len(cols) == 0 {
		return rows.Table{}, nil, errors.New("there are no features")
	}
	tab, err := rows.New(cols...)
	return tab, expected, err
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
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return 0, false
	}
	return f + 0, true // -0 becomes 0, so that a value has one form
}
