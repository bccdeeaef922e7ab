package harness

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"proctor/harness/policy"
	"proctor/harness/report"
	"proctor/holdout"
	"proctor/holdout/rows"
	"proctor/metrics"
	"proctor/regress"
)

// A Comparison is two prediction files over the same answers.
type Comparison struct {
	Answers   rows.Table // id, label, slice columns
	Baseline  rows.Table // id, label and, if known, p:<class> columns
	Candidate rows.Table
	Cases     *rows.Table // behavioural cases whose ids are in the prediction files; nil: none
	Positive  string      // "" or a class
	Policy    *policy.Policy
}

// Compare gives the same report as a run, on predictions alone. Nothing binds them
// to a model, so that it says binding none and nothing can be approved on it; what
// needs a model to be run appears as not applicable.
func Compare(c Comparison) (*report.Report, error) {
	ids, err := readIDs("answers", c.Answers)
	if err != nil {
		return nil, err
	}
	cases, err := readCases(c.Cases, ids)
	if err != nil {
		return nil, err
	}
	asked := append(slices.Clone(ids), cases.ids...)
	var files [2]predictionFile
	for i, f := range []struct {
		name string
		t    rows.Table
	}{{"baseline", c.Baseline}, {"candidate", c.Candidate}} {
		if files[i], err = readPredictions(f.name, f.t, asked); err != nil {
			return nil, err
		}
	}
	right := text(must(c.Answers.Column("label")))
	classes := classesOf(right, files[0].labels, files[1].labels, cases.classes())
	if c.Positive != "" && !slices.Contains(classes, c.Positive) {
		return nil, fmt.Errorf("the positive class %q is not one of %q", c.Positive, classes)
	}
	if len(classes) < 2 {
		return nil, fmt.Errorf("the files hold one class only, %q; a choice needs two", classes)
	}
	rule, missing, err := forPredictions(c, classes, right, cases)
	if err != nil {
		return nil, err
	}
	return c.compare(rule, missing, classes, right, files, cases)
}

func (c Comparison) compare(rule *policy.Resolved, missing []report.Finding, classes, right []string, files [2]predictionFile, cases caseFile) (*report.Report, error) {
	a := metrics.Answers{Classes: classes, Positive: slices.Index(classes, c.Positive), Labels: codes(classes, right)}
	for _, col := range c.Answers.Columns() {
		if d, ok := dimensionOf(col); ok {
			a.Dimensions = append(a.Dimensions, d)
		}
	}
	n := len(right)
	var fs [2]*metrics.Frame
	var js [2][]*regress.Judged
	for i, f := range files {
		all, err := f.predictions(classes)
		if err != nil {
			return nil, err
		}
		scored := metrics.Predictions{Labels: all.Labels[:n]}
		if all.Probs != nil {
			scored.Probs = all.Probs[:n*len(classes)]
		}
		if fs[i], err = metrics.Join(memory.DefaultAllocator, a, scored); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		defer fs[i].Release()
		if cases.suite != nil {
			j, err := cases.suite.Judge(classes, metrics.Predictions{Labels: all.Labels[n:]})
			if err != nil {
				return nil, fmt.Errorf("cases: %w", err)
			}
			js[i] = []*regress.Judged{j}
		}
	}
	diff, err := regress.Compare(fs[0], fs[1], js[0], js[1])
	if err != nil {
		return nil, err
	}
	d := policy.Judge(rule, policy.Evidence{Attempt: 1, Candidate: fs[1], Diff: diff, Judged: js[1], Binding: policy.BindingNone, Tier: "none"})
	d.Findings = append(d.Findings, missing...)
	r := &report.Report{
		Lineage:   c.Policy.Lineage,
		Candidate: report.Model{Name: "candidate", Digest: files[1].digest, Kind: "predictions"},
		Baseline:  &report.Model{Name: "baseline", Digest: files[0].digest, Kind: "predictions"},
		Policy:    report.Ref{Name: c.Policy.Name, Digest: c.Policy.Digest()},
		Holdouts:  []report.Ref{{Name: "answers", Digest: tableDigest(c.Answers)}},
		Tier:      "none", Binding: policy.BindingNone, Attempt: 1,
	}
	if cases.suite != nil {
		r.Suites = []report.Ref{{Name: cases.suite.Name, Digest: cases.suite.Digest()}}
	}
	if r.Search, err = whereItBroke(diff, c.Answers, a.Dimensions, c.Policy.Confidence, []byte(r.Holdouts[0].Digest)); err != nil {
		return nil, err
	}
	if r.Curves, err = curves(fs[0], fs[1]); err != nil {
		return nil, err
	}
	return r, fill(r, rule, fs[1], diff, js[1], d)
}

