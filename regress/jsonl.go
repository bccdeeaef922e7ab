package regress

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"proctor/harness/spell"
)

// readJSONL reads one object a line, each with the keys of the first:
//
//	{"age":25,"sex":"Male","expect":"<=50K"}
func readJSONL(b []byte) (*rawTable, error) {
	var t jsonTable
	for no := 1; len(b) > 0; no++ {
		var line []byte
		line, b, _ = bytes.Cut(b, []byte("\n"))
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := t.read(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", no, err)
		}
	}
	if t.rows == 0 {
		return nil, errors.New("the file has no rows")
	}
	return &t.rawTable, nil
}

// A jsonTable is a case table while it is read from JSONL.
type jsonTable struct {
	rawTable
	column map[string]int
	filled []int // by column: the last row, from 1, that gave it a value
	rows   int
}

func (t *jsonTable) read(line []byte) error {
	names, values, text, err := readObject(line)
	if err != nil {
		return err
	}
	if t.rows == 0 {
		if err := t.begin(names, text); err != nil {
			return err
		}
	}
	t.rows++
	if err := t.add(names, values, text); err != nil {
		return err
	}
	return t.checkSize()
}

// begin takes the columns from the first row.
func (t *jsonTable) begin(names []string, text []bool) error {
	if len(names) == 0 {
		return errors.New("the row has no keys")
	}
	t.rawTable = rawTable{names: names, values: make([][]string, len(names)), text: text}
	t.filled = make([]int, len(names))
	t.column = map[string]int{}
	for i, name := range names {
		t.column[name] = i
	}
	return t.checkNames()
}

// add appends a row whose keys may be in another order.
func (t *jsonTable) add(names, values []string, text []bool) error {
	if len(names) != len(t.names) {
		return fmt.Errorf("the row has %d keys, the first row has %d", len(names), len(t.names))
	}
	for k, name := range names {
		i, ok := t.column[name]
		switch {
		case !ok:
			return fmt.Errorf("key %q is not in the first row%s", name, spell.Suggest(name, t.names))
		case t.filled[i] == t.rows:
			return fmt.Errorf("key %q appears twice", name)
		case t.text[i] != text[k]:
			return fmt.Errorf("key %q holds text in one row and a number in another", name)
		}
		t.filled[i] = t.rows
		t.values[i] = append(t.values[i], values[k])
	}
	return nil
}

var errNotJSON = errors.New("the row ends too early or is not JSON")

// readObject reads one flat object of texts and numbers, in its own key order.
func readObject(b []byte) (names, values []string, text []bool, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
		return nil, nil, nil, errors.New("a row is one JSON object")
	}
	for d.More() {
		key, keyErr := d.Token()
		tok, err := d.Token()
		if keyErr != nil || err != nil {
			return nil, nil, nil, errNotJSON
		}
		switch v := tok.(type) {
		case string:
			values, text = append(values, v), append(text, true)
		case json.Number:
			values, text = append(values, v.String()), append(text, false)
		default:
			return nil, nil, nil, fmt.Errorf("key %q is neither text nor a number", key)
		}
		names = append(names, key.(string)) // the decoder gives no other keys
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, nil, errNotJSON
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, nil, errors.New("there is more than one value on the line")
	}
	return names, values, text, nil
}
