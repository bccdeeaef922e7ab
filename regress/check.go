package regress

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"proctor/harness/spell"
	"proctor/holdout/rows"
)

// New makes a suite of tests and checks everything that a Suite promises. Load and
// Decode both end here.
func New(name, about string, tests []Test) (*Suite, error) {
	if err := checkSuiteName(name); err != nil {
		return nil, err
	}
	if err := checkNote("about", about); err != nil {
		return nil, fmt.Errorf("suite %s: %w", name, err)
	}
	switch {
	case len(tests) == 0:
		return nil, fmt.Errorf("suite %s has no tests", name)
	case len(tests) > MaxTests:
		return nil, fmt.Errorf("suite %s has %d tests; at most %d are possible", name, len(tests), MaxTests)
	}
	seen := map[string]string{}
	cases, cells, size := 0, 0, 0
	for i := range tests {
		t := &tests[i]
		if err := checkTestName(t.Name); err != nil {
			return nil, fmt.Errorf("suite %s, test %d: %w", name, i+1, err)
		}
		// Names that differ by case only would be one file, one row, one URL somewhere.
		if was, ok := seen[strings.ToLower(t.Name)]; ok {
			return nil, fmt.Errorf("suite %s: two tests are named %q and %q", name, was, t.Name)
		}
		seen[strings.ToLower(t.Name)] = t.Name
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("suite %s, test %s: %w", name, t.Name, err)
		}
		cases += t.Len()
		cells += t.cells()
		size += t.bytes()
	}
	if cases > MaxCases || cells > MaxCells || size > MaxBytes {
		return nil, fmt.Errorf("suite %s has %d cases with %d values and %d bytes; at most %d, %d and %d are possible", name, cases, cells, size, MaxCases, MaxCells, MaxBytes)
	}
	return &Suite{Name: name, About: about, Tests: tests}, nil
}

// cells counts the values in the examples.
func (t *Test) cells() int { return t.Examples.Len() * len(t.Examples.Columns()) }

// bytes counts the bytes of the text in the examples.
func (t *Test) bytes() int {
	n := 0
	for _, c := range t.Examples.Columns() {
		for _, s := range c.Strings {
			n += len(s)
		}
	}
	return n
}

// check holds a test to the form of its kind: what the kind needs is there, what
// it does not use is not there, and cases and examples agree in number.
func (t *Test) check() error {
	for _, note := range []struct{ what, text string }{{"capability", t.Capability}, {"change", t.Change}, {"target", t.Target}, {"class", t.Class}} {
		if err := checkNote(note.what, note.text); err != nil {
			return err
		}
	}
	if t.Tolerance != nil && !(*t.Tolerance >= 0 && *t.Tolerance <= 1 && !math.Signbit(*t.Tolerance)) {
		return fmt.Errorf("tolerance is %v; it is a difference of probabilities, from 0 to 1", *t.Tolerance)
	}
	if err := t.checkKind(); err != nil {
		return err
	}
	if t.Len() == 0 {
		return errors.New("it has no cases; a test that asks nothing passes nothing")
	}
	if err := t.checkChecks(); err != nil {
		return err
	}
	switch {
	case t.Changed != nil:
		return t.checkChanged()
	case t.Expected != nil:
		return t.checkExpected()
	case t.Single != t.Examples.Len():
		return fmt.Errorf("%d cases have %d examples", t.Single, t.Examples.Len())
	}
	return nil
}

func (k Kind) check() error {
	kinds := []string{string(MFT), string(INV), string(DIR), string(Trigger), string(Golden), string(Stress)}
	switch {
	case k == "":
		return errors.New("it has no kind; there are " + strings.Join(kinds, ", "))
	case !slices.Contains(kinds, string(k)):
		return fmt.Errorf("kind %q is not known%s", k, spell.Suggest(string(k), kinds))
	}
	return nil
}

// a names a test of the kind in a sentence.
func (k Kind) a() string {
	if k == MFT || k == INV {
		return "an " + string(k) + " test"
	}
	return "a " + string(k) + " test"
}

