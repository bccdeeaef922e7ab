package regress

import (
	"errors"
	"fmt"
	"slices"

	"proctor/regress/score"
)

// MaxChecks is the most checks of one test.
const MaxChecks = 16

// checkChecks holds the checks of a text test to their form, and each case to have
// the reference that a check needs.
func (t *Test) checkChecks() error {
	if len(t.Checks) > MaxChecks {
		return fmt.Errorf("it has %d checks; at most %d are possible", len(t.Checks), MaxChecks)
	}
	if len(t.Given) != len(t.Checks) {
		return fmt.Errorf("%d checks have %d lists of references", len(t.Checks), len(t.Given))
	}
	if err := t.checkTurns(); err != nil {
		return err
	}
	for i, c := range t.Checks {
		if c.Score == score.Judge && t.Changed != nil {
			return fmt.Errorf("check %d: a judge is asked about single answers, not in %s", i+1, t.Kind.a())
		}
		s, err := c.Compile()
		if err == nil {
			err = t.checkGiven(c, s, t.Given[i])
		}
		if err != nil {
			return fmt.Errorf("check %d: %w", i+1, err)
		}
	}
	return nil
}

func (t *Test) checkGiven(c score.Check, s *score.Scorer, given []string) error {
	switch {
	case given == nil && c.NeedsReference() && t.Kind != INV:
		return fmt.Errorf("score %s needs a text, or a column with the text of each case", c.Score)
	case given == nil:
		return nil // INV: held against the answer to the carrier
	case !c.TakesReference():
		return fmt.Errorf("score %s takes no text from a column here", c.Score)
	case len(given) != t.Len():
		return fmt.Errorf("%d cases have %d references", t.Len(), len(given))
	}
	for i, g := range given {
		if err := s.CheckReference(g); err != nil {
			return fmt.Errorf("case %d: %w", i+1, err)
		}
	}
	return nil
}

// checkTurns holds a conversation to columns of text that are there.
func (t *Test) checkTurns() error {
	if len(t.Turns) > 0 && t.Checks == nil {
		return errors.New("turns are said to a model that writes text; the test has no checks")
	}
	if len(t.Turns) > score.MaxTurns {
		return fmt.Errorf("it has %d turns; at most %d are possible", len(t.Turns), score.MaxTurns)
	}
	for i, name := range t.Turns {
		c, ok := t.Examples.Column(name)
		if !ok || c.IsNumber() {
			return fmt.Errorf("turn %d: there is no column %q of text", i+1, name)
		}
		if slices.Contains(t.Turns[:i], name) {
			return fmt.Errorf("turn %d: column %q is a turn already", i+1, name)
		}
	}
	for i, c := range t.Checks {
		if c.Turn > max(1, len(t.Turns)) {
			return fmt.Errorf("check %d looks at turn %d; there are %d", i+1, c.Turn, max(1, len(t.Turns)))
		}
	}
	return nil
}

// Conversation returns how many turns an answer to the test must have in the form that
// [score.ParseSaid] reads; 0: an answer is a text.
func (t *Test) Conversation() int {
	if len(t.Turns) == 0 && !slices.ContainsFunc(t.Checks, score.Check.Structured) {
		return 0
	}
	return max(1, len(t.Turns))
}
