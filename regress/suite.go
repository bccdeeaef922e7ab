package regress

import (
	"fmt"
	"slices"
	"strconv"

	"proctor/harness/spell"
	"proctor/holdout/rows"
	"proctor/regress/score"
)

// A Kind says what a test expects of a model.
type Kind string

// Kinds of tests. The first three are CheckList's.
const (
	MFT     Kind = "MFT"     // each example has an expected class
	INV     Kind = "INV"     // the answer does not change when the example does
	DIR     Kind = "DIR"     // the probability of a class does not fall (or rise) when the example changes
	Trigger Kind = "trigger" // stamping an example does not turn the answer into the target
	Golden  Kind = "golden"  // the answer is the recorded one
	Stress  Kind = "stress"  // an extreme but valid example is answered at all, with one of the classes
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
	MaxBytes   = 1 << 29 // of all texts
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
// A case of an MFT, golden or stress test is one example. A case of any other kind
// is a carrier followed by its changed forms; where no change applies to a carrier (a
// swap of values that it does not have) the case has the carrier only and is never
// applicable, whatever a model answers.
//
// A test with checks is about text: each answer is held against all of them. One
// without is about classes.
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
	Monotone   bool     // DIR: each changed form is held against the form before it, not against the carrier

	Turns     []string      // columns that hold what a person says, turn by turn; nil: one question
	Checks    []score.Check // of text answers; nil: the test is about classes
	Given     [][]string    // by check: the reference of each case, nil where the check has its own
	Single    int           // stress, and MFT or golden with checks: number of cases
	Expected  []string      // MFT, golden: expected class of each case, "" where Forbidden names one
	Forbidden []string      // MFT: class that the case must not get, "" where Expected names one; nil: none
	Changed   []int32       // other kinds: number of changed forms of each case
	Examples  rows.Table    // all examples in case order, carriers before their changed forms
}

// Len returns the number of cases.
func (t *Test) Len() int { return max(len(t.Expected), len(t.Changed), t.Single) }

// CaseID names case i (from 0) of the test: its name and the row of its table.
func (t *Test) CaseID(i int) string { return fmt.Sprintf("%s/%d", t.Name, i+1) }

// ExampleIDs names every example, in the order of [Suite.Table]: the id of its case
// and, for a changed form, its number: "sex/12", "sex/12.1".
func (s *Suite) ExampleIDs() []string {
	out := make([]string, 0, s.Examples())
	for i := range s.Tests {
		t := &s.Tests[i]
		for c := range t.Len() {
			id := t.CaseID(c)
			out = append(out, id)
			for k := 1; t.Changed != nil && k <= int(t.Changed[c]); k++ {
				out = append(out, id+"."+strconv.Itoa(k))
			}
		}
	}
	return out
}

// Classes returns the classes that tests name, in alphabetical order.
func (s *Suite) Classes() []string {
	seen := map[string]bool{}
	for i := range s.Tests {
		t := &s.Tests[i]
		for _, c := range slices.Concat(t.Expected, t.Forbidden, []string{t.Target, t.Class}) {
			if c != "" {
				seen[c] = true
			}
		}
	}
	return sorted(seen)
}

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

// Fields returns the columns of the first test, which all tests have, in its order.
func (s *Suite) Fields() []rows.Field { return s.Tests[0].Examples.Fields() }

// Table returns all examples in order with the columns of the holdout, so that a
// model cannot tell a suite's rows from sealed ones by their form.
func (s *Suite) Table(fields []rows.Field) (rows.Table, error) {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	for i := range s.Tests {
		for _, c := range s.Tests[i].Examples.Columns() {
			if !slices.Contains(names, c.Name) {
				return rows.Table{}, fmt.Errorf("suite %s, test %s: column %q is not a feature of the holdout%s", s.Name, s.Tests[i].Name, c.Name, spell.Suggest(c.Name, names))
			}
		}
	}
	cols := make([]rows.Column, len(fields))
	for i, f := range fields {
		var err error
		if cols[i], err = s.column(f); err != nil {
			return rows.Table{}, fmt.Errorf("suite %s, %w", s.Name, err)
		}
	}
	return rows.New(cols...)
}

// column joins the values of one field over all tests.
func (s *Suite) column(f rows.Field) (rows.Column, error) {
	out := rows.Column{Name: f.Name}
	if n := s.Examples(); f.Number {
		out.Floats = make([]float64, 0, n)
	} else {
		out.Strings = make([]string, 0, n)
	}
	for i := range s.Tests {
		t := &s.Tests[i]
		c, ok := t.Examples.Column(f.Name)
		switch {
		case !ok:
			return out, fmt.Errorf("test %s: its table has no column %q, which the holdout has", t.Name, f.Name)
		case f.Number && !c.IsNumber():
			return out, fmt.Errorf("test %s: column %q holds numbers in the holdout, here it %s", t.Name, f.Name, whyText(c.Strings))
		case !f.Number && c.IsNumber():
			return out, fmt.Errorf("test %s: column %q holds text in the holdout, here it was read as numbers; add `text: [%q]` to the suite", t.Name, f.Name, f.Name)
		}
		out.Floats = append(out.Floats, c.Floats...)
		out.Strings = append(out.Strings, c.Strings...)
	}
	return out, nil
}

// whyText says why a column was not read as numbers.
func whyText(values []string) string {
	for _, v := range values {
		if _, ok := number(v); !ok {
			return fmt.Sprintf("holds text such as %.40q", v)
		}
	}
	return "is declared as text"
}
