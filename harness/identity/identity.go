// Package identity tells from a token of an OpenID Connect issuer who holds it.
//
// It says which issuer signed and what it claims; whose account that is, the log
// says. What always holds: the issuer is one that the operator named, the signature
// is by a key that the issuer publishes and of a kind with two keys, the token is for
// this service and has not expired, and one for a page opens no interface and the
// other way round, since each kind has its own audience.
//
// Trusted are the issuers that were named, and TLS to them. Not trusted is who holds
// a token: what is wrong with it is told to the log and not to him.
package identity

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// signedBy are the kinds of signature that are taken: by a key that only the issuer
// has. With HMAC whoever can check could sign.
var signedBy = []string{oidc.RS256, oidc.PS256, oidc.ES256, oidc.ES384, oidc.EdDSA}

// ErrInvalid is what every token that is refused wraps.
var ErrInvalid = errors.New("the token is not valid")

// longest is the longest token that is looked at, in bytes.
const longest = 16 << 10

// An Issuer signs tokens for one audience. Its keys are fetched when first needed.
// It is safe for concurrent use.
type Issuer struct {
	URL      string
	Audience string
	Client   *http.Client
	Now      func() time.Time

	mu       sync.Mutex
	provider *oidc.Provider
}

// NewIssuer names an issuer. Plain HTTP is for this machine alone: whoever is on the
// way could give his own keys.
func NewIssuer(address, audience string, client *http.Client, now func() time.Time) (*Issuer, error) {
	u, err := url.Parse(address)
	local := err == nil && (u.Hostname() == "127.0.0.1" || u.Hostname() == "::1" || u.Hostname() == "localhost")
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Scheme != "https" && !(u.Scheme == "http" && local) {
		return nil, fmt.Errorf("the address of an issuer is one like https://id.example, not %q", address)
	}
	if audience == "" {
		return nil, fmt.Errorf("issuer %s: its tokens must be for an audience", address)
	}
	return &Issuer{URL: address, Audience: audience, Client: client, Now: now}, nil
}

// discover fetches what the issuer says of itself, once it answers.
func (i *Issuer) discover(ctx context.Context) (*oidc.Provider, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.provider != nil {
		return i.provider, nil
	}
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, i.Client), i.URL)
	if err != nil {
		return nil, fmt.Errorf("the issuer %s does not answer: %w", i.URL, err)
	}
	i.provider = p
	return p, nil
}

// Verify returns what a token claims, of which only texts are kept.
func (i *Issuer) Verify(ctx context.Context, raw string) (map[string]string, error) {
	claims, _, err := i.verify(ctx, raw)
	return claims, err
}

func (i *Issuer) verify(ctx context.Context, raw string) (claims map[string]string, nonce string, err error) {
	if len(raw) > longest {
		return nil, "", fmt.Errorf("%w: it has %d bytes", ErrInvalid, len(raw))
	}
	p, err := i.discover(ctx)
	if err != nil {
		return nil, "", err
	}
	v := p.VerifierContext(oidc.ClientContext(ctx, i.Client), &oidc.Config{ClientID: i.Audience, SupportedSigningAlgs: signedBy, Now: i.Now})
	t, err := v.Verify(ctx, raw)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	var all map[string]any
	if err := t.Claims(&all); err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	claims = map[string]string{}
	for name, value := range all {
		if s, ok := value.(string); ok {
			claims[name] = s
		}
	}
	return claims, t.Nonce, nil
}

// Robots are the issuers whose tokens pipelines show instead of a secret.
type Robots []*Issuer

// Verify returns who signed a token and what it claims.
func (r Robots) Verify(ctx context.Context, raw string) (issuer string, claims map[string]string, err error) {
	said := unverifiedIssuer(raw)
	for _, i := range r {
		if i.URL == said {
			claims, err = i.Verify(ctx, raw)
			return i.URL, claims, err
		}
	}
	return "", nil, fmt.Errorf("%w: no issuer that is trusted signed it", ErrInvalid)
}

// unverifiedIssuer reads whose a token says it is, to choose whose keys to check it by.
func unverifiedIssuer(raw string) string {
	if len(raw) > longest {
		return ""
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return ""
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	var v struct {
		Issuer string `json:"iss"`
	}
	if err != nil || json.Unmarshal(b, &v) != nil {
		return ""
	}
	return v.Issuer
}
