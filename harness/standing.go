package harness

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"proctor/harness/policy"
	"proctor/harness/store"
	"proctor/harness/tlog"
	"proctor/harness/verdict"
)

// A standing is what the log says of people, of what is in force and of reviews. The
// service goes by it: a table that says something else is a contradiction, and an
// entry of the log that is not in the tree of the log's head, or stands there twice,
// is nobody's word. Whoever can write the database can so make the service stop and
// not make it believe him.
type standing struct {
	hired
	activations
	recalled
	reviews  map[string][]*verdict.Review // digest of evidence -> oldest first
	deciders map[string][]string          // digest of a document -> who proposed or activated it
}

// activations are the changes that came into force, in their order.
type activations struct {
	proposed  map[string]*verdict.Change // by id
	done      map[string]bool            // ids that were activated
	imposed   int                        // accounts put in force without a second person
	active    map[string]string          // kind, name -> digest
	policy    map[string]string          // lineage -> digest
	deployed  map[string][]string        // lineage -> packages
	destroyed map[string]bool            // holdouts
}

// note takes a step of a proposal. An activation has a proposal by somebody else, but
// for an account that was put in force where the keys lie, and happens once: the
// signed statement of an old one says nothing of today.
func (a *activations) note(tx *store.Tx, c *verdict.Change) error {
	if a.proposed == nil {
		*a = activations{proposed: map[string]*verdict.Change{}, done: map[string]bool{}, active: map[string]string{}, policy: map[string]string{}, deployed: map[string][]string{}, destroyed: map[string]bool{}}
	}
	switch c.Action {
	case "proposed":
		a.proposed[c.ID] = c
	case "activated":
		imposed := c.Kind == accountKind && c.By == console.ID && c.Person == console.Person
		switch p := a.proposed[c.ID]; {
		case a.done[c.ID]:
			return errors.New("one proposal is activated twice")
		case p == nil && !imposed:
			return errors.New("an activation without a proposal")
		case p != nil && (p.Kind != c.Kind || p.Document != c.Document):
			return errors.New("an activation of something else than was proposed")
		case p != nil && p.Person == c.Person:
			return fmt.Errorf("%s activated what %s had proposed", c.Person, p.Person)
		}
		return a.activate(tx, c, imposed)
	}
	return nil
}

func (a *activations) activate(tx *store.Tx, c *verdict.Change, imposed bool) error {
	switch c.Kind {
	case "baseline":
		a.deployed[c.Document.Name] = append(a.deployed[c.Document.Name], c.Document.Digest)
	case destruction:
		a.destroyed[c.Document.Digest] = true
	case "policy":
		d, err := tx.Document(c.Document.Digest)
		if err != nil {
			return fmt.Errorf("policy %s: %w", c.Document.Digest, err)
		}
		p, err := policy.Parse(d.Body)
		if err != nil || p.Digest() != c.Document.Digest {
			return fmt.Errorf("policy %s: its record is another document", c.Document.Digest)
		}
		a.policy[p.Lineage] = c.Document.Digest
		fallthrough
	default:
		a.active[c.Kind+"|"+c.Document.Name] = c.Document.Digest
	}
	a.done[c.ID] = true
	if imposed {
		a.imposed++
	}
	return nil
}

// allows says whether a run of a lineage may go by these inputs.
func (a *activations) allows(lineage string, in verdict.Inputs) error {
	if in.Policy.Digest != a.policy[lineage] {
		return fmt.Errorf("policy %s is not the one that was activated for %s", in.Policy.Digest, lineage)
	}
	for kind, refs := range map[string][]verdict.Ref{"holdout": in.Holdouts, "suite": in.Suites} {
		for _, r := range refs {
			if r.Digest != a.active[kind+"|"+r.Name] || a.destroyed[r.Digest] {
				return fmt.Errorf("%s %s is not the version of %s that was activated", kind, r.Digest, r.Name)
			}
		}
	}
	deployed := a.deployed[lineage]
	switch {
	case in.Baseline == nil && len(deployed) > 0:
		return fmt.Errorf("a model is deployed in %s, and it is not the baseline", lineage)
	case in.Baseline != nil && (len(deployed) == 0 || in.Baseline.Digest != deployed[len(deployed)-1]):
		return fmt.Errorf("the baseline %s is not the deployed model of %s", in.Baseline.Digest, lineage)
	case in.Anchor != nil && !slices.Contains(deployed, in.Anchor.Digest):
		return fmt.Errorf("the anchor %s was never deployed in %s", in.Anchor.Digest, lineage)
	}
	return nil
}

func (a *activations) clone() activations {
	b := *a
	b.proposed, b.done, b.active, b.policy, b.destroyed = maps.Clone(a.proposed), maps.Clone(a.done), maps.Clone(a.active), maps.Clone(a.policy), maps.Clone(a.destroyed)
	b.deployed = map[string][]string{}
	for name, list := range a.deployed {
		b.deployed[name] = slices.Clone(list)
	}
	return b
}

