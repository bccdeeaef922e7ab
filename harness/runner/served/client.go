package served

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// maxAnswer is the longest answer of a server, in bytes.
const maxAnswer = 64 << 20

// A client speaks to one port of this machine's loopback, whatever a server says: it
// follows no redirect, asks no proxy and resolves no name.
type client struct {
	base string
	http *http.Client
}

func newClient(port int) *client {
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	tr := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, "tcp4", addr)
			if err != nil {
				return nil, err
			}
			return quick(c), nil
		},
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // a small answer must not become a large one
	}
	return &client{"http://" + addr, &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// await waits until the server answers on path with anything but "unavailable". How
// long a server may take is for the jail to say.
func (c *client) await(ctx context.Context, path string) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		status, _, err := c.do(ctx, http.MethodGet, path, nil)
		switch {
		case err == nil && status < 500:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("before it was ready: %w", context.Cause(ctx))
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// Get reads a JSON document; found is false if the server has none there.
func (c *client) Get(ctx context.Context, path string, into any) (found bool, err error) {
	status, body, err := c.do(ctx, http.MethodGet, path, nil)
	switch {
	case err != nil:
		return false, fmt.Errorf("GET %s: %w", path, err)
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		return false, nil
	case status != http.StatusOK:
		return false, fmt.Errorf("GET %s: status %d: %.200q", path, status, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return false, fmt.Errorf("GET %s: %w", path, err)
	}
	return true, nil
}

// Post sends one JSON document and reads another.
func (c *client) Post(ctx context.Context, path string, body []byte, into any) error {
	status, answer, err := c.do(ctx, http.MethodPost, path, body)
	if err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	if status != http.StatusOK {
		return fmt.Errorf("POST %s: status %d: %.200q", path, status, answer)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	return nil
}

func (c *client) do(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(answer) > maxAnswer {
		err = errors.New("an answer of more than " + fmt.Sprint(maxAnswer) + " bytes")
	}
	return resp.StatusCode, answer, err
}
