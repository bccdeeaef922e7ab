package holdout

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A transit is the contract of a Vault's transit engine, for one AEAD key: encrypt
// and decrypt with associated data, a token, and 400 for what does not decrypt.
type transit struct {
	key    []byte
	token  string
	status int    // answers this instead
	answer string // answers this instead
	calls  int
}

func (v *transit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.calls++
	var in struct{ Plaintext, Ciphertext, Associated_data string }
	decode := func(s string) []byte { b, _ := base64.StdEncoding.DecodeString(s); return b }
	switch {
	case v.answer != "":
		w.Write([]byte(v.answer))
		return
	case v.status == http.StatusFound:
		w.Header().Set("Location", "http://example.invalid/")
		fallthrough
	case v.status != 0:
		w.WriteHeader(v.status)
		return
	case r.Header.Get("X-Vault-Token") != v.token:
		w.WriteHeader(http.StatusForbidden)
		return
	case r.Method != http.MethodPost || json.NewDecoder(r.Body).Decode(&in) != nil:
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	aead, ad, nonce := newGCM(v.key), decode(in.Associated_data), make([]byte, 12)
	out := map[string]any{}
	switch r.URL.Path {
	case "/v1/transit/encrypt/proctor":
		rand.Read(nonce)
		out["ciphertext"] = "vault:v1:" + base64.StdEncoding.EncodeToString(aead.Seal(nonce, nonce, decode(in.Plaintext), ad))
	case "/v1/transit/decrypt/proctor":
		b := decode(strings.TrimPrefix(in.Ciphertext, "vault:v1:"))
		if len(b) < 12 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		plain, err := aead.Open(nil, b[:12], b[12:], ad)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		out["plaintext"] = base64.StdEncoding.EncodeToString(plain)
	default:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	json.NewEncoder(w).Encode(map[string]any{"data": out})
}

func newTransit(t *testing.T) (*transit, string) {
	v := &transit{key: bytes.Repeat([]byte{3}, 32), token: "s.token-of-this-test"}
	s := httptest.NewServer(v)
	t.Cleanup(s.Close)
	t.Setenv("VAULT_TOKEN", v.token)
	return v, s.URL
}

// Keys rotate, and move to a Vault, while sets stay as they were sealed: the same
// digest, the same sketches, and an audit without a word. Old keys, once dropped,
// open nothing.
func TestKeysRotate(t *testing.T) {
	ctx := t.Context()
	v, url := newTransit(t)
	path := filepath.Join(t.TempDir(), "kek")
	k, err := CreateFileKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	w.keys = k
	c, raw := w.seal(t, input(t, people(t, 300, 1)))
	before := w.key(t, raw)
	r := Request{Commitment: c, Manifest: raw, Key: before}
	for name, add := range map[string]func() (*FileKeyring, error){
		"file":  func() (*FileKeyring, error) { return AddFileKey(path) },
		"vault": func() (*FileKeyring, error) { return AddVaultKey(path, url, "transit", "proctor") },
	} {
		if k, err = add(); err != nil {
			t.Fatal(err)
		}
		w.keys = k
		if err := Audit(ctx, w.store, k, raw, r.Key, w.pub); err != nil {
			t.Fatalf("%s, old wrapping: %v", name, err)
		}
		if r.Key, err = Rewrap(ctx, r, k, w.pub); err != nil {
			t.Fatal(err)
		}
		if k, err = DropOldKeys(path); err != nil || len(k.keys) != 1 {
			t.Fatalf("%s: %v", name, err)
		}
		w.keys = k
		if err := Audit(ctx, w.store, k, raw, r.Key, w.pub); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := k.Unwrap(ctx, before, keyContext(c.Name, c.Version)); !errors.Is(err, ErrWrongKey) {
			t.Errorf("%s: the dropped key still opens: %v", name, err)
		}
		before = r.Key
	}
	if v.calls == 0 {
		t.Error("the Vault was never asked")
	}
	old, err := parseKeyring(string(first))
	if err != nil {
		t.Fatal(err)
	}
	if a, _ := old.Secret(ctx, "x"); !bytes.Equal(a, mac(k.secret, []byte("x"))) {
		t.Error("sketches do not recognise each other's rows any more")
	}
	// Negative control: whoever kept the old file opens the old wrapping.
	if _, err := old.Unwrap(ctx, w.key(t, raw), keyContext(c.Name, c.Version)); err != nil {
		t.Errorf("negative control: %v", err)
	}
}

// The Vault's context is bound, its faults are errors, its words and the data key
// are in none.
func TestVaultKey(t *testing.T) {
	ctx := t.Context()
	v, url := newTransit(t)
	k, err := parseVaultKey(url + " transit proctor")
	if err != nil {
		t.Fatal(err)
	}
	dek := bytes.Repeat([]byte{9}, 32)
	wrapped, err := k.wrap(ctx, dek, "set/1")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.unwrap(ctx, wrapped, "set/1"); err != nil || !bytes.Equal(got, dek) {
		t.Fatalf("%v", err)
	}
	for name, bad := range map[string][]byte{"cut": wrapped[:20], "changed": append(bytes.Clone(wrapped[:len(wrapped)-6]), "AAAAAA"...)} {
		if _, err := k.unwrap(ctx, bad, "set/1"); !errors.Is(err, ErrWrongKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := k.unwrap(ctx, wrapped, "set/2"); !errors.Is(err, ErrWrongKey) {
		t.Errorf("another context: %v", err)
	}
	quiet := func(err error) {
		t.Helper()
		if err == nil || strings.Contains(err.Error(), v.token) || strings.Contains(err.Error(), hex.EncodeToString(dek)) || strings.Contains(err.Error(), b64(dek)) {
			t.Errorf("%v", err)
		}
	}
	for _, status := range []int{403, 404, 500, 302, 204} {
		v.status = status
		_, err := k.wrap(ctx, dek, "set/1")
		quiet(err)
	}
	v.status = 0
	for _, answer := range []string{"x", `{}`, `{"data":{"ciphertext":7}}`, `{"data":{"ciphertext":"plain:` + b64(dek) + `"}}`, `{"data":` + strings.Repeat("[", 70_000)} {
		v.answer = answer
		_, err := k.wrap(ctx, dek, "set/1")
		quiet(err)
	}
	v.answer = `{"data":{"plaintext":"???"}}`
	_, err = k.unwrap(ctx, wrapped, "set/1")
	quiet(err)
	v.answer = ""
	t.Setenv("VAULT_TOKEN", "")
	_, err = k.wrap(ctx, dek, "set/1")
	quiet(err)
	for _, place := range []string{"", "http://vault.example:8200 transit proctor", "https://u:p@vault.example transit proctor", "https://vault.example/x transit proctor",
		"https://vault.example transit ../sys/seal", "https://vault.example a/b proctor", "ftp://vault.example transit proctor", "https://vault.example transit"} {
		if _, err := parseVaultKey(place); err == nil {
			t.Errorf("%q is an address", place)
		}
	}
}

// What was put in escrow opens the set after the keyring is lost; nothing else does.
func TestEscrow(t *testing.T) {
	w := newWorld()
	c, raw := w.seal(t, input(t, people(t, 300, 1)))
	r := Request{Commitment: c, Manifest: raw, Key: w.key(t, raw)}
	out, err := ExportKey(t.Context(), r, w.keys, w.pub)
	if err != nil {
		t.Fatal(err)
	}
	lost := newFileKeyring(bytes.Repeat([]byte{1}, 32))
	if _, err := Rewrap(t.Context(), r, lost, w.pub); !errors.Is(err, ErrWrongKey) {
		t.Errorf("negative control: another keyring opens: %v", err)
	}
	again, err := ImportKey(t.Context(), out, Request{Commitment: c, Manifest: raw}, lost, w.pub)
	if err != nil {
		t.Fatal(err)
	}
	if _, dek, err := dataKey(t.Context(), Request{Commitment: c, Manifest: raw, Key: again}, lost, w.pub); err != nil || len(dek) != 32 {
		t.Errorf("%v", err)
	}
	for name, bad := range map[string][]byte{"empty": nil, "cut": out[:len(out)-2], "another version": bytes.Replace(out, []byte(c.Digest), []byte("sha256:"+strings.Repeat("0", 64)), 1), "another key": bytes.Replace(out, []byte(`"data_key":"`), []byte(`"data_key":"AAAA`), 1)} {
		if _, err := ImportKey(t.Context(), bad, Request{Commitment: c, Manifest: raw}, lost, w.pub); err == nil {
			t.Errorf("%s was imported", name)
		}
	}
}
