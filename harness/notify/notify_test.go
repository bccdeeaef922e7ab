package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"proctor/web/api"
)

// memory is a log that ends the test's context once everything in it was told.
type memory struct {
	mu     sync.Mutex
	events []api.Event
	next   map[string]int64
	done   context.CancelFunc
}

func (m *memory) Follow(_ context.Context, from int64, limit int) ([]api.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if from >= int64(len(m.events)) {
		m.done()
		return nil, nil
	}
	return m.events[from:min(int(from)+limit, len(m.events))], nil
}

func (m *memory) Receiver(_ context.Context, name string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.next[name], nil
}

func (m *memory) Told(_ context.Context, name string, next int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next[name] = next
	return nil
}

func events(n int) (list []api.Event) {
	for i := range n {
		list = append(list, api.Event{Index: int64(i), Kind: "change", At: "2026-11-25T00:00:00Z", Name: "census", Digest: "sha256:00",
			By: "cora", Sentence: fmt.Sprintf("cora proposed <thing> %d", i), Alerts: []string{"look"}})
	}
	return list
}

var key = []byte("0123456789abcdef")

// tell runs a teller over a log until it is told to the end, and returns its log.
func tell(t *testing.T, m *memory, address string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	m.done = cancel
	r, err := Parse(address, key)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	teller := Teller{Log: m, Source: "https://proctor.test", Now: func() time.Time { return time.Unix(1764000000, 0) },
		Wait:   func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Logger: slog.New(slog.NewTextHandler(&said, nil)), Client: &http.Client{}}
	if err := teller.Tell(ctx, r); err != nil {
		t.Error(err)
	}
	return said.String()
}

// A receiver gets each event in order, with one id each, and a signature that only
// the holder of the key can make; what it refused comes again.
func TestTell(t *testing.T) {
	var got []cloudEvent
	tries := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries%3 == 0 {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		body, _ := io.ReadAll(r.Body)
		m := hmac.New(sha256.New, key)
		fmt.Fprintf(m, "%s.%s.%s", r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp"), body)
		if r.Header.Get("Webhook-Signature") != "v1,"+base64.StdEncoding.EncodeToString(m.Sum(nil)) {
			t.Errorf("signature %s", r.Header.Get("Webhook-Signature"))
		}
		var e cloudEvent
		if err := json.Unmarshal(body, &e); err != nil || e.ID != r.Header.Get("Webhook-Id") || r.Header.Get("Content-Type") != "application/cloudevents+json" {
			t.Errorf("%s: %v", body, err)
		}
		got = append(got, e)
	}))
	defer s.Close()
	m := &memory{events: events(250), next: map[string]int64{}}
	said := tell(t, m, s.URL+"/secret-path")
	if len(got) != 250 || strings.Contains(said, "secret-path") || !strings.Contains(said, "503") {
		t.Errorf("%d of 250 events; the log says %.300s", len(got), said)
	}
	for i, e := range got {
		if e.Data.Index != int64(i) || e.SpecVersion != "1.0" || e.Type != "dev.proctor.change" || e.Source != "https://proctor.test" {
			t.Fatalf("event %d: %+v", i, e)
		}
	}
	if m.events = append(m.events, events(251)[250]); len(m.next) != 1 {
		t.Error(m.next)
	}
	tell(t, m, s.URL+"/secret-path")
	if len(got) != 251 || got[250].Data.Index != 250 {
		t.Errorf("after a restart %d events", len(got))
	}
}

// A chat gets a line of text in which nothing becomes a link; a redirect is not followed.
func TestChatAndRedirect(t *testing.T) {
	var texts []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	moved := true
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if moved {
			moved = false
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
			return
		}
		var v map[string]string
		if err := json.NewDecoder(r.Body).Decode(&v); err != nil || len(v) != 1 || r.Header.Get("Webhook-Signature") != "" {
			t.Errorf("%v, %v", v, err)
		}
		texts = append(texts, v["text"])
	}))
	defer s.Close()
	tell(t, &memory{events: events(1), next: map[string]int64{}}, "chat+"+s.URL)
	if len(texts) != 1 || texts[0] != "cora proposed &lt;thing&gt; 0\n! look" {
		t.Errorf("%q", texts)
	}
}

// An error of the log ends the telling with a reason; nothing is skipped.
type broken struct{ *memory }

func (broken) Follow(context.Context, int64, int) ([]api.Event, error) {
	return nil, errors.New("disk")
}

func TestBrokenLog(t *testing.T) {
	r, _ := Parse("http://127.0.0.1:1/", key)
	err := Teller{Log: broken{&memory{next: map[string]int64{}}}}.Tell(t.Context(), r)
	if err == nil || !strings.Contains(err.Error(), "disk") || strings.Contains(err.Error(), "http://") {
		t.Error(err)
	}
}

func TestParse(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://hooks.example/x": true, "chat+https://hooks.example/x": true, "http://127.0.0.1:9/x": true, "http://localhost/x": true,
		"http://hooks.example/x": false, "ftp://hooks.example": false, "https://": false, "hooks.example": false, "": false, "https://u:p@hooks.example/": false,
	} {
		if _, err := Parse(address, key); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := Parse("https://hooks.example/x", []byte("short")); err == nil {
		t.Error("a short key")
	}
	a, _ := Parse("https://hooks.example/x", key)
	b, _ := Parse("chat+https://hooks.example/x", key)
	if a.Name() == b.Name() || strings.Contains(a.Name(), "hooks") {
		t.Error(a.Name())
	}
}
