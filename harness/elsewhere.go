package harness

import (
	"context"
	"errors"

	"proctor/harness/policy"
	"proctor/harness/runner"
	"proctor/harness/store"
)

// What a model that runs elsewhere costs. Its endpoint has the rows in clear, and
// nobody here can say what becomes of them: a set whose rows went out is burnt for every
// lineage, and must rotate. So the policy that binds the run must allow it, whether it is
// the candidate or the deployed model that is asked there.

// bindingOf says what of a run's model its package binds.
func bindingOf(r *store.Run) string {
	if r.PackageKind == runner.KindRemote {
		return policy.BindingConfig
	}
	return policy.BindingPackage
}

// letOut records that rows leave the house for a deployed model, before they do; from
// then on the charge is not given back.
func (t *task) letOut(ctx context.Context, m *store.Run) error {
	switch {
	case m.PackageKind != runner.KindRemote:
		return nil
	case t.force.policy.Package.Remote != policy.Allow:
		return errors.New("a model of the past runs elsewhere, and the policy lets no sealed row leave the house")
	}
	return t.hand(ctx)
}

// leaves says whether a model of the run is asked elsewhere.
func (t *task) leaves() bool {
	for _, m := range []*store.Run{&t.run, t.force.baseline, t.force.anchor} {
		if m != nil && m.PackageKind == runner.KindRemote {
			return true
		}
	}
	return false
}
