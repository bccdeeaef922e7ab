package harness

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"proctor/harness/policy"
	"proctor/harness/store"
	"proctor/holdout"
	"proctor/regress"
)

// A selection names by digest (models by run) everything that a verdict depends
// on beside the candidate. It is what a plan fixes.
type selection struct {
	Policy   string   `json:"policy"`
	Holdouts []string `json:"holdouts"`
	Suites   []string `json:"suites"`
	Baseline string   `json:"baseline"` // run that brought the deployed model, "" before the first
	Anchor   string   `json:"anchor"`   // run of the best model ever deployed
}

// force is what is in force for a lineage: which policy, which versions of which
// sets, which deployed model. All of it comes from records that two people
// activated, never from a request.
type force struct {
	selection
	*rules
	lineage  string
	baseline *store.Run // nil before the first model
	anchor   *store.Run // nil before the first model
}

// rules are the documents that a selection names, read and checked. They are never
// changed, so that runs and requests share them.
type rules struct {
	policy    *policy.Policy
	policyDoc store.Document
	resolved  *policy.Resolved
	holdouts  []sealedSet
	suites    []*regress.Suite
	suiteDocs []store.Document
}

// A sealedSet is a holdout as the records have it.
type sealedSet struct {
	holdout.Commitment
	manifest []byte
}

// inForce reads what is in force for a lineage. A policy whose slices were fixed on
// other versions of its sets is not.
func (s *Service) inForce(tx *store.Tx, lineage string) (*force, error) {
	l, err := tx.Lineage(lineage)
	if errors.Is(err, store.ErrNotFound) {
		return nil, refuse(Missing, "there is no lineage %q: activate a policy that names it", lineage)
	}
	if err != nil {
		return nil, err
	}
	d, err := tx.Document(l.Policy)
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", l.Policy, err)
	}
	pol, err := policy.Parse(d.Body)
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", l.Policy, err)
	}
	sel, err := activeSets(tx, pol.Holdouts, pol.Suites)
	if err != nil {
		return nil, err
	}
	sel.Policy, sel.Baseline, sel.Anchor = l.Policy, l.Baseline, l.Anchor
	f, err := s.load(tx, lineage, sel)
	if err != nil {
		return nil, err
	}
	for _, h := range f.holdouts {
		if s.overdue(h.Commitment) {
			return nil, refuse(Conflict, "the rows of a sealed set may be kept no longer: it must rotate")
		}
	}
	if again, err := json.Marshal(f.resolved); err != nil || !bytes.Equal(again, d.Extra) {
		return nil, refuse(Conflict, "the policy was activated for other versions of its sets: propose it again, so that its slices are fixed on these")
	}
	return f, s.agrees(tx, f)
}

// activeSets names the active versions of holdouts and suites.
func activeSets(tx *store.Tx, holdouts, suites []string) (selection, error) {
	var s selection
	for _, list := range []struct {
		kind  string
		names []string
		into  *[]string
	}{{"holdout", holdouts, &s.Holdouts}, {"suite", suites, &s.Suites}} {
		for _, name := range list.names {
			d, err := tx.Active(list.kind, name)
			if errors.Is(err, store.ErrNotFound) {
				return s, refuse(Conflict, "the policy names %s %q, and no version of it is active: a second curator must activate one", list.kind, name)
			}
			if err != nil {
				return s, err
			}
			*list.into = append(*list.into, d.Digest)
		}
	}
	return s, nil
}

// load reads what a selection names.
func (s *Service) load(tx *store.Tx, lineage string, sel selection) (*force, error) {
	f := &force{selection: sel, lineage: lineage}
	var err error
	if f.rules, err = s.known.get(sel.key(), func() (*rules, error) { return readRules(tx, sel) }); err != nil {
		return nil, err
	}
	if f.baseline, err = optionalRun(tx, sel.Baseline); err != nil {
		return nil, err
	}
	f.anchor, err = optionalRun(tx, sel.Anchor)
	return f, err
}

