// Package client calls the HTTP interface. It trusts the server no more than any
// gate does: a bundle that it fetches still has to be verified.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"proctor/web/api"
)

// A Client speaks to one service as one principal.
type Client struct {
	Base  string // "http://127.0.0.1:8080"
	Token string
	HTTP  *http.Client // nil: http.DefaultClient
}

// An Error is an answer that is not a success.
type Error struct {
	Status int
	api.Problem
}

func (e *Error) Error() string { return e.Message }

// maxAnswer bounds what the server can make a caller hold.
const maxAnswer = 64 << 20

func (c *Client) call(ctx context.Context, method, path string, query url.Values, contentType string, body io.Reader) ([]byte, http.Header, error) {
	u := strings.TrimSuffix(c.Base, "/") + path
	if len(query) > 0 {
		u += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u, body)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	h := c.HTTP
	if h == nil {
		h = http.DefaultClient
	}
	resp, err := h.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("the service at %s does not answer: %w", c.Base, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read the answer of %s: %w", path, err)
	}
	if len(b) > maxAnswer {
		return nil, nil, errors.New("the answer is larger than 64 MiB")
	}
	if resp.StatusCode/100 != 2 {
		e := &Error{Status: resp.StatusCode}
		if json.Unmarshal(b, &e.Problem) != nil || e.Message == "" {
			e.Problem = api.Problem{Code: "internal", Message: "the service answered " + resp.Status}
		}
		return nil, nil, e
	}
	return b, resp.Header, nil
}

func get[T any](ctx context.Context, c *Client, path string, query url.Values) (v T, err error) {
	b, _, err := c.call(ctx, http.MethodGet, path, query, "", nil)
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	return v, err
}

func post[T any](ctx context.Context, c *Client, path string, query url.Values, contentType string, body io.Reader) (v T, err error) {
	b, _, err := c.call(ctx, http.MethodPost, path, query, contentType, body)
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	return v, err
}

func postJSON[T any](ctx context.Context, c *Client, path string, body any) (v T, err error) {
	b, err := json.Marshal(body)
	if err != nil {
		return v, err
	}
	return post[T](ctx, c, path, nil, "application/json", bytes.NewReader(b))
}

// Submit sends a candidate package as a tar archive.
func (c *Client) Submit(ctx context.Context, lineage, candidate string, archive io.Reader) (api.Submission, error) {
	return post[api.Submission](ctx, c, "/v1/lineages/"+url.PathEscape(lineage)+"/submissions", url.Values{"candidate": {candidate}}, "application/x-tar", archive)
}

// Submission returns how a submission stands.
func (c *Client) Submission(ctx context.Context, id string) (api.Submission, error) {
	return get[api.Submission](ctx, c, "/v1/submissions/"+url.PathEscape(id), nil)
}

// Submissions finds submissions, newest first; a page with fewer than q.Limit is the last.
func (c *Client) Submissions(ctx context.Context, q api.Search) ([]api.Submission, error) {
	v := url.Values{}
	for name, value := range map[string]string{"lineage": q.Lineage, "state": q.State, "result": q.Result, "text": q.Text, "before": q.Before} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return get[[]api.Submission](ctx, c, "/v1/submissions", v)
}

// Cancel ends a submission that waits.
func (c *Client) Cancel(ctx context.Context, id string) (api.Submission, error) {
	return post[api.Submission](ctx, c, "/v1/submissions/"+url.PathEscape(id)+"/cancellation", nil, "", nil)
}

