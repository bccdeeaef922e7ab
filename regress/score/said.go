package score

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A Said is what an application said and did in one conversation, turn by turn:
//
//	{"turns":[{"text":"For how many?"},
//	          {"text":"Booked.","calls":[{"name":"book","arguments":{"people":2}}],"retrieved":["faq-7"]}]}
type Said struct{ Turns []Turn }

// A Turn is one answer: its text, the tools that were called for it, in order, and the
// ids of what was retrieved for it.
type Turn struct {
	Text      string
	Calls     []Call
	Retrieved []string
}

// A Call names a tool. Arguments are JSON as [json.Unmarshal] gives it, with numbers as
// they were written.
type Call struct {
	Name      string
	Arguments any
}

// Silent says that nothing was said and nothing done.
func (t Turn) Silent() bool { return strings.TrimSpace(t.Text) == "" && len(t.Calls) == 0 }

// ParseSaid reads an answer of that form with exactly so many turns. It is strict: no
// other keys, no key twice, no value of another type, nothing behind the object.
func ParseSaid(answer string, turns int) (*Said, error) {
	if len(answer) > MaxAnswer {
		return nil, fmt.Errorf("the answer has more than %d bytes", MaxAnswer)
	}
	v, err := strictJSON([]byte(answer))
	if err != nil {
		return nil, err
	}
	top, err := object(v, "turns")
	if err != nil {
		return nil, err
	}
	list, ok := top["turns"].([]any)
	if !ok || len(list) != turns {
		return nil, fmt.Errorf("turns is a list of %d", turns)
	}
	s := &Said{}
	for i, x := range list {
		t, err := turnOf(x)
		if err != nil {
			return nil, fmt.Errorf("turn %d: %w", i+1, err)
		}
		s.Turns = append(s.Turns, t)
	}
	return s, nil
}

func turnOf(v any) (t Turn, err error) {
	m, err := object(v, "text", "calls", "retrieved")
	if err != nil {
		return t, err
	}
	var ok bool
	if t.Text, ok = m["text"].(string); !ok {
		return t, errors.New("text is a string")
	}
	calls, ok := m["calls"].([]any)
	if _, there := m["calls"]; there && !ok {
		return t, errors.New("calls is a list")
	}
	for _, x := range calls {
		c, err := object(x, "name", "arguments")
		if err != nil {
			return t, err
		}
		name, ok := c["name"].(string)
		args, object := c["arguments"].(map[string]any)
		if !ok || name == "" || !object {
			return t, errors.New("a call has a name and arguments, which are an object")
		}
		t.Calls = append(t.Calls, Call{name, args})
	}
	if ids, there := m["retrieved"]; there {
		if t.Retrieved, ok = stringsOf(ids); !ok {
			return t, errors.New("retrieved is a list of strings")
		}
	}
	return t, nil
}

// object returns a map with no keys but those.
func object(v any, keys ...string) (map[string]any, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("it is no object with %s", strings.Join(keys, ", "))
	}
	n := 0
	for _, k := range keys {
		if _, ok := m[k]; ok {
			n++
		}
	}
	if n != len(m) {
		return nil, fmt.Errorf("an object has other keys than %s", strings.Join(keys, ", "))
	}
	return m, nil
}

func stringsOf(v any) ([]string, bool) {
	list, ok := v.([]any)
	if !ok {
		return nil, false
	}
	out := make([]string, len(list))
	for i, x := range list {
		if out[i], ok = x.(string); !ok {
			return nil, false
		}
	}
	return out, true
}

// maxDepth bounds the nesting of JSON that an application wrote.
const maxDepth = 64

// strictJSON reads one value, with numbers as they are written. No object has a key twice:
// two readers would see two values.
func strictJSON(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := value(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one value")
	}
	return v, nil
}

var errNotJSON = errors.New("it is not JSON")

func value(d *json.Decoder, depth int) (any, error) {
	tok, err := d.Token()
	if err != nil || depth > maxDepth {
		return nil, errNotJSON
	}
	switch tok {
	case json.Delim('['):
		out := []any{}
		for d.More() {
			v, err := value(d, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, end(d)
	case json.Delim('{'):
		out := map[string]any{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, errNotJSON
			}
			k := key.(string) // the decoder gives no other keys
			if _, twice := out[k]; twice {
				return nil, errors.New("an object has a key twice")
			}
			if out[k], err = value(d, depth+1); err != nil {
				return nil, err
			}
		}
		return out, end(d)
	}
	return tok, nil
}

func end(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return errNotJSON
	}
	return nil
}

// same says whether two JSON values are equal; numbers by value.
func same(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a { // any order gives the same answer
			w, ok := b[k]
			if !ok || !same(v, w) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !same(a[i], b[i]) {
				return false
			}
		}
		return true
	case json.Number:
		b, ok := b.(json.Number)
		return ok && sameNumber(string(a), string(b))
	}
	return a == b
}

// sameNumber compares integers digit by digit, since float64 does not hold large ones.
func sameNumber(a, b string) bool {
	if a == b {
		return true
	}
	if !strings.ContainsAny(a+b, ".eE") {
		return false
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y
}
