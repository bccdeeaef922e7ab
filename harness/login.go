package harness

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"proctor/harness/access"
	"proctor/harness/store"
)

// Sessions of people last a working day.
const sessionHours = 12

// Authenticate returns whom a token of that kind (api or session) stands for.
func (s *Service) Authenticate(ctx context.Context, secret, kind string) (access.Principal, error) {
	if kind == "api" && s.Robots != nil && strings.Count(secret, ".") == 2 { // no secret of ours has a dot
		return s.robot(ctx, secret)
	}
	var p access.Principal
	err := s.Store.View(ctx, func(tx *store.Tx) (err error) { p, err = s.authenticate(tx, hashOf(secret), kind); return err })
	if errors.Is(err, store.ErrNotFound) {
		return access.Principal{}, fmt.Errorf("%w: the token is unknown or has expired", access.ErrDenied)
	}
	return p, err
}

// robot returns whose a token is that an issuer of pipelines signed. People have a
// page, where they sign in themselves.
func (s *Service) robot(ctx context.Context, token string) (access.Principal, error) {
	issuer, claims, err := s.Robots.Verify(ctx, token)
	if err != nil {
		s.Logger.Warn("a token was refused", "error", err)
		return access.Principal{}, fmt.Errorf("%w: the token is not valid", access.ErrDenied)
	}
	p, err := s.identified(ctx, issuer, claims)
	if err == nil && !p.Robot {
		p, err = access.Principal{}, fmt.Errorf("%w: %s is a person; a pipeline's token is for robots", access.ErrDenied, p.ID)
	}
	return p, err
}

// identified returns the one account that a token is of.
func (s *Service) identified(ctx context.Context, issuer string, claims map[string]string) (p access.Principal, err error) {
	var found []enlisted
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		return s.follow(tx, func(h *standing) error {
			for _, e := range h.all() {
				if slices.ContainsFunc(e.Identities, func(i access.Identity) bool { return i.Matches(issuer, claims) }) {
					found = append(found, e)
				}
			}
			return nil
		})
	})
	switch {
	case err != nil:
		return p, err
	case len(found) == 0:
		s.Logger.Warn("nobody's identity", "issuer", issuer, "sub", claims["sub"])
		return p, fmt.Errorf("%w: no account has the identity that the issuer %s knows you by", access.ErrDenied, issuer)
	case len(found) > 1:
		return p, fmt.Errorf("%w: the accounts %s and %s have this identity both", access.ErrDenied, found[0].ID, found[1].ID)
	}
	return found[0].Principal(), nil
}

func (s *Service) authenticate(tx *store.Tx, hash, kind string) (p access.Principal, err error) {
	var session store.Session
	if kind == "session" {
		if session, err = tx.Session(hash); err != nil {
			return p, err
		}
		if s.expired(session.Expires) {
			return p, store.ErrNotFound
		}
	}
	err = s.follow(tx, func(h *standing) error {
		id := h.token[hash]
		if kind == "session" {
			id = session.Account
		}
		a, ok := h.account[id]
		if !ok || len(a.Roles) == 0 || kind == "api" && !s.good(a.Tokens, hash) ||
			kind == "session" && !hmac.Equal([]byte(session.Seal), []byte(s.seal(session, a.Account))) {
			return store.ErrNotFound
		}
		p = a.Principal()
		return nil
	})
	return p, err
}

// good says whether one of the tokens has that hash and has not expired.
func (s *Service) good(tokens []access.Token, hash string) bool {
	return slices.ContainsFunc(tokens, func(t access.Token) bool { return t.SHA256 == hash && !s.expired(t.Expires) })
}

func (s *Service) expired(at string) bool {
	until, err := time.Parse(time.RFC3339, at)
	return err != nil || !s.Now().Before(until)
}

// seal is what a session of ours carries: who can write the table cannot make it. It
// holds for the account as it was at sign-in, so that a session ends with the token,
// the roles or the identity that it was opened by.
func (s *Service) seal(v store.Session, a access.Account) string {
	m := hmac.New(sha256.New, s.SessionKey)
	m.Write([]byte("proctor/session/1\n" + v.Hash + "\n" + v.Account + "\n" + v.Expires + "\n" + a.Digest()))
	return hex.EncodeToString(m.Sum(nil))
}

// Login exchanges an API token for a session of the review page. Robots have no page.
func (s *Service) Login(ctx context.Context, token string) (string, access.Principal, error) {
	p, err := s.Authenticate(ctx, token, "api")
	if err != nil {
		return "", p, err
	}
	return s.session(ctx, p)
}

// LoginAs opens a session for whom an issuer of people knows by these claims.
func (s *Service) LoginAs(ctx context.Context, issuer string, claims map[string]string) (string, access.Principal, error) {
	p, err := s.identified(ctx, issuer, claims)
	if err != nil {
		return "", p, err
	}
	return s.session(ctx, p)
}

func (s *Service) session(ctx context.Context, p access.Principal) (string, access.Principal, error) {
	if p.Robot {
		return "", access.Principal{}, fmt.Errorf("%w: %s is a robot; pages are for people", access.ErrDenied, p.ID)
	}
	secret, err := NewToken(s.Rand)
	if err != nil {
		return "", p, err
	}
	session := store.Session{Hash: hashOf(secret), Account: p.ID, Expires: s.Now().Add(sessionHours * time.Hour).UTC().Format(time.RFC3339)}
	err = s.Store.Update(ctx, func(tx *store.Tx) error {
		if err := s.follow(tx, func(r *standing) error {
			session.Seal = s.seal(session, r.account[p.ID].Account)
			return nil
		}); err != nil {
			return err
		}
		return tx.AddSession(session)
	})
	return secret, p, err
}

// Logout ends a session; an unknown one is no error.
func (s *Service) Logout(ctx context.Context, session string) error {
	return s.Store.Update(ctx, func(tx *store.Tx) error { return tx.DropSession(hashOf(session)) })
}

// NewToken returns a new secret of 256 bits.
func NewToken(random io.Reader) (string, error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", err
	}
	return hex.EncodeToString(b), nil
}

func hashOf(secret string) string {
	h := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(h[:])
}
