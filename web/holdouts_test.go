package web

import (
	"context"
	"io"

	"proctor/harness/access"
	"proctor/holdout"
	"proctor/web/api"
)

func (f *fake) Budget(_ context.Context, p access.Principal, lineage string) (api.Budget, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := api.Budget{Lineage: lineage, Policy: "income-release", Runs: 6, Used: 2, Left: 4, Sentence: "4 of 6 runs are left.", Sets: []api.BudgetSet{}}
	if err := f.begin(p, "Budget "+lineage); err != nil {
		return b, err
	}
	if access.Check(p, access.SeeChanges, access.Object{}) != nil {
		return b, access.Check(p, access.Submit, access.Object{})
	}
	b.Sets = append(b.Sets, api.BudgetSet{Holdout: "census-2026q3", Version: 1, Digest: digestOf("holdout"), Rows: 16281, Used: 2, SeenAtMost: 81})
	return b, nil
}

func (f *fake) ProveRow(_ context.Context, p access.Principal, name string, r api.RowClaim) (holdout.RowProof, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	proof := holdout.RowProof{Format: "proctor/row-proof/1", Holdout: name, Version: 1, Digest: digestOf("holdout"), Row: r.Row, Rows: 16281, Values: r.Values, Salt: "00", Leaf: []string{}, Path: []string{}, Manifest: []byte("m")}
	if err := f.begin(p, "ProveRow"); err != nil {
		return proof, err
	}
	return proof, access.Check(p, access.Propose, access.Object{Kind: "holdout"})
}

func (f *fake) ShowRows(_ context.Context, p access.Principal, run string, lines []int) (api.ShownRows, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out api.ShownRows
	if err := f.begin(p, "ShowRows "+run); err != nil {
		return out, err
	}
	for _, line := range lines {
		out.Rows = append(out.Rows, api.ShownRow{Row: line, Values: []byte(`{"age":38}`)})
	}
	return out, access.Check(p, access.SeeRows, access.Object{})
}

func (f *fake) Practice(_ context.Context, p access.Principal, name string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, "Practice "+name); err != nil {
		return nil, err
	}
	if access.Check(p, access.SeeChanges, access.Object{}) != nil {
		return []byte("{\"age\":38}\n"), access.Check(p, access.Submit, access.Object{})
	}
	return []byte("{\"age\":38}\n"), nil
}

func (f *fake) AuditHoldout(_ context.Context, p access.Principal, name string) (api.Audit, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, "AuditHoldout "+name); err != nil {
		return api.Audit{}, err
	}
	return api.Audit{OK: true, Checked: []string{name}, Problems: []string{}}, access.Check(p, access.Audit, access.Object{})
}

func (f *fake) RotateHoldout(_ context.Context, p access.Principal, name, format string, reserve io.Reader) (api.Change, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	text := "no reserve"
	if reserve != nil {
		b, err := io.ReadAll(reserve)
		if err != nil {
			return api.Change{}, err
		}
		text = format + " " + string(b)
	}
	return f.propose(p, "holdout", name+" "+text)
}

func (f *fake) AmendHoldout(_ context.Context, p access.Principal, name string, corrections io.Reader) (api.Change, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b, err := io.ReadAll(corrections)
	if err != nil {
		return api.Change{}, err
	}
	return f.propose(p, "holdout", name+" "+string(b))
}

func (f *fake) ProposeDestruction(_ context.Context, p access.Principal, name string, _ int) (api.Change, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.propose(p, "destruction", name)
}
