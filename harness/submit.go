package harness

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"proctor/harness/access"
	"proctor/harness/intake"
	"proctor/harness/report"
	"proctor/harness/runner"
	"proctor/harness/store"
	"proctor/harness/verdict"
	"proctor/holdout/blob"
	"proctor/web/api"
)

// Submit takes a candidate package (a tar archive) for a lineage. The package
// digest is that of the bytes received. A question that was asked before, the
// same package under the same policy against the same deployed model, gets the
// recorded run and costs nothing.
func (s *Service) Submit(ctx context.Context, p access.Principal, lineage, name string, archive io.Reader) (api.Submission, error) {
	if err := access.Check(p, access.Submit, access.Object{}); err != nil {
		return api.Submission{}, err
	}
	if err := checkName(name); err != nil {
		return api.Submission{}, err
	}
	raw, err := receive(archive)
	if err != nil {
		return api.Submission{}, err
	}
	pkg, seen, err := s.inspect(ctx, raw)
	if err != nil {
		return api.Submission{}, err
	}
	if err := s.runs(pkg.Manifest); err != nil {
		return api.Submission{}, err
	}
	ref, err := s.Blobs.Put(ctx, raw)
	if err != nil {
		return api.Submission{}, fmt.Errorf("store the package: %w", err)
	}
	var view api.Submission
	err = s.update(ctx, func(tx *store.Tx, _ *appender) error {
		f, err := s.inForce(tx, lineage)
		if err != nil {
			return err
		}
		if err := s.admits(tx, f, pkg, seen); err != nil {
			return err
		}
		view, err = s.record(tx, store.Run{
			ID: s.newID(), Dedupe: f.question(pkg.Digest), Lineage: lineage,
			Package: pkg.Digest, PackageName: name, PackageKind: pkg.Manifest.Kind, PackageBlob: string(ref),
			SubmittedBy: p.ID, SubmittedPerson: p.Person,
		})
		return err
	})
	return view, err
}

// receive reads an archive to its end.
func receive(archive io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(archive, intake.PackageLimits.Bytes+1))
	if err != nil {
		return nil, refuse(Usage, "the archive could not be read to its end")
	}
	if int64(len(raw)) > intake.PackageLimits.Bytes {
		return nil, refuse(TooLarge, "a package is at most %d bytes", intake.PackageLimits.Bytes)
	}
	return raw, nil
}

// runs refuses a package that this service cannot run, whatever the policy.
func (s *Service) runs(m runner.Manifest) error {
	if !s.Runner.Takes(m.Kind) {
		return refuse(Usage, "%s: kind %q: %s", runner.ManifestFile, m.Kind, runner.Sentence(runner.ServiceKind))
	}
	if err := s.Runner.Reaches(m); err != nil {
		return refuse(Usage, "%s: endpoint: %v", runner.ManifestFile, err)
	}
	return nil
}

// admits refuses a package that what is in force does not take.
func (s *Service) admits(tx *store.Tx, f *force, pkg *runner.Package, seen *seen) error {
	if _, err := classOrder(f.holdouts[0].Classes, pkg.Manifest.Classes); err != nil {
		return refuse(Usage, "%s: %v", runner.ManifestFile, err)
	}
	if _, err := seen.admit(f.policy.Package); err != nil {
		return err
	}
	why, err := s.recalled(tx, &verdict.Evidence{Run: verdict.Run{Harness: s.Harness}, Inputs: f.inputs(store.Run{Package: pkg.Digest})}, nil, 0)
	if err != nil || why != "" {
		return orConflict(err, why+": nothing is judged by it any more")
	}
	return nil
}

// record puts a run into the queue, or returns the one that was asked the same.
func (s *Service) record(tx *store.Tx, run store.Run) (api.Submission, error) {
	got, err := tx.NewRun(run)
	repeated := errors.Is(err, store.ErrExists)
	if err != nil && !repeated {
		return api.Submission{}, err
	}
	if got.Package != run.Package || got.Lineage != run.Lineage { // the record answers for other bytes
		return api.Submission{}, fmt.Errorf("run %s is recorded as the answer for %s, and is about %s", got.ID, run.Package, got.Package)
	}
	view, err := s.submissionView(tx, got)
	view.Repeated = repeated
	if err == nil && !repeated && view.BudgetLeft < 1 { // rolls the new run back
		err = refuse(Budget, "lineage %q has no runs left on its sealed sets: they must rotate", run.Lineage)
	}
	return view, err
}

