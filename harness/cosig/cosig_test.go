package cosig

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
)

var at = time.Date(2026, 9, 14, 12, 0, 0, 0, time.UTC)

func signer(t *testing.T, name string, seed byte) *Signer {
	t.Helper()
	secret, err := Generate(name, bytes.NewReader(bytes.Repeat([]byte{seed}, 64)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseSigner(secret, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const text = "log.proctor.example\n3\nnND/nri/U0xuHUrYSy0HtMeal2vzD9V4k/BO79C+QeI=\n"

// A note with a cosignature is a note that any reader of notes verifies, given our
// verifier; its parts are those of the specification, put together here by hand.
func TestCosign(t *testing.T) {
	s := signer(t, "witness.example/w1", 1)
	signed, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		t.Fatal(err)
	}
	v, err := ParseVerifier(s.Verifier().Key())
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil || len(n.Sigs) != 1 {
		t.Fatalf("%v %v", n, err)
	}
	if got, err := Time(n.Sigs[0]); err != nil || !got.Equal(at) {
		t.Errorf("%v %v", got, err)
	}
	raw, _ := base64.StdEncoding.DecodeString(n.Sigs[0].Base64)
	if got := binary.BigEndian.Uint64(raw[4:12]); got != uint64(at.Unix()) {
		t.Errorf("time %d", got)
	}
	message := "cosignature/v1\ntime 1789387200\n" + text
	if !ed25519.Verify(v.pub, []byte(message), raw[12:]) {
		t.Error("the signature does not cover header, time and text")
	}
	if v.Key() != s.Verifier().Key() || !strings.HasPrefix(v.Key(), "witness.example/w1+"+hex.EncodeToString(raw[:4])+"+B") {
		t.Errorf("key %s", v.Key())
	}
}

// Any changed byte of text, time or signature is refused.
func TestChanged(t *testing.T) {
	s := signer(t, "w", 1)
	sig, err := s.Sign([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if !s.v.Verify([]byte(text), sig) {
		t.Fatal("the honest one is refused")
	}
	for i := range sig {
		c := bytes.Clone(sig)
		c[i] ^= 1
		if s.v.Verify([]byte(text), c) {
			t.Errorf("byte %d changed: accepted", i)
		}
	}
	for name, c := range map[string]bool{
		"another text": s.v.Verify([]byte(text+"x"), sig), "cut": s.v.Verify([]byte(text), sig[:71]), "longer": s.v.Verify([]byte(text), append(bytes.Clone(sig), 0)),
		"another key": signer(t, "w", 2).v.Verify([]byte(text), sig), "no key": new(Verifier).Verify([]byte(text), sig), "nothing": s.v.Verify([]byte(text), nil),
	} {
		if c {
			t.Errorf("%s: accepted", name)
		}
	}
	// A plain signature of the note is no cosignature: the key's kind is in its hash.
	if ed25519.Verify(s.v.pub, []byte(text), sig[8:]) {
		t.Error("the signature covers the bare text")
	}
}

func TestKeys(t *testing.T) {
	good := signer(t, "w", 1).Verifier().Key()
	for _, key := range []string{"", "w", good + "A", good[1:], strings.Replace(good, "w+", "v+", 1), strings.Replace(good, "+B", "+A", 1), "a b+" + good[2:], strings.ToUpper(good)} {
		if _, err := ParseVerifier(key); err == nil {
			t.Errorf("%q is taken for a key", key)
		}
	}
	if _, err := ParseVerifier(good); err != nil {
		t.Error(err)
	}
	secret, _ := Generate("w", bytes.NewReader(bytes.Repeat([]byte{1}, 64)))
	for _, s := range []string{"", good, secret[:len(secret)-1], strings.Replace(secret, "+w+", "+v+", 1), "x" + secret} {
		if _, err := ParseSigner(s, time.Now); err == nil || strings.Contains(err.Error(), secret[20:]) {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, name := range []string{"", "a b", "a+b", "a\n", "é", strings.Repeat("x", 254)} {
		if _, err := Generate(name, bytes.NewReader(make([]byte, 64))); err == nil {
			t.Errorf("a key of the name %q", name)
		}
	}
	s := signer(t, "w", 1)
	s.Now = func() time.Time { return time.Unix(0, 0) }
	if _, err := s.Sign([]byte(text)); err == nil {
		t.Error("signed in 1970")
	}
}
