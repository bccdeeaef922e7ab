package harness

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/harness/verdict"
	"proctor/holdout"
	"proctor/web/api"
)

// shownAtMost is how many rows of a set people may see before it rotates.
func shownAtMost(c holdout.Commitment) int { return max(20, c.Rows/200) }

// A record logs that a set is opened outside of a run, and burns the rows that its
// principal is about to see.
type record struct {
	s           *Service
	p           access.Principal
	action, run string
}

// Record implements [holdout.Recorder].
func (r record) Record(ctx context.Context, c holdout.Commitment, lines []int) error {
	return r.s.update(ctx, func(tx *store.Tx, log *appender) error {
		if err := r.burn(tx, c, lines); err != nil {
			return err
		}
		_, _, err := log.add(&verdict.Custody{
			Verifier: r.s.Name, Action: r.action, Holdout: refOf(c),
			Lines: lines, Run: r.run, By: r.p.ID, Person: r.p.Person, At: r.s.stamp(),
		}, r.s.Evidence)
		return err
	})
}

func (r record) burn(tx *store.Tx, c holdout.Commitment, lines []int) error {
	if len(lines) == 0 {
		return nil
	}
	burnt, err := burntLines(tx, c)
	if err != nil {
		return err
	}
	for _, line := range lines {
		burnt[line] = true
		if err := tx.Burn(store.BurntRow{Holdout: c.Digest, Line: int64(line), Run: r.run, Person: r.p.Person}); err != nil {
			return err
		}
	}
	if most := shownAtMost(c); len(burnt) > most { // rolls back
		return refuse(Budget, "people would have seen %d rows of %s version %d; at most %d before it rotates", len(burnt), c.Name, c.Version, most)
	}
	return nil
}

// burntLines returns the rows of a set that somebody has seen, in this version or in
// one that it amends: corrections make no row unseen.
func burntLines(tx *store.Tx, c holdout.Commitment) (map[int]bool, error) {
	out, err := burntIn(tx, c.Digest)
	if err != nil || !c.Amends {
		return out, err
	}
	old, _, err := commitment(tx, c.Previous)
	if err != nil {
		return nil, err
	}
	before, err := burntLines(tx, old)
	for line := range before {
		if now, stays := c.After(line); stays {
			out[now] = true
		}
	}
	return out, err
}

// burntIn returns the rows that somebody saw while they stood in this very version.
func burntIn(tx *store.Tx, digest string) (map[int]bool, error) {
	list, err := tx.BurntRows(digest)
	out := map[int]bool{}
	for _, b := range list {
		out[int(b.Line)] = true
	}
	return out, err
}

// custody opens a set for a principal's work outside of a run.
func (s *Service) custody(ctx context.Context, p access.Principal, action, run string, set sealedSet, lines []int) (*holdout.Custodian, error) {
	var key []byte
	if err := s.Store.View(ctx, func(tx *store.Tx) (err error) { key, err = holdoutKey(tx, set.Digest); return err }); err != nil {
		return nil, err
	}
	c, err := holdout.OpenCustody(ctx, holdout.Request{Commitment: set.Commitment, Manifest: set.manifest, Key: key}, lines,
		record{s, p, action, run}, s.Blobs, s.Keyring, officerKey(s))
	if errors.Is(err, holdout.ErrShredded) {
		return nil, refuse(Conflict, "%s version %d was destroyed: nobody can open it", set.Name, set.Version)
	}
	return c, err
}

func officerKey(s *Service) ed25519.PublicKey { return s.Officer.Public().(ed25519.PublicKey) }

// mustActive returns the version of a set in force, or a refusal.
func (s *Service) mustActive(ctx context.Context, name string) (sealedSet, error) {
	var set *sealedSet
	err := s.Store.View(ctx, func(tx *store.Tx) (err error) { set, err = activeSet(tx, name); return err })
	if err != nil {
		return sealedSet{}, err
	}
	if set == nil {
		return sealedSet{}, refuse(Missing, "no version of holdout %q is active", name)
	}
	return *set, nil
}

// ProveRow proves that a row is in the active version of a set, to a curator who
// has the row. Each attempt burns the row and is logged, a wrong guess too.
func (s *Service) ProveRow(ctx context.Context, p access.Principal, name string, r api.RowClaim) (holdout.RowProof, error) {
	var proof holdout.RowProof
	if err := access.Check(p, access.Propose, access.Object{Kind: "holdout"}); err != nil {
		return proof, err
	}
	var values map[string]any
	if err := json.Unmarshal(r.Values, &values); err != nil {
		return proof, refuse(Usage, "values: one JSON object with a value for every sealed column")
	}
	set, err := s.mustActive(ctx, name)
	if err != nil {
		return proof, err
	}
	if r.Row < 1 || r.Row > set.Rows {
		return proof, refuse(Usage, "row %d: the set has rows 1 to %d", r.Row, set.Rows)
	}
	c, err := s.custody(ctx, p, verdict.CustodyProve, "", set, []int{r.Row})
	if err != nil {
		return proof, err
	}
	defer c.Close()
	if proof, err = c.Prove(values); errors.Is(err, holdout.ErrOtherRow) {
		return proof, refuse(Conflict, "row %d of %s version %d is another one than that given", r.Row, set.Name, set.Version)
	} else if err != nil {
		return proof, refuse(Usage, "%v", err)
	}
	return proof, nil
}

// maxShown is how many rows are shown at once.
const maxShown = 50

