package regress

import (
	"fmt"

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
	for i, c := range t.Checks {
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
	case !c.NeedsReference():
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
