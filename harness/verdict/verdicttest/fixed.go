package verdicttest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"proctor/harness/tlog"
	"proctor/harness/verdict"
)

// Fixed makes a world whose keys follow from a name, so that it signs the same bytes
// each time. Everybody knows these keys.
func Fixed(t testing.TB, name string) *World {
	t.Helper()
	dir := t.TempDir()
	w := &World{Store: &Store{}, logKey: filepath.Join(dir, "log.key"), Evidence: fixedKey(t, name+"/evidence"), Approve: fixedKey(t, name+"/approve")}
	seed := sha256.Sum256([]byte(name + "/log"))
	pub := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	hash := sha256.Sum256([]byte(Origin + "\n\x01" + string(pub)))
	secret := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s\n", Origin, binary.BigEndian.Uint32(hash[:]), base64.StdEncoding.EncodeToString(append([]byte{1}, seed[:]...)))
	if err := os.WriteFile(w.logKey, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.Log, err = tlog.OpenKey(w.logKey); err != nil {
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

func fixedKey(t testing.TB, name string) verdict.Signer {
	t.Helper()
	for i := 0; ; i++ { // nearly every 32 bytes are a key
		d := sha256.Sum256(fmt.Appendf(nil, "%s/%d", name, i))
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:]); err == nil {
			return fixedSigner{key}
		}
	}
}

// fixedSigner makes the one signature of RFC 6979.
type fixedSigner struct{ key *ecdsa.PrivateKey }

func (s fixedSigner) Public() *ecdsa.PublicKey { return &s.key.PublicKey }

func (s fixedSigner) Sign(_ context.Context, digest []byte) ([]byte, error) {
	return s.key.Sign(nil, digest, crypto.SHA256)
}
