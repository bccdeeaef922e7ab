package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// AtOnce is how many requests a client has under way at most.
const AtOnce = 64

// Bounds of one request.
const (
	maxHead     = 64 << 10 // bytes of an answer's head
	maxText     = 1 << 20  // bytes of a text model's answer, as it is sent
	maxTensors  = 64 << 20 // bytes of the answer to a batch
	requestTime = 2 * time.Minute
	maxTries    = 6
	firstPause  = 500 * time.Millisecond // doubles from try to try
	longest     = time.Minute            // that a server may ask to be left alone
)

// A Client asks one endpoint. It follows no redirect, asks no proxy, takes JSON alone,
// plainly encoded and of bounded size, and never repeats what a server wrote: that
// could be the credential. [Endpoints.Client] makes one; it may be used by several
// goroutines at once.
type Client struct {
	base          string
	header, value string
	most          int64 // bytes of an answer
	http          *http.Client
	wait          func(context.Context, time.Duration) error
}

// A StatusError is an answer that is none.
type StatusError struct{ Code, Tries int }

func (e *StatusError) Error() string {
	if e.Tries > 1 {
		return fmt.Sprintf("status %d, %d times", e.Code, e.Tries)
	}
	return fmt.Sprintf("status %d", e.Code)
}

// passing says whether the same question may get an answer later.
func (e *StatusError) passing() bool { return e.Code == http.StatusTooManyRequests || e.Code >= 500 }

func (e Endpoint) client(address string, most int64) *Client {
	d := newDialer(e.Private)
	return &Client{
		base: strings.TrimSuffix(address, "/"), header: e.Header, value: e.Value, most: most, wait: wait,
		http: &http.Client{
			Timeout: requestTime,
			Transport: &http.Transport{
				DialContext:            d.DialContext,
				TLSHandshakeTimeout:    dialTime,
				MaxConnsPerHost:        AtOnce,
				MaxIdleConnsPerHost:    AtOnce,
				IdleConnTimeout:        time.Minute,
				MaxResponseHeaderBytes: maxHead,
				DisableCompression:     true, // a small answer must not become a large one
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Get reads a JSON document; found is false if the server has none there.
func (c *Client) Get(ctx context.Context, path string, into any) (found bool, err error) {
	err = c.ask(ctx, http.MethodGet, path, nil, into)
	var s *StatusError
	if errors.As(err, &s) && (s.Code == http.StatusNotFound || s.Code == http.StatusMethodNotAllowed) {
		return false, nil
	}
	return err == nil, err
}

// Post sends one JSON document and reads another. A server that is overloaded or
// failing is asked again, ever more slowly.
func (c *Client) Post(ctx context.Context, path string, body []byte, into any) error {
	return c.ask(ctx, http.MethodPost, path, body, into)
}

func (c *Client) ask(ctx context.Context, method, path string, body []byte, into any) error {
	for try := 1; ; try++ {
		answer, after, err := c.once(ctx, method, path, body)
		var s *StatusError
		switch {
		case errors.As(err, &s) && s.passing() && try < maxTries:
			if err := c.wait(ctx, max(firstPause<<(try-1), min(after, longest))); err != nil {
				return fmt.Errorf("%s %s: %w", method, path, err)
			}
			continue
		case s != nil:
			s.Tries = try
			return fmt.Errorf("%s %s: %w", method, path, s)
		case err != nil:
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		if err := json.Unmarshal(answer, into); err != nil {
			return fmt.Errorf("%s %s: the answer is not the JSON that was expected", method, path)
		}
		return nil
	}
}

// reach says whether the endpoint is there and takes the credential, before anything is
// sent that matters. What else it says is of no interest.
func (c *Client) reach(ctx context.Context, path string) error {
	err := c.ask(ctx, http.MethodGet, path, nil, new(json.RawMessage))
	var s *StatusError
	var n *NetworkError
	if errors.As(err, &n) || errors.As(err, &s) && (s.passing() || s.Code == http.StatusUnauthorized || s.Code == http.StatusForbidden) {
		return err
	}
	return nil
}

// A NetworkError says that no answer came.
type NetworkError struct{ err error }

func (e *NetworkError) Error() string { return e.err.Error() }

// Unwrap returns what the network said, without the words of the server.
func (e *NetworkError) Unwrap() error { return e.err }

// once asks once. after is how long the server asks to be left alone.
func (c *Client) once(ctx context.Context, method, path string, body []byte) (answer []byte, after time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, 0, errors.New("not an address")
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.header != "" {
		req.Header.Set(c.header, c.value)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, 0, &NetworkError{plain(ctx, err)}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, retryAfter(resp.Header), &StatusError{Code: resp.StatusCode}
	}
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, 0, errors.New("the answer is not declared as application/json")
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, 0, errors.New("the answer is compressed, which was not asked for")
	}
	answer, err = io.ReadAll(io.LimitReader(resp.Body, c.most+1))
	switch {
	case err != nil:
		return nil, 0, plain(ctx, err)
	case int64(len(answer)) > c.most:
		return nil, 0, fmt.Errorf("an answer of more than %d bytes", c.most)
	}
	return answer, 0, nil
}

// plain takes from an error of the HTTP client what it says of the request, and what
// it quotes of the server.
func plain(ctx context.Context, err error) error {
	var u *url.Error
	var n net.Error
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &n) && n.Timeout():
		return fmt.Errorf("no whole answer within %v", requestTime)
	case errors.Is(err, ErrAddress):
		return ErrAddress
	case errors.As(err, &u):
		err = u.Err
	}
	if s := err.Error(); strings.HasPrefix(s, "net/http: ") || strings.Contains(s, "malformed") {
		return errors.New("the answer is not one of HTTP")
	}
	return err
}

// retryAfter reads how many seconds a server wants to be left alone; 0: it says nothing.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, int(longest/time.Second))) * time.Second
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
