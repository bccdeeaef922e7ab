package harness

import (
	"context"
	"errors"
	"fmt"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/web/api"
)

// Budget says what a lineage has left on its sealed sets. Which sets these are, and
// what used them, is for those who look after them.
func (s *Service) Budget(ctx context.Context, p access.Principal, lineage string) (api.Budget, error) {
	b := api.Budget{Lineage: lineage, Sets: []api.BudgetSet{}}
	all := access.Check(p, access.SeeChanges, access.Object{}) == nil
	if !all {
		if err := access.Check(p, access.Submit, access.Object{}); err != nil {
			return b, err
		}
	}
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		f, err := s.inForce(tx, lineage)
		if err != nil {
			return err
		}
		b.Policy, b.Runs, b.Left = f.policy.Name, f.policy.BudgetRuns, f.policy.BudgetRuns
		for _, h := range f.holdouts {
			set, err := budgetSet(tx, lineage, h)
			if err != nil {
				return err
			}
			b.Used, b.Left = max(b.Used, set.Used), max(0, min(b.Left, b.Runs-set.Used))
			if all {
				b.Sets = append(b.Sets, set)
			}
		}
		b.Sentence = budgetSentence(b)
		return nil
	})
	var refused *Error
	if errors.As(err, &refused) && !all {
		return b, refuse(refused.Kind, "there is no lineage %q with a policy in force", lineage)
	}
	return b, err
}

func budgetSet(tx *store.Tx, lineage string, h sealedSet) (api.BudgetSet, error) {
	c := h.Commitment
	set := api.BudgetSet{Holdout: c.Name, Version: c.Version, Digest: c.Digest, Rows: c.Rows, Reserve: c.ReserveRows, Practice: c.Practice, Retain: c.Retain, SeenAtMost: shownAtMost(c)}
	list, err := tx.Exposures()
	if err != nil {
		return set, err
	}
	own := 0
	for _, e := range list {
		if e.Lineage == lineage && e.Holdout == c.Digest {
			own++
		}
	}
	if set.Used, err = exposureOf(tx, list, lineage, c, ""); err != nil {
		return set, err
	}
	set.Inherited = set.Used - own
	burnt, err := burntLines(tx, c)
	set.Seen = len(burnt)
	return set, err
}

func budgetSentence(b api.Budget) string {
	switch {
	case b.Left == 0:
		return "No runs are left: the sealed sets must rotate."
	case b.Left == 1:
		return "One run is left; then the sealed sets must rotate."
	}
	return fmt.Sprintf("%d of %d runs are left; then the sealed sets must rotate.", b.Left, b.Runs)
}