// readRules reads documents and checks each against its digest.
func readRules(tx *store.Tx, s selection) (*rules, error) {
	r := &rules{}
	if err := r.readSets(tx, s); err != nil {
		return nil, err
	}
	var err error
	if r.policyDoc, err = tx.Document(s.Policy); err != nil {
		return nil, fmt.Errorf("policy %s: %w", s.Policy, err)
	}
	if r.policy, err = policy.Parse(r.policyDoc.Body); err != nil {
		return nil, fmt.Errorf("policy %s: %w", s.Policy, err)
	}
	if r.policy.Digest() != s.Policy {
		return nil, fmt.Errorf("policy %s: the record holds %s", s.Policy, r.policy.Digest())
	}
	if r.resolved, err = r.resolve(); err != nil {
		// Not err: submitters read this. Its owner sees it when checking the policy.
		return nil, refuse(Conflict, "the policy no longer fits the active sets: its owner must propose it again")
	}
	return r, nil
}

func (r *rules) resolve() (*policy.Resolved, error) {
	return policy.Resolve(r.policy, r.commitments(), r.suites)
}

// key names the documents of a selection.
func (s selection) key() string {
	return strings.Join(slices.Concat([]string{s.Policy}, s.Holdouts, s.Suites), "|")
}

// maxKnown bounds how many selections are kept in memory; a suite can be large.
const maxKnown = 16

// known keeps rules that were read before. Digests name them, so that they cannot
// get old; an audit reads them again.
type known struct {
	mu   sync.Mutex
	byID map[string]*rules
}

func (k *known) get(id string, read func() (*rules, error)) (*rules, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r := k.byID[id]; r != nil {
		return r, nil
	}
	r, err := read()
	if err != nil {
		return nil, err
	}
	if k.byID == nil || len(k.byID) >= maxKnown {
		k.byID = map[string]*rules{}
	}
	k.byID[id] = r
	return r, nil
}

func optionalRun(tx *store.Tx, id string) (*store.Run, error) {
	if id == "" {
		return nil, nil
	}
	r, err := tx.Run(id)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", id, err)
	}
	return &r, nil
}

// readSets reads the holdouts and suites that the selection names.
func (r *rules) readSets(tx *store.Tx, sel selection) error {
	for _, digest := range sel.Holdouts {
		c, manifest, err := commitment(tx, digest)
		if err != nil {
			return err
		}
		r.holdouts = append(r.holdouts, sealedSet{c, manifest})
	}
	for _, digest := range sel.Suites {
		d, err := tx.Document(digest)
		if err != nil {
			return fmt.Errorf("suite %s: %w", digest, err)
		}
		s, err := regress.Decode(d.Body)
		if err != nil {
			return fmt.Errorf("suite %s: %w", digest, err)
		}
		if s.Digest() != digest {
			return fmt.Errorf("suite %s: the record holds %s", digest, s.Digest())
		}
		r.suites, r.suiteDocs = append(r.suites, s), append(r.suiteDocs, d)
	}
	return nil
}

func (r *rules) commitments() []holdout.Commitment {
	cs := make([]holdout.Commitment, len(r.holdouts))
	for i, h := range r.holdouts {
		cs[i] = h.Commitment
	}
	return cs
}

// commitment reads a holdout's public side and its signed manifest.
func commitment(tx *store.Tx, digest string) (holdout.Commitment, []byte, error) {
	var c holdout.Commitment
	d, err := tx.Document(digest)
	if err != nil {
		return c, nil, fmt.Errorf("holdout %s: %w", digest, err)
	}
	if err := json.Unmarshal(d.Body, &c); err != nil {
		return c, nil, fmt.Errorf("holdout %s: %w", digest, err)
	}
	if c.Digest != digest {
		return c, nil, fmt.Errorf("holdout %s: the record speaks of %s", digest, c.Digest)
	}
	return c, d.Extra, nil
}

// lineagesWhere returns what is in force for the lineages of which use is true, by
// name. One that has nothing in force now is passed over.
func (s *Service) lineagesWhere(ctx context.Context, use func(*force) bool) (out []*force, err error) {
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		lineages, err := tx.Lineages()
		if err != nil {
			return err
		}
		slices.SortFunc(lineages, func(a, b store.Lineage) int { return cmp.Compare(a.Name, b.Name) })
		for _, l := range lineages {
			f, err := s.inForce(tx, l.Name)
			var waits *Error
			switch {
			case errors.As(err, &waits):
			case err != nil:
				return err
			case use(f):
				out = append(out, f)
			}
		}
		return nil
	})
	return out, err
}
