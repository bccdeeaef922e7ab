package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"proctor/harness/access"
	"proctor/harness/intake"
	"proctor/harness/store"
	"proctor/harness/verdict"
	"proctor/holdout"
	"proctor/web/api"
)

// destruction is the kind of the change that gives up a set's data key.
const destruction = "destruction"

// RotateHoldout proposes the reserve of a set as its next version. Rows that people
// have seen, in this version or an earlier one, or were given are not in it. A table of fresh rows, if one is given, becomes
// the reserve after that.
func (s *Service) RotateHoldout(ctx context.Context, p access.Principal, name, format string, reserve io.Reader) (api.Change, error) {
	return s.nextVersion(ctx, p, name, verdict.CustodyRotate, nil, func(c *holdout.Custodian, old sealedSet) (holdout.SealInput, string, error) {
		seen, told, err := s.seenRows(ctx, p, c, old)
		if err != nil {
			return holdout.SealInput{}, "", err
		}
		in, known, err := c.Rotate(seen...)
		if err != nil {
			return in, "", refuse(Conflict, "%s version %d: %v", old.Name, old.Version, err)
		}
		if reserve != nil {
			if in.Reserve, err = intake.Decode(ctx, format, reserve, intake.Options{Text: in.Spec.TextColumns()}); err != nil {
				return in, "", usersFault("reserve", err)
			}
		}
		return in, fmt.Sprintf("the reserve of version %d is scored from now on, without %d rows that people have seen or were given; %s", old.Version, known, told), nil
	})
}

// AmendHoldout proposes a set with corrections, one JSON object a line, as its next
// version. What the rows have revealed counts on, and the rows that it changes or
// erases count as seen by the proposer, activated or not: what becomes of the set
// tells of them. It has at most as many corrections as people may see rows. The note
// names the verdicts that rest on the version before.
func (s *Service) AmendHoldout(ctx context.Context, p access.Principal, name string, corrections io.Reader) (api.Change, error) {
	list, err := holdout.ParseCorrections(corrections)
	if err != nil {
		return api.Change{}, refuse(Usage, "%v", err)
	}
	return s.nextVersion(ctx, p, name, verdict.CustodyAmend, list, func(c *holdout.Custodian, old sealedSet) (holdout.SealInput, string, error) {
		in, err := c.Amend(list)
		if err != nil {
			return in, "", refuse(Usage, "%v", err)
		}
		rests, err := s.restsOn(ctx, old.Digest)
		return in, amended(list) + "; " + rests, err
	})
}

func amended(list []holdout.Correction) string {
	var set, erased, added int
	for _, c := range list {
		switch {
		case c.Erase:
			erased++
		case c.Add != nil:
			added++
		default:
			set++
		}
	}
	return fmt.Sprintf("%d rows corrected, %d erased, %d added", set, erased, added)
}

// restsOn names the verdicts on a version of a set.
func (s *Service) restsOn(ctx context.Context, digest string) (string, error) {
	var ids []string
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		runs, err := tx.Runs("", 1<<30)
		for _, r := range runs {
			var p plan
			if r.State == store.Done && json.Unmarshal(r.Plan, &p) == nil && slices.Contains(p.Selection.Holdouts, digest) {
				ids = append(ids, r.ID)
			}
		}
		return err
	})
	switch n := len(ids); {
	case n == 0:
		return "no verdict rests on the version before", err
	case n > 10:
		return fmt.Sprintf("%d verdicts rest on the version before, the newest: %s", n, strings.Join(ids[:10], ", ")), err
	}
	return fmt.Sprintf("%d verdicts rest on the version before: %s", len(ids), strings.Join(ids, ", ")), err
}

// mayAmend returns the rows that corrections reveal, or why there are too many.
// Within that bound no amendment can make a jump in difficulty, see [sentence], so
// that its bridge tells nothing.
func mayAmend(c holdout.Commitment, list []holdout.Correction) ([]int, error) {
	if most := shownAtMost(c); len(list) > most {
		return nil, refuse(Budget, "%d corrections of %s version %d; at most %d at once: seal a corrected table anew", len(list), c.Name, c.Version, most)
	}
	lines := holdout.Touched(list)
	if n := len(lines); n > 0 && lines[n-1] > c.Rows {
		return nil, refuse(Usage, "row %d is not in the set, which has %d rows", lines[n-1], c.Rows)
	}
	return lines, nil
}

