package harness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

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
	lineage   string
	policy    *policy.Policy
	policyDoc store.Document
	resolved  *policy.Resolved
	holdouts  []sealedSet
	suites    []*regress.Suite
	suiteDocs []store.Document
	baseline  *store.Run // nil before the first model
	anchor    *store.Run // nil before the first model
}

// A sealedSet is a holdout as the records have it.
type sealedSet struct {
	holdout.Commitment
	manifest []byte
}

// inForce reads what is in force for a lineage.
func inForce(tx *store.Tx, lineage string) (*force, error) {
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
	s, err := activeSets(tx, pol.Holdouts, pol.Suites)
	if err != nil {
		return nil, err
	}
	s.Policy, s.Baseline, s.Anchor = l.Policy, l.Baseline, l.Anchor
	return load(tx, lineage, s)
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

// load reads what a selection names and checks each record against its digest. A
// policy whose slices were fixed on other versions of its sets is not in force.
func load(tx *store.Tx, lineage string, s selection) (*force, error) {
	f := &force{selection: s, lineage: lineage}
	if err := f.readSets(tx); err != nil {
		return nil, err
	}
	var err error
	if f.policyDoc, err = tx.Document(s.Policy); err != nil {
		return nil, fmt.Errorf("policy %s: %w", s.Policy, err)
	}
	if f.policy, err = policy.Parse(f.policyDoc.Body); err != nil {
		return nil, fmt.Errorf("policy %s: %w", s.Policy, err)
	}
	if f.policy.Digest() != s.Policy {
		return nil, fmt.Errorf("policy %s: the record holds %s", s.Policy, f.policy.Digest())
	}
	if f.resolved, err = f.resolve(); err != nil {
		return nil, refuse(Conflict, "the policy no longer fits the active sets, propose it again: %v", err)
	}
	if again, err := json.Marshal(f.resolved); err != nil || !bytes.Equal(again, f.policyDoc.Extra) {
		return nil, refuse(Conflict, "the policy was activated for other versions of its sets: propose it again, so that its slices are fixed on these")
	}
	if f.baseline, err = optionalRun(tx, s.Baseline); err != nil {
		return nil, err
	}
	f.anchor, err = optionalRun(tx, s.Anchor)
	return f, err
}

func (f *force) resolve() (*policy.Resolved, error) {
	return policy.Resolve(f.policy, f.commitments(), f.suites)
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
func (f *force) readSets(tx *store.Tx) error {
	for _, digest := range f.Holdouts {
		c, manifest, err := commitment(tx, digest)
		if err != nil {
			return err
		}
		f.holdouts = append(f.holdouts, sealedSet{c, manifest})
	}
	for _, digest := range f.Suites {
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
		f.suites, f.suiteDocs = append(f.suites, s), append(f.suiteDocs, d)
	}
	return nil
}

func (f *force) commitments() []holdout.Commitment {
	cs := make([]holdout.Commitment, len(f.holdouts))
	for i, h := range f.holdouts {
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
