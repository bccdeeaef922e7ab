package identity

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// People sign in at an issuer, by the code flow with PKCE.
type People struct {
	Issuer *Issuer
	Secret string // of the client at the issuer; "" for a public one
	Back   string // address of this service's page to which the issuer sends people back
}

// Host names the issuer for people.
func (p *People) Host() string {
	u, err := url.Parse(p.Issuer.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// Invalid says whether an error of Finish is the visitor's and not the issuer's.
func (p *People) Invalid(err error) bool { return errors.Is(err, ErrInvalid) }

func (p *People) config(ctx context.Context) (*oauth2.Config, error) {
	provider, err := p.Issuer.discover(ctx)
	if err != nil {
		return nil, err
	}
	return &oauth2.Config{ClientID: p.Issuer.Audience, ClientSecret: p.Secret, Endpoint: provider.Endpoint(), RedirectURL: p.Back, Scopes: []string{oidc.ScopeOpenID}}, nil
}

// Begin returns where to send somebody who wants to sign in. State, nonce and
// verifier are new secrets of his browser, which Finish wants back.
func (p *People) Begin(ctx context.Context, state, nonce, verifier string) (string, error) {
	c, err := p.config(ctx)
	if err != nil {
		return "", err
	}
	return c.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), nil
}

// Finish exchanges the code that the issuer gave for a token, and returns who it is of.
func (p *People) Finish(ctx context.Context, code, nonce, verifier string) (issuer string, claims map[string]string, err error) {
	c, err := p.config(ctx)
	if err != nil {
		return "", nil, err
	}
	t, err := c.Exchange(oidc.ClientContext(ctx, p.Issuer.Client), code, oauth2.VerifierOption(verifier))
	if err != nil {
		var refused *oauth2.RetrieveError
		if errors.As(err, &refused) {
			return "", nil, fmt.Errorf("%w: the issuer refused the code: %s", ErrInvalid, refused.ErrorCode)
		}
		return "", nil, fmt.Errorf("exchange the code: %w", err)
	}
	raw, ok := t.Extra("id_token").(string)
	if !ok {
		return "", nil, fmt.Errorf("%w: the issuer sent none", ErrInvalid)
	}
	claims, got, err := p.Issuer.verify(ctx, raw)
	if err != nil {
		return "", nil, err
	}
	if nonce == "" || subtle.ConstantTimeCompare([]byte(got), []byte(nonce)) != 1 {
		return "", nil, fmt.Errorf("%w: it was made for another sign-in", ErrInvalid)
	}
	return p.Issuer.URL, claims, nil
}