// forPredictions binds a policy to the files as if they were a sealed set, without
// the rules that predictions cannot answer: those are returned as findings.
func forPredictions(c Comparison, classes, right []string, cases caseFile) (*policy.Resolved, []report.Finding, error) {
	p := *c.Policy
	var missing []report.Finding
	var suites []*regress.Suite
	if cases.suite != nil {
		switch {
		case len(p.Suites) == 1:
			cases.suite.Name = p.Suites[0]
		case !slices.Contains(p.Suites, cases.suite.Name):
			return nil, nil, fmt.Errorf("the cases are the suite %q, and the policy names %q: name the file after one of them", cases.suite.Name, p.Suites)
		}
		suites = []*regress.Suite{cases.suite}
	}
	p.Suites = nil
	for _, s := range suites {
		p.Suites = append(p.Suites, s.Name)
	}
	p.Watch = slices.DeleteFunc(slices.Clone(p.Watch), func(cl policy.Claim) bool {
		gone := cl.Suite != "" && !slices.Contains(p.Suites, cl.Suite)
		if gone {
			missing = append(missing, notApplicable(cl.ID, report.Watch, cl.Suite, "A suite is run on a model; prediction files have none."))
		}
		return gone
	})
	if p.Anchor != nil {
		missing = append(missing, notApplicable("anchor", report.Prove, "", "The best approved model is not among the prediction files."))
		p.Anchor = nil
	}
	set := holdout.Commitment{
		Name: p.Holdouts[0], Version: 1, Digest: tableDigest(c.Answers), Rows: len(right),
		Classes: classes, Positive: c.Positive, ClassCounts: make([]int64, len(classes)),
	}
	for _, k := range codes(classes, right) {
		set.ClassCounts[k]++
	}
	var err error
	if set.SliceSizes, err = sliceSizes(c, classes, right); err != nil {
		return nil, nil, err
	}
	rule, err := policy.Resolve(&p, []holdout.Commitment{set}, suites)
	return rule, missing, err
}

func notApplicable(claim, list, subject, why string) report.Finding {
	return report.Finding{Claim: claim, List: list, Outcome: report.NotApplicable, Subject: subject, Sentence: why}
}

// sliceSizes counts the rows of each value of each dimension that the policy names.
func sliceSizes(c Comparison, classes, right []string) (map[string]map[string]int64, error) {
	out := map[string]map[string]int64{"class": {}}
	for _, v := range right {
		out["class"][v]++
	}
	for _, cl := range slices.Concat(c.Policy.Prove, c.Policy.Watch) {
		for _, d := range cl.Over {
			if _, ok := out[d]; ok {
				continue
			}
			values, err := sliceValues(c.Answers, d, right)
			if err != nil {
				return nil, fmt.Errorf("claim %s: %w", cl.ID, err)
			}
			out[d] = map[string]int64{}
			for _, v := range values {
				out[d][v]++
			}
		}
	}
	return out, nil
}

// sliceValues returns each row's value in a dimension, "sex" or "sex*race".
func sliceValues(answers rows.Table, dimension string, right []string) ([]string, error) {
	var out []string
	for i, name := range strings.Split(dimension, "*") {
		values := right
		if name != "class" {
			col, ok := answers.Column(name)
			if !ok || name == "id" || name == "label" {
				return nil, fmt.Errorf("the answers have no slice column %q", name)
			}
			if _, ok := dimensionOf(col); !ok {
				return nil, fmt.Errorf("column %q has more than %d values: it is no slice", name, maxSliceValues)
			}
			values = text(col)
		}
		if i == 0 {
			out = slices.Clone(values)
			continue
		}
		for r := range out {
			out[r] += " × " + values[r]
		}
	}
	return out, nil
}

const maxSliceValues = 500

// dimensionOf makes a slice column of any column but id and label that has few values.
func dimensionOf(col rows.Column) (metrics.Dimension, bool) {
	if col.Name == "id" || col.Name == "label" {
		return metrics.Dimension{}, false
	}
	values := text(col)
	distinct := slices.Compact(slices.Sorted(slices.Values(values)))
	if len(distinct) > maxSliceValues {
		return metrics.Dimension{}, false
	}
	return metrics.Dimension{Name: col.Name, Values: distinct, Codes: codes(distinct, values)}, true
}

// codes finds each value in a list that holds all of them.
func codes(list, values []string) []int32 {
	index := make(map[string]int32, len(list))
	for i, v := range list {
		index[v] = int32(i)
	}
	out := make([]int32, len(values))
	for i, v := range values {
		out[i] = index[v]
	}
	return out
}

func classesOf(lists ...[]string) []string {
	seen := map[string]bool{}
	for _, l := range lists {
		for _, v := range l {
			seen[v] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// text returns a column's values as text.
func text(c rows.Column) []string {
	if !c.IsNumber() {
		return c.Strings
	}
	out := make([]string, len(c.Floats))
	for i, f := range c.Floats {
		out[i] = strconv.FormatFloat(f, 'g', -1, 64)
	}
	return out
}

func must(c rows.Column, ok bool) rows.Column {
	if !ok {
		panic("a column that was checked is gone")
	}
	return c
}

func tableDigest(t rows.Table) string {
	var b []byte
	for _, f := range t.Fields() {
		b = fmt.Appendf(b, "%q %v\n", f.Name, f.Number)
	}
	for r := range t.Len() {
		b = t.AppendCanonical(b, r)
	}
	return report.Digest(b)
}

// closeToOne is how far probabilities may be from summing to 1: they are printed
// with few digits.
const closeToOne = 0.01

func checkSum(p []float64) bool {
	sum := 0.0
	for _, v := range p {
		if !(v >= 0 && v <= 1) {
			return false
		}
		sum += v
	}
	return math.Abs(sum-1) <= closeToOne
}
