package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"proctor/harness/access"
	"proctor/harness/intake"
	"proctor/harness/policy"
	"proctor/harness/store"
	"proctor/holdout/rows"
	"proctor/regress"
	"proctor/web/api"
)

// ProposeSuite reads a suite (a tar archive of one YAML file and its case tables) and proposes it.
func (s *Service) ProposeSuite(ctx context.Context, p access.Principal, archive io.Reader) (api.Change, error) {
	if err := access.Check(p, access.Propose, access.Object{Kind: "suite"}); err != nil {
		return api.Change{}, err
	}
	suite, err := s.readSuite(ctx, archive)
	if err != nil {
		return api.Change{}, err
	}
	note, err := s.suiteNote(ctx, suite)
	if err != nil {
		return api.Change{}, err
	}
	d := store.Document{Digest: suite.Digest(), Kind: "suite", Name: suite.Name, Body: suite.Encode()}
	return s.propose(ctx, p, d, note+s.consequences(ctx, p, d))
}

// readSuite reads a suite as people pack it, and refuses one that models are not asked here.
func (s *Service) readSuite(ctx context.Context, archive io.Reader) (*regress.Suite, error) {
	dir, err := os.MkdirTemp(s.Scratch, "suite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := intake.Untar(ctx, archive, dir, intake.SuiteLimits); err != nil {
		return nil, usersFault("suite archive", err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) != 1 {
		return nil, refuse(Usage, "a suite archive holds one .yaml file at its top, this one has %d", len(files))
	}
	suite, err := regress.LoadWith(os.DirFS(dir), filepath.Base(files[0]), func(format string, b []byte) (rows.Table, error) {
		return intake.Decode(ctx, format, bytes.NewReader(b), intake.Options{})
	})
	if err != nil {
		return nil, refuse(Usage, "suite: %v", err)
	}
	return suite, classesOnly(suite)
}

// ProposePolicy checks a policy against the sets it names and proposes it. Its
// slices are fixed now, from the committed sizes.
func (s *Service) ProposePolicy(ctx context.Context, p access.Principal, text []byte) (api.Change, error) {
	if err := access.Check(p, access.Propose, access.Object{Kind: "policy"}); err != nil {
		return api.Change{}, err
	}
	r, _, err := s.checkPolicy(ctx, text)
	if err != nil {
		return api.Change{}, err
	}
	pol := r.Policy
	extra, err := json.Marshal(r)
	if err != nil {
		return api.Change{}, err
	}
	note := fmt.Sprintf("%s for lineage %s: %d claims to prove, %d to watch, %d runs", pol.Name, pol.Lineage, len(pol.Prove), len(pol.Watch), pol.BudgetRuns)
	d := store.Document{Digest: pol.Digest(), Kind: "policy", Name: pol.Name, Body: pol.Canonical(), Extra: extra}
	return s.propose(ctx, p, d, note+s.consequences(ctx, p, d))
}

// CheckPolicy says what a policy can see on the active sets, and refuses one that
// nothing could pass or that contradicts itself.
func (s *Service) CheckPolicy(ctx context.Context, p access.Principal, text []byte) (policy.Report, error) {
	if err := access.Check(p, access.Propose, access.Object{Kind: "policy"}); err != nil {
		return policy.Report{}, err
	}
	_, seen, err := s.checkPolicy(ctx, text)
	return seen, err
}

// checkPolicy binds a policy to the active sets that it names, and checks it there.
func (s *Service) checkPolicy(ctx context.Context, text []byte) (*policy.Resolved, policy.Report, error) {
	pol, err := policy.Parse(text)
	if err != nil {
		return nil, policy.Report{}, refuse(Usage, "%v", err)
	}
	r, err := s.activeRules(ctx, pol.Holdouts, pol.Suites)
	if err != nil {
		return nil, policy.Report{}, err
	}
	r.policy = pol
	resolved, err := r.resolve()
	if err != nil {
		return nil, policy.Report{}, refuse(Usage, "%v", err)
	}
	seen, err := policy.Check(resolved)
	if err != nil {
		return nil, policy.Report{}, refuse(Usage, "%v", err)
	}
	return resolved, seen, nil
}

// activeRules reads the active versions of holdouts and suites.
func (s *Service) activeRules(ctx context.Context, holdouts, suites []string) (*rules, error) {
	r := &rules{}
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		sel, err := activeSets(tx, holdouts, suites)
		if err != nil {
			return err
		}
		return r.readSets(tx, sel)
	})
	return r, err
}

