package verdict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
	in, err := readTree(data, max)
	if err != nil {
		return err
	}
	return decodeTree(in, data, into)
}

// readTree checks what needs no form, and reads the tree.
func readTree(data []byte, max int) (any, error) {
	switch {
	case len(data) == 0:
		return nil, errors.New("it is empty")
	case len(data) > max:
		return nil, fmt.Errorf("it is longer than %d bytes", max)
	case !utf8.Valid(data):
		return nil, errors.New("it is not UTF-8 text")
	}
	return parseTree(data)
}

// decodeTree decodes data, whose tree is in, and demands that it prints the same.
func decodeTree(in any, data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return jsonError(err)
	}
	again, err := json.Marshal(into)
	if err != nil {
		return err
	}
	if bytes.Equal(again, data) { // as we print it
		return nil
	}
	out, err := parseTree(again)
	if err != nil {
		return err
	}
	return sameJSON(in, out, "")
}

// foldKey maps keys that some decoder takes for one to one string.
func foldKey(s string) string { return strings.ToLower(strings.ToUpper(s)) }

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
