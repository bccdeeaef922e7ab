package client

import (
	"context"
	"net/http"
	"net/url"

	"proctor/web/api"
)

// ProposeRevocation proposes to take back everything that rests on something.
func (c *Client) ProposeRevocation(ctx context.Context, r api.Revocation) (api.Change, error) {
	return postJSON[api.Change](ctx, c, "/v1/revocations", r)
}

// Impact lists the verdicts that rest on a digest.
func (c *Client) Impact(ctx context.Context, digest string) ([]api.Impact, error) {
	return get[[]api.Impact](ctx, c, "/v1/impact", url.Values{"of": {digest}})
}

// ProposeWaiver proposes to let the model of a run through one gate once.
func (c *Client) ProposeWaiver(ctx context.Context, v api.Waiver) (api.Change, error) {
	return postJSON[api.Change](ctx, c, "/v1/waivers", v)
}

// Waiver returns the bundle of the waiver that a proposal led to.
func (c *Client) Waiver(ctx context.Context, change string) ([]byte, error) {
	b, _, err := c.call(ctx, http.MethodGet, "/v1/waivers/"+url.PathEscape(change), nil, "", nil)
	return b, err
}

// Revocations returns the signed list of all that is revoked. It needs no token.
func (c *Client) Revocations(ctx context.Context) ([]byte, error) {
	b, _, err := c.call(ctx, http.MethodGet, "/log/revocations", nil, "", nil)
	return b, err
}
