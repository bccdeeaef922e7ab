package harness

import (
	"context"
	"errors"
	"time"

	"proctor/harness/store"
)

// freshFor is how long after signing in a session may decide without being asked again.
const freshFor = 5 * time.Minute

// Fresh says whether the holder of a session has signed in just now. A session that
// is not valid is not fresh.
func (s *Service) Fresh(ctx context.Context, session string) (fresh bool, err error) {
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		if _, err := s.authenticate(tx, hashOf(session), "session"); err != nil {
			return err
		}
		v, err := tx.Session(hashOf(session)) // its end is sealed
		if err != nil {
			return err
		}
		until, err := time.Parse(time.RFC3339, v.Expires)
		since := s.Now().Sub(until.Add(-sessionHours * time.Hour))
		fresh = err == nil && since >= -time.Second && since <= freshFor // ends are kept in whole seconds
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return fresh, err
}
