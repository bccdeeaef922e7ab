package access

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// An Identity is how an OpenID Connect issuer knows the holder of an account: every
// claim here must be in the token, with this value.
type Identity struct {
	Issuer string            `json:"issuer"`
	Claims map[string]string `json:"claims"`
}

// Claims that an identity may name. Names of users, repositories and branches are
// not among them: they can be given up, and taken by somebody else.
var (
	whoClaims  = []string{"sub", "repository_id", "project_id"} // one of them says who it is
	moreClaims = []string{"repository_owner_id", "namespace_id", "user_id", "environment", "ref", "ref_type", "ref_protected", "event_name", "job_workflow_ref", "runner_environment"}
)

func (i Identity) check() error {
	u, err := url.Parse(i.Issuer)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || len(i.Issuer) > 256 {
		return errors.New("the issuer is an address like https://id.example")
	}
	who := false
	for _, name := range slices.Sorted(maps.Keys(i.Claims)) {
		if !slices.Contains(whoClaims, name) && !slices.Contains(moreClaims, name) {
			return fmt.Errorf("the claim %q cannot be asked for; %s can. Others are names that can be given to somebody else", clip(name), strings.Join(slices.Concat(whoClaims, moreClaims), ", "))
		}
		if v := i.Claims[name]; v == "" || len(v) > 512 {
			return fmt.Errorf("the claim %s has no value, or one of more than 512 bytes", name)
		}
		who = who || slices.Contains(whoClaims, name)
	}
	if !who {
		return errors.New("one of sub, repository_id or project_id says who it is")
	}
	return nil
}

// Matches says whether a token with these claims, which its issuer signed, is of this
// identity.
func (i Identity) Matches(issuer string, claims map[string]string) bool {
	if i.check() != nil || issuer != i.Issuer {
		return false
	}
	for name, want := range i.Claims {
		if got, ok := claims[name]; !ok || got != want {
			return false
		}
	}
	return true
}
