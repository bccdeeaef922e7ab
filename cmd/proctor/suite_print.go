package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"proctor/regress/practice"
)

// printPractice tells a result in a terminal: the sentence, the findings, then capability
// by kind with the worst test of each, then all tests.
func printPractice(w io.Writer, r *practice.Result) error {
	fmt.Fprintf(w, "%s\n\n", r.Sentence)
	for _, s := range r.Suites {
		fmt.Fprintf(w, "  suite %s, %d cases, %d examples asked, %s\n", s.Name, s.Cases, s.Asked, s.Digest)
	}
	fmt.Fprintf(w, "  practice: no model is bound to these answers, nothing can be approved on them\n\n")
	for _, f := range r.Findings {
		what := f.Rule
		if f.Test != "" {
			what += " " + f.Test
		}
		fmt.Fprintf(w, "  %-10s %s: %s%s\n", f.Outcome, visible(what), f.Sentence, visible(named(f.Cases)))
	}
	if j := r.Options.Opinions; j != nil {
		fmt.Fprintf(w, "  judge      %s, prompt %.19s: let %d of %d planted wrong answers through; asked about %d answers, no to %d, unclear on %d\n",
			visible(j.Model), j.Prompt, j.Accepted, j.Planted, j.Asked, j.No, j.Unclear)
	}
	if p := r.Repeats; p != nil {
		fmt.Fprintf(w, "  repeats    %d answers each: %.2f %% of answers pass, %.2f %% of cases pass every time; %d cases of the candidate are unstable, %d of the baseline\n",
			p.K, 100*p.CandidatePass, 100*p.CandidatePassK, p.CandidateUnstable, p.BaselineUnstable)
	}
	if err := printMatrix(w, r); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\n  \ttest\tkind\tfailures\tbroke\tfixed\tp\tdoes not apply\n")
	for i := range r.Tests {
		x := &r.Tests[i]
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%d\t%d\t%s\t%d\n", x.Verdict, visible(x.Name), visible(x.Kind), x.Shares(), x.Broke, x.Fixed, x.PValue(), x.NotApplicable)
	}
	return t.Flush()
}

func printMatrix(w io.Writer, r *practice.Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\n  capability\tkind\ttests\tworse\tbetter\tpooled failures\tworst test\n")
	cells := r.Matrix
	if len(r.ByCapability) < len(r.Matrix) {
		cells = append(cells[:len(cells):len(cells)], r.ByCapability...)
	}
	for i, c := range cells {
		worst := &r.Tests[c.Test]
		if i >= len(r.Matrix) {
			c.Kind = "all"
		}
		fmt.Fprintf(t, "  %s\t%s\t%d\t%d\t%d\t%v\t%s: %s\n", orDash(visible(c.Capability)), orDash(visible(c.Kind)), c.Tests, c.Worse, c.Better, c.Pooled, visible(worst.Name), worst.Shares())
	}
	return t.Flush()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// visible keeps names from moving the cursor or breaking the table.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}
