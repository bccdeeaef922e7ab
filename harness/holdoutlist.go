package harness

import (
	"context"
	"errors"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/holdout"
)

// ActiveHoldouts returns the public side of every set in force, by name.
func (s *Service) ActiveHoldouts(ctx context.Context, p access.Principal) ([]holdout.Commitment, error) {
	if err := access.Check(p, access.SeeChanges, access.Object{}); err != nil {
		return nil, err
	}
	var out []holdout.Commitment
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		docs, err := tx.Documents("holdout") // by name and version
		for i, d := range docs {
			if i > 0 && docs[i-1].Name == d.Name {
				continue
			}
			active, err := tx.Active("holdout", d.Name)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			c, _, err := commitment(tx, active.Digest)
			if err != nil {
				return err
			}
			out = append(out, c)
		}
		return err
	})
	return out, err
}
