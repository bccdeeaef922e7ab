package harness

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"proctor/harness/store"
)

// inForce compares what is in force with the activations in the log.
func (a *auditor) inForce(ctx context.Context, tx *store.Tx) error {
	n := 0
	for _, kind := range []string{"holdout", "suite", "policy", accountKind} {
		docs, err := tx.Documents(kind)
		if err != nil {
			return err
		}
		names := map[string]bool{}
		for _, d := range docs {
			names[d.Name] = true
		}
		for name := range names {
			if err := a.active(tx, kind, name); err != nil {
				return err
			}
			n++
		}
	}
	lineages, err := tx.Lineages()
	if err != nil {
		return err
	}
	fresh := &Service{Config: a.s.Config, trust: a.s.trust} // knows no rules yet, so that all are read again
	for _, l := range lineages {
		// A policy that waits to be proposed for a rotated set is not a contradiction.
		var waits *Error
		if _, err := fresh.inForce(tx, l.Name); err != nil && !errors.As(err, &waits) {
			a.problem("lineage %s: %v", l.Name, err)
		}
		if err := a.lineage(ctx, tx, l); err != nil {
			a.problem("lineage %s: %v", l.Name, err)
		}
	}
	if err := a.accounts(tx); err != nil {
		return err
	}
	slices.Sort(a.out.Problems)
	a.checked("%d documents in force, %d lineages", n, len(lineages))
	return nil
}

// accounts reads who may do what from the log alone, as the service does, and
// compares that with what it works by now.
func (a *auditor) accounts(tx *store.Tx) error {
	var h hired
	if err := a.s.eachAccount(tx, h.put); err != nil {
		a.problem("%v", err)
		return nil
	}
	a.checked("%d accounts; %d changes of accounts made at the console, without a second person", len(h.account), a.seen.imposed)
	return a.s.follow(tx, func(now *standing) error {
		if !reflect.DeepEqual(h.all(), now.all()) {
			a.problem("the service works by other accounts than the log has: start it again")
		}
		return nil
	})
}

// active compares which version is in force with the last activation in the log.
func (a *auditor) active(tx *store.Tx, kind, name string) error {
	now, err := tx.Active(kind, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if now.Digest != a.seen.active[kind+"|"+name] {
		a.problem("%s %q: %s is in force, the log's last activation is of %s", kind, name, quote(now.Digest), quote(a.seen.active[kind+"|"+name]))
	}
	return nil
}

// lineage compares a lineage's policy, deployed and best model with the activations.
func (a *auditor) lineage(ctx context.Context, tx *store.Tx, l store.Lineage) error {
	last := a.seen.policy[l.Name]
	if l.Policy != last {
		a.problem("lineage %s: policy %s is in force, the log's last activation is of %s", l.Name, quote(l.Policy), quote(last))
	}
	deployed := a.seen.deployed[l.Name]
	packages := map[string]string{"": ""} // run -> package
	for _, id := range []string{l.Baseline, l.Anchor} {
		if id == "" {
			continue
		}
		r, err := tx.Run(id)
		if err != nil {
			return fmt.Errorf("run %s: %w", id, err)
		}
		if r.Lineage != l.Name || r.Approval < 0 {
			a.problem("lineage %s: run %s is no approved run of it", l.Name, id)
		}
		packages[id] = r.Package
	}
	now := ""
	if len(deployed) > 0 {
		now = deployed[len(deployed)-1]
	}
	if packages[l.Baseline] != now {
		a.problem("lineage %s: %s is deployed, the log's last activation is of %s", l.Name, quote(packages[l.Baseline]), quote(now))
	}
	if l.Anchor == l.Baseline {
		return nil
	}
	if !slices.Contains(deployed, packages[l.Anchor]) {
		a.problem("lineage %s: %s counts as its best model and was never deployed", l.Name, quote(packages[l.Anchor]))
		return nil
	}
	better, err := a.s.better(ctx, l.Anchor, l.Baseline)
	if better {
		a.problem("lineage %s: the deployed model is better than the one that counts as its best", l.Name)
	}
	return err
}

func quote(digest string) string {
	if digest == "" {
		return "nothing"
	}
	return digest
}