// InitPolicy proposes the text of a policy that can pass on an active holdout.
func (s *Service) InitPolicy(ctx context.Context, p access.Principal, name, lineage string, suites []string) ([]byte, error) {
	if err := access.Check(p, access.Propose, access.Object{Kind: "policy"}); err != nil {
		return nil, err
	}
	f, err := s.activeRules(ctx, []string{name}, suites)
	if err != nil {
		return nil, err
	}
	text, err := policy.Init(f.holdouts[0].Commitment, lineage, f.suites)
	if err != nil {
		return nil, refuse(Usage, "%v", err)
	}
	return text, nil
}

// ProposeBaseline proposes that the model of an approved run become the deployed
// one, which later candidates are compared with.
func (s *Service) ProposeBaseline(ctx context.Context, p access.Principal, b api.Baseline) (api.Change, error) {
	if err := access.Check(p, access.Propose, access.Object{Kind: "baseline"}); err != nil {
		return api.Change{}, err
	}
	var c store.Change
	err := s.update(ctx, func(tx *store.Tx, log *appender) error {
		r, err := tx.Run(b.Run)
		if errors.Is(err, store.ErrNotFound) || err == nil && r.Lineage != b.Lineage {
			return refuse(Missing, "lineage %q has no run %q", b.Lineage, b.Run)
		}
		if err != nil {
			return err
		}
		if r.Approval < 0 {
			return refuse(Conflict, "run %s has no approval: only an approved model can be the baseline", b.Run)
		}
		note := fmt.Sprintf("deploy %s (%s) in lineage %s", r.PackageName, r.Package, r.Lineage)
		c, err = s.proposal(tx, log, p, store.Document{Kind: "baseline", Name: b.Lineage, Digest: r.ID}, note)
		return err
	})
	return changeView(c), err
}

// propose stores a document and the proposal to put it in force.
func (s *Service) propose(ctx context.Context, p access.Principal, d store.Document, note string) (api.Change, error) {
	return s.proposeWith(ctx, p, d, note, func(*store.Tx) error { return nil })
}

// proposeWith is propose with what else must be kept exactly if the document is.
func (s *Service) proposeWith(ctx context.Context, p access.Principal, d store.Document, note string, also func(*store.Tx) error) (api.Change, error) {
	var c store.Change
	err := s.update(ctx, func(tx *store.Tx, log *appender) error {
		if have, err := tx.Document(d.Digest); err == nil && (have.Kind != d.Kind || !bytes.Equal(have.Body, d.Body)) {
			return fmt.Errorf("two documents of digest %s", d.Digest)
		}
		if err := s.number(tx, &d); err != nil {
			return err
		}
		if err := tx.AddDocument(d); err != nil {
			return err
		}
		if err := also(tx); err != nil {
			return err
		}
		var err error
		c, err = s.proposal(tx, log, p, d, note)
		return err
	})
	return changeView(c), err
}

// number gives a document its version in the transaction that stores it: two people
// may propose at once. A sealed set's version is inside what the officer signed, so
// that the later of two is refused.
func (s *Service) number(tx *store.Tx, d *store.Document) error {
	v, err := tx.NextVersion(d.Kind, d.Name)
	if err != nil {
		return err
	}
	if _, err := tx.Document(d.Digest); err == nil { // proposed before: it has its version
		return nil
	}
	if d.Kind == "holdout" && d.Version != v {
		return refuse(Conflict, "version %d of %s was proposed meanwhile: seal again", d.Version, d.Name)
	}
	d.Version = v
	return nil
}

func (s *Service) proposal(tx *store.Tx, log *appender, p access.Principal, d store.Document, note string) (store.Change, error) {
	if err := s.heeds(tx, p); err != nil {
		return store.Change{}, err
	}
	c, err := tx.Propose(store.Change{ID: s.newID(), Kind: d.Kind, Name: d.Name, Digest: d.Digest, Note: note, ProposedBy: p.ID, ProposedPerson: p.Person})
	if err != nil {
		return c, err
	}
	return c, log.change(c, p)
}

// Changes lists what was changed in the evaluation itself, newest first.
func (s *Service) Changes(ctx context.Context, p access.Principal) ([]api.Change, error) {
	if err := access.Check(p, access.SeeChanges, access.Object{}); err != nil {
		return nil, err
	}
	var out []api.Change
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		list, err := tx.Changes(200)
		for _, c := range list {
			out = append(out, changeView(c))
		}
		return err
	})
	return out, err
}

func changeView(c store.Change) api.Change {
	return api.Change{ID: c.ID, Kind: c.Kind, Name: c.Name, Digest: c.Digest, Note: strings.TrimSpace(c.Note), State: c.State,
		Proposer: c.ProposedBy, Proposed: c.Proposed, Decider: c.DecidedBy, Decided: c.Decided}
}
