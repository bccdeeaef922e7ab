package regress

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"proctor/harness/spell"
	"proctor/regress/score"
)

// rounding is what two equal differences of probabilities may differ by: .8 - .7
// exceeds .1 in float64, and is no reason to fail a model.
const rounding = 1e-12

// A rule judges the cases of one test.
type rule struct {
	test  *Test
	index map[string]int32 // of the holdout's classes

	scorers []*score.Scorer // of the test's checks

	refused func(check, example int) bool // by a judge; nil: none was asked
	at      int                           // example of the test with which the case begins
}

// check says why the test cannot be judged from such answers.
func (r rule) check(classes []string, a answers) error {
	t := r.test
	for i, class := range t.Expected {
		if class == "" {
			class = t.Forbidden[i]
		}
		if _, ok := r.index[class]; !ok {
			return fmt.Errorf("case %d expects class %q, which the holdout does not have%s", i+1, class, spell.Suggest(class, classes))
		}
	}
	for _, class := range []string{t.Target, t.Class} {
		if _, ok := r.index[class]; !ok && class != "" {
			return fmt.Errorf("class %q is none of the holdout's%s", class, spell.Suggest(class, classes))
		}
	}
	switch {
	case t.Checks != nil && a.texts == nil:
		return errors.New("a test with checks needs texts, and the model gives classes")
	case t.Kind == DIR && a.probs == nil:
		return errors.New("a DIR test needs probabilities, and the model gives labels only")
	case t.Kind == INV && t.Tolerance != nil && a.probs == nil:
		return errors.New("an INV test with a tolerance needs probabilities, and the model gives labels only")
	}
	return nil
}

// outcome judges case i by its answers: the carrier's and those of its changed
// forms, or the one of an MFT example.
func (r rule) outcome(i int, a answers) Outcome {
	t := r.test
	switch {
	case t.Changed != nil && len(a.labels) == 1:
		return NotApplicable
	case t.Checks != nil && r.checked(i, a) && !r.judgedWrong():
		return Passed
	case t.Checks != nil:
		return Failed
	case slices.Contains(a.labels, -1):
		return Failed
	case t.Kind == Trigger && a.labels[0] == r.index[t.Target]:
		return NotApplicable
	case r.holds(i, a):
		return Passed
	}
	return Failed
}

// holds says whether an applicable case shows what its test asks.
func (r rule) holds(i int, a answers) bool {
	t := r.test
	switch t.Kind {
	case MFT, Golden:
		if t.Expected[i] == "" {
			return a.labels[0] != r.index[t.Forbidden[i]]
		}
		return a.labels[0] == r.index[t.Expected[i]]
	case Stress:
		return true // outcome has seen that it is a class
	case Trigger:
		return !slices.Contains(a.labels[1:], r.index[t.Target])
	case INV:
		return r.invariant(a)
	case DIR:
		return r.directed(a)
	}
	return false
}

func (r rule) invariant(a answers) bool {
	for k := 1; k < len(a.labels); k++ {
		if a.labels[k] != a.labels[0] {
			return false
		}
		for c := int32(0); r.test.Tolerance != nil && int(c) < a.classes; c++ {
			if math.Abs(a.prob(k, c)-a.prob(0, c)) > *r.test.Tolerance+rounding {
				return false
			}
		}
	}
	return true
}

// checked holds the texts of case i against every check. A check without a reference
// compares the changed forms of an INV test with the answer to their carrier. Silence
// meets no check, not even one that forbids something.
func (r rule) checked(i int, a answers) bool {
	if n := r.test.Conversation(); n > 0 {
		return r.conversed(i, n, a.texts)
	}
	for k, c := range r.test.Checks {
		reference, from := r.reference(k, i, c, a.texts[0])
		for _, text := range a.texts[from:] {
			if !r.scorers[k].Holds(text, reference) {
				return false
			}
		}
	}
	return !slices.ContainsFunc(a.texts, func(s string) bool { return strings.TrimSpace(s) == "" })
}

// judgedWrong says whether a judge refused the answer. Its yes adds nothing.
func (r rule) judgedWrong() bool {
	for k, c := range r.test.Checks {
		if c.Score == score.Judge && r.refused != nil && r.refused(k, r.at) {
			return true
		}
	}
	return false
}

// reference returns what check k of case i is held against, and from which example on.
func (r rule) reference(k, i int, c score.Check, carrier string) (string, int) {
	switch {
	case r.test.Given[k] != nil:
		return r.test.Given[k][i], 0
	case c.NeedsReference():
		return carrier, 1
	}
	return "", 0
}

// conversed is checked for answers that tell what was said and done in n turns. One that
// is not of that form fails, and so does a turn in which nothing was said or done.
func (r rule) conversed(i, n int, texts []string) bool {
	all := make([]*score.Said, len(texts))
	for e, text := range texts {
		var err error
		if all[e], err = score.ParseSaid(text, n); err != nil || slices.ContainsFunc(all[e].Turns, score.Turn.Silent) {
			return false
		}
	}
	for k, c := range r.test.Checks {
		turn := n
		if c.Turn > 0 {
			turn = c.Turn
		}
		reference, from := r.reference(k, i, c, all[0].Turns[turn-1].Text)
		for _, said := range all[from:] {
			if !r.scorers[k].HoldsSaid(said, reference) {
				return false
			}
		}
	}
	return true
}

func (r rule) directed(a answers) bool {
	class := r.index[r.test.Class]
	allowed := rounding
	if r.test.Tolerance != nil {
		allowed += *r.test.Tolerance
	}
	for k := 1; k < len(a.labels); k++ {
		before := 0
		if r.test.Monotone {
			before = k - 1
		}
		harm := a.prob(k, class) - a.prob(before, class)
		if r.test.Expect == NotDecrease {
			harm = -harm
		}
		if harm > allowed {
			return false
		}
	}
	return true
}
