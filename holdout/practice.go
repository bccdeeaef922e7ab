package holdout

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"

	"proctor/holdout/rows"
)

// split takes the practice rows out of the scored ones: as many as the spec asks
// for, drawn by the canary seed. Near copies of a row and the rest of its cluster go
// with it, so that who practises never meets a row that counts.
func (in SealInput) split(p paper) (paper, rows.Table, error) {
	none := p.sealed.Slice(0, 0)
	if len(in.Practice.Columns()) > 0 {
		practice, err := in.Practice.Select(in.Spec.sealed()...)
		if err == nil {
			err = checkPractice(in.Spec, p.sealed, practice)
		}
		return p, practice, err
	}
	want, n := in.Spec.Practice, p.sealed.Len()
	if want == 0 {
		return p, none, nil
	}
	if 2*want > n {
		return p, none, fmt.Errorf("practice: %d are more than half of the %d rows", want, n)
	}
	keys := bound(nearKeys(p.sealed), p.clusters)
	copies := map[int]int{}
	for _, k := range keys {
		copies[k]++
	}
	seed := sha256.Sum256(append([]byte("proctor/holdout/1/practice"), in.CanarySeed[:]...))
	given, taken := map[int]bool{}, 0
	for _, r := range rand.New(rand.NewChaCha8(seed)).Perm(n) {
		if k := keys[r]; !given[k] && taken+copies[k] <= want {
			given[k] = true
			taken += copies[k]
		}
	}
	var scored, practice []int
	for r, k := range keys {
		if given[k] {
			practice = append(practice, r)
		} else {
			scored = append(scored, r)
		}
	}
	rest, err := readPaper(in.Spec, p.sealed.Take(scored))
	return rest, p.sealed.Take(practice), err
}

// checkPractice refuses a set of which a scored row is given away.
func checkPractice(s Spec, scored, practice rows.Table) error {
	if practice.Len() == 0 {
		return nil
	}
	if err := s.apart("practice", practice, scored); err != nil {
		return err
	}
	if err := practice.SameFields(scored.Fields()); err != nil {
		return fmt.Errorf("practice: %w", err)
	}
	both, err := rows.Concat(practice, scored)
	if err != nil {
		return err
	}
	keys := nearKeys(both)
	given := map[[16]byte]bool{}
	for _, k := range keys[:practice.Len()] {
		given[k] = true
	}
	for r, k := range keys[practice.Len():] {
		if given[k] {
			return fmt.Errorf("practice: row %d is scored and is given away for practice, exactly or nearly; leave it out", r+1)
		}
	}
	return nil
}

// ErrNoPractice is returned, wrapped, for a set without practice rows.
var ErrNoPractice = errors.New("the set has no practice rows: its specification has no key practice")

// Practice returns the practice rows with their answers.
func (c *Custodian) Practice() (rows.Table, error) {
	t := c.parts[partPractice]
	if t.Len() == 0 {
		return t, ErrNoPractice
	}
	return t, nil
}
