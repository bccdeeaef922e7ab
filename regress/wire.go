package regress

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"proctor/holdout/rows"
	"proctor/regress/score"
)

const format = "proctor/suite/1"

// The document of a suite. Its counts come first, so that a document that lost a
// case contradicts itself, even where nobody holds its digest:
//
//	{"format":"proctor/suite/1","suite":"s","about":"","declares":{"tests":1,"cases":1,"examples":2},
//	 "tests":[{"name":"t","kind":"trigger","change":"x := 9","target":"yes","changed":[1],
//	           "columns":[{"name":"x","numbers":[1,9]}]}]}
type wireSuite struct {
	Format   string     `json:"format"`
	Suite    string     `json:"suite"`
	About    string     `json:"about"`
	Declares wireCounts `json:"declares"`
	Tests    []wireTest `json:"tests"`
}

type wireCounts struct {
	Tests    int `json:"tests"`
	Cases    int `json:"cases"`
	Examples int `json:"examples"`
}

type wireTest struct {
	Name       string       `json:"name"`
	Capability string       `json:"capability,omitempty"`
	Kind       Kind         `json:"kind"`
	Critical   bool         `json:"critical,omitempty"`
	Change     string       `json:"change,omitempty"`
	Target     string       `json:"target,omitempty"`
	Class      string       `json:"class,omitempty"`
	Expect     string       `json:"expect,omitempty"`
	Tolerance  *float64     `json:"tolerance,omitempty"`
	Monotone   bool         `json:"monotone,omitempty"`
	Turns      []string     `json:"turns,omitempty"`
	Checks     []wireCheck  `json:"checks,omitempty"`
	Single     int          `json:"single,omitempty"`
	Expected   []string     `json:"expected,omitempty"`
	Forbidden  []string     `json:"forbidden,omitempty"`
	Changed    []int32      `json:"changed,omitempty"`
	Columns    []wireColumn `json:"columns"`
}

type wireCheck struct {
	score.Check
	Given []string `json:"given,omitempty"`
}

type wireColumn struct {
	Name    string    `json:"name"`
	Numbers []float64 `json:"numbers,omitempty"`
	Texts   []string  `json:"texts,omitempty"`
}

func (s *Suite) counts() wireCounts { return wireCounts{len(s.Tests), s.Cases(), s.Examples()} }

// Encode returns the one byte form of the suite: canonical JSON that holds every
// example, so that nothing beside it is needed to run it.
func (s *Suite) Encode() []byte {
	w := wireSuite{Format: format, Suite: s.Name, About: s.About, Declares: s.counts(), Tests: make([]wireTest, len(s.Tests))}
	for i := range s.Tests {
		w.Tests[i] = s.Tests[i].wire()
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(w); err != nil {
		panic(err) // finite numbers and valid strings always encode
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func (t *Test) wire() wireTest {
	w := wireTest{
		Name: t.Name, Capability: t.Capability, Kind: t.Kind, Critical: t.Critical, Change: t.Change,
		Target: t.Target, Class: t.Class, Expect: t.Expect, Tolerance: t.Tolerance, Monotone: t.Monotone,
		Turns: t.Turns, Single: t.Single, Expected: t.Expected, Forbidden: t.Forbidden, Changed: t.Changed,
	}
	for i, c := range t.Checks {
		w.Checks = append(w.Checks, wireCheck{c, t.Given[i]})
	}
	for _, c := range t.Examples.Columns() {
		w.Columns = append(w.Columns, wireColumn{c.Name, c.Floats, c.Strings})
	}
	return w
}

// Digest returns "sha256:<hex>" of Encode: the name of exactly these cases.
func (s *Suite) Digest() string {
	h := sha256.Sum256(s.Encode())
	return "sha256:" + hex.EncodeToString(h[:])
}

// Decode reads what Encode wrote and nothing else: the suite is checked as if it
// were new, and must encode to the same bytes. Callers compare Digest with the
// one that the policy names; a smaller suite is a suite too, but another one.
func Decode(b []byte) (*Suite, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var w wireSuite
	if err := d.Decode(&w); err != nil {
		return nil, fmt.Errorf("decode suite: %w", err)
	}
	if w.Format != format {
		return nil, fmt.Errorf("decode suite: format is %q, want %q", w.Format, format)
	}
	tests := make([]Test, len(w.Tests))
	for i, wt := range w.Tests {
		var err error
		if tests[i], err = wt.test(); err != nil {
			return nil, fmt.Errorf("decode suite: test %q: %w", wt.Name, err)
		}
	}
	s, err := New(w.Suite, w.About, tests)
	if err != nil {
		return nil, fmt.Errorf("decode suite: %w", err)
	}
	if got := s.counts(); got != w.Declares {
		return nil, fmt.Errorf("decode suite: suite.count_mismatch: %s declares %d tests, %d cases, %d examples and holds %d, %d, %d",
			s.Name, w.Declares.Tests, w.Declares.Cases, w.Declares.Examples, got.Tests, got.Cases, got.Examples)
	}
	if !bytes.Equal(s.Encode(), b) {
		return nil, errors.New("decode suite: the bytes are not in canonical form")
	}
	return s, nil
}

func (w wireTest) test() (Test, error) {
	cols := make([]rows.Column, len(w.Columns))
	for k, c := range w.Columns {
		cols[k] = rows.Column{Name: c.Name, Floats: c.Numbers, Strings: c.Texts}
		for r := range c.Numbers {
			c.Numbers[r] += 0 // "-0" becomes "0", and the bytes are not canonical
		}
	}
	examples, err := rows.New(cols...)
	t := Test{
		Name: w.Name, Capability: w.Capability, Kind: w.Kind, Critical: w.Critical, Change: w.Change,
		Target: w.Target, Class: w.Class, Expect: w.Expect, Tolerance: w.Tolerance, Monotone: w.Monotone,
		Turns: w.Turns, Single: w.Single, Expected: w.Expected, Forbidden: w.Forbidden, Changed: w.Changed,
		Examples: examples,
	}
	for _, c := range w.Checks {
		t.Checks, t.Given = append(t.Checks, c.Check), append(t.Given, c.Given)
	}
	return t, err
}
