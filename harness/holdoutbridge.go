package harness

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"proctor/harness/access"
	"proctor/harness/verdict"
	"proctor/holdout"
)

// bridge has the deployed model of each lineage that uses a set sit the old and the
// new version, so that a change of difficulty is not taken for one of models.
func (s *Service) bridge(ctx context.Context, p access.Principal, old sealedSet, sealed holdout.Sealed, figures bool) ([]string, error) {
	uses, err := s.lineagesWhere(ctx, func(f *force) bool { return f.baseline != nil && slices.Contains(f.policy.Holdouts, old.Name) })
	if err != nil || len(uses) == 0 {
		return nil, err
	}
	exams := [2]*holdout.Exam{}
	for i, set := range []sealedSet{old, {sealed.Commitment, sealed.Manifest}} {
		open := s.custody
		if i == 1 { // its key is not stored before it is proposed
			open = func(ctx context.Context, p access.Principal, action, run string, set sealedSet, lines []int) (*holdout.Custodian, error) {
				return holdout.OpenCustody(ctx, holdout.Request{Commitment: set.Commitment, Manifest: set.manifest, Key: sealed.Key}, lines, record{s, p, action, run}, s.Blobs, s.Keyring, officerKey(s))
			}
		}
		c, err := open(ctx, p, verdict.CustodyBridge, "", set, nil)
		if err != nil {
			return nil, err
		}
		exams[i], err = c.Exam()
		c.Close()
		if err != nil {
			return nil, err
		}
	}
	var out []string
	for _, f := range uses {
		out = append(out, s.bridgeOf(ctx, f, old.Commitment, sealed.Commitment, exams, figures))
	}
	return out, nil
}

// bridgeOf words the bridge for one lineage. A model that cannot sit the new version
// is told too: that is a change of difficulty like no other.
func (s *Service) bridgeOf(ctx context.Context, f *force, old, now holdout.Commitment, exams [2]*holdout.Exam, figures bool) string {
	var share, n [2]float64
	for i, c := range []holdout.Commitment{old, now} {
		right, err := s.sit(ctx, f, c, exams[i])
		if err != nil {
			s.Logger.Warn("bridge", "lineage", f.lineage, "set", c.Name, "version", c.Version, "error", err)
			return fmt.Sprintf("bridge: the deployed model of %s could not sit version %d", f.lineage, c.Version)
		}
		n[i] = float64(c.Rows)
		share[i] = float64(right) / n[i]
	}
	if figures {
		return sentenceWithFigures(f.lineage, [2]int{old.Version, now.Version}, share, n)
	}
	return sentence(f.lineage, share, n, float64(max(shownAtMost(old), shownAtMost(now))))
}

// difference is that of two shares with its standard error.
func difference(share, n [2]float64) (change, se float64) {
	return share[1] - share[0], math.Sqrt(share[0]*(1-share[0])/n[0] + share[1]*(1-share[1])/n[1])
}

func sentenceWithFigures(lineage string, version [2]int, share, n [2]float64) string {
	change, se := difference(share, n)
	text := fmt.Sprintf("bridge: the deployed model of %s is right on %.2f %% of version %d and %.2f %% of this one (%+.2f pp)", lineage, 100*share[0], version[0], 100*share[1], 100*change)
	if math.Abs(change) > 2*se {
		text += fmt.Sprintf(": holdout.difficulty_shift, more than two standard errors (%.2f pp)", 100*se)
	}
	return text
}

// sentence says in a word whether a version is of another difficulty: by more than two
// standard errors, and by more than seen rows can make, of which people may see so
// many. k rows that are corrected, erased or added change the share of right answers
// by at most k / min(n).
func sentence(lineage string, share, n [2]float64, seen float64) string {
	change, se := difference(share, n)
	if math.Abs(change) > max(2*se, (seen+1)/min(n[0], n[1])) {
		return fmt.Sprintf("bridge: holdout.difficulty_shift, a jump in difficulty for the deployed model of %s", lineage)
	}
	return fmt.Sprintf("bridge: no jump in difficulty for the deployed model of %s", lineage)
}

// sit counts the scored rows on which the deployed model is right.
func (s *Service) sit(ctx context.Context, f *force, c holdout.Commitment, exam *holdout.Exam) (int, error) {
	t := &task{s: s, run: *f.baseline, force: f, seed: make([]byte, 32)}
	if _, err := io.ReadFull(s.Rand, t.seed); err != nil {
		return 0, err
	}
	p, err := newPaper(c, exam, nil)
	if err != nil {
		return 0, err
	}
	batch, err := t.batch(ctx)
	if err != nil {
		return 0, err
	}
	sh, err := newSheet(p.table, batch, t.seed)
	if err != nil {
		return 0, err
	}
	a, _, err := t.runModel(ctx, f.baseline, sh, p, false)
	if err != nil {
		return 0, err
	}
	right := 0
	for i, k := range p.part(partScored, a.predictions).Labels {
		if k == exam.Labels[i] {
			right++
		}
	}
	return right, nil
}
