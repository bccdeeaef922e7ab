package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"proctor/harness/identity/identitytest"
)

func issuer(t *testing.T, address, audience string) *Issuer {
	t.Helper()
	i, err := NewIssuer(address, audience, &http.Client{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// A token is taken exactly if a trusted issuer signed it, for us, and it is time.
func TestRobots(t *testing.T) {
	id, other := identitytest.New(), identitytest.New()
	defer id.Close()
	defer other.Close()
	robots := Robots{issuer(t, id.URL, "proctor")}
	claims := func(change func(map[string]any)) map[string]any {
		now := time.Now()
		c := map[string]any{"iss": id.URL, "sub": "repo:1", "aud": "proctor", "repository_id": "7", "admin": true, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
		change(c)
		return c
	}
	good := id.Sign("ES256", claims(func(map[string]any) {}))
	who, got, err := robots.Verify(t.Context(), good)
	if err != nil || who != id.URL || got["repository_id"] != "7" || got["sub"] != "repo:1" || got["admin"] != "" {
		t.Fatalf("%s %v %v", who, got, err)
	}
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	hs := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","kid":"1"}`)) + "." + parts[1]
	m := hmac.New(sha256.New, []byte("public bytes"))
	io.WriteString(m, hs)
	for name, raw := range map[string]string{
		"another audience":         id.Sign("ES256", claims(func(c map[string]any) { c["aud"] = "else" })),
		"expired":                  id.Sign("ES256", claims(func(c map[string]any) { c["exp"] = time.Now().Add(-time.Minute).Unix() })),
		"no expiry":                id.Sign("ES256", claims(func(c map[string]any) { delete(c, "exp") })),
		"not yet":                  id.Sign("ES256", claims(func(c map[string]any) { c["nbf"] = time.Now().Add(time.Hour).Unix() })),
		"an issuer that we do not": other.Sign("ES256", claims(func(c map[string]any) { c["iss"] = other.URL })),
		"another's signature":      other.Sign("ES256", claims(func(map[string]any) {})),
		"no signature":             none + "." + parts[1] + ".",
		"alg none, signed":         none + "." + parts[1] + "." + parts[2],
		"HMAC":                     hs + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil)),
		"another body":             parts[0] + "." + parts[1][:len(parts[1])-4] + "AAAA." + parts[2],
		"cut":                      good[:len(good)-2],
		"empty":                    "",
		"words":                    "not.a.token",
		"huge":                     strings.Repeat("a", 1<<20) + "." + parts[1] + "." + parts[2],
	} {
		if _, c, err := robots.Verify(t.Context(), raw); err == nil || c != nil || !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
}

// Somebody signs in; neither the code nor the token serves another browser.
func TestPeople(t *testing.T) {
	id := identitytest.New()
	defer id.Close()
	id.Subject = "rae-248"
	p := &People{Issuer: issuer(t, id.URL, "page"), Secret: "s", Back: "http://127.0.0.1/login/back"}
	verifier := strings.Repeat("v", 43)
	code := func(nonce string) string {
		t.Helper()
		to, err := p.Begin(t.Context(), "state", nonce, verifier)
		if err != nil {
			t.Fatal(err)
		}
		c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		resp, err := c.Get(to)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		back, err := url.Parse(resp.Header.Get("Location"))
		if err != nil || back.Query().Get("state") != "state" || !strings.HasPrefix(back.String(), p.Back) {
			t.Fatalf("sent to %s, %v", back, err)
		}
		return back.Query().Get("code")
	}
	who, claims, err := p.Finish(t.Context(), code("n1"), "n1", verifier)
	if err != nil || who != id.URL || claims["sub"] != "rae-248" {
		t.Fatalf("%s %v %v", who, claims, err)
	}
	used := code("n2")
	for _, c := range []struct { // in this order: a code is used up by the first who shows it
		name string
		try  func() error
	}{
		{"another nonce", func() error { _, _, err := p.Finish(t.Context(), code("n3"), "n4", verifier); return err }},
		{"no nonce", func() error { _, _, err := p.Finish(t.Context(), code(""), "", verifier); return err }},
		{"another verifier", func() error { _, _, err := p.Finish(t.Context(), used, "n2", strings.Repeat("w", 43)); return err }},
		{"a code twice", func() error { _, _, err := p.Finish(t.Context(), used, "n2", verifier); return err }},
		{"a code of nobody", func() error { _, _, err := p.Finish(t.Context(), "x", "n2", verifier); return err }},
	} {
		if err := c.try(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// A token for the page opens no interface.
	robots := Robots{issuer(t, id.URL, "proctor")}
	now := time.Now()
	page := id.Sign("ES256", map[string]any{"iss": id.URL, "sub": "rae-248", "aud": "page", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()})
	if _, err := p.Issuer.Verify(t.Context(), page); err != nil {
		t.Error(err)
	}
	if _, _, err := robots.Verify(t.Context(), page); !errors.Is(err, ErrInvalid) {
		t.Errorf("a page's token at the interface: %v", err)
	}
}

// An issuer that is away is asked again; one that lies about its name is not believed.
func TestIssuerAway(t *testing.T) {
	id := identitytest.New()
	defer id.Close()
	i := issuer(t, "http://127.0.0.1:1", "proctor")
	if _, err := i.Verify(t.Context(), "x"); err == nil || errors.Is(err, ErrInvalid) {
		t.Errorf("away: %v", err)
	}
	i.URL = id.URL + "/" // not what it calls itself
	if _, err := i.Verify(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("another name: %v", err)
	}
	i.URL = id.URL
	if _, err := i.Verify(t.Context(), "x"); !errors.Is(err, ErrInvalid) {
		t.Errorf("back again: %v", err)
	}
	for _, bad := range []string{"", "id.example", "http://id.example", "https://u:p@id.example", "https://id.example?x", "ftp://id.example"} {
		if _, err := NewIssuer(bad, "a", nil, time.Now); err == nil {
			t.Errorf("%q is an issuer", bad)
		}
	}
	if _, err := NewIssuer("https://id.example", "", nil, time.Now); err == nil {
		t.Error("an issuer for any audience")
	}
}
