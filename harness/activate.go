package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"proctor/harness/access"
	"proctor/harness/policy"
	"proctor/harness/store"
	"proctor/harness/verdict"
	"proctor/web/api"
)

// DecideChange activates or refuses a proposal. Activation takes a second person;
// what is activated counts from the next run on.
func (s *Service) DecideChange(ctx context.Context, p access.Principal, id string, activate bool) (api.Change, error) {
	d := decision{activate: activate}
	if err := s.weigh(ctx, id, &d); err != nil {
		return api.Change{}, err
	}
	var c store.Change
	err := s.update(ctx, func(tx *store.Tx, log *appender) (err error) {
		c, err = tx.Change(id)
		if errors.Is(err, store.ErrNotFound) {
			return refuse(Missing, "there is no proposal %q", id)
		}
		if err != nil {
			return err
		}
		people, err := s.involved(tx, c)
		if err != nil {
			return err
		}
		if err := access.Check(p, access.Activate, access.Object{Kind: c.Kind, People: people}); err != nil {
			return err
		}
		if err := s.heeds(tx, p); err != nil {
			return err
		}
		state := "refused"
		if activate {
			state = "active"
			if err := s.activate(tx, c, d); err != nil {
				return err
			}
		}
		if err := tx.Decide(id, state, p.ID, p.Person); errors.Is(err, store.ErrStale) {
			return refuse(Conflict, "the proposal is %s already", c.State)
		} else if err != nil {
			return err
		}
		if c, err = tx.Change(id); err != nil {
			return err
		}
		if activate {
			if err := s.sign(tx, log, c, p); err != nil {
				return err
			}
		}
		return log.change(c, p)
	})
	return changeView(c), err
}

// sign makes the statement that some proposals ask for.
func (s *Service) sign(tx *store.Tx, log *appender, c store.Change, p access.Principal) error {
	switch c.Kind {
	case revocationKind:
		return s.revoke(tx, log, c, p)
	case waiverKind:
		return s.waive(tx, log, c, p)
	}
	return nil
}

// involved are the people who may not decide on a proposal: who made it and, for an
// account, whose it is; for a waiver, whose model it is.
func (s *Service) involved(tx *store.Tx, c store.Change) ([]string, error) {
	people := []string{c.ProposedPerson}
	if c.Kind == accountKind {
		a, err := storedAccount(tx, verdict.Ref{Name: c.Name, Digest: c.Digest})
		if err != nil {
			return nil, err
		}
		people = append(people, a.Person)
	}
	if c.Kind == waiverKind {
		_, r, err := s.waived(tx, c)
		if err != nil {
			return nil, err
		}
		people = append(people, r.SubmittedPerson)
	}
	return people, nil
}

// A decision is what was found out about a proposal before the one writing
// transaction: it takes blobs or much computing.
type decision struct {
	activate bool
	anchor   string // baseline: the best model so far, when this was looked at
	better   bool   // baseline: the new one is better
}

// weigh reads what the activation of a baseline depends on.
func (s *Service) weigh(ctx context.Context, id string, d *decision) error {
	var c store.Change
	var l store.Lineage
	err := s.Store.View(ctx, func(tx *store.Tx) (err error) {
		if c, err = tx.Change(id); err == nil && c.Kind == "baseline" {
			l, err = tx.Lineage(c.Name)
		}
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return refuse(Missing, "there is no proposal %q", id)
	}
	if err != nil || c.Kind != "baseline" || !d.activate {
		return err
	}
	d.anchor = l.Anchor
	d.better, err = s.better(ctx, l.Anchor, c.Digest)
	return err
}

func (s *Service) activate(tx *store.Tx, c store.Change, d decision) error {
	if c.Kind == "baseline" {
		return s.activateBaseline(tx, c, d)
	}
	doc, err := tx.Document(c.Digest)
	if err != nil {
		return err
	}
	if c.Kind == accountKind { // others may have come into force since it was proposed
		a, err := storedAccount(tx, verdict.Ref{Name: c.Name, Digest: c.Digest})
		if err != nil {
			return err
		}
		if err := s.hire(tx, a); err != nil {
			return err
		}
	}
	if c.Kind == destruction {
		return s.destroy(tx, doc)
	}
	if c.Kind == "holdout" {
		if err := follows(tx, doc.Digest); err != nil {
			return err
		}
	}
	if err := tx.Activate(doc, c.ID); err != nil {
		return err
	}
	if c.Kind == "policy" {
		return s.activatePolicy(tx, doc)
	}
	return nil
}

func (s *Service) activateBaseline(tx *store.Tx, c store.Change, d decision) error {
	l, err := tx.Lineage(c.Name)
	if err != nil {
		return err
	}
	if l.Anchor != d.anchor {
		return refuse(Conflict, "another model was deployed at this moment: look again")
	}
	r, err := tx.Run(c.Digest)
	if err != nil {
		return err
	}
	env, e, err := s.loggedEvidence(tx, r)
	if err != nil || r.Approval < 0 {
		return fmt.Errorf("baseline of %s: run %s is not approved: %w", c.Name, r.ID, err)
	}
	if why, err := s.recalled(tx, e, env, r.Evidence); err != nil || why != "" {
		return orConflict(err, why+": it does not become the deployed model")
	}
	if d.better {
		l.Anchor = c.Digest
	}
	l.Baseline = c.Digest
	return tx.SetLineage(l)
}

// activatePolicy puts a policy in force on the active versions of its sets: its
// slices are fixed on these from now on. One that does not fit them is refused.
func (s *Service) activatePolicy(tx *store.Tx, d store.Document) error {
	pol, err := policy.Parse(d.Body)
	if err != nil {
		return fmt.Errorf("policy %s: %w", d.Digest, err)
	}
	sel, err := activeSets(tx, pol.Holdouts, pol.Suites)
	if err != nil {
		return err
	}
	sel.Policy = d.Digest
	r, err := readRules(tx, sel)
	if err != nil {
		return err
	}
	if _, err := policy.Check(r.resolved); err != nil {
		return refuse(Conflict, "the policy no longer fits the active sets, propose it again: %v", err)
	}
	extra, err := json.Marshal(r.resolved)
	if err != nil {
		return err
	}
	if err := tx.SetExtra(d.Digest, extra); err != nil {
		return err
	}
	l, err := tx.Lineage(pol.Lineage)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	l.Name, l.Policy = pol.Lineage, d.Digest
	return tx.SetLineage(l)
}
