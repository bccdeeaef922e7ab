package gate

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

// Every result that exists, and a hundred words that are none, in evidence and in what
// looks like an approval, signed by the right key and logged: PASSED alone opens, and
// only in an approval.
func TestResults(t *testing.T) {
	s := newScene(t)
	words := []string{"PASS", "PASSED", "FAIL", "FAILED", "INCONCLUSIVE", "NEEDS_REVIEW", "HOLDS", "UNDECIDED", "NOT_APPLICABLE", "", "pass", "Passed", "true", "0", "null"}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		words = append(words, fmt.Sprintf("%c%x", 'A'+rng.IntN(26), rng.Uint32()))
	}
	env, _ := s.w.Issue(t, s.evidence)
	approval, err := verdict.Prepare(s.w.Approval(t, env))
	must(t, err)
	signed, err := verdict.Issue(t.Context(), approval, s.w.Approve)
	must(t, err)
	opened := 0
	for _, word := range words {
		for _, x := range []struct {
			payload  []byte
			old, key string
			by       verdict.Signer
		}{
			{env.Payload(), `"result":"PASS"`, "result", s.w.Evidence},
			{signed.Payload(), `"verificationResult":"PASSED"`, "verificationResult", s.w.Approve},
		} {
			text := bytes.Replace(x.payload, []byte(x.old), fmt.Appendf(nil, "%q:%q", x.key, word), 1)
			if !bytes.Contains(x.payload, []byte(x.old)) {
				t.Fatalf("%s is not in %s", x.old, x.payload)
			}
			in := s.in
			in.Evidence, in.Approval = nil, s.w.Bundle(t, verdicttest.Forgery{Payload: text, Key: x.by}, nil)
			_, err := Check(in)
			var r *Refusal
			if open := x.key == "verificationResult" && word == "PASSED"; (err == nil) != open || !open && !errors.As(err, &r) {
				t.Errorf("%s %q: %v", x.key, word, err)
			} else if open {
				opened++
			}
		}
	}
	if opened != 1 {
		t.Errorf("%d opened", opened)
	}
}
