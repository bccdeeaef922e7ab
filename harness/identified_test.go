package harness

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"proctor/harness/access"
	"proctor/harness/identity"
	"proctor/harness/identity/identitytest"
)

// A pipeline shows a token of its issuer instead of a secret; a person signs in at
// his. Each is who the log says, or nobody.
func TestIdentified(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	ci := identitytest.New()
	defer ci.Close()
	i, err := identity.NewIssuer(ci.URL, "proctor", &http.Client{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	w.s.Robots = identity.Robots{i}
	token := func(repository, environment string) string {
		now := time.Now()
		return ci.Sign("ES256", map[string]any{"iss": ci.URL, "aud": "proctor", "sub": "repo:acme/income", "repository_id": repository, "environment": environment,
			"iat": now.Unix(), "exp": now.Add(time.Minute).Unix()})
	}
	add := func(id, person string, robot bool, role access.Role, claims map[string]string) {
		t.Helper()
		if _, err := w.s.AddAccount(ctx, access.Principal{ID: id, Person: person, Robot: robot, Roles: []access.Role{role}}, time.Hour, access.Identity{Issuer: ci.URL, Claims: claims}); err != nil {
			t.Fatal(err)
		}
	}
	denied := func(name, want string, err error) {
		t.Helper()
		if !errors.Is(err, access.ErrDenied) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	api := func(token string) error { _, err := w.s.Authenticate(ctx, token, "api"); return err }

	denied("before there is an account", "no account has the identity", api(token("7", "release")))
	add("ci", "sam", true, access.Submitter, map[string]string{"repository_id": "7", "environment": "release"})
	add("rae", "rae", false, access.Reviewer, map[string]string{"sub": "rae-248"})
	add("eve", "eve", false, access.Auditor, map[string]string{"repository_id": "9"})
	if p, err := w.s.Authenticate(ctx, token("7", "release"), "api"); err != nil || p.ID != "ci" || !p.Robot {
		t.Errorf("%+v, %v", p, err)
	}
	denied("another environment", "no account", api(token("7", "")))
	denied("another repository", "no account", api(token("8", "release")))
	denied("a person's account", "is a person", api(token("9", "")))
	denied("no issuer's", "not valid", api("a.b.c"))
	if _, err := w.s.Authenticate(ctx, token("7", "release"), "session"); err == nil {
		t.Error("a pipeline's token opened a session")
	}

	session, p, err := w.s.LoginAs(ctx, ci.URL, map[string]string{"sub": "rae-248", "name": "Rae"})
	if err != nil || p.ID != "rae" || !w.is(session, "session", "rae") {
		t.Errorf("%+v, %v", p, err)
	}
	for name, claims := range map[string]map[string]string{"a robot": {"repository_id": "7", "environment": "release"}, "a stranger": {"sub": "x"}, "nobody": nil} {
		if _, _, err := w.s.LoginAs(ctx, ci.URL, claims); !errors.Is(err, access.ErrDenied) {
			t.Errorf("%s signed in: %v", name, err)
		}
	}
	if _, _, err := w.s.LoginAs(ctx, "https://other.example", map[string]string{"sub": "rae-248"}); !errors.Is(err, access.ErrDenied) {
		t.Errorf("another issuer's rae signed in: %v", err)
	}

	add("ci2", "sam", true, access.Submitter, map[string]string{"repository_id": "7"})
	denied("two accounts", "have this identity both", api(token("7", "release")))
	if err := w.s.EndAccount(ctx, "ci2"); err != nil {
		t.Fatal(err)
	}
	if err := api(token("7", "release")); err != nil {
		t.Errorf("after the other ended: %v", err)
	}
	w.restart()
	w.s.Robots = identity.Robots{i}
	if err := api(token("7", "release")); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	w.clean()
}
