package harness

import (
	"context"
	"crypto/rand"
	"net/http/httptest"
	"testing"
	"time"

	"proctor/harness/cosig"
	"proctor/harness/store"
	"proctor/harness/verdict"
	"proctor/harness/witness"
)

// A service that has a witness proves entries under a cosigned checkpoint; a witness
// that is away holds up nobody for long.
func TestCosign(t *testing.T) {
	w := newWorld(t)
	w.logRuns(2)
	secret, err := cosig.Generate("w.example", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := cosig.ParseSigner(secret, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := witness.Create(dir + "/state"); err != nil {
		t.Fatal(err)
	}
	wit, err := witness.Open(dir+"/state", signer, []string{w.s.LogKey})
	if err != nil {
		t.Fatal(err)
	}
	defer wit.Close()
	server := httptest.NewServer(wit)
	defer server.Close()
	peer, err := witness.ParsePeer(signer.Verifier().Key() + " " + server.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.s.Witnesses = []*witness.Peer{peer}
	ctx, stop := context.WithCancel(context.Background())
	asked := make(chan struct{})
	go func() { w.s.Cosign(ctx); close(asked) }()

	keys, err := w.s.Trust()
	if err != nil || len(keys.Witnesses) != 1 {
		t.Fatalf("%v %v", keys.Witnesses, err)
	}
	trust, err := w.s.trust.WithWitnesses(keys.Witnesses)
	if err != nil {
		t.Fatal(err)
	}
	last := func() *verdict.Verified {
		t.Helper()
		_, tree := w.s.Head.Checkpoint()
		at := tree.N - 1
		proof, err := w.s.prove(ctx, at)
		if err != nil {
			t.Fatal(err)
		}
		var env *verdict.Envelope
		if err := w.store.View(ctx, func(tx *store.Tx) (err error) { env, err = w.s.envelope(tx, at); return err }); err != nil {
			t.Fatal(err)
		}
		b, err := verdict.Bundle(env, verdict.Proof(proof), w.s.LogKey)
		if err != nil {
			t.Fatal(err)
		}
		v, err := verdict.Verify(b, trust, verdict.Expectation{Type: env.Type(), AnySubject: true})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := last(); len(v.Witnesses) != 1 || v.Witnesses[0].Name != "w.example" {
		t.Errorf("at start: %v", v.Witnesses)
	}
	w.seal(1) // more entries
	if v := last(); len(v.Witnesses) != 1 || v.Index < 4 {
		t.Errorf("after more entries: %v", v.Witnesses)
	}
	if b, err := w.s.LogCheckpoint(); err != nil || len(b) == 0 {
		t.Error(err)
	}
	_, tree := w.s.Head.Checkpoint()
	stop()
	<-asked
	server.Close()
	w.rule(testPolicy)
	short, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	w.s.cosigned.wait(short, tree.N) // ends with its context
	if signed, have := w.s.cosigned.get(); have.N != tree.N || len(signed) == 0 {
		t.Errorf("a witness that is away signed %d entries", have.N)
	}
}
