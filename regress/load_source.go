package regress

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"proctor/regress/generate"
	"proctor/regress/score"
)

// source returns the rows of a test, from a table or made, and their name for errors.
func (l *loader) source(f testFile) (string, *rawTable, error) {
	given := 0
	for _, is := range []bool{f.Cases != "", f.Carriers != "", f.Generate != nil} {
		if is {
			given++
		}
	}
	single, forms := f.single(), Kind(f.Kind) == INV || Kind(f.Kind) == DIR
	switch {
	case given > 1:
		return "", nil, errors.New("its rows come from one place: cases, carriers or generate")
	case single && f.Carriers != "":
		return "", nil, fmt.Errorf("%s has cases, not carriers", Kind(f.Kind).a())
	case !single && f.Cases != "" && !(forms && !f.changing()):
		return "", nil, fmt.Errorf("%s has carriers, not cases", Kind(f.Kind).a())
	case single && given == 0:
		return "", nil, errors.New("it has no cases: name a table with a column expect")
	case given == 0:
		return "", nil, errors.New("it has no carriers: name a table of examples")
	case f.Generate != nil:
		t, err := l.generate(f)
		if err != nil {
			return "", nil, fmt.Errorf("generate: %w", err)
		}
		return "generate", t, nil
	}
	t, err := l.table(f.Cases + f.Carriers)
	return f.Cases + f.Carriers, t, err
}

// single says whether a case of the test is one example.
func (f testFile) single() bool {
	return slices.Contains([]Kind{MFT, Golden, Stress}, Kind(f.Kind))
}

// taken names the columns of the test's table that are no features.
func (f testFile) taken() []string {
	var out []string
	switch Kind(f.Kind) {
	case MFT:
		out = []string{expectColumn, expectNotColumn}
	case Golden:
		out = []string{expectColumn}
	case INV, DIR:
		if !f.changing() {
			out = []string{caseColumn}
		}
	}
	for _, c := range f.Checks {
		if c.Column != "" {
			out = append(out, c.Column)
		}
	}
	return out
}

// checks gives the test its checks, each with the column of references that it names.
func (l *loader) checks(f testFile, t *Test, taken map[string][]string) error {
	for i, c := range f.Checks {
		if c.Turn != math.Trunc(c.Turn) || math.Abs(c.Turn) > score.MaxTurns {
			return fmt.Errorf("check %d: turn is %v; turns are counted from 1 to %d", i+1, c.Turn, score.MaxTurns)
		}
		check := score.Check{Score: c.Score, Not: c.Not, Fold: c.Fold, Text: c.Text, Texts: c.Texts, AtLeast: c.AtLeast, Tolerance: c.Tolerance, Tool: c.Tool, Turn: int(c.Turn)}
		if c.Schema != "" {
			b, err := l.read(c.Schema, "a schema")
			if err != nil {
				return fmt.Errorf("check %d: %w", i+1, err)
			}
			check.Schema = string(b)
		}
		given, ok := taken[c.Column]
		switch {
		case c.Column != "" && !ok:
			return fmt.Errorf("check %d: there is no column %q", i+1, c.Column)
		case c.Score == score.Judge && c.Column != "":
			return fmt.Errorf("check %d: the criterion of a judge is a text, one for all cases", i+1)
		case c.Column != "" && (c.Text != "" || c.Texts != nil):
			return fmt.Errorf("check %d has a text and a column; it takes one of them", i+1)
		case c.Column == "":
			given = nil
		}
		t.Checks, t.Given = append(t.Checks, check), append(t.Given, given)
	}
	return nil
}

// generate makes the rows of a test. What is drawn follows from the name of the test
// and from what its generate says, so that another test or a comment changes nothing.
func (l *loader) generate(f testFile) (*rawTable, error) {
	g := f.Generate
	if g.AtMost != math.Trunc(g.AtMost) {
		return nil, fmt.Errorf("at_most is %v; it is a whole number", g.AtMost)
	}
	p := generate.Product{Words: l.words, AtMost: int(max(-1, min(g.AtMost, generate.MaxRows+1)))}
	t := &rawTable{}
	parts := []string{"generate", f.Name, strconv.Itoa(p.AtMost)}
	for _, name := range sorted(g.Columns) {
		c := generate.Column{Name: name}
		isText := false
		for _, v := range g.Columns[name] {
			c.Templates = append(c.Templates, v.String())
			isText = isText || v.isText
		}
		p.Columns = append(p.Columns, c)
		t.names, t.text = append(t.names, name), append(t.text, isText)
		parts = append(append(parts, name), c.Templates...)
	}
	if g.Expect != "" {
		p.Columns = append(p.Columns, generate.Column{Name: expectColumn, Templates: []string{g.Expect}})
		t.names, t.text = append(t.names, expectColumn), append(t.text, true)
		parts = append(parts, expectColumn, g.Expect)
	}
	if err := t.checkNames(); err != nil {
		return nil, err
	}
	var err error
	if t.values, err = p.Rows(generate.SeedOf(parts...)); err != nil {
		return nil, err
	}
	l.tables["generate "+f.Name] = t // its columns may be named under text
	return t, nil
}
