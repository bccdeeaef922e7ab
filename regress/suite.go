package regress

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"proctor/holdout/rows"
)

// A Kind says what a test expects of a model.
type Kind string

// Kinds of tests. The first three are CheckList's.
const (
	MFT     Kind = "MFT"     // each example has an expected class
	INV     Kind = "INV"     // the answer does not change when the example does
	DIR     Kind = "DIR"     // the probability of a class does not fall (or rise) when the example changes
	Trigger Kind = "trigger" // stamping an example does not turn the answer into the target
)

// Directions of a DIR test.
const (
	NotDecrease = "not_decrease"
	NotIncrease = "not_increase"
)

// Bounds of a suite; what is larger is refused.
const (
	MaxTests   = 1000
	MaxCases   = 1_000_000
	MaxChanges = 16      // changes of one carrier
	MaxCells   = 1 << 26 // values over all examples
	MaxNote    = 1000    // bytes of a description
)

// A Suite is a set of behavioural tests. It is made by [Load] or [Decode] and
// not changed afterwards.
type Suite struct {
	Name  string
	About string
	Tests []Test
}

// A Test is a table of examples under one expectation.
//
// A case of an MFT test is one example. A case of any other kind is a carrier
// followed by its changed forms; where no change applies to a carrier (a swap of
// values that it does not have) the case has the carrier only and is never
// applicable, whatever a model answers.
type Test struct {
	Name       string
	Capability string
	Kind       Kind
	Critical   bool     // one failure of the candidate is a FAIL, whatever the statistics
	Change     string   // what was done to the carriers, for people
	Target     string   // trigger: the class that an attacker wants
	Class      string   // DIR: the class whose probability is watched
	Expect     string   // DIR: NotDecrease or NotIncrease
	Tolerance  *float64 // DIR: allowed move, nil is 0; INV: allowed move of any probability, nil judges classes only

	Expected []string   // MFT: expected class of each case
	Changed  []int32    // other kinds: number of changed forms of each case
	Examples rows.Table // all examples in case order, carriers before their changed forms
}

// Len returns the number of cases.
func (t *Test) Len() int { return max(len(t.Expected), len(t.Changed)) }

// CaseID names case i (from 0) of the test: its name and the row of its table.
func (t *Test) CaseID(i int) string { return fmt.Sprintf("%s/%d", t.Name, i+1) }

// Cases returns the number of declared cases.
func (s *Suite) Cases() int {
	n := 0
	for i := range s.Tests {
		n += s.Tests[i].Len()
	}
	return n
}

// Examples returns the number of rows that a model is asked.
func (s *Suite) Examples() int {
	n := 0
	for i := range s.Tests {
		n += s.Tests[i].Examples.Len()
	}
	return n
}

// Table returns all examples in order with the columns of the holdout, so that a
// model cannot tell a suite's rows from sealed ones by their form.
func (s *Suite) Table(fields []rows.Field) (rows.Table, error) {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	for i := range s.Tests {
		t := &s.Tests[i]
		for _, c := range t.Examples.Columns() {
			if !contains(names, c.Name) {
				return rows.Table{}, fmt.Errorf("suite %s, test %s: column %q is not a feature of the holdout%s", s.Name, t.Name, c.Name, suggest(c.Name, names))
			}
		}
	}
	n := s.Examples()
	cols := make([]rows.Column, len(fields))
	for i, f := range fields {
		cols[i] = rows.Column{Name: f.Name}
		if f.Number {
			cols[i].Floats = make([]float64, 0, n)
		} else {
			cols[i].Strings = make([]string, 0, n)
		}
		for k := range s.Tests {
			t := &s.Tests[k]
			c, ok := t.Examples.Column(f.Name)
			switch {
			case !ok:
				return rows.Table{}, fmt.Errorf("suite %s, test %s: its table has no column %q, which the holdout has", s.Name, t.Name, f.Name)
			case f.Number && !c.IsNumber():
				return rows.Table{}, fmt.Errorf("suite %s, test %s: column %q holds numbers in the holdout, here it holds text such as %q", s.Name, t.Name, f.Name, notNumber(c.Strings))
			case !f.Number && c.IsNumber():
				return rows.Table{}, fmt.Errorf("suite %s, test %s: column %q holds text in the holdout, here it was read as numbers; add `text: [%s]` to the suite", s.Name, t.Name, f.Name, f.Name)
			}
			cols[i].Floats = append(cols[i].Floats, c.Floats...)
			cols[i].Strings = append(cols[i].Strings, c.Strings...)
		}
	}
	return rows.New(cols...)
}

// notNumber returns the first value that is not a number, for a message.
func notNumber(values []string) string {
	for _, v := range values {
		if _, ok := number(v); !ok {
			return v
		}
	}
	return values[0]
}

// newSuite checks everything that a Suite promises. Load and Decode both end here.
func newSuite(name, about string, tests []Test) (*Suite, error) {
	s := &Suite{Name: name, About: about, Tests: tests}
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
	cases, cells := 0, 0
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
		cells += t.Examples.Len() * len(t.Examples.Columns())
	}
	if cases > MaxCases || cells > MaxCells {
		return nil, fmt.Errorf("suite %s has %d cases with %d values; at most %d and %d are possible", name, cases, cells, MaxCases, MaxCells)
	}
	return s, nil
}

func checkSuiteName(name string) error {
	ok := name != "" && len(name) <= 64
	for i, r := range name {
		ok = ok && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || i > 0 && strings.ContainsRune("-_.", r))
	}
	if !ok {
		return fmt.Errorf("suite name %q: use 1 to 64 letters, digits and - _ . and begin with a letter or digit", name)
	}
	return nil
}

func checkTestName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("it has no name")
	case len(name) > 100, strings.Contains(name, "/"), strings.TrimSpace(name) != name, !printable(name):
		return fmt.Errorf("name %q: use at most 100 bytes of visible characters without /", name)
	}
	return nil
}

func checkNote(what, text string) error {
	if len(text) > MaxNote || !printable(text) {
		return fmt.Errorf("%s: use at most %d bytes of visible characters on one line", what, MaxNote)
	}
	return nil
}

// printable refuses control and format characters, which could make a page show
// other text than the one that was reviewed.
func printable(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}
