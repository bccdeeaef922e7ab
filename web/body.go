package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"proctor/harness"
)

// document reads a small body whole.
func document(c echo.Context) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(c.Request().Body, maxDocument+1))
	if err != nil {
		return nil, usage("the body could not be read to its end")
	}
	if len(b) > maxDocument {
		return nil, &harness.Error{Kind: harness.TooLarge, Message: "this body may have at most 1 MiB"}
	}
	return b, nil
}

// strict decodes a body that is one flat JSON object with exactly the keys of
// into, each once, none null. Package json alone would take a decision that
// leaves out its key for a refusal, and {"activate":false,"ACTIVATE":true} for a yes.
func strict(c echo.Context, into any) error {
	b, err := document(c)
	if err != nil {
		return err
	}
	if err := flat(b, keys(into)); err != nil {
		return usage("the body is not the JSON that this call takes: " + err.Error())
	}
	if err := json.Unmarshal(b, into); err != nil {
		return usage("the body is not the JSON that this call takes: " + err.Error())
	}
	return nil
}

// keys returns the JSON keys of a struct whose fields all have a tag.
func keys(into any) map[string]bool {
	want := map[string]bool{}
	t := reflect.TypeOf(into).Elem()
	for i := range t.NumField() {
		want[t.Field(i).Tag.Get("json")] = true
	}
	return want
}

func flat(b []byte, want map[string]bool) error {
	if !utf8.Valid(b) {
		return fmt.Errorf("it is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("it is not an object")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		key := t.(string) // inside an object a token before a value is a key
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		switch {
		case !want[key]:
			return fmt.Errorf("unknown key %q", key)
		case seen[key]:
			return fmt.Errorf("key %q twice", key)
		case string(value) == "null":
			return fmt.Errorf("key %q is null", key)
		}
		seen[key] = true
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("there are bytes after its end")
	}
	for key := range want {
		if !seen[key] {
			return fmt.Errorf("a key is missing; it has %d of %d", len(seen), len(want))
		}
	}
	return nil
}

// form reads a form of a page: exactly the named fields, each once.
func form(c echo.Context, fields ...string) (map[string]string, error) {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, fmt.Errorf("read form: %w", err)
	}
	values := map[string]string{}
	for _, f := range fields {
		if v := r.PostForm[f]; len(v) == 1 && utf8.ValidString(v[0]) {
			values[f] = v[0]
		}
	}
	if len(values) != len(fields) || len(r.PostForm) != len(fields) {
		return nil, usage("the form has not the fields that this page sends: open the page again")
	}
	return values, nil
}

// param returns a part of the path. The router splits the path before it is
// unescaped, so that a %2F in a name is part of the name and not a way to
// another route; what it hands over then is still escaped.
func param(c echo.Context, name string) string {
	v := c.Param(name)
	if c.Request().URL.RawPath == "" {
		return v
	}
	plain, err := url.PathUnescape(v)
	if err != nil {
		return "" // names nothing
	}
	return plain
}
