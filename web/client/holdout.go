package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"

	"proctor/web/api"
)

func holdoutPath(name, what string) string {
	return "/v1/holdouts/" + url.PathEscape(name) + "/" + what
}

// Budget says what a lineage has left on its sealed sets.
func (c *Client) Budget(ctx context.Context, lineage string) (api.Budget, error) {
	return get[api.Budget](ctx, c, "/v1/lineages/"+url.PathEscape(lineage)+"/budget", nil)
}

// ShowRows shows rows of a run's sealed set.
func (c *Client) ShowRows(ctx context.Context, run string, lines []int) (api.ShownRows, error) {
	return postJSON[api.ShownRows](ctx, c, "/v1/submissions/"+url.PathEscape(run)+"/rows", api.Lines{Rows: lines})
}

// Practice returns the practice rows of a holdout as JSON lines.
func (c *Client) Practice(ctx context.Context, name string) ([]byte, error) {
	b, _, err := c.call(ctx, http.MethodGet, holdoutPath(name, "practice"), nil, "", nil)
	return b, err
}

// ProveRow asks for the proof that a row is in a holdout, as the service wrote it.
func (c *Client) ProveRow(ctx context.Context, name string, r api.RowClaim) (json.RawMessage, error) {
	return postJSON[json.RawMessage](ctx, c, holdoutPath(name, "proofs"), r)
}

// AuditHoldout derives what is claimed of one holdout.
func (c *Client) AuditHoldout(ctx context.Context, name string) (api.Audit, error) {
	return post[api.Audit](ctx, c, holdoutPath(name, "audit"), nil, "", nil)
}

// RotateHoldout proposes the reserve as the next version; reserve may be nil.
func (c *Client) RotateHoldout(ctx context.Context, name, format string, reserve io.Reader) (api.Change, error) {
	if reserve == nil {
		return post[api.Change](ctx, c, holdoutPath(name, "rotation"), nil, "", nil)
	}
	return post[api.Change](ctx, c, holdoutPath(name, "rotation"), url.Values{"format": {format}}, "application/octet-stream", reserve)
}

// AmendHoldout proposes a holdout with corrections, one JSON object a line.
func (c *Client) AmendHoldout(ctx context.Context, name string, corrections io.Reader) (api.Change, error) {
	return post[api.Change](ctx, c, holdoutPath(name, "amendments"), nil, "application/jsonl", corrections)
}

// DestroyHoldout proposes that nobody can open a version any more.
func (c *Client) DestroyHoldout(ctx context.Context, name string, version int) (api.Change, error) {
	return postJSON[api.Change](ctx, c, holdoutPath(name, "destructions"), api.Destruction{Version: version})
}
