package harness

import (
	"context"
	"errors"
	"fmt"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/regress"
)

// suiteNote says what a proposed suite holds and what it changes against the version in
// force, so that whoever activates it reads which cases are gone and need not look for
// them.
func (s *Service) suiteNote(ctx context.Context, suite *regress.Suite) (string, error) {
	note := fmt.Sprintf("%s: %d tests, %d cases", suite.Name, len(suite.Tests), suite.Cases())
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		d, err := tx.Active("suite", suite.Name)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		now, err := regress.Decode(d.Body)
		if err != nil {
			return fmt.Errorf("suite in force: %w", err)
		}
		note += fmt.Sprintf("; against version %d: %s", d.Version, regress.Revise(now, suite).Summary())
		return nil
	})
	return note, err
}

// classesOnly refuses a suite that models are not asked here.
func classesOnly(suite *regress.Suite) error {
	for i := range suite.Tests {
		if t := &suite.Tests[i]; t.Checks != nil {
			return refuse(Usage, "suite: test %q holds generated text, and models are asked for classes here; run it with: proctor suite run", t.Name)
		}
	}
	return nil
}

// consequences is what a proposal would have meant for past candidates and what the
// deployed models make of it, as the end of its note; "" where there is nothing to replay.
func (s *Service) consequences(ctx context.Context, p access.Principal, d store.Document) string {
	b, err := s.backtest(ctx, p, d)
	switch {
	case err != nil:
		s.Logger.Warn("backtest of a proposal", "kind", d.Kind, "name", d.Name, "error", err)
		return "; backtest: not possible, ask for it again before you decide"
	case len(b.Runs) == 0 && len(b.Deployed) == 0:
		return ""
	}
	return "; " + b.Sentence
}
