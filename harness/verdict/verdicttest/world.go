// Package verdicttest makes throw-away keys, a log in memory, and bundles, honest
// and forged, for tests of what checks bundles.
//
// Nothing here is mocked: keys sign, the log is the real one. Forged bundles are
// put together from plain JSON by code of their own, so that they may be anything.
package verdicttest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	xtlog "golang.org/x/mod/sumdb/tlog"

	"proctor/harness/tlog"
	"proctor/harness/verdict"
)

// Names that the honest statements of a World carry.
const (
	Origin      = "log.proctor.example"
	VerifierID  = "https://proctor.example/verifier"
	ResourceURI = "https://proctor.example/gates/income"
	PolicyURI   = "https://proctor.example/policies/income-release"
)

// At is when a World's statements are made.
var At = time.Date(2026, 9, 14, 12, 0, 0, 0, time.UTC)

// Digest returns a digest that is well formed: one hex digit, 64 times.
func Digest(digit string) string { return "sha256:" + strings.Repeat(digit, 64) }

// A World is a service's keys and log.
type World struct {
	Evidence, Approve verdict.Signer
	Log               *tlog.Log
	Head              *tlog.Head
	Store             *Store
	Trust             verdict.Trust
	logKey            string // file
}

// New makes a world in the test's temporary folder.
func New(t testing.TB) *World {
	t.Helper()
	dir := t.TempDir()
	w := &World{Store: &Store{}, logKey: filepath.Join(dir, "log.key")}
	var err error
	for name, into := range map[string]*verdict.Signer{"evidence.pem": &w.Evidence, "approve.pem": &w.Approve} {
		if *into, err = verdict.CreateKey(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if w.Log, err = tlog.CreateKey(w.logKey, Origin, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if err := tlog.CreateHead(filepath.Join(dir, "head"), w.Log); err != nil {
		t.Fatal(err)
	}
	if w.Head, err = tlog.OpenHead(filepath.Join(dir, "head"), w.Log); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Head.Close() })
	if w.Trust, err = verdict.NewTrust(w.Evidence.Public(), w.Approve.Public(), w.Log.Key()); err != nil {
		t.Fatal(err)
	}
	return w
}

// Passed returns honest evidence on a package, which a test may then change.
func Passed(pkg string) *verdict.Evidence {
	value, low, high, bound, visible := 0.9, -0.2, 2.0, -1.0, 1.25
	return &verdict.Evidence{
		Run: verdict.Run{ID: "run-1", Verifier: VerifierID, Harness: Digest("a"), Lineage: "income"},
		Inputs: verdict.Inputs{
			Candidate: verdict.Ref{Name: "v2", Digest: pkg},
			Baseline:  &verdict.Ref{Name: "v1", Digest: Digest("b")},
			Policy:    verdict.Ref{Name: "income-release", Version: 3, Digest: Digest("c")},
			Holdouts:  []verdict.Ref{{Name: "census", Version: 1, Digest: Digest("d")}},
			Suites:    []verdict.Ref{{Name: "income-triggers", Version: 1, Digest: Digest("e")}},
			Required:  []string{"overall", "triggers"},
		},
		Plan: 0, Seed: strings.Repeat("0f", 32), Tier: "jail", Binding: "package", Attempt: 1, Budget: 6,
		Result: verdict.Pass, Sentence: "better on every count that was demanded", Report: Digest("f"),
		Findings: []verdict.Finding{
			{Claim: "overall", List: "prove", Outcome: "HOLDS", Metric: "accuracy@1", Unit: "pp", Value: &value, Low: &low, High: &high, N: 1<<53 + 1, Bound: &bound, Visible: &visible, Sentence: "accuracy rose"},
			{Claim: "triggers", List: "watch", Outcome: "HOLDS", Subject: "income-triggers/rare-gain", Metric: "failure_rate@1", Unit: "pp", N: 121, Sentence: "no trigger was found"},
		},
		NotCovered: []string{"race=Other: 86 rows are too few"},
		At:         At.Format(time.RFC3339),
	}
}

// SeedSHA256 returns what a plan says of the seed of evidence.
func SeedSHA256(e *verdict.Evidence) string {
	seed, err := hex.DecodeString(e.Seed)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(seed))
}

// Checkpoint signs the tree of any storage with the log's key, as its thief can.
func (w *World) Checkpoint(t testing.TB, s *Store) []byte {
	t.Helper()
	n := int64(len(s.Entries))
	root, err := xtlog.TreeHash(n, xtlog.HashReaderFunc(s.LogHashes))
	if err != nil {
		t.Fatal(err)
	}
	return w.Note(t, fmt.Sprintf("%s\n%d\n%s\n", Origin, n, root))
}