// ShowRows shows scored rows of a run's set to a reviewer, within the set's budget of
// rows. Seen rows are burnt: they leave scoring when the set rotates.
func (s *Service) ShowRows(ctx context.Context, p access.Principal, id string, lines []int) (api.ShownRows, error) {
	var out api.ShownRows
	if len(lines) < 1 || len(lines) > maxShown {
		return out, refuse(Usage, "1 to %d rows are shown at once", maxShown)
	}
	lines = slices.Clone(lines)
	slices.Sort(lines)
	lines = slices.Compact(lines)
	var set sealedSet
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		r, err := s.visible(tx, p, id, access.SeeRows)
		if err != nil {
			return err
		}
		if r.State != store.Done {
			return refuse(Conflict, "the run has no verdict: it is %s", r.State)
		}
		_, e, err := s.loggedEvidence(tx, r)
		if err != nil {
			return err
		}
		f, err := s.plannedForce(tx, r, e)
		if err == nil {
			set = f.holdouts[0]
		}
		return err
	})
	if err != nil {
		return out, err
	}
	if lines[0] < 1 || lines[len(lines)-1] > set.Rows {
		return out, refuse(Usage, "the set has rows 1 to %d", set.Rows)
	}
	c, err := s.custody(ctx, p, verdict.CustodyShow, id, set, lines)
	if err != nil {
		return out, err
	}
	defer c.Close()
	for i, row := range c.Show() {
		out.Rows = append(out.Rows, api.ShownRow{Row: lines[i], Values: row})
	}
	err = s.Store.View(ctx, func(tx *store.Tx) error {
		burnt, err := burntLines(tx, set.Commitment)
		out.Left = shownAtMost(set.Commitment) - len(burnt)
		return err
	})
	return out, err
}

// AuditHoldout derives everything that is claimed of a set from the log and the
// blobs: of each version its manifest, every chunk, roots, sizes, canaries and
// twins, which version is in force, and the exposure of every charge.
func (s *Service) AuditHoldout(ctx context.Context, p access.Principal, name string) (api.Audit, error) {
	if err := access.Check(p, access.Audit, access.Object{}); err != nil {
		return api.Audit{}, err
	}
	a := newAuditor(s)
	err := s.auditLog(ctx, a, func(tx *store.Tx) error {
		docs, err := tx.Documents("holdout")
		if err != nil {
			return err
		}
		docs = slices.DeleteFunc(docs, func(d store.Document) bool { return d.Name != name })
		if len(docs) == 0 {
			return refuse(Missing, "there is no holdout %q", name)
		}
		if err := a.active(tx, "holdout", name); err != nil {
			return err
		}
		if err := a.versions(ctx, tx, docs); err != nil {
			return err
		}
		return a.exposure(tx, name)
	})
	a.out.OK = err == nil && len(a.out.Problems) == 0
	return a.out, err
}

// exposure derives again how much each charge for a set says was used.
func (a *auditor) exposure(tx *store.Tx, name string) error {
	sets := map[string]holdout.Commitment{}
	n := 0
	for i, e := range a.seen.exposures {
		if e.Holdout.Name != name {
			continue
		}
		used := 0.0
		set, err := a.set(tx, sets, e.Holdout.Digest)
		if err != nil {
			return err
		}
		for _, past := range a.seen.exposures[:i] {
			if past.Run.Lineage != e.Run.Lineage || past.Run.ID == e.Run.ID || a.seen.refunds[past.Run.ID] > 0 && a.seen.refunds[past.Run.ID] < e.at {
				continue
			}
			if past.Holdout.Digest == e.Holdout.Digest {
				used++
				continue
			}
			other, err := a.set(tx, sets, past.Holdout.Digest)
			if err != nil {
				return err
			}
			used += holdout.Overlap(set, other)
		}
		if want := ceilRuns(used) + 1; want != e.Used {
			a.problem("log entry %d charges run %s as use %d of %s, the log before it makes it use %d", e.at, e.Run.ID, e.Used, name, want)
		}
		n++
	}
	a.checked("holdout %s: exposure of %d charges", name, n)
	return nil
}

func (a *auditor) set(tx *store.Tx, known map[string]holdout.Commitment, digest string) (holdout.Commitment, error) {
	if c, ok := known[digest]; ok {
		return c, nil
	}
	c, _, err := commitment(tx, digest)
	if err != nil {
		return c, fmt.Errorf("holdout %s: %w", digest, err)
	}
	known[digest] = c
	return c, nil
}

func burntKey(digest string, line int64, person string) string {
	return fmt.Sprintf("%s|%d|%s", digest, line, person)
}

// burnt compares the rows that people were shown with the log.
func (a *auditor) burnt(tx *store.Tx, d store.Document) error {
	list, err := tx.BurntRows(d.Digest)
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for _, b := range list {
		key := burntKey(b.Holdout, b.Line, b.Person)
		have[key] = true
		if !a.seen.seen[key] {
			a.problem("holdout %s version %d: %s saw row %d by the record, and not by the log", d.Name, d.Version, b.Person, b.Line)
		}
	}
	for key := range a.seen.seen {
		if digest, _, _ := strings.Cut(key, "|"); digest == d.Digest && !have[key] {
			_, who, _ := strings.Cut(key, "|")
			a.problem("holdout %s version %d: a person saw a row by the log, and not by the record: %s", d.Name, d.Version, strings.Replace(who, "|", " ", 1))
		}
	}
	slices.Sort(a.out.Problems)
	if len(list) > 0 {
		a.checked("holdout %s version %d: %d rows that people have seen", d.Name, d.Version, len(list))
	}
	return nil
}