// question names what a run asks, so that asking twice gives one answer.
func (f *force) question(pkg string) string {
	h := sha256.New()
	for _, part := range slices.Concat([]string{f.lineage, pkg, f.Policy, f.Baseline, f.Anchor}, f.Holdouts, f.Suites) {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// inspect reads a package archive and leaves nothing on disk.
func (s *Service) inspect(ctx context.Context, raw []byte) (pkg *runner.Package, seen *seen, err error) {
	err = s.unpack(ctx, raw, func(dir string, p *runner.Package) (err error) {
		pkg = p
		seen, err = look(dir, p)
		return err
	})
	return pkg, seen, err
}

// unpack lays a package archive out in a private folder for the time of use.
func (s *Service) unpack(ctx context.Context, raw []byte, use func(dir string, p *runner.Package) error) error {
	dir, err := os.MkdirTemp(s.Scratch, "package-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := intake.Untar(ctx, bytes.NewReader(raw), dir, intake.PackageLimits); err != nil {
		return usersFault("package archive", err)
	}
	p, err := runner.ReadPackage(dir)
	if err != nil {
		return usersFault("package", err)
	}
	return use(dir, p)
}

// usersFault tells what is wrong with an uploaded file to who sent it. Any other
// error is the machine's: it may name paths of ours and is not for them.
func usersFault(what string, err error) error {
	var file *intake.FileError
	var decoder *intake.DecoderError
	var pkg *runner.PackageError
	if errors.As(err, &file) || errors.As(err, &decoder) || errors.As(err, &pkg) {
		return refuse(Usage, "%s: %v", what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// withPackage runs use on the staged files of a run's package, after checking
// that they are the bytes that were submitted.
func (s *Service) withPackage(ctx context.Context, r *store.Run, use func(dir string, p *runner.Package) error) error {
	raw, err := s.Blobs.Get(ctx, blob.Ref(r.PackageBlob))
	if err != nil {
		return fmt.Errorf("package of run %s: %w", r.ID, err)
	}
	return s.unpack(ctx, raw, func(dir string, p *runner.Package) error {
		if p.Digest != r.Package {
			return fmt.Errorf("package of run %s is %s, the record says %s", r.ID, p.Digest, r.Package)
		}
		staged, err := os.MkdirTemp(s.Scratch, "staged-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(staged)
		if err := runner.Stage(p, dir, staged); err != nil {
			return err
		}
		return use(staged, p)
	})
}

// checkName keeps names of candidates printable and short: they stand in logs and pages.
func checkName(name string) error {
	if strings.TrimSpace(name) == "" || len(name) > 100 {
		return refuse(Usage, "a candidate's name has 1 to 100 characters")
	}
	if !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return refuse(Usage, "a candidate's name holds no control characters")
	}
	return nil
}

// Submission returns a submission as its submitter may see it.
func (s *Service) Submission(ctx context.Context, p access.Principal, id string) (api.Submission, error) {
	var view api.Submission
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		r, err := s.visible(tx, p, id, access.SeeSubmission)
		if err != nil {
			return err
		}
		if view, err = s.submissionView(tx, r); err != nil || r.State != store.Queued {
			return err
		}
		at, err := places(tx)
		view.Place = at[r.ID]
		return err
	})
	return view, err
}

// Submissions finds submissions that p may see, newest first.
func (s *Service) Submissions(ctx context.Context, p access.Principal, q api.Search) ([]api.Submission, error) {
	f := store.RunFilter{Lineage: q.Lineage, State: q.State, Result: q.Result, Text: q.Text, Before: q.Before, Limit: q.Limit}
	if access.Check(p, access.SeeSubmission, access.Object{}) != nil {
		f.Person = p.Person // only his own
	}
	out := []api.Submission{}
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		if f.Before != "" {
			if _, err := s.visible(tx, p, f.Before, access.SeeSubmission); err != nil {
				return err
			}
		}
		runs, err := tx.FindRuns(f)
		if err != nil {
			return err
		}
		at, err := places(tx)
		if err != nil {
			return err
		}
		left := map[string]int{} // of each lineage: many runs, few lineages
		for _, r := range runs {
			if err := access.Check(p, access.SeeSubmission, access.Object{People: []string{r.SubmittedPerson}}); err != nil {
				return err
			}
			if _, have := left[r.Lineage]; !have {
				if left[r.Lineage], err = s.budgetLeft(tx, r.Lineage); err != nil {
					return err
				}
			}
			v, err := s.viewOf(tx, r, left[r.Lineage])
			if err != nil {
				return err
			}
			v.Place = at[r.ID]
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

// visible returns a run if p may do a to it; a run that p may not see looks like none.
func (s *Service) visible(tx *store.Tx, p access.Principal, id string, a access.Action) (store.Run, error) {
	r, err := tx.Run(id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return r, err
	}
	if err != nil {
		return r, refuse(Missing, "there is no submission %q", id)
	}
	o := access.Object{People: []string{r.SubmittedPerson}}
	if access.Check(p, access.SeeSubmission, o) != nil {
		return r, refuse(Missing, "there is no submission %q", id)
	}
	return r, access.Check(p, a, o)
}

// submissionView returns what a submitter may see. What it says of a verdict is
// what the log says, or it is an error.
func (s *Service) submissionView(tx *store.Tx, r store.Run) (api.Submission, error) {
	left, err := s.budgetLeft(tx, r.Lineage)
	if err != nil {
		return api.Submission{}, err
	}
	return s.viewOf(tx, r, left)
}

// viewOf is submissionView where it is known what the lineage has left.
func (s *Service) viewOf(tx *store.Tx, r store.Run, left int) (api.Submission, error) {
	v := api.Submission{
		BudgetLeft: left,
		ID:         r.ID, Lineage: r.Lineage, Candidate: r.PackageName, Package: r.Package, Submitted: r.Submitted,
		State: r.State, Stage: r.Stage, Result: r.Result, Reason: r.Reason, Approved: r.Approval >= 0, Ended: r.Ended,
	}
	if r.State == store.Aborted { // fixed words, nothing of the model's own
		v.Sentence = r.Sentence
	}
	if r.State != store.Done && r.Result == "" && r.Approval < 0 {
		return v, nil
	}
	env, e, err := s.loggedEvidence(tx, r)
	if err != nil {
		return v, err
	}
	if v.Revoked, err = s.recalled(tx, e, env, r.Evidence); err != nil || v.Revoked != "" {
		v.Approved = false
		return v, err
	}
	if r.Result != report.Pass || r.Approval >= 0 {
		return v, nil
	}
	planned, err := s.plannedForce(tx, r, e)
	if err != nil {
		return v, err
	}
	v.Awaiting, err = s.awaiting(tx, r, planned, env)
	return v, err
}
