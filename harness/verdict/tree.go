package verdict

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// parseTree reads one JSON value as maps, lists, strings, [json.Number], bool and
// nil. It refuses what readers take in different ways: a key that stands twice or
// in two cases, deep nesting, anything after the end.
func parseTree(data []byte) (any, error) {
	if !json.Valid(data) {
		var v any
		return nil, jsonError(json.Unmarshal(data, &v))
	}
	t := tree{data: data}
	return t.value(0)
}

// A tree reads text that is known to be one valid JSON value, so that each byte
// tells what follows it.
type tree struct {
	data []byte
	at   int
}

// next skips white space, commas and colons, and returns the byte that follows.
func (t *tree) next() byte {
	for {
		switch c := t.data[t.at]; c {
		case ' ', '\t', '\n', '\r', ',', ':':
			t.at++
		default:
			return c
		}
	}
}

func (t *tree) value(depth int) (any, error) {
	switch c := t.next(); c {
	case '{', '[':
		if depth == maxJSONDepth {
			return nil, fmt.Errorf("it is nested deeper than %d", maxJSONDepth)
		}
		t.at++
		if c == '[' {
			return t.list(depth + 1)
		}
		return t.object(depth + 1)
	case '"':
		return t.text()
	default:
		return t.plain(), nil
	}
}

func (t *tree) list(depth int) (any, error) {
	out := []any{}
	for t.next() != ']' {
		v, err := t.value(depth)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	t.at++
	return out, nil
}

func (t *tree) object(depth int) (any, error) {
	out, seen := map[string]any{}, map[string]bool{}
	for t.next() != '}' {
		key, err := t.text()
		if err != nil {
			return nil, err
		}
		folded := foldKey(key)
		if seen[folded] {
			return nil, fmt.Errorf("key %q stands twice, or in two cases", clip(key))
		}
		seen[folded] = true
		if out[key], err = t.value(depth); err != nil {
			return nil, err
		}
	}
	t.at++
	return out, nil
}

// text reads a string. Most have no escapes and are their own bytes.
func (t *tree) text() (string, error) {
	start, end := t.at, t.at+1
	for t.data[end] != '"' {
		if t.data[end] == '\\' {
			end++
		}
		end++
	}
	t.at = end + 1
	if inner := t.data[start+1 : end]; !bytes.ContainsRune(inner, '\\') {
		return string(inner), nil
	}
	var s string
	err := json.Unmarshal(t.data[start:t.at], &s)
	return s, err
}

// plain reads a number, true, false or null.
func (t *tree) plain() any {
	start := t.at
	for t.at < len(t.data) && !bytes.ContainsRune([]byte(" \t\n\r,:]}"), rune(t.data[t.at])) {
		t.at++
	}
	switch s := string(t.data[start:t.at]); s {
	case "null":
		return nil
	case "true", "false":
		return s == "true"
	default:
		return json.Number(s)
	}
}
