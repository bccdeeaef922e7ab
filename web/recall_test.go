package web

import (
	"context"

	"proctor/harness/access"
	"proctor/web/api"
)

func (f *fake) ProposeRevocation(ctx context.Context, p access.Principal, r api.Revocation) (api.Change, error) {
	return f.recalling(p, "revocation", r.Kind)
}

func (f *fake) ProposeWaiver(ctx context.Context, p access.Principal, v api.Waiver) (api.Change, error) {
	return f.recalling(p, "waiver", v.Run)
}

func (f *fake) recalling(p access.Principal, kind, name string) (api.Change, error) {
	if err := f.begin(p, kind); err != nil {
		return api.Change{}, err
	}
	if err := access.Check(p, access.Propose, access.Object{Kind: kind}); err != nil {
		return api.Change{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes = append(f.writes, kind+" "+name)
	return api.Change{ID: "change-" + kind, Kind: kind, Name: name, Digest: digestOf(kind), State: "proposed", Proposer: p.ID, Proposed: "2026-11-24T09:12:44Z"}, nil
}

func (f *fake) Impact(ctx context.Context, p access.Principal, digest string) ([]api.Impact, error) {
	if err := f.begin(p, "impact"); err != nil {
		return nil, err
	}
	if err := access.Check(p, access.SeeChanges, access.Object{}); err != nil {
		return nil, err
	}
	return []api.Impact{{Kind: "holdout", Name: "census", Run: passID, Lineage: "income", Candidate: "v2", Package: digest, Result: "PASS", Evidence: digest, LogIndex: 7, Approval: digest, LastDay: "2026-11-30"}}, nil
}

func (f *fake) WaiverBundle(ctx context.Context, p access.Principal, change string) ([]byte, error) {
	if err := f.begin(p, "waiver"); err != nil {
		return nil, err
	}
	return []byte("{}"), access.Check(p, access.SeeBundle, access.Object{})
}

func (f *fake) Revocations(context.Context) ([]byte, error) {
	return []byte(`{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"e30="}]}`), f.fail
}

func (f *fake) SignedTrust() ([]byte, error) { return []byte("proctor/trust/1\n"), f.fail }
