package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"proctor/web/api"
)

// wire answers requests without a network, so that time can be a test's own.
type wire func(n int) (status int, body string)

type transport struct {
	answer wire
	calls  int
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	t.calls++
	status, body := t.answer(t.calls)
	if status == 0 {
		return nil, errors.New(body)
	}
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}, Request: r}, nil
}

func withWire(answer wire) (*Client, *transport) {
	t := &transport{answer: answer}
	return &Client{Base: "http://proctor.test", Token: "secret-token", HTTP: &http.Client{Transport: t}}, t
}

// Wait asks often at first and every two seconds later: an hour costs about 1,800
// calls, not millions.
func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c, tr := withWire(func(int) (int, string) {
			since := time.Since(began)
			switch {
			case since < time.Minute:
				return 200, `{"id":"r","state":"queued","stage":"waiting"}`
			case since < time.Hour:
				return 200, `{"id":"r","state":"planned","stage":"running"}`
			}
			return 200, `{"id":"r","state":"done","stage":"done","result":"PASS"}`
		})
		var stages []string
		s, err := c.Wait(context.Background(), "r", func(s api.Submission) { stages = append(stages, s.Stage) })
		if err != nil || s.Result != "PASS" || fmt.Sprint(stages) != "[waiting running done]" {
			t.Errorf("%+v %v %v", s, stages, err)
		}
		if late := time.Since(began) - time.Hour; late > 2*time.Second {
			t.Errorf("the end was seen %v late", late)
		}
		if tr.calls < 1700 || tr.calls > 1900 {
			t.Errorf("%d calls", tr.calls)
		}
	})
}

func TestWaitHonoursContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, tr := withWire(func(int) (int, string) { return 200, `{"id":"r","state":"queued"}` })
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		began := time.Now()
		_, err := c.Wait(ctx, "r", nil)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 10*time.Second || tr.calls > 20 {
			t.Errorf("%v after %v and %d calls", err, time.Since(began), tr.calls)
		}
	})
}

// An answer that is no success ends the wait, and says what the service said.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   string
	}{
		{404, `{"code":"not-found","message":"there is no submission"}`, "there is no submission"},
		{502, `<html>bad gateway</html>`, "the service answered 502"},
		{500, `{}`, "the service answered 500"},
		{302, ``, "the service answered 302"},
		{0, "connection refused", "the service at http://proctor.test does not answer"},
		{200, `not JSON`, "invalid character"},
	} {
		cl, tr := withWire(func(int) (int, string) { return c.status, c.body })
		_, err := cl.Wait(context.Background(), "r", nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret-token") || tr.calls != 1 {
			t.Errorf("%d %s: %v after %d calls", c.status, c.body, err, tr.calls)
		}
	}
}

// A server cannot make its caller hold more than the limit.
func TestAnswerIsBounded(t *testing.T) {
	c := &Client{Base: "http://proctor.test", HTTP: &http.Client{Transport: endless{}}}
	if _, err := c.Bundle(context.Background(), "r", "evidence"); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Error(err)
	}
}

type endless struct{}

func (endless) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Body: io.NopCloser(zeros{}), Header: http.Header{}, Request: r}, nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A form gets its end only when all of it was read. What was sent of a table that
// broke off is not a form, so that no service can take it for a shorter table.
func TestBrokenTableHasNoEnd(t *testing.T) {
	for _, c := range []struct {
		table io.Reader
		whole bool
	}{
		{strings.NewReader("a,b\n1,2\n"), true},
		{io.MultiReader(strings.NewReader("a,b\n1,2\n"), gone{}), false},
	} {
		var sent keep
		cl := &Client{Base: "http://proctor.test", HTTP: &http.Client{Transport: &sent}}
		_, err := cl.ProposeHoldout(context.Background(), "csv", []byte("spec"), c.table, nil)
		ended := strings.HasSuffix(string(sent), "--\r\n")
		if !strings.Contains(string(sent), "1,2") || ended != c.whole || (err == nil) != c.whole {
			t.Errorf("ended %v: %v", ended, err)
		}
	}
}

type gone struct{}

func (gone) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

// keep is a server that keeps what it was sent.
type keep []byte

func (k *keep) RoundTrip(r *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(r.Body)
	*k = b
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: 201, Body: io.NopCloser(strings.NewReader("{}")), Header: http.Header{}, Request: r}, nil
}
