package witness

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"proctor/harness/cosig"
	"proctor/harness/tlog"
	"proctor/harness/verdict/verdicttest"
)

// A scene is a log and a witness of it.
type scene struct {
	t    *testing.T
	w    *verdicttest.World
	path string
	sign *cosig.Signer
	wit  *Witness
}

func newScene(t *testing.T) *scene {
	t.Helper()
	secret, err := cosig.Generate("w.example", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{t: t, w: verdicttest.New(t), path: filepath.Join(t.TempDir(), "state")}
	if s.sign, err = cosig.ParseSigner(secret, func() time.Time { return verdicttest.At }); err != nil {
		t.Fatal(err)
	}
	if err := Create(s.path); err != nil {
		t.Fatal(err)
	}
	s.open()
	return s
}

func (s *scene) open() {
	s.t.Helper()
	var err error
	if s.wit, err = Open(s.path, s.sign, []string{s.w.Log.Key()}); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { s.wit.Close() })
}

func grow(t *testing.T, st *verdicttest.Store, n int, text string) {
	t.Helper()
	for i := range n {
		if _, err := tlog.Append(st, tlog.Entry{Leaf: fmt.Appendf(nil, "%s %d", text, i)}); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *scene) add(st *verdicttest.Store, old int64) ([]byte, error) {
	s.t.Helper()
	n, _ := st.LogSize()
	proof, err := tlog.Consistency(st, min(old, n), n)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.wit.Add(old, proof, s.w.Checkpoint(s.t, st))
}

// A log that grows is cosigned, also after a new start; the same checkpoint twice too.
func TestGrows(t *testing.T) {
	s := newScene(t)
	last := int64(0)
	for i := range 5 {
		grow(t, s.w.Store, i*3, fmt.Sprint(i))
		for range 2 {
			line, err := s.add(s.w.Store, last)
			if err != nil || !strings.HasPrefix(string(line), "— w.example ") {
				t.Fatalf("step %d: %q %v", i, line, err)
			}
			last, _ = s.w.Store.LogSize()
		}
		s.wit.Close()
		s.open()
	}
}

// Of two histories of one key, the witness signs the first; with the memory taken
// away it signs both, so that it is the memory that refuses.
func TestFork(t *testing.T) {
	s := newScene(t)
	grow(t, s.w.Store, 5, "a")
	other := s.w.Store.Clone()
	if _, err := s.add(s.w.Store, 0); err != nil {
		t.Fatal(err)
	}
	grow(t, s.w.Store, 3, "mine")
	grow(t, other, 3, "yours")
	if _, err := s.add(s.w.Store, 5); err != nil {
		t.Fatal(err)
	}
	var conflict *ConflictError
	if _, err := s.add(other, 5); !errors.As(err, &conflict) || conflict.Size != 8 {
		t.Errorf("another history of the same size: %v", err)
	}
	if _, err := s.add(other, 8); !errors.As(err, &conflict) {
		t.Errorf("as if it were the one seen: %v", err)
	}
	grow(t, other, 3, "more")
	if _, err := s.add(other, 8); !errors.Is(err, ErrProof) {
		t.Errorf("a longer one: %v", err)
	}
	rolled := &verdicttest.Store{}
	grow(t, rolled, 5, "a")
	if _, err := s.add(rolled, 5); !errors.As(err, &conflict) {
		t.Errorf("rolled back: %v", err)
	}
	if _, err := s.wit.Add(8, nil, s.w.Checkpoint(t, rolled)); !errors.Is(err, ErrMalformed) {
		t.Errorf("fewer entries than seen: %v", err)
	}
	s.wit.Close()
	if err := os.Remove(s.path); err != nil {
		t.Fatal(err)
	}
	if err := Create(s.path); err != nil {
		t.Fatal(err)
	}
	s.open()
	if _, err := s.add(other, 0); err != nil {
		t.Errorf("it is not the memory that refuses: %v", err)
	}
}

// What it cannot keep it does not sign.
func TestKeepsFirst(t *testing.T) {
	s := newScene(t)
	grow(t, s.w.Store, 2, "a")
	if err := os.Mkdir(s.path+".new", 0o700); err != nil { // the new file cannot be made
		t.Fatal(err)
	}
	if line, err := s.add(s.w.Store, 0); err == nil {
		t.Errorf("signed %q and did not keep it", line)
	}
	if err := os.Remove(s.path + ".new"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.add(s.w.Store, 0); err != nil {
		t.Error(err)
	}
}

func TestState(t *testing.T) {
	s := newScene(t)
	if err := Create(s.path); !errors.Is(err, os.ErrExist) {
		t.Errorf("a state was replaced: %v", err)
	}
	if _, err := Open(s.path, s.sign, []string{s.w.Log.Key()}); err == nil {
		t.Error("two processes hold one state")
	}
	s.wit.Close()
	for _, text := range []string{"", "{}", `{"format":"proctor/witness-state/1","logs":{"a":{"size":"1","root":"AA=="}}}`, `{"format":"x","logs":{}}`} {
		if err := os.WriteFile(s.path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if w, err := Open(s.path, s.sign, []string{s.w.Log.Key()}); err == nil {
			w.Close()
			t.Errorf("%q is taken for a state", text)
		}
	}
	os.Remove(s.path)
	if _, err := Open(s.path, s.sign, []string{s.w.Log.Key()}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a lost state was made anew: %v", err)
	}
	for _, keys := range [][]string{nil, {"x"}, {s.w.Log.Key(), s.w.Log.Key()}} {
		if _, err := Open(s.path, s.sign, keys); err == nil {
			t.Errorf("logs %q", keys)
		}
	}
}

// Each status of C2SP tlog-witness.
func TestHTTP(t *testing.T) {
	s := newScene(t)
	grow(t, s.w.Store, 3, "a")
	checkpoint := s.w.Checkpoint(t, s.w.Store)
	stranger := verdicttest.New(t)
	otherName := []byte(strings.Replace(string(checkpoint), "log.proctor.example", "log.other.example", 1))
	hash := strings.Repeat("A", 43) + "="
	post := func(body string) (int, string) {
		r := httptest.NewRecorder()
		s.wit.ServeHTTP(r, httptest.NewRequest("POST", "/add-checkpoint", strings.NewReader(body)))
		return r.Code, r.Body.String()
	}
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"no body": {"", 400}, "no old": {"\n\n" + string(checkpoint), 400}, "old -1": {"old -1\n\n" + string(checkpoint), 400}, "old 01": {"old 01\n\n" + string(checkpoint), 400},
		"a bad hash": {"old 0\nAAAA\n\n" + string(checkpoint), 400}, "64 hashes": {"old 0\n" + strings.Repeat(hash+"\n", 64) + "\n" + string(checkpoint), 400},
		"too long": {"old 0\n\n" + strings.Repeat("x", maxRequest), 400}, "unknown log": {"old 0\n\n" + string(otherName), 404},
		"another key": {"old 0\n\n" + string(stranger.Checkpoint(t, s.w.Store)), 403}, "wrong old": {"old 2\n\n" + string(checkpoint), 409}, "a proof from nothing": {"old 0\n" + hash + "\n\n" + string(checkpoint), 422},
	} {
		if status, body := post(c.body); status != c.status || status == 409 && body != "0\n" {
			t.Errorf("%s: %d %q, want %d", name, status, body, c.status)
		}
	}
	if status, body := post("old 0\n\n" + string(checkpoint)); status != 200 || !strings.HasPrefix(body, "— w.example ") {
		t.Errorf("%d %q", status, body)
	}
	grow(t, s.w.Store, 2, "b")
	if status, _ := post("old 3\n" + hash + "\n\n" + string(s.w.Checkpoint(t, s.w.Store))); status != 422 {
		t.Errorf("a false proof: %d", status)
	}
	r := httptest.NewRecorder()
	s.wit.ServeHTTP(r, httptest.NewRequest("GET", "/add-checkpoint", nil))
	if r.Code != 405 {
		t.Errorf("GET: %d", r.Code)
	}
}

// A log asks: it learns what the witness knows, and believes no false line.
func TestPeer(t *testing.T) {
	s := newScene(t)
	server := httptest.NewServer(s.wit)
	defer server.Close()
	grow(t, s.w.Store, 4, "a")
	if _, err := s.add(s.w.Store, 0); err != nil { // the witness knows more than the log thinks
		t.Fatal(err)
	}
	grow(t, s.w.Store, 4, "b")
	p, err := ParsePeer(s.sign.Verifier().Key() + " " + server.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	prove := func(old int64) ([]tlog.Hash, error) {
		n, _ := s.w.Store.LogSize()
		return tlog.Consistency(s.w.Store, old, n)
	}
	checkpoint := s.w.Checkpoint(t, s.w.Store)
	line, err := p.Ask(context.Background(), checkpoint, 8, prove)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.check(checkpoint, line); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string][]byte{"nothing": nil, "two lines": append(line, line...), "changed": []byte(strings.Replace(string(line), "AAAA", "AAAB", 1)), "no end": line[:len(line)-1]} {
		if p.check(checkpoint, bad) == nil {
			t.Errorf("%s: taken for a cosignature", name)
		}
	}
	if _, err := p.Ask(context.Background(), verdicttest.New(t).Checkpoint(t, s.w.Store), 8, prove); err == nil {
		t.Error("a witness signed for another key")
	}
	server.Close()
	if _, err := p.Ask(context.Background(), checkpoint, 8, prove); err == nil {
		t.Error("nobody answered, and all was well")
	}
	for _, bad := range []string{"", "x", "x http://a", s.sign.Verifier().Key(), s.sign.Verifier().Key() + " ftp://a"} {
		if _, err := ParsePeer(bad); err == nil {
			t.Errorf("%q is taken for a witness", bad)
		}
	}
}
