package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"proctor/harness/report"
	"proctor/web/api"
	"proctor/web/client"
)

func clientOf(t *testing.T, f *fake) func(account string) *client.Client {
	s := httptest.NewServer(newServer(f))
	t.Cleanup(s.Close)
	return func(account string) *client.Client { return &client.Client{Base: s.URL + "/", Token: token(account)} }
}

// Each call of the client arrives at the service as it was meant, names with
// slashes and spaces included, and its answer arrives back.
func TestClient(t *testing.T) {
	f := newFake(t)
	as := clientOf(t, f)
	ctx := context.Background()
	did := func(what string, err error, want string) {
		t.Helper()
		if got := strings.Join(f.done(), ";"); err != nil || got != want {
			t.Errorf("%s did %q, want %q: %v", what, got, want, err)
		}
	}
	s, err := as("sue").Submit(ctx, "a/b c", "v 9&x=1", strings.NewReader("tar"))
	did("submit", err, "submit a/b c v 9&x=1 tar")
	if got, err := as("sue").Submission(ctx, s.ID); err != nil || got != s {
		t.Errorf("submission %+v: %v", got, err)
	}
	if list, err := as("rae").Submissions(ctx, api.Search{}); err != nil || len(list) != len(f.runs) {
		t.Errorf("all: %d: %v", len(list), err)
	}
	if list, err := as("rae").Submissions(ctx, api.Search{Lineage: "a/b c", Limit: 5}); err != nil || len(list) != 1 {
		t.Errorf("one lineage: %d: %v", len(list), err)
	}
	q := api.Search{Lineage: "x", State: "done", Result: "PASS", Text: "a&b", Before: passID, Limit: 7}
	if _, err := as("rae").Submissions(ctx, q); err != nil || f.asked != q {
		t.Errorf("asked %+v: %v", f.asked, err)
	}
	got, err := as("olga").Cancel(ctx, waitID)
	did("cancel", err, "cancel "+waitID)
	if got.Reason != "canceled" {
		t.Errorf("canceled: %+v", got)
	}
	b, digest, err := as("rae").Report(ctx, passID)
	if err != nil || report.Digest(b) != digest {
		t.Errorf("report %s: %v", digest, err)
	}
	_, err = as("rae").Review(ctx, passID, api.Review{Approve: true, Reason: "read", Report: digest})
	did("review", err, "review run-pass true read")
	for _, which := range []string{"evidence", "approval"} {
		if b, err := as("rae").Bundle(ctx, passID, which); err != nil || !bytes.Contains(b, []byte("sigstore")) {
			t.Errorf("%s: %v", which, err)
		}
	}
	_, err = as("carl").ProposeHoldout(ctx, "csv", []byte("spec"), strings.NewReader("rows"), strings.NewReader("more"))
	did("holdout", err, "propose holdout csv/spec/rows/more")
	if v, err := as("carl").PreviewHoldout(ctx, "csv", []byte("spec"), strings.NewReader("rows"), strings.NewReader("more")); err != nil || !json.Valid(v) {
		t.Errorf("preview %s: %v", v, err)
	}
	_, err = as("carl").ProposeHoldout(ctx, "jsonl", []byte("spec"), strings.NewReader("rows"), nil)
	did("holdout without reserve", err, "propose holdout jsonl/spec/rows")
	_, err = as("carl").ProposeSuite(ctx, strings.NewReader("tar"))
	did("suite", err, "propose suite tar")
	_, err = as("pia").ProposePolicy(ctx, []byte("policy: p"))
	did("policy", err, "propose policy policy: p")
	_, err = as("rae").ProposeBaseline(ctx, "income", firstID)
	did("baseline", err, "propose baseline income run-first")
	_, err = as("carl").Decide(ctx, "change-suite", true)
	did("decide", err, "decide change-suite true")
	if v, err := as("pia").CheckPolicy(ctx, []byte("policy: p")); err != nil || !json.Valid(v) {
		t.Errorf("check %s: %v", v, err)
	}
	if v, err := as("pia").InitPolicy(ctx, "h", "l", []string{"a", "b"}); err != nil || string(v) != "policy: l\nholdouts: [h]\nsuites: [\"a\" \"b\"]\n" {
		t.Errorf("init %s: %v", v, err)
	}
	if v, err := as("rae").Holdout(ctx, "census-2026q3"); err != nil || !json.Valid(v) {
		t.Errorf("holdout %s: %v", v, err)
	}
	if v, err := as("rae").Changes(ctx); err != nil || len(v) != len(f.changes) {
		t.Errorf("changes %d: %v", len(v), err)
	}
	if v, err := as("sue").Trust(ctx); err != nil || v.Log == "" {
		t.Errorf("trust %+v: %v", v, err)
	}
	if v, err := as("abe").Audit(ctx); err != nil || !json.Valid(v) {
		t.Errorf("audit %s: %v", v, err)
	}
}

// A table that breaks off while it is read is never proposed as a shorter one.
func TestClientBrokenTable(t *testing.T) {
	f := newFake(t)
	_, err := clientOf(t, f)("carl").ProposeHoldout(context.Background(), "csv", []byte("spec"), &breaks{"a,b\n1,2\n"}, nil)
	if err == nil || f.done() != nil {
		t.Errorf("proposed, %v", err)
	}
}

type breaks struct{ first string }

func (b *breaks) Read(p []byte) (int, error) {
	if b.first == "" {
		return 0, errors.New("the disk is gone")
	}
	n := copy(p, b.first)
	b.first = b.first[n:]
	return n, nil
}

func TestClientErrors(t *testing.T) {
	f := newFake(t)
	as := clientOf(t, f)
	ctx := context.Background()
	for _, c := range []struct {
		account, id string
		status      int
		code        string
	}{
		{"rae", "none", 404, "not-found"},
		{"rae", "../changes", 404, "not-found"},
		{"stranger", passID, 401, "denied"},
	} {
		_, err := as(c.account).Submission(ctx, c.id)
		var e *client.Error
		if !errors.As(err, &e) || e.Status != c.status || e.Code != c.code || e.Message == "" || strings.Contains(err.Error(), token("")) {
			t.Errorf("%s, %s: %v", c.account, c.id, err)
		}
	}
}