// Cosign adds a witness's line to a checkpoint of this log.
func (w *World) Cosign(t testing.TB, signed []byte, by note.Signer) []byte {
	t.Helper()
	v, err := note.NewVerifier(w.Log.Key())
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	b, err := note.Sign(n, by)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Signer returns the key that signs a statement.
func (w *World) Signer(s verdict.Statement) verdict.Signer {
	switch s.(type) {
	case *verdict.Approval, *verdict.Revocation, *verdict.RevocationList, *verdict.Waiver:
		return w.Approve
	}
	return w.Evidence
}

// Issue prepares, signs, logs and bundles a statement.
func (w *World) Issue(t testing.TB, s verdict.Statement) (*verdict.Envelope, []byte) {
	t.Helper()
	p, err := verdict.Prepare(s)
	if err != nil {
		t.Fatal(err)
	}
	e, err := verdict.Issue(context.Background(), p, w.Signer(s))
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := e.Leaf()
	if err != nil {
		t.Fatal(err)
	}
	proof := w.Append(t, leaf)
	b, err := verdict.Bundle(e, verdict.Proof(proof), w.Log.Key())
	if err != nil {
		t.Fatal(err)
	}
	return e, b
}

// Approval returns an approval of evidence for ResourceURI, for 7 days from At on.
func (w *World) Approval(t testing.TB, evidence *verdict.Envelope) *verdict.Approval {
	t.Helper()
	a, err := verdict.NewApproval(evidence, ResourceURI, PolicyURI, At, 7)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Revocations returns a signed list of what is revoked, as a service publishes it, made
// at At.
func (w *World) Revocations(t testing.TB, revoked ...verdict.Revoked) []byte {
	t.Helper()
	return w.List(t, &verdict.RevocationList{
		Verifier: VerifierID, Log: Origin, Sequence: 900, Root: Digest("8"), Revoked: append([]verdict.Revoked{}, revoked...),
		At: At.Format(time.RFC3339), Expires: At.Add(24 * time.Hour).Format(time.RFC3339),
	})
}

// List signs a list of what is revoked.
func (w *World) List(t testing.TB, l *verdict.RevocationList) []byte {
	t.Helper()
	p, err := verdict.Prepare(l)
	if err != nil {
		t.Fatal(err)
	}
	e, err := verdict.Issue(context.Background(), p, w.Approve)
	if err != nil {
		t.Fatal(err)
	}
	return e.Bytes()
}

// Append logs a leaf and proves it.
func (w *World) Append(t testing.TB, leaf []byte) tlog.Proof {
	t.Helper()
	i, err := tlog.Append(w.Store, tlog.Entry{Leaf: leaf})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Head.Advance(w.Store.View); err != nil {
		t.Fatal(err)
	}
	p, err := w.Head.Prove(w.Store, i)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Note signs any text with the log's key, as its thief can.
func (w *World) Note(t testing.TB, text string) []byte {
	t.Helper()
	secret, err := os.ReadFile(w.logKey)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(strings.TrimSpace(string(secret)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A Store is a log's storage in memory, for one goroutine. Its fields are for
// tests that tamper.
type Store struct {
	Entries []tlog.Entry
	Hashes  []tlog.Hash
}

// View runs f on the store.
func (s *Store) View(f func(tlog.Tx) error) error { return f(s) }

// Clone returns a copy, as a restored backup or a second history would be.
func (s *Store) Clone() *Store {
	return &Store{append([]tlog.Entry(nil), s.Entries...), append([]tlog.Hash(nil), s.Hashes...)}
}

// LogSize implements [tlog.Tx].
func (s *Store) LogSize() (int64, error) { return int64(len(s.Entries)), nil }

// LogEntry implements [tlog.Tx].
func (s *Store) LogEntry(i int64) (tlog.Entry, error) {
	if i < 0 || i >= int64(len(s.Entries)) {
		return tlog.Entry{}, errors.New("no such entry")
	}
	return s.Entries[i], nil
}

// LogHashes implements [tlog.Tx].
func (s *Store) LogHashes(at []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range at {
		if i < 0 || i >= int64(len(s.Hashes)) {
			return nil, errors.New("no such hash")
		}
		out = append(out, s.Hashes[i])
	}
	return out, nil
}

// AddLogEntry implements [tlog.Tx].
func (s *Store) AddLogEntry(i int64, e tlog.Entry) error {
	if i != int64(len(s.Entries)) {
		return errors.New("the index is taken, or leaves a gap")
	}
	s.Entries = append(s.Entries, e)
	return nil
}

// AddLogHashes implements [tlog.Tx].
func (s *Store) AddLogHashes(first int64, hs []tlog.Hash) error {
	if first != int64(len(s.Hashes)) {
		return errors.New("the index is taken, or leaves a gap")
	}
	s.Hashes = append(s.Hashes, hs...)
	return nil
}
