// Package identitytest is a small OpenID Connect issuer for tests: real signatures,
// throwaway keys, people who always say yes.
package identitytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"time"
)

// An Issuer serves discovery, keys, authorisation and tokens. It is safe for
// concurrent use.
type Issuer struct {
	*httptest.Server
	Subject string // who signs in next

	mu    sync.Mutex
	key   *ecdsa.PrivateKey
	codes map[string]grant
}

// A grant is what a code stands for until it is exchanged.
type grant struct{ client, nonce, challenge, back, subject string }

// New starts an issuer; the caller closes it.
func New() *Issuer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // no randomness
	}
	i := &Issuer{key: key, codes: map[string]grant{}}
	m := http.NewServeMux()
	m.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	m.HandleFunc("GET /keys", i.keys)
	m.HandleFunc("GET /authorize", i.authorize)
	m.HandleFunc("POST /token", i.token)
	i.Server = httptest.NewServer(m)
	return i
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token",
		"jwks_uri": i.URL + "/keys", "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256"}})
}

var b64 = base64.RawURLEncoding.EncodeToString

func (i *Issuer) keys(w http.ResponseWriter, _ *http.Request) {
	p, err := i.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, map[string]any{"keys": []any{map[string]string{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "1", "x": b64(p[1:33]), "y": b64(p[33:])}}})
}

// authorize says yes and sends the browser back.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || q.Get("response_type") != "code" {
		http.Error(w, "not a code flow with PKCE", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	i.mu.Lock()
	i.codes[code] = grant{q.Get("client_id"), q.Get("nonce"), q.Get("code_challenge"), q.Get("redirect_uri"), i.Subject}
	i.mu.Unlock()
	back.RawQuery = url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// token exchanges a code, once, for whoever knows the verifier.
func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	code := r.FormValue("code")
	i.mu.Lock()
	g, ok := i.codes[code]
	delete(i.codes, code)
	i.mu.Unlock()
	h := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if !ok || b64(h[:]) != g.challenge || r.FormValue("redirect_uri") != g.back {
		w.WriteHeader(http.StatusBadRequest)
		answer(w, map[string]string{"error": "invalid_grant"})
		return
	}
	now := time.Now()
	answer(w, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "id_token": i.Sign("ES256", map[string]any{
		"iss": i.URL, "sub": g.subject, "aud": g.client, "nonce": g.nonce, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()})})
}

// Sign makes a token with any claims; the kind of signature is only what its header says.
func (i *Issuer) Sign(alg string, claims map[string]any) string {
	body, err := json.Marshal(claims)
	if err != nil {
		panic(err) // a test's mistake
	}
	signed := b64(fmt.Appendf(nil, `{"alg":%q,"kid":"1","typ":"JWT"}`, alg)) + "." + b64(body)
	h := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, i.key, h[:])
	if err != nil {
		panic(err)
	}
	sig := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return signed + "." + b64(sig)
}
