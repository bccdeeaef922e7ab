package holdout

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"
)

// A vaultKey is a key of the transit engine of a HashiCorp Vault, which never leaves
// it. The Vault's token is read from VAULT_TOKEN at each use and kept nowhere. The
// key's type must be one with associated data, like aes256-gcm96: it binds a wrapped
// data key to its set and version.
type vaultKey struct {
	address, mount, name string
	http                 *http.Client
}

const (
	vaultMark    = "vault:v" // begins every ciphertext of the transit engine
	vaultTimeout = 10 * time.Second
	maxVault     = 1 << 16 // bytes of an answer
)

var vaultName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// parseVaultKey reads "https://vault.example:8200 transit proctor".
func parseVaultKey(place string) (*vaultKey, error) {
	f := strings.Split(place, " ")
	if len(f) != 3 {
		return nil, errors.New("a Vault's key is an address, a mount and a name")
	}
	u, err := url.Parse(f[0])
	loopback := err == nil && (u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost" || u.Hostname() == "::1")
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback) {
		return nil, errors.New("the Vault's address is not https://HOST:PORT; plain http only to this machine")
	}
	if !vaultName.MatchString(f[1]) || !vaultName.MatchString(f[2]) {
		return nil, errors.New("mount and name of a Vault's key are of letters, digits, dot, dash and underscore")
	}
	// A redirect would carry data keys and the token to another place.
	c := &http.Client{Timeout: vaultTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &vaultKey{strings.TrimSuffix(f[0], "/"), f[1], f[2], c}, nil
}

func (v *vaultKey) line() string { return vaultHeader + v.address + " " + v.mount + " " + v.name }

func (v *vaultKey) owns(wrapped []byte) bool { return bytes.HasPrefix(wrapped, []byte(vaultMark)) }

func (v *vaultKey) wrap(ctx context.Context, dek []byte, context string) ([]byte, error) {
	out, err := v.ask(ctx, "encrypt", map[string]string{"plaintext": b64(dek), "associated_data": b64([]byte(context))}, "ciphertext")
	if err == nil && !v.owns([]byte(out)) {
		err = errors.New("the Vault answered with no ciphertext of its own")
	}
	return []byte(out), err
}

func (v *vaultKey) unwrap(ctx context.Context, wrapped []byte, context string) ([]byte, error) {
	out, err := v.ask(ctx, "decrypt", map[string]string{"ciphertext": string(wrapped), "associated_data": b64([]byte(context))}, "plaintext")
	if err != nil {
		return nil, err
	}
	dek, err := base64.StdEncoding.DecodeString(out)
	if err != nil {
		return nil, errors.New("the Vault answered with no data key")
	}
	return dek, nil
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// ask makes one call of the transit engine and returns one field of its answer.
// What the Vault says to an error is not passed on: it may quote what was sent.
func (v *vaultKey) ask(ctx context.Context, what string, in map[string]string, field string) (string, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	defer clear(body)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.address+"/v1/"+v.mount+"/"+what+"/"+v.name, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	token := os.Getenv("VAULT_TOKEN")
	if token == "" {
		return "", errors.New("the Vault wants a token: set VAULT_TOKEN")
	}
	req.Header.Set("X-Vault-Token", token)
	req.Header.Set("X-Vault-Request", "true")
	req.Header.Set("Content-Type", "application/json")
	resp, err := v.http.Do(req)
	if err != nil {
		return "", fmt.Errorf("the Vault does not answer: %w", err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusBadRequest && what == "decrypt":
		return "", ErrWrongKey
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("the Vault refuses to %s with the key %s: %s", what, v.name, resp.Status)
	}
	var out struct {
		Data map[string]any `json:"data"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxVault)).Decode(&out); err != nil {
		return "", errors.New("the Vault's answer is not JSON")
	}
	text, ok := out.Data[field].(string)
	if !ok {
		return "", fmt.Errorf("the Vault's answer has no %s", field)
	}
	return text, nil
}
