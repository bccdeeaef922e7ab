package harness

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"proctor/harness/access"
	"proctor/harness/store"
)

// Sessions of people last a working day.
const sessionHours = 12

// Login exchanges an API token for a session of the review page. Robots have no page.
func (s *Service) Login(ctx context.Context, token string) (string, access.Principal, error) {
	p, err := s.Authenticate(ctx, token, "api")
	if err != nil {
		return "", p, err
	}
	if p.Robot {
		return "", access.Principal{}, fmt.Errorf("%w: %s is a robot; pages are for people", access.ErrDenied, p.ID)
	}
	secret, err := newSecret(s.Rand)
	if err != nil {
		return "", p, err
	}
	err = s.Store.Update(ctx, func(tx *store.Tx) error {
		return tx.AddToken(secret, p.ID, "session", s.Now().Add(sessionHours*time.Hour))
	})
	return secret, p, err
}

// Logout ends a session; an unknown one is no error.
func (s *Service) Logout(ctx context.Context, session string) error {
	return s.Store.Update(ctx, func(tx *store.Tx) error { return tx.DropToken(session) })
}

// AddAccount records an account and returns its API token, which is kept nowhere.
func AddAccount(ctx context.Context, st *store.Store, p access.Principal, now time.Time, valid time.Duration) (string, error) {
	for _, r := range p.Roles {
		for _, q := range p.Roles {
			if access.Conflict(r, q) {
				return "", refuse(Usage, "the roles %s and %s conflict: nobody holds both", r, q)
			}
		}
		if !slices.Contains(access.Roles(), r) {
			return "", refuse(Usage, "there is no role %q; there are %q", r, access.Roles())
		}
	}
	if p.ID == "" || p.Person == "" || len(p.Roles) == 0 {
		return "", refuse(Usage, "an account has a name, a person and at least one role")
	}
	secret, err := newSecret(rand.Reader)
	if err != nil {
		return "", err
	}
	err = st.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Principal(p.ID); err == nil {
			return refuse(Conflict, "the account %q exists already", p.ID)
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := oneSide(tx, p); err != nil {
			return err
		}
		if err := tx.AddPrincipal(p); err != nil {
			return err
		}
		return tx.AddToken(secret, p.ID, "api", now.Add(valid))
	})
	return secret, err
}

// oneSide refuses an account whose roles conflict with those of another account of
// the same person: people are compared, not accounts.
func oneSide(tx *store.Tx, p access.Principal) error {
	all, err := tx.Principals()
	if err != nil {
		return err
	}
	for _, q := range all {
		if q.Person != p.Person {
			continue
		}
		for _, a := range q.Roles {
			for _, b := range p.Roles {
				if access.Conflict(a, b) {
					return refuse(Conflict, "%s is %s by the account %q: the role %s conflicts with that", p.Person, a, q.ID, b)
				}
			}
		}
	}
	return nil
}

func newSecret(random io.Reader) (string, error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", err
	}
	return hex.EncodeToString(b), nil
}
