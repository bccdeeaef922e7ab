package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"proctor/holdout/rows"
	"proctor/regress"
)

type suiteGen struct {
	File string `arg:"" help:"The suite's YAML file." type:"path"`
	Test string `help:"Only this test."`
	Show int    `help:"How many cases of each test are shown." default:"5"`
	Out  string `help:"Write every example with its id to this CSV or JSONL file, for a model to answer." placeholder:"FILE" type:"path"`
}

// Run shows the first cases of each test, or writes all examples.
func (c *suiteGen) Run(ctx context.Context, o console) error {
	s, err := loadSuite(ctx, c.File)
	if err != nil {
		return err
	}
	if c.Out != "" {
		n, err := writeExamples(c.Out, s)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(o.Out, "%s %s\n%d examples of %d cases in %s\n", s.Name, s.Digest(), n, s.Cases(), cmp.Or(inRepository(c.Out), c.Out))
		return err
	}
	fmt.Fprintf(o.Out, "%s %s\n", s.Name, s.Digest())
	found := false
	for i := range s.Tests {
		if t := &s.Tests[i]; c.Test == "" || c.Test == t.Name {
			found = true
			if err := showCases(o.Out, t, c.Show); err != nil {
				return err
			}
		}
	}
	if !found {
		return usagef("%s has no test %q", c.File, c.Test)
	}
	return nil
}

// showCases prints the first cases of a test, each with what is expected and its forms.
func showCases(w io.Writer, t *regress.Test, most int) error {
	fmt.Fprintf(w, "\n%s %s, %d cases\n", t.Kind, t.Name, t.Len())
	if t.Change != "" {
		fmt.Fprintf(w, "  change: %s\n", t.Change)
	}
	if n := t.Conversation(); n > 0 {
		fmt.Fprintf(w, "  a conversation of %d: %s\n", n, strings.Join(t.Turns, ", then "))
	}
	for i, c := range t.Checks {
		fmt.Fprintf(w, "  check %d: %s\n", i+1, c)
	}
	at := 0
	for i := range min(t.Len(), most) {
		fmt.Fprintf(w, "  %d: %s%s\n", i+1, exampleText(t.Examples, at), expected(t, i))
		at++
		for k := 0; t.Changed != nil && k < int(t.Changed[i]); k++ {
			if _, err := fmt.Fprintf(w, "     %s\n", exampleText(t.Examples, at)); err != nil {
				return err
			}
			at++
		}
	}
	return nil
}

func expected(t *regress.Test, i int) string {
	switch {
	case t.Expected != nil && t.Expected[i] != "":
		return "  => " + t.Expected[i]
	case t.Expected != nil:
		return "  => not " + t.Forbidden[i]
	}
	out := ""
	for _, g := range t.Given {
		if g != nil {
			out += fmt.Sprintf("  => %.80q", g[i])
		}
	}
	return out
}

// exampleText shows an example: the value of a single column, else name=value.
func exampleText(t rows.Table, r int) string {
	out := ""
	for _, c := range t.Columns() {
		v := ""
		if c.IsNumber() {
			v = strconv.FormatFloat(c.Floats[r], 'g', -1, 64)
		} else {
			v = visible(c.Strings[r])
		}
		if len(t.Columns()) == 1 {
			return v
		}
		if out != "" {
			out += ", "
		}
		out += c.Name + "=" + v
	}
	return out
}

// writeExamples writes the table that a model answers: id and the features.
func writeExamples(path string, s *regress.Suite) (int, error) {
	format, err := formatOf(path)
	if err != nil {
		return 0, err
	}
	t, err := s.Table(s.Fields())
	if err != nil {
		return 0, &coded{exitUsage, err}
	}
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	w := bufio.NewWriter(f)
	if format == "csv" {
		err = examplesCSV(w, s.ExampleIDs(), t)
	} else {
		err = examplesJSONL(w, s.ExampleIDs(), t)
	}
	return t.Len(), errors.Join(err, w.Flush(), f.Close())
}

func examplesCSV(w io.Writer, ids []string, t rows.Table) error {
	c := csv.NewWriter(w)
	rec := []string{"id"}
	for _, f := range t.Fields() {
		rec = append(rec, f.Name)
	}
	c.Write(rec)
	for r, id := range ids {
		rec[0] = id
		for k, col := range t.Columns() {
			if col.IsNumber() {
				rec[k+1] = strconv.FormatFloat(col.Floats[r], 'g', -1, 64)
			} else {
				rec[k+1] = col.Strings[r]
			}
		}
		c.Write(rec)
	}
	c.Flush()
	return c.Error()
}

func examplesJSONL(w io.Writer, ids []string, t rows.Table) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	row := map[string]any{}
	for r, id := range ids {
		row["id"] = id
		for _, col := range t.Columns() {
			if col.IsNumber() {
				row[col.Name] = col.Floats[r]
			} else {
				row[col.Name] = col.Strings[r]
			}
		}
		if err := e.Encode(row); err != nil {
			return err
		}
	}
	return nil
}
