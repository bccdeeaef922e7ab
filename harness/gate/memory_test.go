package gate

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"proctor/harness/cosig"
	"proctor/harness/verdict/verdicttest"
)

// cosign pins n witnesses and lets the first k sign the approval's checkpoint at a time.
func (s *scene) cosign(n, k int, at time.Time) {
	s.t.Helper()
	var keys []string
	var signers []*cosig.Signer
	for i := range n {
		secret, err := cosig.Generate("w.example/"+string(rune('a'+i)), rand.Reader)
		must(s.t, err)
		c, err := cosig.ParseSigner(secret, func() time.Time { return at })
		must(s.t, err)
		keys, signers = append(keys, c.Verifier().Key()), append(signers, c)
	}
	var err error
	s.in.Trust, err = s.w.Trust.WithWitnesses(keys)
	must(s.t, err)
	o := verdicttest.Parse(s.t, s.in.Approval)
	path := []any{"verificationMaterial", "tlogEntries", 0, "inclusionProof", "checkpoint", "envelope"}
	v, _ := o.At(path...)
	signed := []byte(v.(string))
	for _, c := range signers[:k] {
		signed = s.w.Cosign(s.t, signed, c)
	}
	o.Set(string(signed), path...)
	s.in.Approval, err = json.Marshal(o)
	must(s.t, err)
}

// Attacks on the history that a gate is shown, each stopped by the step that names it.
func TestHistoryAttacks(t *testing.T) {
	for name, c := range map[string]struct {
		step  int // 0: none stops it
		setup func(s *scene)
	}{
		"one of two, demanded":      {0, func(s *scene) { s.cosign(2, 1, verdicttest.At); s.in.Requirements.Witnesses = 1 }},
		"two of two, demanded":      {0, func(s *scene) { s.cosign(2, 2, verdicttest.At); s.in.Requirements.Witnesses = 2 }},
		"one, two demanded":         {9, func(s *scene) { s.cosign(2, 1, verdicttest.At); s.in.Requirements.Witnesses = 2 }},
		"none, one demanded":        {9, func(s *scene) { s.cosign(1, 0, verdicttest.At); s.in.Requirements.Witnesses = 1 }},
		"more demanded than pinned": {9, func(s *scene) { s.cosign(1, 1, verdicttest.At); s.in.Requirements.Witnesses = 2 }},
		"seen before":               {0, func(s *scene) { s.remember(s.in) }},
		"older bundle, still good": {0, func(s *scene) {
			old := s.in
			s.approve()
			s.remember(s.in)
			s.in.Approval, s.in.Evidence = old.Approval, old.Evidence
		}},
		"another history": {10, func(s *scene) { s.remember(s.in); s.in.Memory.Root = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }},
		"rolled back": {10, func(s *scene) {
			s.cosign(1, 1, verdicttest.At.Add(time.Hour))
			s.in.Memory = Memory{Format: MemoryFormat, Size: 900, Root: "x", Time: verdicttest.At.Format(time.RFC3339)}
		}},
	} {
		s := newScene(t)
		c.setup(s)
		_, err := Check(s.in)
		var r *Refusal
		if errors.As(err, &r); c.step == 0 && err != nil || c.step > 0 && (r == nil || r.Step != c.step || r.Code != Denied) {
			t.Errorf("%s: %+v, want step %d", name, err, c.step)
			continue
		}
		s.in.without = map[int]bool{c.step: true}
		if _, err := Check(s.in); c.step > 0 && err != nil {
			t.Errorf("%s: without step %d: %v", name, c.step, err)
		}
	}
}

// remember looks once, and keeps what was seen.
func (s *scene) remember(in Input) {
	s.t.Helper()
	ok, err := Check(in)
	must(s.t, err)
	s.in.Memory = ok.Memory
}

// A clock that was set back by two days does not revive an approval, once the gate has
// seen, or the bundle shows, a witness's time.
func TestClockBack(t *testing.T) {
	ended := verdicttest.At.AddDate(0, 0, 8)
	for name, setup := range map[string]func(s *scene){
		"the bundle's witness": func(s *scene) { s.cosign(1, 1, ended) },
		"the gate's memory": func(s *scene) {
			s.in.Memory = Memory{Format: MemoryFormat, Size: 900, Root: "x", Time: ended.Format(time.RFC3339)}
		},
	} {
		s := newScene(t)
		setup(s)
		s.in.Now = ended.Add(-48 * time.Hour)
		_, err := Check(s.in)
		var r *Refusal
		if !errors.As(err, &r) || r.Step != 5 || r.Code != Stale {
			t.Errorf("%s: %v", name, err)
		}
		s.in.without = map[int]bool{clockStep: true}
		if _, err := Check(s.in); err != nil {
			t.Errorf("%s: it is not that time which refuses: %v", name, err)
		}
	}
}

func TestParseMemory(t *testing.T) {
	s := newScene(t)
	s.cosign(1, 1, verdicttest.At)
	s.remember(s.in)
	text, err := json.Marshal(s.in.Memory)
	must(t, err)
	if m, err := ParseMemory(text); err != nil || m != s.in.Memory || m.Time != "2026-09-14T12:00:00Z" || m.Size < 2 {
		t.Errorf("%+v %v", m, err)
	}
	for _, bad := range []string{"", "{}", "null", `{"format":"proctor/gate-memory/2","size":"1","root":"r","time":""}`, `{"format":"proctor/gate-memory/1","size":"0","root":"r","time":""}`,
		`{"format":"proctor/gate-memory/1","size":"1","root":"r","time":"today"}`, `{"format":"proctor/gate-memory/1","size":"1","root":"r","time":"","x":1}`} {
		if _, err := ParseMemory([]byte(bad)); err == nil {
			t.Errorf("%s is taken for a memory", bad)
		}
	}
}