// nextVersion opens the active version of a set, has the next one made of it, and
// proposes that.
func (s *Service) nextVersion(ctx context.Context, p access.Principal, name, action string, list []holdout.Correction, build func(*holdout.Custodian, sealedSet) (holdout.SealInput, string, error)) (api.Change, error) {
	if err := access.Check(p, access.Propose, access.Object{Kind: "holdout"}); err != nil {
		return api.Change{}, err
	}
	old, err := s.mustActive(ctx, name)
	if err != nil {
		return api.Change{}, err
	}
	lines, err := mayAmend(old.Commitment, list)
	if err != nil {
		return api.Change{}, err
	}
	c, err := s.custody(ctx, p, action, "", old, lines)
	if err != nil {
		return api.Change{}, err
	}
	defer c.Close()
	in, note, err := build(c, old)
	if err != nil {
		return api.Change{}, err
	}
	if err := s.Store.View(ctx, func(tx *store.Tx) error {
		v, err := tx.NextVersion("holdout", name)
		in.Version = int(v)
		return err
	}); err != nil {
		return api.Change{}, err
	}
	return s.sealNext(ctx, p, in, &old, note, false)
}

// ProposeDestruction proposes to give up the data key of a version that is not in
// force. Nobody can open it afterwards; its manifest and the log stay.
func (s *Service) ProposeDestruction(ctx context.Context, p access.Principal, name string, version int) (api.Change, error) {
	if err := access.Check(p, access.Propose, access.Object{Kind: destruction}); err != nil {
		return api.Change{}, err
	}
	var c store.Change
	err := s.update(ctx, func(tx *store.Tx, log *appender) error {
		docs, err := tx.Documents("holdout")
		if err != nil {
			return err
		}
		at := slices.IndexFunc(docs, func(d store.Document) bool { return d.Name == name && int(d.Version) == version })
		if at < 0 {
			return refuse(Missing, "holdout %q has no version %d", name, version)
		}
		if err := mayDestroy(tx, docs[at]); err != nil {
			return err
		}
		d := store.Document{Kind: destruction, Name: name, Digest: docs[at].Digest}
		c, err = s.proposal(tx, log, p, d, fmt.Sprintf("destroy the data key of %s version %d: nobody can open it afterwards", name, version))
		return err
	})
	return changeView(c), err
}

func mayDestroy(tx *store.Tx, d store.Document) error {
	now, err := tx.Active("holdout", d.Name)
	if err == nil && now.Digest == d.Digest {
		return refuse(Conflict, "%s version %d is in force: rotate first", d.Name, d.Version)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if _, err := tx.HoldoutKey(d.Digest); errors.Is(err, store.ErrNotFound) {
		return refuse(Conflict, "%s version %d was destroyed before", d.Name, d.Version)
	} else if err != nil {
		return err
	}
	return nil
}

func (s *Service) destroy(tx *store.Tx, d store.Document) error {
	if err := mayDestroy(tx, d); err != nil {
		return err
	}
	if err := tx.DropPredictions(d.Digest); err != nil {
		return err
	}
	return tx.DropHoldoutKey(d.Digest)
}

// overdue says that a set's rows are beyond the day until which they may be kept.
func (s *Service) overdue(c holdout.Commitment) bool {
	last, err := time.Parse(time.DateOnly, c.Retain)
	return c.Retain != "" && (err != nil || !s.Now().UTC().Before(last.AddDate(0, 0, 1)))
}

// retention finds a set that is kept too long.
func (a *auditor) retention(c holdout.Commitment) error {
	if a.s.overdue(c) {
		return fmt.Errorf("its rows may be kept until %s and can still be opened: rotate, then 'proctor holdout destroy'", c.Retain)
	}
	return nil
}

// shrunk lists slices that lost more than half of their rows: what nobody sees any
// more is the first thing to look at in a new version.
func shrunk(old, now holdout.Commitment) []string {
	var out []string
	for _, dimension := range slices.Sorted(maps.Keys(old.SliceSizes)) {
		sizes, _ := now.Sizes(dimension)
		for _, v := range slices.Sorted(maps.Keys(old.SliceSizes[dimension])) {
			if n := old.SliceSizes[dimension][v]; n >= 50 && 2*sizes[v] < n {
				out = append(out, fmt.Sprintf("slice.underpowered: %s is %s in %d rows, was %d", dimension, v, sizes[v], n))
			}
		}
	}
	if len(out) > 10 {
		out = append(out[:10], fmt.Sprintf("and %d more slices", len(out)-10))
	}
	return out
}
