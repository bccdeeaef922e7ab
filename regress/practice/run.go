package practice

import (
	"errors"
	"fmt"
	"slices"

	"proctor/metrics"
	"proctor/regress"
)

// ExampleIDs names the examples of all suites, in order: what a prediction file answers.
func ExampleIDs(suites []*regress.Suite) []string {
	var out []string
	for _, s := range suites {
		out = append(out, s.ExampleIDs()...)
	}
	return out
}

// Run judges a candidate on suites, against a baseline unless that is nil. Classes are
// those of the choice; nil: those that the suites and the files name.
func Run(suites []*regress.Suite, baseline, candidate *Answers, classes []string, o Options) (*Result, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if len(suites) == 0 || candidate == nil {
		return nil, errors.New("a run needs a suite and the answers of a candidate")
	}
	n := len(ExampleIDs(suites))
	for _, a := range []*Answers{baseline, candidate} {
		if a != nil && len(a.labels) != n*a.k {
			return nil, fmt.Errorf("%s: suite.count_mismatch: %d answers for %d examples", a.name, len(a.labels), n*a.k)
		}
	}
	if baseline != nil && (baseline.k != candidate.k || baseline.text != candidate.text) {
		return nil, fmt.Errorf("%s has %d answers to each example, %s has %d; and both give classes, or both texts", baseline.name, baseline.k, candidate.name, candidate.k)
	}
	if classes == nil {
		classes = classesOf(suites, baseline, candidate)
	}
	r := &Result{Options: o, Baseline: baseline != nil, Paired: baseline != nil}
	for _, s := range suites {
		r.Suites = append(r.Suites, Suite{s.Name, s.Digest(), s.Cases(), s.Examples()})
	}
	c, err := judgeAll(suites, candidate, classes)
	if err != nil {
		return nil, err
	}
	var b *outcomes
	if baseline != nil {
		if b, err = judgeAll(suites, baseline, classes); err != nil {
			return nil, err
		}
	}
	r.Tests = pair(suites, b, c)
	if b != nil {
		if err := weigh(r.Tests, true, o); err != nil {
			return nil, err
		}
	}
	r.repeats(suites, candidate.k, b, c)
	for i := range r.Tests {
		r.Pooled.add(&r.Tests[i])
	}
	r.always(suites, candidate, b, c)
	r.opined(suites, candidate)
	r.decide()
	return r, nil
}

// classesOf collects the classes that suites and probabilities name, and the labels of
// the deployed model. What only a candidate says is no class.
func classesOf(suites []*regress.Suite, baseline, candidate *Answers) []string {
	seen := map[string]bool{}
	for _, s := range suites {
		for _, c := range s.Classes() {
			seen[c] = true
		}
	}
	known := baseline
	if known == nil {
		known = candidate
	}
	for _, c := range known.classes {
		seen[c] = true
	}
	for _, p := range known.probs {
		seen[p.Name] = true
	}
	if !known.text && (baseline != nil || len(seen) < 2) {
		for _, l := range known.labels {
			seen[l] = true
		}
	}
	delete(seen, "")
	out := make([]string, 0, len(seen))
	for c := range seen {
		out = append(out, c)
	}
	slices.Sort(out)
	return out
}

// outcomes of one model: by test over all suites and case, combined over the repeats.
type outcomes struct {
	tests   [][]regress.Outcome
	mixed   [][]bool // a case passed at times and failed at times
	passes  int64    // over all repeats
	applied int64
	none    []bool // by example: at least one answer was none
}

func judgeAll(suites []*regress.Suite, a *Answers, classes []string) (*outcomes, error) {
	n := len(a.labels) / a.k
	out := &outcomes{none: make([]bool, n)}
	for k := range a.k {
		probs, err := a.probabilities(classes, k, n)
		if err != nil {
			return nil, err
		}
		at, test := 0, 0
		for _, s := range suites {
			end := at + s.Examples()
			j, err := a.judge(s, classes, probs, k*n+at, k*n+end, at, out.none, a.refusals(test, k))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", a.name, err)
			}
			for i := range s.Tests {
				out.join(test, j.Outcomes(i))
				test++
			}
			at = end
		}
	}
	return out, nil
}

// judge one suite on the answers [lo, hi); first is the example that lo answers.
func (a *Answers) judge(s *regress.Suite, classes []string, probs []float64, lo, hi, first int, none []bool, refused regress.Refusals) (*regress.Judged, error) {
	texts := a.labels[lo:hi]
	if a.text {
		for i, t := range texts {
			none[first+i] = none[first+i] || blank(t)
		}
		return s.JudgeTextsBeside(classes, texts, refused)
	}
	index := make(map[string]int32, len(classes))
	for i, c := range classes {
		index[c] = int32(i)
	}
	p := metrics.Predictions{Labels: make([]int32, hi-lo)}
	for i, t := range texts {
		l, ok := index[t]
		if !ok {
			l = -1
			none[first+i] = true
		}
		p.Labels[i] = l
	}
	if probs != nil {
		k := len(classes)
		p.Probs = probs[first*k : (first+hi-lo)*k]
	}
	return s.Judge(classes, p)
}

func blank(s string) bool {
	for _, r := range s {
		if r != ' ' && r != '\n' && r != '\t' && r != '\r' {
			return false
		}
	}
	return true
}

// join adds one repeat of a test: a case passes where it passed every time.
func (o *outcomes) join(test int, now []regress.Outcome) {
	for _, x := range now {
		if x != regress.NotApplicable {
			o.applied++
		}
		if x == regress.Passed {
			o.passes++
		}
	}
	if test == len(o.tests) {
		o.tests, o.mixed = append(o.tests, now), append(o.mixed, make([]bool, len(now)))
		return
	}
	for i, x := range now {
		was := &o.tests[test][i]
		if *was != x && x != regress.NotApplicable && *was != regress.NotApplicable {
			o.mixed[test][i] = true
		}
		if x == regress.Failed || *was == regress.NotApplicable {
			*was = x
		}
	}
}
