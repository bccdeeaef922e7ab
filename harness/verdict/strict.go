package verdict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

const maxJSONDepth = 24

// DecodeStrict reads one JSON value of at most max bytes into a struct. What it
// accepts says the same to every reader: valid UTF-8, nothing after the end, no
// key twice or in two cases, no key that into does not have or lacks, no nesting
// beyond 24. White space and the order of keys are free. It decodes, encodes
// again, and compares, so that encoding/json's own leniency has no effect.
func DecodeStrict(data []byte, max int, into any) error {
	switch {
	case len(data) == 0:
		return errors.New("it is empty")
	case len(data) > max:
		return fmt.Errorf("it is longer than %d bytes", max)
	case !utf8.Valid(data):
		return errors.New("it is not UTF-8 text")
	}
	if err := scanJSON(data); err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return jsonError(err)
	}
	again, err := json.Marshal(into)
	if err != nil {
		return err
	}
	in, err := generic(data)
	if err != nil {
		return err
	}
	out, err := generic(again)
	if err != nil {
		return err
	}
	return sameJSON(in, out, "")
}

// scanJSON refuses deep nesting, repeated keys and anything but one value.
func scanJSON(data []byte) error {
	if !json.Valid(data) {
		var v any
		return jsonError(json.Unmarshal(data, &v))
	}
	type level struct {
		keys    map[string]bool // nil in a list
		wantKey bool
	}
	var stack []level
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	for {
		t, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return jsonError(err)
		}
		top := len(stack) - 1
		if t == json.Delim('}') || t == json.Delim(']') {
			stack = stack[:top]
			continue
		}
		if top >= 0 && stack[top].wantKey {
			key := foldKey(t.(string))
			if stack[top].keys[key] {
				return fmt.Errorf("key %q stands twice, or in two cases", clip(t.(string)))
			}
			stack[top].keys[key], stack[top].wantKey = true, false
			continue
		}
		if top >= 0 {
			stack[top].wantKey = stack[top].keys != nil
		}
		switch t {
		case json.Delim('{'):
			stack = append(stack, level{map[string]bool{}, true})
		case json.Delim('['):
			stack = append(stack, level{})
		}
		if len(stack) > maxJSONDepth {
			return fmt.Errorf("it is nested deeper than %d", maxJSONDepth)
		}
	}
}

// foldKey maps keys that some decoder takes for one to one string.
func foldKey(s string) string { return strings.ToLower(strings.ToUpper(s)) }

func generic(data []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return v, d.Decode(&v)
}

// sameJSON says where the input differs from what its decoded form prints.
func sameJSON(in, out any, at string) error {
	switch a := in.(type) {
	case map[string]any:
		b, ok := out.(map[string]any)
		if !ok {
			break
		}
		for _, k := range slices.Sorted(maps.Keys(a)) {
			if _, ok := b[k]; !ok {
				return fmt.Errorf("key %q is unknown here, or says nothing", clip(at+k))
			}
			if err := sameJSON(a[k], b[k], at+k+"."); err != nil {
				return err
			}
		}
		for _, k := range slices.Sorted(maps.Keys(b)) {
			if _, ok := a[k]; !ok {
				return fmt.Errorf("key %q is missing", at+k)
			}
		}
		return nil
	case []any:
		b, ok := out.([]any)
		if !ok || len(a) != len(b) {
			break
		}
		for i := range a {
			if err := sameJSON(a[i], b[i], fmt.Sprintf("%s%d.", at, i)); err != nil {
				return err
			}
		}
		return nil
	default:
		if in == out {
			return nil
		}
	}
	return fmt.Errorf("%q is not written as it must be", clip(strings.TrimSuffix(at, ".")))
}

// jsonError says what is wrong without quoting the input at length.
func jsonError(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON at byte %d", syntax.Offset)
	case errors.As(err, &kind):
		return fmt.Errorf("%q has the wrong type", clip(kind.Field))
	case err == nil:
		return errors.New("not JSON")
	}
	return errors.New("not JSON of the right form")
}

func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "..."
	}
	return s
}
