package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/harness/verdict"
	"proctor/holdout"
)

// seenRows collects the rows that people have seen of a set, which c has open, and of
// the versions before it, and words that. Rows of a version that was destroyed, or
// that has other columns than the reserve, cannot be compared, and it says so.
func (s *Service) seenRows(ctx context.Context, p access.Principal, c *holdout.Custodian, set sealedSet) ([]holdout.Seen, string, error) {
	var burnt map[int]bool
	err := s.Store.View(ctx, func(tx *store.Tx) (err error) { burnt, err = burntLines(tx, set.Commitment); return err })
	if err != nil {
		return nil, "", err
	}
	now, err := c.Seen(slices.Sorted(maps.Keys(burnt)))
	if err != nil {
		return nil, "", err
	}
	seen, told := []holdout.Seen{now}, []string{fmt.Sprintf("%d seen rows leave scoring", len(burnt))}
	for at := set; at.Previous != ""; {
		var lines []int
		if at, lines, err = s.before(ctx, at); err != nil {
			return nil, "", err
		}
		if len(lines) == 0 {
			continue
		}
		old, err := s.seenBefore(ctx, p, at, lines)
		switch {
		case err != nil:
			return nil, "", err
		case old != nil && c.Compares(*old):
			seen = append(seen, *old)
		default:
			told = append(told, fmt.Sprintf("%d rows that people saw of version %d cannot be compared any more", len(lines), at.Version))
		}
	}
	return seen, strings.Join(told, "; "), nil
}

// before returns the version before one, and the rows that people saw of it.
func (s *Service) before(ctx context.Context, set sealedSet) (old sealedSet, lines []int, err error) {
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		if old.Commitment, old.manifest, err = commitment(tx, set.Previous); err != nil {
			return err
		}
		burnt, err := burntIn(tx, old.Digest)
		lines = slices.Sorted(maps.Keys(burnt))
		return err
	})
	return old, lines, err
}

// seenBefore opens an earlier version for the rows that people saw of it; nil if it
// was destroyed.
func (s *Service) seenBefore(ctx context.Context, p access.Principal, set sealedSet, lines []int) (*holdout.Seen, error) {
	c, err := s.custody(ctx, p, verdict.CustodyRotate, "", set, nil)
	var refused *Error
	if errors.As(err, &refused) && refused.Kind == Conflict {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer c.Close()
	seen, err := c.Seen(lines)
	return &seen, err
}

// follows refuses to put a version in force that was made from another one than is in
// force now: it would forget what people have seen since.
func follows(tx *store.Tx, digest string) error {
	c, _, err := commitment(tx, digest)
	if err != nil {
		return err
	}
	now, err := tx.Active("holdout", c.Name)
	first := errors.Is(err, store.ErrNotFound) && c.Previous == ""
	if first || err == nil && (now.Digest == c.Previous || now.Digest == digest) { // the last: decided before
		return nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return refuse(Conflict, "%s version %d was made from another version than the one in force: propose it again", c.Name, c.Version)
}