// note takes the statement of the next entry.
func (r *standing) note(tx *store.Tx, index int64, env *verdict.Envelope) error {
	switch st := env.Statement().(type) {
	case *verdict.Revocation:
		r.recalled.note(index, st)
	case *verdict.Review:
		if r.reviews == nil {
			r.reviews = map[string][]*verdict.Review{}
		}
		r.reviews[st.Evidence] = append(r.reviews[st.Evidence], st)
	case *verdict.Change:
		var a enlisted
		if st.Kind == accountKind && st.Action == "activated" {
			account, err := storedAccount(tx, st.Document)
			if err != nil {
				return err
			}
			a = enlisted{account, st.By, st.At}
		}
		if err := r.activations.note(tx, st); err != nil {
			return err
		}
		if r.deciders == nil {
			r.deciders = map[string][]string{}
		}
		if st.Action != "refused" {
			r.deciders[st.Document.Digest] = append(r.deciders[st.Document.Digest], st.Person)
		}
		if a.ID != "" {
			r.put(a)
		}
	}
	return nil
}

func (r *standing) clone() standing {
	c := standing{activations: r.activations.clone(), recalled: r.recalled.clone(), reviews: map[string][]*verdict.Review{}, deciders: map[string][]string{}}
	for _, e := range r.all() {
		c.put(e)
	}
	for digest, list := range r.reviews {
		c.reviews[digest] = slices.Clone(list)
	}
	for digest, list := range r.deciders {
		c.deciders[digest] = slices.Clone(list)
	}
	return c
}

// A keeper reads the log as it grows. It is safe for concurrent use.
type keeper struct {
	mu   sync.Mutex
	next int64 // first entry that was not read yet
	standing
}

// follow reads what the log has since the last look, and calls f with what it says.
// Inside a writing transaction it comes before anything is logged there.
func (s *Service) follow(tx *store.Tx, f func(r *standing) error) error {
	k := &s.standing
	k.mu.Lock()
	defer k.mu.Unlock()
	signed, head := s.Head.Checkpoint()
	size, err := tx.LogSize()
	if err != nil {
		return err
	}
	if size >= head.N { // else this view is older than the head
		if err := s.readCovered(tx, k, signed, head); err != nil {
			return err
		}
	}
	if size <= k.next {
		return f(&k.standing)
	}
	// Committed, and about to be covered by the head: believed for this once.
	r := k.standing.clone()
	for i := k.next; i < size; i++ {
		e, err := tx.LogEntry(i)
		if err == nil {
			err = s.noteEntry(tx, &r, i, e)
		}
		if err != nil {
			return fmt.Errorf("log entry %d: %w", i, err)
		}
	}
	return f(&r)
}

// readCovered reads the entries that the head has come to cover, each only if it is in
// the head's tree.
func (s *Service) readCovered(tx *store.Tx, k *keeper, signed []byte, head tlog.Tree) error {
	if k.next == 0 && head.N > 0 {
		var r standing
		_, err := tlog.Audit(tx, []tlog.Tree{head}, func(i int64, e tlog.Entry) error {
			if i >= head.N {
				return nil
			}
			return s.noteEntry(tx, &r, i, e)
		})
		if err != nil {
			return fmt.Errorf("the log: %w", err)
		}
		k.standing, k.next = r, head.N
		return nil
	}
	for ; k.next < head.N; k.next++ {
		e, err := tx.LogEntry(k.next)
		if err != nil {
			return fmt.Errorf("log entry %d: %w", k.next, err)
		}
		p, err := tlog.ProveIn(tx, k.next, signed, head)
		if err == nil {
			_, err = p.Check(e.Leaf, s.LogKey)
		}
		if err == nil {
			err = s.noteEntry(tx, &k.standing, k.next, e)
		}
		if err != nil {
			return fmt.Errorf("log entry %d: %w", k.next, err)
		}
	}
	return nil
}

func (s *Service) noteEntry(tx *store.Tx, r *standing, index int64, e tlog.Entry) error {
	env, err := openEntry(s.trust, index, e)
	if err != nil {
		return err
	}
	return r.note(tx, index, env)
}

// agrees refuses what the tables say is in force where the log says something else.
func (s *Service) agrees(tx *store.Tx, f *force) error {
	in := f.inputs(store.Run{})
	size, err := tx.LogSize()
	if err != nil {
		return err
	}
	return s.follow(tx, func(r *standing) error {
		if size < s.standing.next {
			return refuse(Conflict, "something was changed at this moment: ask again")
		}
		if err := r.allows(f.lineage, in); err != nil {
			return fmt.Errorf("the database contradicts the log: %w", err)
		}
		return nil
	})
}
