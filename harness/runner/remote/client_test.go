package remote

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"proctor/harness/runner"
)

const credential = "Bearer sk-0123456789abcdef"

func manifest(address string) runner.Manifest {
	return runner.Manifest{Protocol: runner.Protocol, Kind: runner.KindRemote, Endpoint: address, API: runner.APIInference, Model: "m",
		Input: runner.InputJSONL, BatchMax: 10, Task: "classification", Classes: []string{"no", "yes"}}
}

// ours are the endpoints of a server in this process, which the operator named.
func ours(t testing.TB, h http.HandlerFunc) (*Endpoints, string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	e, err := NewEndpoints(Endpoint{URL: s.URL, Private: true, Header: "Authorization", Value: credential})
	if err != nil {
		t.Fatal(err)
	}
	return e, s.URL
}

// dial is a client of a server in this process that does not wait between tries; the
// times that it would have waited are noted.
func dial(t testing.TB, h http.HandlerFunc) (*Client, *[]time.Duration) {
	t.Helper()
	e, address := ours(t, h)
	c, err := e.Client(address, runner.APIChat)
	if err != nil {
		t.Fatal(err)
	}
	var waits []time.Duration
	c.wait = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
	return c, &waits
}

func say(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, text)
}

// Whatever a server does, the client stays where it is, reads a bounded answer in
// bounded time, and repeats nothing that the server wrote.
func TestHostileServers(t *testing.T) {
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { elsewhere.Add(1); say(w, "{}") }))
	defer other.Close()
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, other.URL)
	}
	for want, h := range map[string]http.HandlerFunc{
		"status 302": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) },
		"status 307": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		},
		"status 308": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusPermanentRedirect)
		},
		"status 401": func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, r.Header.Get("Authorization"), http.StatusUnauthorized)
		},
		"status 204": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) },
		"not declared": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "<html>%s", r.Header.Get("Authorization"))
		},
		"not the JSON": func(w http.ResponseWriter, r *http.Request) {
			say(w, `{"choices":"`+r.Header.Get("Authorization")+`"}`)
		},
		"not the JSON that was expected": func(w http.ResponseWriter, r *http.Request) { say(w, "{}{}") },
		"more than 1048576": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for b := make([]byte, 1<<16); ; {
				if _, err := w.Write(b); err != nil {
					return
				}
			}
		},
		"no whole answer within": func(w http.ResponseWriter, r *http.Request) { // a byte, and then nothing
			say(w, "{")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		"is compressed": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, `{"a":"`+strings.Repeat("a", 1<<20)+`"}`)
			z.Close()
		},
		"answer is not one of HTTP": func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) },
		"malformed HTTP": func(w http.ResponseWriter, r *http.Request) {
			raw(t, w, "SSH-2.0 "+r.Header.Get("Authorization")+"\r\n\r\n")
		},
		"EOF": func(w http.ResponseWriter, r *http.Request) { raw(t, w, "") },
		"unexpected EOF": func(w http.ResponseWriter, r *http.Request) {
			raw(t, w, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{}")
		},
	} {
		c, waits := dial(t, h)
		c.http.Timeout = 2 * time.Second
		if want == "no whole answer within" {
			c.http.Timeout = 100 * time.Millisecond
		}
		var v struct{ Choices []int }
		err := c.Post(t.Context(), "/x", []byte("{}"), &v)
		if want = strings.TrimPrefix(want, "malformed HTTP"); err == nil || !strings.Contains(err.Error(), want) || len(*waits) > 0 {
			t.Errorf("want %q, got %v, waited %v", want, err, *waits)
		}
		if err != nil && strings.Contains(err.Error(), "sk-") {
			t.Errorf("the error holds the credential: %v", err)
		}
	}
	if n := elsewhere.Load(); n > 0 {
		t.Errorf("another server was asked %d times", n)
	}
	// The client of the standard library goes where it is sent: the test would see it.
	s := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer s.Close()
	if resp, err := http.Get(s.URL); err != nil || elsewhere.Load() == 0 {
		t.Errorf("the guard off: %v", err)
	} else {
		resp.Body.Close()
	}
}

func raw(t *testing.T, w http.ResponseWriter, text string) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	io.WriteString(c, text)
	c.Close()
}

// A server that is overloaded is asked again, as late as it wishes within bounds.
func TestTries(t *testing.T) {
	for _, c := range []struct {
		status, times int
		after         string
		waits         []time.Duration
		fails         string
	}{
		{429, 2, "", []time.Duration{500 * time.Millisecond, time.Second}, ""},
		{503, 3, "7", []time.Duration{7 * time.Second, 7 * time.Second, 7 * time.Second}, ""},
		{500, 1, "86400", []time.Duration{time.Minute}, ""},
		{502, 1, "-3", []time.Duration{500 * time.Millisecond}, ""},
		{429, 1, "Fri, 01 Jan 2100 00:00:00 GMT", []time.Duration{500 * time.Millisecond}, ""},
		{429, 100, "", []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}, "status 429, 6 times"},
		{400, 100, "1", nil, "status 400"},
		{404, 100, "1", nil, "status 404"},
	} {
		asked := 0
		client, waits := dial(t, func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			if string(b) != `{"q":1}` || r.Header.Get("Authorization") != credential {
				t.Errorf("try %d: %q with %q", asked, b, r.Header)
			}
			if asked++; asked <= c.times {
				w.Header().Set("Retry-After", c.after)
				w.WriteHeader(c.status)
				return
			}
			say(w, `{"ok":true}`)
		})
		var v struct{ OK bool }
		err := client.Post(t.Context(), "/x", []byte(`{"q":1}`), &v)
		if !slices.Equal(*waits, c.waits) || (err == nil) != (c.fails == "") || err != nil && !strings.HasSuffix(err.Error(), c.fails) || v.OK != (err == nil) {
			t.Errorf("%+v: %v, waited %v", c, err, *waits)
		}
	}
}

// Who waits for another try is let go when the run ends.
func TestWaitEnds(t *testing.T) {
	e, address := ours(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) })
	c, err := e.Client(address, runner.APIChat)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	before := c.wait
	c.wait = func(ctx context.Context, d time.Duration) error { cancel(errors.New("over")); return before(ctx, d) }
	if err := c.Post(ctx, "/", nil, new(any)); err == nil || !strings.Contains(err.Error(), "over") {
		t.Error(err)
	}
}

// Without TLS, or with a certificate of nobody known, nothing is sent.
func TestTLS(t *testing.T) {
	asked := false
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked = true; say(w, "{}") }))
	defer s.Close()
	e, err := NewEndpoints(Endpoint{URL: s.URL, Private: true, Header: "Authorization", Value: credential})
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Client(s.URL+"/v1", runner.APIChat)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Post(t.Context(), "/x", nil, new(any)); err == nil || asked {
		t.Errorf("a certificate of nobody known: %v", err)
	}
	c.http.Transport.(*http.Transport).TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig
	if err := c.Post(t.Context(), "/x", nil, new(any)); err != nil || !asked {
		t.Errorf("one that is known: %v", err)
	}
}
