package harness

import (
	"context"
	"fmt"
	"strings"
	"time"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/web/api"
)

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
	return s.follow(tx, func(h *standing) error {
		was, ok := h.account[a.ID]
		if len(a.Roles) == 0 && (!ok || len(was.Roles) == 0) {
			return refuse(Missing, "there is no account %q that could end", a.ID)
		}
		if ok && (was.Person != a.Person || was.Robot != a.Robot) {
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
		if err := s.follow(tx, func(h *standing) (err error) {
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
		return s.eachAccount(tx, func(e enlisted) {
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
