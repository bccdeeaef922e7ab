package ci

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"proctor/harness/report"
)

const hostile = "</failure><testcase name=\"x\"/>|a|\n::error::pwned\r\n![x](http://e)@all <script>`%0A\x00\x1b[31m"

func specimen(result string) Run {
	return Run{
		Title: "T", Result: result, Sentence: result + ": so", File: "suites/a,b.yaml", Columns: []string{"n"},
		Entries: []Entry{
			{Group: "s", Name: "fine", Rule: "worse", State: OK, Says: "0 of 5", Values: []string{"5"}},
			{Group: "s", Name: hostile, Rule: "worse", State: Failed, Says: hostile, Values: []string{hostile}},
			{Group: "s", Name: "unknown", Rule: "undecided", State: Undecided, Says: "too few"},
			{Group: "t", Name: "away", Rule: "anchor", State: NotRun, Says: "no anchor"},
			{Group: "t", Name: "odd", Rule: "odd", State: "some other state", Says: "?"},
		},
		Notes: []string{hostile},
	}
}

// Whatever the result, a reader who counts failures and errors comes to the decision.
func TestJUnitAgreesWithTheDecision(t *testing.T) {
	for _, result := range []string{report.Pass, report.Fail, report.Inconclusive, "", "pass"} {
		r := specimen(result)
		r.Entries = r.Entries[:1]
		var b bytes.Buffer
		if err := r.JUnit(&b); err != nil {
			t.Fatal(err)
		}
		var got junitSuites
		if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if clean := got.Failures+got.Errors == 0; clean != (result == report.Pass) {
			t.Errorf("%q: %+v", result, got)
		}
	}
}

func TestJUnit(t *testing.T) {
	var b bytes.Buffer
	if err := specimen(report.Fail).JUnit(&b); err != nil {
		t.Fatal(err)
	}
	var got junitSuites
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	if got.Tests != 6 || got.Failures != 2 || got.Errors != 2 || got.Skipped != 1 || len(got.Suites) != 3 {
		t.Errorf("%+v", got)
	}
	if n := strings.Count(b.String(), "<testcase"); n != 6 {
		t.Errorf("%d testcases: a name became markup\n%s", n, b.String())
	}
	if strings.ContainsAny(b.String(), "\x00\x1b") {
		t.Error("characters that no XML document may hold")
	}
}

func TestMarkdown(t *testing.T) {
	var b bytes.Buffer
	if err := specimen(report.Fail).Markdown(&b, MaxSummary); err != nil {
		t.Fatal(err)
	}
	s := b.String()
	for _, bad := range []string{"<script", "![", "@all", "\x1b", "::error", "`"} {
		if strings.Contains(s, bad) {
			t.Errorf("%q went through unescaped", bad)
		}
	}
	lines := strings.Split(s, "\n")
	for _, l := range lines {
		if strings.HasPrefix(l, "|") && !strings.Contains(l, "---") && strings.Count(l, "|") != 6 {
			t.Errorf("a row has other cells: %s", l)
		}
	}
	if !strings.HasPrefix(lines[6], "| **FAILED** |") {
		t.Errorf("what failed is not first:\n%s", s)
	}
}

// The summary keeps its bound, keeps failures before others, and says what is missing.
func TestMarkdownIsBounded(t *testing.T) {
	r := Run{Title: "T", Result: report.Fail, Sentence: "FAIL: so"}
	for i := range 3000 {
		r.Entries = append(r.Entries, Entry{Group: "s", Name: fmt.Sprint("test ", i), State: OK, Says: strings.Repeat("x", 500)})
	}
	r.Entries = append(r.Entries, Entry{Group: "s", Name: "the one", State: Failed, Says: "worse"})
	var b bytes.Buffer
	if err := r.Markdown(&b, MaxSummary); err != nil {
		t.Fatal(err)
	}
	if b.Len() > MaxSummary || !strings.Contains(b.String(), "the one") || !regexp.MustCompile(`\n\d+ more entries are not shown here\.`).MatchString(b.String()) {
		t.Errorf("%d bytes", b.Len())
	}
}

func TestSARIF(t *testing.T) {
	var b, again bytes.Buffer
	if err := specimen(report.Fail).SARIF(&b); err != nil {
		t.Fatal(err)
	}
	specimen(report.Fail).SARIF(&again)
	if !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Error("two forms of one run")
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	levels := ""
	seen := map[string]bool{}
	for _, r := range log.Runs[0].Results {
		levels += r.Level + " "
		seen[r.Fingerprints["proctor/v1"]] = true
		if len(r.Locations) != 1 || r.Locations[0].Physical.Artifact.URI != "suites/a,b.yaml" {
			t.Errorf("%+v", r)
		}
	}
	if levels != "error error warning note warning " || len(seen) != 5 || log.Version != "2.1.0" || len(log.Runs[0].Tool.Driver.Rules) != 5 {
		t.Errorf("levels %s, %d fingerprints, %+v", levels, len(seen), log.Runs[0].Tool.Driver)
	}
}

func TestAnnotations(t *testing.T) {
	r := specimen(report.Inconclusive)
	for i := range 30 {
		r.Entries = append(r.Entries, Entry{Group: "s", Name: fmt.Sprint(i), State: Failed, Says: "x"}, Entry{Group: "s", Name: fmt.Sprint(i), State: Undecided, Says: "x"})
	}
	var b bytes.Buffer
	if err := r.Annotations(&b); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for line := range strings.Lines(b.String()) {
		m := regexp.MustCompile(`^::(error|warning) file=suites/a%2Cb\.yaml,line=1,title=[^:]*::[^\n]*\n$`).FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("no command, or two: %q", line)
		}
		count[m[1]]++
	}
	if count["error"] != MaxAnnotations || count["warning"] != MaxAnnotations || !strings.HasPrefix(b.String(), "::error file=suites/a%2Cb.yaml,line=1,title=proctor/decision::INCONCLUSIVE: so\n") {
		t.Errorf("%v\n%s", count, b.String())
	}
}

func TestFromReport(t *testing.T) {
	r := &report.Report{Candidate: report.Model{Name: "m"}, Decision: report.Decision{Result: report.Fail, Sentence: "FAIL: x", NotCovered: []string{"y"}, Findings: []report.Finding{
		{Claim: "a", List: report.Watch, Outcome: report.Holds}, {Claim: "b", Subject: "sex=Female", List: report.Watch, Outcome: report.Violated},
		{Claim: "c", List: report.Prove, Outcome: report.Undecided}, {Claim: "d", List: report.Prove, Outcome: report.NotApplicable}, {Claim: "e", List: report.Prove, Outcome: "new"},
	}}}
	got := ""
	for _, e := range FromReport(r).Entries {
		got += e.Name + "=" + e.State + "; "
	}
	if want := "a=ok; b sex=Female=failed; c=undecided; d=not run; e=undecided; "; got != want {
		t.Errorf("got %s", got)
	}
}
