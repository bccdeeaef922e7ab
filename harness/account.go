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
	"proctor/web/api"
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
		return s.follow(tx, func(h *hired) error {
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
		if !hmac.Equal([]byte(session.Seal), []byte(s.seal(session))) || s.expired(session.Expires) {
			return p, store.ErrNotFound
		}
	}
	err = s.follow(tx, func(h *hired) error {
		id := h.token[hash]
		if kind == "session" {
			id = session.Account
		}
		a, ok := h.account[id]
		if !ok || len(a.Roles) == 0 || kind == "api" && !s.good(a.Tokens, hash) {
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

// seal is what a session of ours carries: who can write the table cannot make it.
func (s *Service) seal(v store.Session) string {
	m := hmac.New(sha256.New, s.SessionKey)
	m.Write([]byte("proctor/session/1\n" + v.Hash + "\n" + v.Account + "\n" + v.Expires))
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
	session.Seal = s.seal(session)
	err = s.Store.Update(ctx, func(tx *store.Tx) error { return tx.AddSession(session) })
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

const accountKind = "account"

// console stands for whoever has the machine with the keys. What is done there needs
// no second person, since those keys sign everything, and is named so in the log.
var console = access.Principal{ID: "console", Person: "console"}

// ProposeAccount proposes an account, or other roles or tokens for one. The holder
// of the account makes the token; only its hash is sent, so that neither proposer
// nor activator can act in his name.
func (s *Service) ProposeAccount(ctx context.Context, p access.Principal, a access.Account) (api.Change, error) {
	if err := access.Check(p, access.Propose, access.Object{Kind: accountKind}); err != nil {
		return api.Change{}, err
	}
	if err := a.Check(); err != nil {
		return api.Change{}, refuse(Usage, "%v", err)
	}
	if err := s.Store.View(ctx, func(tx *store.Tx) error { return s.hire(tx, a) }); err != nil {
		return api.Change{}, err
	}
	return s.propose(ctx, p, document(a), note(a))
}

func document(a access.Account) store.Document {
	return store.Document{Digest: a.Digest(), Kind: accountKind, Name: a.ID, Body: a.Canonical()}
}

// note says what an account is, in plain words.
func note(a access.Account) string {
	if len(a.Roles) == 0 {
		return a.ID + " ends"
	}
	kind := "a person"
	if a.Robot {
		kind = "a robot of"
	}
	return fmt.Sprintf("%s: %s, %s, %s, tokens: %d, identities: %d", a.ID, kind, a.Person, strings.Join(words(a.Roles), " and "), len(a.Tokens), len(a.Identities))
}

func words(roles []access.Role) []string {
	out := []string{}
	for _, r := range roles {
		out = append(out, string(r))
	}
	return out
}

// hire refuses an account that may not be in force beside those that are. It comes
// before anything is logged in its transaction.
func (s *Service) hire(tx *store.Tx, a access.Account) error {
	if a.ID == console.ID || a.Person == console.Person {
		return refuse(Usage, "%q stands for the machine itself in the log: choose another name", console.ID)
	}
	return s.follow(tx, func(h *hired) error {
		if was, ok := h.account[a.ID]; ok && (was.Person != a.Person || was.Robot != a.Robot) {
			return refuse(Conflict, "the account %q is %s's: an account does not change hands, add another", a.ID, was.Person)
		}
		for _, t := range a.Tokens {
			if owner, ok := h.token[t.SHA256]; ok && owner != a.ID {
				return refuse(Conflict, "a token of %s speaks for another account already: make a new one", a.ID)
			}
		}
		if err := a.Against(h.accounts()); err != nil {
			return refuse(Conflict, "%v", err)
		}
		return nil
	})
}

// AddAccount puts a new account in force from the console and returns its API
// token, which is kept nowhere.
func (s *Service) AddAccount(ctx context.Context, p access.Principal, valid time.Duration, identities ...access.Identity) (string, error) {
	return s.impose(ctx, p.ID, valid, func(_ access.Account, exists bool) (access.Account, error) {
		if exists {
			return access.Account{}, refuse(Conflict, "the account %q exists already", p.ID)
		}
		if len(p.Roles) == 0 {
			return access.Account{}, refuse(Usage, "an account has at least one role")
		}
		return access.Account{ID: p.ID, Person: p.Person, Robot: p.Robot, Roles: p.Roles, Identities: identities}, nil
	})
}

// RenewAccount gives an account a new API token from the console; the old ones end.
func (s *Service) RenewAccount(ctx context.Context, id string, valid time.Duration) (string, error) {
	return s.impose(ctx, id, valid, func(a access.Account, exists bool) (access.Account, error) {
		if !exists || len(a.Roles) == 0 {
			return a, refuse(Missing, "there is no account %q", id)
		}
		return a, nil
	})
}

// EndAccount ends an account and its tokens and sessions from the console. What it
// did stays.
func (s *Service) EndAccount(ctx context.Context, id string) error {
	_, err := s.impose(ctx, id, 0, func(a access.Account, exists bool) (access.Account, error) {
		if !exists || len(a.Roles) == 0 {
			return a, refuse(Missing, "there is no account %q", id)
		}
		a.Roles = nil
		return a, nil
	})
	return err
}

// impose changes one account without a second person and logs that. An account
// with roles gets one new token, valid so long, and loses all others.
func (s *Service) impose(ctx context.Context, id string, valid time.Duration, change func(a access.Account, exists bool) (access.Account, error)) (secret string, err error) {
	if secret, err = NewToken(s.Rand); err != nil {
		return "", err
	}
	err = s.update(ctx, func(tx *store.Tx, log *appender) error {
		var a access.Account
		if err := s.follow(tx, func(h *hired) (err error) {
			was, ok := h.account[id]
			a, err = change(was.Account, ok)
			return err
		}); err != nil {
			return err
		}
		a.Tokens = nil
		if len(a.Roles) == 0 {
			a.Identities = nil
		} else {
			a.Tokens = []access.Token{{SHA256: hashOf(secret), Expires: s.Now().Add(valid).UTC().Format(time.RFC3339)}}
		}
		if err := a.Check(); err != nil {
			return refuse(Usage, "%v", err)
		}
		if err := s.hire(tx, a); err != nil {
			return err
		}
		return s.imposed(tx, log, a)
	})
	return secret, err
}

func (s *Service) imposed(tx *store.Tx, log *appender, a access.Account) error {
	d := document(a)
	if err := s.number(tx, &d); err != nil {
		return err
	}
	if err := tx.AddDocument(d); err != nil {
		return err
	}
	d, err := tx.Document(d.Digest)
	if err != nil {
		return err
	}
	c, err := tx.Impose(store.Change{ID: s.newID(), Kind: d.Kind, Name: d.Name, Digest: d.Digest, Note: note(a), ProposedBy: console.ID, ProposedPerson: console.Person})
	if err != nil {
		return err
	}
	if err := tx.Activate(d, c.ID); err != nil {
		return err
	}
	return log.change(c, console)
}

// Accounts lists who could do what at a time, as the log has it.
func (s *Service) Accounts(ctx context.Context, p access.Principal, at time.Time) ([]api.Standing, error) {
	if err := access.Check(p, access.SeeChanges, access.Object{}); err != nil {
		return nil, err
	}
	var h hired
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		return s.eachAccount(tx, 0, func(e enlisted) {
			if since, err := time.Parse(time.RFC3339, e.at); err == nil && !since.After(at) {
				h.put(e)
			}
		})
	})
	out := []api.Standing{}
	for _, e := range h.all() {
		v := api.Account{Name: e.ID, Person: e.Person, Robot: e.Robot, Roles: words(e.Roles), Identities: []api.Identity{}, Tokens: []api.Token{}}
		for _, i := range e.Identities {
			v.Identities = append(v.Identities, api.Identity(i))
		}
		for _, t := range e.Tokens {
			v.Tokens = append(v.Tokens, api.Token(t))
		}
		out = append(out, api.Standing{Account: v, Since: e.at, Decider: e.by})
	}
	return out, err
}
