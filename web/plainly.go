package web

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"proctor/harness/report"
)

// plainly says a finding in one sentence about rows or cases, with the names of both
// models and, where the policy names costs, what it costs. The number with its
// interval stands beside it. A finding that does not count rows keeps its own sentence.
func plainly(r *report.Report, f report.Finding) string {
	if r.Baseline == nil {
		return f.Sentence
	}
	if t, ok := testOf(r, f.Subject); ok {
		n := t.Cases - t.NotApplicable
		return fmt.Sprintf("Of %s of %s, %s. %s", plural(n, "case"), t.Name, turned(r, t.Broke, t.Fixed, "passes", "fail"), sumUp(t.Broke-t.Fixed, n, "failed"))
	}
	if name, _, _ := strings.Cut(f.Metric, "@"); name != "accuracy" {
		return f.Sentence
	}
	flips, where, ok := flipsOn(r, f.Subject)
	if !ok || flips.N != f.N {
		return f.Sentence
	}
	return fmt.Sprintf("Of %s%s, %s. %s%s", plural(flips.N, "row"), where, turned(r, flips.Broke, flips.Fixed, "has right", "wrong"), sumUp(flips.Broke-flips.Fixed, flips.N, "wrong"), costOn(r, f.Subject))
}

// turned says how many the baseline does well and the candidate does not.
func turned(r *report.Report, broke, fixed int64, well, badly string) string {
	return fmt.Sprintf("%s that %s %s %s under %s, and %s the other way round", count(broke), r.Baseline.Name, well, areOr(badly, broke), r.Candidate.Name, count(fixed))
}

func areOr(badly string, n int64) string {
	switch {
	case badly == "fail" && n == 1:
		return "fails"
	case badly == "fail":
		return "fail"
	case n == 1:
		return "is " + badly
	}
	return "are " + badly
}

// sumUp says how many more are wrong, of all and in a thousand.
func sumUp(more, n int64, badly string) string {
	word := "more"
	if more < 0 {
		more, word = -more, "fewer"
	}
	if more == 0 || n == 0 {
		return "As many are " + badly + " as before."
	}
	return fmt.Sprintf("That is %s %s %s, %s in every 1,000.", count(more), word, badly, rate(more, n))
}

func rate(k, n int64) string {
	x := 1000 * float64(k) / float64(n)
	if x >= 10 {
		return count(int64(math.Round(x)))
	}
	return strconv.FormatFloat(x, 'f', 1, 64)
}

func testOf(r *report.Report, subject string) (report.Test, bool) {
	for _, t := range r.Tests {
		if t.Suite+"/"+t.Name == subject {
			return t, true
		}
	}
	return report.Test{}, false
}

// flipsOn finds the counts that a finding is about: of all rows, of a slice, or of the
// values of a dimension that are judged together.
func flipsOn(r *report.Report, subject string) (f report.Flips, where string, ok bool) {
	if subject == "" {
		return r.Flips, "", true
	}
	values := 0
	for _, s := range r.Slices {
		if s.Dimension+"="+s.Value == subject {
			return s.Flips, " where " + condition(s.Dimension, s.Value), true
		}
		if !s.Covered && s.Dimension+"=rest" == subject {
			f.N, f.Broke, f.Fixed = f.N+s.Flips.N, f.Broke+s.Flips.Broke, f.Fixed+s.Flips.Fixed
			values++
			where = fmt.Sprintf(" of the %d small values of %s together", values, s.Dimension)
		}
	}
	return f, where, values > 0
}

// condition words a slice: "sex is Female and education is Masters".
func condition(dimension, value string) string {
	names, values := strings.Split(dimension, "*"), strings.Split(value, " × ")
	if len(names) != len(values) {
		return dimension + " is " + value
	}
	for i, name := range names {
		if name == "class" {
			name = "the right answer"
		}
		names[i] = name + " is " + values[i]
	}
	return strings.Join(names, " and ")
}

// costOn says what the change costs those rows by the policy's costs.
func costOn(r *report.Report, subject string) string {
	total, known := 0.0, false
	switch {
	case r.Cost == nil:
	case subject == "" && r.Cost.Change.Value != nil:
		total, known = *r.Cost.Change.Value*float64(r.Flips.N), true
	default:
		for _, s := range r.SliceCosts {
			if s.Dimension+"="+s.Value == subject {
				total, known = s.Change, true
			}
		}
	}
	if !known {
		return ""
	}
	amount := strings.TrimSuffix(strconv.FormatFloat(math.Abs(total), 'f', 2, 64), ".00")
	switch {
	case total > 0:
		return " By the policy’s costs this costs " + amount + " more."
	case total < 0:
		return " By the policy’s costs this saves " + amount + "."
	}
	return " By the policy’s costs it comes to the same."
}
