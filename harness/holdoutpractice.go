package harness

import (
	"context"
	"sync"

	"proctor/harness/access"
	"proctor/harness/verdict"
	"proctor/holdout"
)

// given keeps the practice rows of each set's version in force, and who has fetched
// them. They are asked for again and again: a set is opened for them once and a person
// logged once, as long as the service lives.
type given struct {
	mu   sync.Mutex // held while a set is opened: who comes meanwhile waits for it
	sets map[string]*handout
}

// A handout is the practice rows of one version.
type handout struct {
	digest string
	text   []byte // JSON lines
	people map[string]bool
}

// Practice returns the practice rows of a set, with their answers, as JSON lines.
// Whoever may submit may practise, as often as he likes: these rows are never scored.
// A person is logged before he is first given those of a version.
func (s *Service) Practice(ctx context.Context, p access.Principal, name string) ([]byte, error) {
	if access.Check(p, access.Submit, access.Object{}) != nil {
		if err := access.Check(p, access.SeeChanges, access.Object{}); err != nil {
			return nil, err
		}
	}
	set, err := s.mustActive(ctx, name)
	if err != nil {
		return nil, err
	}
	if set.Practice == 0 {
		return nil, refuse(Missing, "holdout %s: %v", name, holdout.ErrNoPractice)
	}
	s.given.mu.Lock()
	defer s.given.mu.Unlock()
	h := s.given.sets[name]
	switch {
	case h == nil || h.digest != set.Digest:
		if h, err = s.handOut(ctx, p, set); err != nil {
			return nil, err
		}
		if s.given.sets == nil {
			s.given.sets = map[string]*handout{}
		}
		s.given.sets[name] = h
	case !h.people[p.Person]:
		if err := (record{s, p, verdict.CustodyPractice, ""}).Record(ctx, set.Commitment, nil); err != nil {
			return nil, err
		}
	}
	h.people[p.Person] = true
	return h.text, nil
}

// handOut opens a set for its practice rows, which logs p.
func (s *Service) handOut(ctx context.Context, p access.Principal, set sealedSet) (*handout, error) {
	c, err := s.custody(ctx, p, verdict.CustodyPractice, "", set, nil)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	t, err := c.Practice()
	if err != nil {
		return nil, err
	}
	h := &handout{digest: set.Digest, people: map[string]bool{}}
	for r := range t.Len() {
		h.text = append(t.AppendJSON(h.text, r), '\n')
	}
	return h, nil
}
