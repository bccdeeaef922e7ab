package cmd_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A receiver of webhooks keeps the sentences and alerts that it was told.
type receiver struct {
	mu   sync.Mutex
	said []string
	news chan struct{}
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var e struct {
		Data struct {
			Sentence string   `json:"sentence"`
			Alerts   []string `json:"alerts"`
		} `json:"data"`
	}
	if err := json.NewDecoder(req.Body).Decode(&e); err != nil || req.Header.Get("Webhook-Signature") == "" {
		http.Error(w, "not a signed event", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(append(r.said, e.Data.Sentence), e.Data.Alerts...)
	select {
	case r.news <- struct{}{}:
	default:
	}
}

func (r *receiver) heard(want *regexp.Regexp) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.said {
		if want.MatchString(s) {
			return true
		}
	}
	return false
}

func cmdReceive(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: receive")
	}
	r := &receiver{news: make(chan struct{}, 1)}
	s := httptest.NewServer(r)
	ts.Defer(s.Close)
	ts.Setenv("HOOK", s.URL)
	ts.Value("services").(*services).receiver = r
}

func cmdReceived(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: received REGEXP")
	}
	want, err := regexp.Compile(args[0])
	ts.Check(err)
	r := ts.Value("services").(*services).receiver
	for late := time.After(30 * time.Second); !r.heard(want); {
		select {
		case <-r.news:
		case <-late:
			ts.Fatalf("nothing like %s came: %q", want, r.said)
		}
	}
}
