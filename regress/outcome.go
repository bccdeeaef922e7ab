package regress

import (
	"fmt"
	"math"
	"slices"

	"proctor/metrics"
)

// An Outcome says how a model did on one case.
type Outcome uint8

// Outcomes. The zero Outcome is none of them, so that a case that nobody judged
// is not a case that passed.
const (
	_ Outcome = iota
	Passed
	Failed
	NotApplicable // the case cannot show what its test asks of this model
)

// String returns "passed", "failed", "not applicable" or "not judged".
func (o Outcome) String() string {
	switch o {
	case Passed:
		return "passed"
	case Failed:
		return "failed"
	case NotApplicable:
		return "not applicable"
	}
	return "not judged"
}

// Judged holds the outcomes of one model on one suite, one for each declared
// case. Only [Suite.Judge] makes one. The zero Judged belongs to no suite, and
// [Compare] refuses it.
type Judged struct {
	suite    *Suite
	outcomes [][]Outcome // by test and case
	read     [][2]int    // by test: the answers [from, to) that were looked at
}

// Suite returns the suite that was judged.
func (j *Judged) Suite() *Suite { return j.suite }

// Outcomes returns a copy of the outcomes of a test, in case order.
func (j *Judged) Outcomes(test int) []Outcome { return slices.Clone(j.outcomes[test]) }

// CriticalFailed returns the ids of the failed cases of critical tests, in order.
func (j *Judged) CriticalFailed() []string {
	var ids []string
	for i, out := range j.outcomes {
		t := &j.suite.Tests[i]
		for c, o := range out {
			if t.Critical && o == Failed {
				ids = append(ids, t.CaseID(c))
			}
		}
	}
	return ids
}

// Judge gives each case its outcome. The predictions are those for the rows of
// [Suite.Table], in that order; classes are the holdout's, which the labels index.
//
//   - MFT, golden: the case passes when the answer is the expected class, or is
//     another class than the forbidden one.
//   - stress: it passes when the answer is one of the classes.
//   - INV: it fails when a changed form is answered otherwise than its carrier or,
//     with a tolerance, when the probability of any class moves further than that.
//   - DIR: it fails when the probability of the test's class falls (NotDecrease)
//     or rises (NotIncrease) from the carrier to a changed form by more than the
//     tolerance; with Monotone, from each form to the next.
//   - trigger: it fails when the stamp turns the answer to the target. It is not
//     applicable when the model puts the carrier at the target anyway.
//
// A case without changed forms is not applicable to any model. In all others an
// answer that is none of the classes fails its case: silence is never a pass.
//
// It is an error when answers are missing or too many, when the suite names a
// class that the holdout does not have, and when a test needs probabilities and
// there are none.
//
// A model that gives classes says no texts: a test with checks is an error here.
func (s *Suite) Judge(classes []string, p metrics.Predictions) (*Judged, error) {
	return s.judge(classes, answers{labels: p.Labels, probs: p.Probs, classes: len(classes)})
}

// JudgeTexts judges what a model wrote, one text for each row of [Suite.Table]. A test
// with checks looks at the text; to any other the text is the name of a class, byte for
// byte, and one that is no class fails its case.
func (s *Suite) JudgeTexts(classes, texts []string) (*Judged, error) {
	return s.JudgeTextsBeside(classes, texts, nil)
}

// Refusals say of which answers a judge model said no: by test, check and example of the
// test. A judge that says yes says nothing.
type Refusals func(test, check, example int) bool

// JudgeTextsBeside is JudgeTexts with a judge beside the checks, which may fail cases.
func (s *Suite) JudgeTextsBeside(classes, texts []string, refused Refusals) (*Judged, error) {
	index, err := indexClasses(classes)
	if err != nil {
		return nil, fmt.Errorf("suite %s: %w", s.Name, err)
	}
	labels := make([]int32, len(texts))
	for i, text := range texts {
		label, ok := index[text]
		if labels[i] = label; !ok {
			labels[i] = -1
		}
	}
	return s.judge(classes, answers{labels: labels, texts: texts, classes: len(classes), refused: refused})
}

