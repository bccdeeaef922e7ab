package ci

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitMessage `xml:"failure,omitempty"`
	Error   *junitMessage `xml:"error,omitempty"`
	Skipped *junitMessage `xml:"skipped,omitempty"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
}

// JUnit writes a testsuite for each group. Worse is a failure, undecided an error; what
// does not apply is skipped, and the decision beside it says what that means.
func (r Run) JUnit(w io.Writer) error {
	out := junitSuites{Name: legal(r.Title)}
	at := map[string]int{}
	for _, e := range r.all() {
		i, ok := at[e.Group]
		if !ok {
			i = len(out.Suites)
			at[e.Group] = i
			out.Suites = append(out.Suites, junitSuite{Name: legal(e.Group)})
		}
		s := &out.Suites[i]
		c := junitCase{Class: legal(e.Group), Name: legal(e.Name)}
		m := &junitMessage{legal(e.Says), legal(e.Rule)}
		s.Tests++
		switch e.State {
		case OK:
			c.Out = legal(e.Says)
		case Failed:
			c.Failure = m
			s.Failures++
		case NotRun:
			c.Skipped = m
			s.Skipped++
		default:
			c.Error = m
			s.Errors++
		}
		s.Cases = append(s.Cases, c)
	}
	for _, s := range out.Suites {
		out.Tests, out.Failures, out.Errors, out.Skipped = out.Tests+s.Tests, out.Failures+s.Failures, out.Errors+s.Errors, out.Skipped+s.Skipped
	}
	b, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, b)
	return err
}

// legal drops what no XML document may hold, escaped or not.
func legal(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r >= 0x20 && r != 0xfffe && r != 0xffff {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, "\ufffd"))
}