func (t *Test) checkKind() error {
	type uses struct{ expected, single, change, target, class, tolerance, checks bool }
	if err := t.Kind.check(); err != nil {
		return err
	}
	text := t.Checks != nil
	u := map[Kind]uses{
		MFT:     {expected: !text, single: text, checks: true},
		Golden:  {expected: !text, single: text, checks: true},
		Stress:  {single: true, checks: true},
		INV:     {change: true, tolerance: !text, checks: true},
		DIR:     {change: true, class: true, tolerance: true},
		Trigger: {change: true, target: true},
	}[t.Kind]
	for _, f := range []struct {
		name       string
		need, have bool
	}{
		{"a column expect", u.expected, t.Expected != nil},
		{"a change of its carriers", u.change, t.Changed != nil},
		{"a target", u.target, t.Target != ""},
		{"a class", u.class, t.Class != ""},
		{"an expectation", u.class, t.Expect != ""},
		{"a tolerance", u.tolerance, u.tolerance || t.Tolerance != nil}, // may be left out
		{"monotone", u.class, u.class || t.Monotone},
		{"checks", u.checks, u.checks || text},
		{"a column expect_not", t.Kind == MFT && !text, t.Kind == MFT && !text || t.Forbidden != nil},
		{"cases without a class", u.single, t.Single > 0},
	} {
		if f.need && !f.have {
			return fmt.Errorf("%s needs %s", t.Kind.a(), f.name)
		}
		if !f.need && f.have {
			return fmt.Errorf("%s does not use %s", t.Kind.a(), f.name)
		}
	}
	if u.class && t.Expect != NotDecrease && t.Expect != NotIncrease {
		return fmt.Errorf("expect is %q; it is %s or %s", t.Expect, NotDecrease, NotIncrease)
	}
	if u.change != (t.Change != "") {
		return errors.New("the description of the change does not fit the kind")
	}
	return nil
}

func (t *Test) checkExpected() error {
	if len(t.Expected) != t.Examples.Len() {
		return fmt.Errorf("%d cases have %d examples", len(t.Expected), t.Examples.Len())
	}
	if t.Forbidden != nil && len(t.Forbidden) != len(t.Expected) {
		return fmt.Errorf("%d cases have %d forbidden classes", len(t.Expected), len(t.Forbidden))
	}
	for i, class := range t.Expected {
		forbidden := ""
		if t.Forbidden != nil {
			forbidden = t.Forbidden[i]
		}
		switch {
		case class == "" && forbidden == "":
			return fmt.Errorf("case %d expects no class", i+1)
		case class != "" && forbidden != "":
			return fmt.Errorf("case %d has a class in expect and one in expect_not; fill one of them", i+1)
		}
		if err := checkNote("expect", class+forbidden); err != nil {
			return fmt.Errorf("case %d: %w", i+1, err)
		}
	}
	return nil
}

// checkChanged refuses changed forms that equal their carrier: such a case could
// only pass, and would thin out the test.
func (t *Test) checkChanged() error {
	at, changed := 0, 0
	for i, n := range t.Changed {
		if n < 0 || n > MaxChanges {
			return fmt.Errorf("case %d has %d changed forms; at most %d are possible", i+1, n, MaxChanges)
		}
		changed += int(n)
		if at+1+int(n) > t.Examples.Len() {
			return fmt.Errorf("%d cases need more than the %d examples that are there", len(t.Changed), t.Examples.Len())
		}
		for k := 1; k <= int(n); k++ {
			if sameRow(t.Examples, at, at+k) {
				return fmt.Errorf("case %d: changed form %d equals its carrier", i+1, k)
			}
		}
		at += 1 + int(n)
	}
	if at != t.Examples.Len() {
		return fmt.Errorf("%d cases need %d examples, %d are there", len(t.Changed), at, t.Examples.Len())
	}
	if changed == 0 {
		return fmt.Errorf("%s changes none of the %d carriers, so the test could only pass", t.Change, len(t.Changed))
	}
	return nil
}

func sameRow(t rows.Table, a, b int) bool {
	for _, c := range t.Columns() {
		if c.IsNumber() {
			if c.Floats[a] != c.Floats[b] {
				return false
			}
		} else if c.Strings[a] != c.Strings[b] {
			return false
		}
	}
	return true
}