func (s *Suite) judge(classes []string, all answers) (*Judged, error) {
	if err := all.check(s.Examples()); err != nil {
		return nil, fmt.Errorf("suite %s: %w", s.Name, err)
	}
	index, err := indexClasses(classes)
	if err != nil {
		return nil, fmt.Errorf("suite %s: %w", s.Name, err)
	}
	j := &Judged{suite: s, outcomes: make([][]Outcome, len(s.Tests)), read: make([][2]int, len(s.Tests))}
	at := 0
	for i := range s.Tests {
		t := &s.Tests[i]
		end := at + t.Examples.Len()
		if j.outcomes[i], err = t.judge(classes, index, all.cut(at, end).of(i)); err != nil {
			return nil, fmt.Errorf("suite %s, test %s: %w", s.Name, t.Name, err)
		}
		j.read[i] = [2]int{at, end}
		at = end
	}
	return j, nil
}

// readOnce says whether each test was judged on answers of its own and all answers were
// looked at. A loop that judged one test many times would give as many outcomes.
func (j *Judged) readOnce() error {
	if len(j.read) != len(j.suite.Tests) {
		return fmt.Errorf("coverage.duplicate_rowset: %s: which answers were looked at is not known", j.suite.Name)
	}
	at := 0
	for i, r := range j.read {
		if r[0] != at || r[1]-r[0] != j.suite.Tests[i].Examples.Len() {
			return fmt.Errorf("coverage.duplicate_rowset: %s, test %s was judged on answers %d to %d, its own begin at %d", j.suite.Name, j.suite.Tests[i].Name, r[0], r[1], at)
		}
		at = r[1]
	}
	return nil
}

func indexClasses(classes []string) (map[string]int32, error) {
	index := make(map[string]int32, len(classes))
	for i, c := range classes {
		if _, twice := index[c]; twice {
			return nil, fmt.Errorf("class %q is declared twice", c)
		}
		index[c] = int32(i)
	}
	return index, nil
}

func (t *Test) judge(classes []string, index map[string]int32, a answers) ([]Outcome, error) {
	r := rule{test: t, index: index}
	if a.refused != nil {
		r.refused = func(check, example int) bool { return a.refused(a.test, check, example) }
	}
	if err := r.check(classes, a); err != nil {
		return nil, err
	}
	for _, c := range t.Checks {
		s, err := c.Compile()
		if err != nil {
			return nil, err
		}
		r.scorers = append(r.scorers, s)
	}
	out := make([]Outcome, t.Len())
	at := 0
	for i := range out {
		end := at + 1
		if t.Changed != nil {
			end += int(t.Changed[i])
		}
		r.at = at
		out[i] = r.outcome(i, a.cut(at, end))
		at = end
	}
	return out, nil
}

// Answers of one model to consecutive examples.
type answers struct {
	labels  []int32
	probs   []float64 // row-major, nil: the model gives labels only
	texts   []string  // nil: the model gives no texts
	classes int
	refused Refusals // by a judge; nil: none was asked
	test    int      // whose answers these are
}

// of says which test the answers belong to.
func (a answers) of(test int) answers { a.test = test; return a }

func (a answers) cut(lo, hi int) answers {
	out := answers{labels: a.labels[lo:hi], classes: a.classes, refused: a.refused, test: a.test}
	if a.probs != nil {
		out.probs = a.probs[lo*a.classes : hi*a.classes]
	}
	if a.texts != nil {
		out.texts = a.texts[lo:hi]
	}
	return out
}

func (a answers) prob(row int, class int32) float64 { return a.probs[row*a.classes+int(class)] }

// check refuses what is not one answer for each of n examples. Labels and
// probabilities come from a model, and a NaN compares false with everything.
func (a answers) check(n int) error {
	if len(a.labels) != n {
		return fmt.Errorf("%d answers for %d examples; each needs one", len(a.labels), n)
	}
	for i, l := range a.labels {
		if l < -1 || int(l) >= a.classes {
			return fmt.Errorf("answer %d is class %d of %d", i+1, l, a.classes)
		}
	}
	if a.probs != nil && len(a.probs) != n*a.classes {
		return fmt.Errorf("%d probabilities for %d examples of %d classes", len(a.probs), n, a.classes)
	}
	for i, p := range a.probs {
		if math.IsNaN(p) || p < 0 || p > 1 {
			return fmt.Errorf("answer %d: %v is not a probability", i/a.classes+1, p)
		}
	}
	return nil
}