// Wait asks until the submission has ended. seen is called whenever state, stage or place change.
func (c *Client) Wait(ctx context.Context, id string, seen func(api.Submission)) (api.Submission, error) {
	var last string
	for pause := 100 * time.Millisecond; ; pause = min(pause*6/5, 2*time.Second) {
		s, err := c.Submission(ctx, id)
		var busy *Error
		if err != nil && (!errors.As(err, &busy) || busy.Code != "too-many") { // others of this account ask too
			return s, err
		}
		if now := s.State + s.Stage + strconv.Itoa(s.Place); err == nil && now != last && seen != nil {
			seen(s)
			last = now
		}
		if s.Done() {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return s, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Bundle returns the signed evidence or approval of a submission.
func (c *Client) Bundle(ctx context.Context, id, which string) ([]byte, error) {
	b, _, err := c.call(ctx, http.MethodGet, "/v1/submissions/"+url.PathEscape(id)+"/"+which, nil, "", nil)
	return b, err
}

// Report returns the bytes of the diff report and the digest that the service gives.
func (c *Client) Report(ctx context.Context, id string) ([]byte, string, error) {
	b, h, err := c.call(ctx, http.MethodGet, "/v1/submissions/"+url.PathEscape(id)+"/report", nil, "", nil)
	return b, h.Get("Proctor-Report"), err
}

// Review decides on a PASS.
func (c *Client) Review(ctx context.Context, id string, r api.Review) (api.Submission, error) {
	return postJSON[api.Submission](ctx, c, "/v1/submissions/"+url.PathEscape(id)+"/reviews", r)
}

// ProposeHoldout sends a table to be sealed; reserve may be nil.
func (c *Client) ProposeHoldout(ctx context.Context, format string, spec []byte, table, reserve io.Reader) (api.Change, error) {
	return sendTables[api.Change](ctx, c, "/v1/holdouts", format, spec, table, reserve)
}

// PreviewHoldout asks what ProposeHoldout would seal.
func (c *Client) PreviewHoldout(ctx context.Context, format string, spec []byte, table, reserve io.Reader) (json.RawMessage, error) {
	return sendTables[json.RawMessage](ctx, c, "/v1/holdouts/preview", format, spec, table, reserve)
}

func sendTables[T any](ctx context.Context, c *Client, path, format string, spec []byte, table, reserve io.Reader) (T, error) {
	r, w := io.Pipe()
	form := multipart.NewWriter(w)
	go func() {
		err := errors.Join(copyPart(form, "spec", bytes.NewReader(spec)), copyPart(form, "table", table))
		if err == nil && reserve != nil {
			err = copyPart(form, "reserve", reserve)
		}
		if err == nil {
			err = form.Close() // only a whole form gets its end: a table that broke off must not pass for a shorter one
		}
		w.CloseWithError(err)
	}()
	defer r.Close()
	return post[T](ctx, c, path, url.Values{"format": {format}}, form.FormDataContentType(), r)
}

func copyPart(form *multipart.Writer, name string, from io.Reader) error {
	w, err := form.CreateFormFile(name, name)
	if err == nil {
		_, err = io.Copy(w, from)
	}
	return err
}

// Holdout returns the public side of an active holdout.
func (c *Client) Holdout(ctx context.Context, name string) (json.RawMessage, error) {
	return get[json.RawMessage](ctx, c, "/v1/holdouts/"+url.PathEscape(name), nil)
}

// ProposeSuite sends a suite as a tar archive.
func (c *Client) ProposeSuite(ctx context.Context, archive io.Reader) (api.Change, error) {
	return post[api.Change](ctx, c, "/v1/suites", nil, "application/x-tar", archive)
}

// ProposePolicy sends a policy.
func (c *Client) ProposePolicy(ctx context.Context, yaml []byte) (api.Change, error) {
	return post[api.Change](ctx, c, "/v1/policies", nil, "application/yaml", bytes.NewReader(yaml))
}

// CheckPolicy asks what a policy could see.
func (c *Client) CheckPolicy(ctx context.Context, yaml []byte) (json.RawMessage, error) {
	return post[json.RawMessage](ctx, c, "/v1/policies/check", nil, "application/yaml", bytes.NewReader(yaml))
}

// InitPolicy asks for a policy that can pass.
func (c *Client) InitPolicy(ctx context.Context, holdout, lineage string, suites []string) ([]byte, error) {
	b, _, err := c.call(ctx, http.MethodGet, "/v1/policies/init", url.Values{"holdout": {holdout}, "lineage": {lineage}, "suite": suites}, "", nil)
	return b, err
}

// ProposeBaseline proposes the model of an approved run as the deployed one.
func (c *Client) ProposeBaseline(ctx context.Context, lineage, run string) (api.Change, error) {
	return postJSON[api.Change](ctx, c, "/v1/baselines", api.Baseline{Lineage: lineage, Run: run})
}

// ProposeAccount proposes an account, or other roles or tokens for one.
func (c *Client) ProposeAccount(ctx context.Context, a api.Account) (api.Change, error) {
	return postJSON[api.Change](ctx, c, "/v1/accounts", a)
}

// Accounts lists who could do what at a time.
func (c *Client) Accounts(ctx context.Context, at time.Time) ([]api.Standing, error) {
	return get[[]api.Standing](ctx, c, "/v1/accounts", url.Values{"at": {at.UTC().Format(time.RFC3339)}})
}

// Changes lists what was changed in the evaluation itself.
func (c *Client) Changes(ctx context.Context) ([]api.Change, error) {
	return get[[]api.Change](ctx, c, "/v1/changes", nil)
}

// Events lists what the log records from an index on.
func (c *Client) Events(ctx context.Context, from int64, limit int) ([]api.Event, error) {
	return get[[]api.Event](ctx, c, "/v1/events", url.Values{"from": {fmt.Sprint(from)}, "limit": {fmt.Sprint(limit)}})
}

// Decide activates or refuses somebody else's proposal.
func (c *Client) Decide(ctx context.Context, change string, activate bool) (api.Change, error) {
	return postJSON[api.Change](ctx, c, "/v1/changes/"+url.PathEscape(change)+"/decision", api.Decision{Activate: activate})
}

// Trust returns what a verifier pins. Compare it with a copy that came another way.
func (c *Client) Trust(ctx context.Context) (api.Trust, error) {
	return get[api.Trust](ctx, c, "/v1/trust", nil)
}

// Audit recomputes the log and says what it found.
func (c *Client) Audit(ctx context.Context) (json.RawMessage, error) {
	return post[json.RawMessage](ctx, c, "/v1/audit", nil, "", nil)
}

// LogEntries returns up to n logged statements from an index on.
func (c *Client) LogEntries(ctx context.Context, from int64, n int) ([]json.RawMessage, error) {
	q := url.Values{"from": {strconv.FormatInt(from, 10)}, "limit": {strconv.Itoa(n)}}
	return get[[]json.RawMessage](ctx, c, "/v1/log/entries", q)
}
