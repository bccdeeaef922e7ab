package harness

import (
	"context"
	"errors"
	"math"

	"proctor/harness/policy"
	"proctor/harness/store"
	"proctor/holdout"
)

// ledger is the exposure ledger: what each lineage has already learned from sealed
// rows. It counts rows, not names: a set that shares rows with another inherits
// the share of its exposure. A charge is in the log before any row is opened.
type ledger struct {
	s      *Service
	budget int
	epoch  int64
	leaves bool // a model of the run is asked elsewhere
}

// Charge implements [holdout.Ledger].
func (l ledger) Charge(ctx context.Context, c holdout.Charge) (holdout.Receipt, error) {
	var index int64
	err := l.s.update(ctx, func(tx *store.Tx, log *appender) error {
		run, err := tx.Run(c.RunID)
		if err != nil {
			return err
		}
		if run.Epoch != l.epoch {
			return store.ErrStale
		}
		used, err := exposure(tx, c.Lineage, c.Holdout, c.RunID)
		if err != nil {
			return err
		}
		if left := l.budget - used; left < 1 {
			return &holdout.BudgetError{Used: used, Budget: l.budget}
		}
		fresh, err := tx.AddExposure(store.Exposure{Run: c.RunID, Lineage: c.Lineage, Holdout: c.Holdout.Digest, Elsewhere: l.leaves})
		if err != nil || !fresh {
			return err
		}
		index, err = log.exposure(run, refOf(c.Holdout), used+1, l.budget)
		return err
	})
	return holdout.Receipt{LogIndex: index}, err
}

// exposure returns how many runs of a lineage have already been given rows of a
// set, other than the run except; sets that share rows count by their share.
func exposure(tx *store.Tx, lineage string, set holdout.Commitment, except string) (int, error) {
	all, err := tx.Exposures()
	if err != nil {
		return 0, err
	}
	return exposureOf(tx, all, lineage, set, except)
}

func exposureOf(tx *store.Tx, all []store.Exposure, lineage string, set holdout.Commitment, except string) (int, error) {
	used := 0.0
	shares := map[string]float64{}
	for _, e := range all {
		if e.Lineage != lineage && !e.Elsewhere || e.Run == except {
			continue
		}
		share, ok := shares[e.Holdout]
		if !ok {
			other, _, err := commitment(tx, e.Holdout)
			if err != nil {
				return 0, err
			}
			share = holdout.Overlap(set, other)
			if e.Holdout == set.Digest {
				share = 1
			}
			shares[e.Holdout] = share
		}
		if used += share; e.Elsewhere {
			used += float64(policy.MaxBudget * share) // whatever the lineage, none are left
		}
	}
	return ceilRuns(used), nil
}

// ceilRuns counts a begun run as a whole one.
func ceilRuns(used float64) int { return int(math.Ceil(used - 1e-9)) }

// budgetLeft returns how many more runs a lineage has under the policy in force;
// none while no policy is, as between a rotated set and the policy for it.
func (s *Service) budgetLeft(tx *store.Tx, lineage string) (int, error) {
	f, err := s.inForce(tx, lineage)
	var refused *Error
	if errors.As(err, &refused) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return f.budgetLeft(tx)
}

// budgetLeft is what the policy allows less what the most used of its sets has revealed.
func (f *force) budgetLeft(tx *store.Tx) (int, error) {
	left := f.policy.BudgetRuns
	for _, h := range f.holdouts {
		used, err := exposure(tx, f.lineage, h.Commitment, "")
		if err != nil {
			return 0, err
		}
		left = min(left, f.policy.BudgetRuns-used)
	}
	return max(left, 0), nil
}
