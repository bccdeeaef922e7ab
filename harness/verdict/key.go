package verdict

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"proctor/harness/secret"
)

// A Signer holds an ECDSA P-256 key, perhaps elsewhere. Sign returns an ASN.1 DER
// signature of a SHA-256 digest. It is safe for concurrent use.
type Signer interface {
	Public() *ecdsa.PublicKey
	Sign(ctx context.Context, digest []byte) ([]byte, error)
}

// fileSigner keeps the key in memory.
type fileSigner struct{ key *ecdsa.PrivateKey }

func (s fileSigner) Public() *ecdsa.PublicKey { return &s.key.PublicKey }

func (s fileSigner) Sign(_ context.Context, digest []byte) ([]byte, error) {
	return ecdsa.SignASN1(rand.Reader, s.key, digest)
}

// CreateKey makes a key and stores it in a new file (PEM, PKCS #8) that only its
// owner can read. It does not replace a file.
func CreateKey(path string) (Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	if err := secret.Create(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	return fileSigner{key}, nil
}

// OpenKey reads a key that [CreateKey] stored. It refuses a file that others can
// read, and any other kind of key.
func OpenKey(path string) (Signer, error) {
	b, err := secret.Read(path)
	if err != nil {
		return nil, fmt.Errorf("open signing key: %w", err)
	}
	block, rest := pem.Decode(b)
	if block == nil || block.Type != "PRIVATE KEY" || strings.TrimSpace(string(rest)) != "" {
		return nil, fmt.Errorf("open signing key: %s is not one PEM block PRIVATE KEY", path)
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := any.(*ecdsa.PrivateKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("open signing key: %s holds no ECDSA P-256 key", path) // never quote it
	}
	return fileSigner{key}, nil
}

// PublicPEM returns a public key as verifiers take it.
func PublicPEM(k *ecdsa.PublicKey) (string, error) {
	der, err := spki(k)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// ParsePublicPEM reads one ECDSA P-256 public key.
func ParsePublicPEM(text string) (*ecdsa.PublicKey, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "PUBLIC KEY" || strings.TrimSpace(string(rest)) != "" {
		return nil, errors.New("not one PEM block PUBLIC KEY")
	}
	any, err := x509.ParsePKIXPublicKey(block.Bytes)
	key, ok := any.(*ecdsa.PublicKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("not an ECDSA P-256 key")
	}
	return key, nil
}

// spki returns the DER form of a P-256 public key and refuses any other key.
func spki(k *ecdsa.PublicKey) ([]byte, error) {
	if k == nil || k.Curve != elliptic.P256() {
		return nil, errors.New("not an ECDSA P-256 key")
	}
	der, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}
	return der, nil
}
