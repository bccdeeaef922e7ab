package web

import (
	"context"
	"io"

	"proctor/harness/access"
	"proctor/web/api"
)

func (f *fake) backtest(p access.Principal, kind, call string) (api.Backtest, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.begin(p, call); err != nil {
		return api.Backtest{}, err
	}
	n := int64(3)
	v := api.Backtest{Kind: kind, Name: "n", Digest: digestOf("draft"), Sentence: "backtest: 1 of 1 past candidates would get another result",
		Runs: []api.Replay{{Lineage: "income", Run: "run-pass", Candidate: "v2", Before: "PASS", After: "FAIL", Decided: "critical", Approved: true, NotAsked: 2},
			{Lineage: "income", Run: "run-old", Candidate: "v1", Before: "PASS", Skipped: "gone"}},
		Deployed: []api.DeployedOn{{Lineage: "income", Model: "v1", Tests: []api.TestOn{{Test: "t", Before: &api.Failed{Cases: n}, After: &api.Failed{Failed: 1, Cases: n}}, {Test: "new", After: &api.Failed{}}}}}}
	return v, access.Check(p, access.Propose, access.Object{Kind: kind})
}

func (f *fake) BacktestPolicy(_ context.Context, p access.Principal, text []byte) (api.Backtest, error) {
	return f.backtest(p, "policy", "BacktestPolicy "+string(text))
}

func (f *fake) BacktestSuite(_ context.Context, p access.Principal, archive io.Reader) (api.Backtest, error) {
	b, err := io.ReadAll(archive)
	if err != nil {
		return api.Backtest{}, err
	}
	return f.backtest(p, "suite", "BacktestSuite "+string(b))
}

func (f *fake) BacktestChange(_ context.Context, p access.Principal, id string) (api.Backtest, error) {
	return f.backtest(p, "suite", "BacktestChange "+id)
}
