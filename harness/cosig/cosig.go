// Package cosig makes and checks cosignatures: a witness's word that it saw a
// checkpoint, at a time, and that the log never showed it one that this one does not
// contain. The form is C2SP cosignature/v1 with Ed25519, a line of a signed note.
//
// It trusts the keys that it is given. A cosignature says nothing of what the log's
// entries say.
package cosig

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

const (
	algorithm = 4 // of the key, in notes
	sigSize   = 8 + ed25519.SignatureSize
)

// signed returns what a cosignature covers: the note's text under a header with the
// time, in seconds.
func signed(text []byte, at uint64) []byte {
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text)
}

// keyHash is the short name of a key in notes.
func keyHash(name string, pub []byte) uint32 {
	h := sha256.Sum256(append([]byte(name+"\n"), append([]byte{algorithm}, pub...)...))
	return binary.BigEndian.Uint32(h[:])
}

// A Verifier is a witness's pinned key. It implements [note.Verifier]. The zero value
// verifies nothing.
type Verifier struct {
	name string
	pub  ed25519.PublicKey
}

// ParseVerifier reads a verifier key "name+hash+base64".
func ParseVerifier(key string) (*Verifier, error) {
	bad := errors.New("witness key: not name+hash+base64 of an Ed25519 cosignature key")
	parts := strings.SplitN(key, "+", 3) // the last one is base64, which may hold a plus
	if len(parts) != 3 || !nameOK(parts[0]) {
		return nil, bad
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != algorithm {
		return nil, bad
	}
	v := &Verifier{parts[0], raw[1:]}
	if v.Key() != key {
		return nil, bad
	}
	return v, nil
}

// nameOK is what notes demand of names.
func nameOK(s string) bool {
	return s != "" && len(s) <= 253 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '+' })
}

// Key returns the verifier key, which readers pin.
func (v *Verifier) Key() string {
	return fmt.Sprintf("%s+%08x+%s", v.name, v.KeyHash(), base64.StdEncoding.EncodeToString(append([]byte{algorithm}, v.pub...)))
}

// Name implements [note.Verifier].
func (v *Verifier) Name() string { return v.name }

// KeyHash implements [note.Verifier].
func (v *Verifier) KeyHash() uint32 { return keyHash(v.name, v.pub) }

// Verify implements [note.Verifier].
func (v *Verifier) Verify(text, sig []byte) bool {
	if len(v.pub) != ed25519.PublicKeySize || len(sig) != sigSize {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	return at > 0 && at < 1<<62 && ed25519.Verify(v.pub, signed(text, at), sig[8:])
}

// Time returns when a verified signature line of a note was made, in UTC.
func Time(s note.Signature) (time.Time, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(s.Base64)
	if err != nil || len(raw) != 4+sigSize {
		return time.Time{}, errors.New("cosignature: not of version 1")
	}
	return time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0).UTC(), nil
}

// A Signer is a witness's secret key. It implements [note.Signer] at the time of Now.
type Signer struct {
	Now func() time.Time
	key ed25519.PrivateKey
	v   *Verifier
}

const secretPrefix = "PRIVATE+KEY+"

// ErrName says that a name cannot be a witness's.
var ErrName = errors.New("name of a witness")

// Generate makes a key and its secret form, which [ParseSigner] reads.
func Generate(name string, rand io.Reader) (secret string, err error) {
	if !nameOK(name) {
		return "", fmt.Errorf("%w: %.80q is empty, too long or has spaces or plus signs", ErrName, name)
	}
	pub, key, err := ed25519.GenerateKey(rand)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s%s+%08x+%s", secretPrefix, name, keyHash(name, pub), base64.StdEncoding.EncodeToString(append([]byte{algorithm}, key.Seed()...))), nil
}

// ParseSigner reads a secret key. Its errors never quote it.
func ParseSigner(secret string, now func() time.Time) (*Signer, error) {
	bad := errors.New("witness key: the file holds no cosignature key")
	rest, ok := strings.CutPrefix(secret, secretPrefix)
	parts := strings.SplitN(rest, "+", 3)
	if !ok || len(parts) != 3 || !nameOK(parts[0]) {
		return nil, bad
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(raw) != 1+ed25519.SeedSize || raw[0] != algorithm {
		return nil, bad
	}
	key := ed25519.NewKeyFromSeed(raw[1:])
	v := &Verifier{parts[0], key.Public().(ed25519.PublicKey)}
	if parts[1] != fmt.Sprintf("%08x", v.KeyHash()) {
		return nil, bad
	}
	return &Signer{now, key, v}, nil
}

// Verifier returns the public half.
func (s *Signer) Verifier() *Verifier { return s.v }

// Name implements [note.Signer].
func (s *Signer) Name() string { return s.v.name }

// KeyHash implements [note.Signer].
func (s *Signer) KeyHash() uint32 { return s.v.KeyHash() }

// Sign implements [note.Signer].
func (s *Signer) Sign(text []byte) ([]byte, error) {
	at := s.Now().Unix()
	if at <= 0 {
		return nil, errors.New("the clock of the witness stands before 1970")
	}
	sig := binary.BigEndian.AppendUint64(nil, uint64(at))
	return append(sig, ed25519.Sign(s.key, signed(text, uint64(at)))...), nil
}
