package client

import (
	"bytes"
	"context"
	"io"
	"net/url"

	"proctor/web/api"
)

// BacktestPolicy asks what a draft of a policy would have meant for past candidates.
func (c *Client) BacktestPolicy(ctx context.Context, yaml []byte) (api.Backtest, error) {
	return post[api.Backtest](ctx, c, "/v1/policies/backtest", nil, "application/yaml", bytes.NewReader(yaml))
}

// BacktestSuite asks the same of a draft of a suite, a tar archive.
func (c *Client) BacktestSuite(ctx context.Context, archive io.Reader) (api.Backtest, error) {
	return post[api.Backtest](ctx, c, "/v1/suites/backtest", nil, "application/x-tar", archive)
}

// BacktestChange asks it of a proposal.
func (c *Client) BacktestChange(ctx context.Context, id string) (api.Backtest, error) {
	return get[api.Backtest](ctx, c, "/v1/changes/"+url.PathEscape(id)+"/backtest", nil)
}
