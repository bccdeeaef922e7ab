package tlog

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"proctor/harness/secret"
)

// A Log is the identity that signs checkpoints: an origin, which is a host name,
// and an Ed25519 key. The zero value signs nothing.
type Log struct {
	signer   note.Signer
	verifier note.Verifier
	key      string
}

// CreateKey makes a key for a log of that origin and stores it in a new file
// that only its owner can read. It does not replace a file.
func CreateKey(path, origin string, rand io.Reader) (*Log, error) {
	if err := checkOrigin(origin); err != nil {
		return nil, err
	}
	key, _, err := note.GenerateKey(rand, origin)
	if err != nil {
		return nil, fmt.Errorf("make log key: %w", err)
	}
	if err := secret.Create(path, []byte(key+"\n")); err != nil {
		return nil, fmt.Errorf("make log key: %w", err)
	}
	return newLog(key)
}

// OpenKey reads a log's key. It refuses a file that others can read.
func OpenKey(path string) (*Log, error) {
	b, err := secret.Read(path)
	if err != nil {
		return nil, fmt.Errorf("open log key: %w", err)
	}
	return newLog(strings.TrimSuffix(string(b), "\n"))
}

func newLog(secret string) (*Log, error) {
	s, err := note.NewSigner(secret)
	if err != nil {
		return nil, errors.New("open log key: the file holds no log key") // never quote it
	}
	if err := checkOrigin(s.Name()); err != nil {
		return nil, err
	}
	parts := strings.SplitN(secret, "+", 5) // the last one is base64, which may hold a plus
	raw, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return nil, errors.New("open log key: the file holds no Ed25519 key")
	}
	pub := ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey)
	key, err := note.NewEd25519VerifierKey(s.Name(), pub)
	if err != nil {
		return nil, err
	}
	v, err := note.NewVerifier(key)
	if err != nil {
		return nil, err
	}
	return &Log{s, v, key}, nil
}

// Key returns the verifier key, "origin+hash+base64", which readers pin.
func (l *Log) Key() string { return l.key }

// Origin returns the log's name.
func (l *Log) Origin() string { return l.verifier.Name() }

// checkOrigin demands a host name: sigstore clients find a log's key by the host
// name of its address, which has to be the origin.
func checkOrigin(s string) error {
	ok := s != "" && len(s) <= 253 && strings.Trim(s, ".-") == s
	for _, r := range s {
		ok = ok && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-')
	}
	if !ok {
		return fmt.Errorf("log origin %q is not a host name in lower case", s)
	}
	return nil
}
