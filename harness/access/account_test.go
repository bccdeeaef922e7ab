package access

import (
	"encoding/json"
	"strings"
	"testing"
)

const hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// TestAccount: what is written -> "ok" or a part of the refusal.
func TestAccount(t *testing.T) {
	const table = `
{"account":"rae","person":"Rae Lee","robot":false,"roles":["reviewer"],"identities":[],"tokens":[{"sha256":"HASH","expires":"2027-02-01T00:00:00Z"}]} | ok
{"account":"rae","person":"Rae Lee","robot":false,"roles":[],"identities":[],"tokens":[]}                                                        | ok
{"account":"","person":"Rae","robot":false,"roles":[],"identities":[],"tokens":[]}                                                               | a name is
{"account":"rae lee","person":"Rae","robot":false,"roles":[],"identities":[],"tokens":[]}                                                        | a name is
{"account":"rae","person":" ","robot":false,"roles":[],"identities":[],"tokens":[]}                                                              | the person behind it
{"account":"rae","person":"Rae\u0000","robot":false,"roles":[],"identities":[],"tokens":[]}                                                      | the person behind it
{"account":"rae","person":"Rae","robot":false,"roles":["king"],"identities":[],"tokens":[]}                                                      | no role "king"; there are
{"account":"rae","person":"Rae","robot":false,"roles":["auditor","auditor"],"identities":[],"tokens":[]}                                         | named twice
{"account":"rae","person":"Rae","robot":false,"roles":["submitter","reviewer"],"identities":[],"tokens":[]}                                      | conflict: nobody holds both
{"account":"rae","person":"Rae","robot":false,"roles":[],"identities":[],"tokens":[{"sha256":"HASH","expires":"2027-02-01T00:00:00Z"}]}          | no token or identity is of use
{"account":"rae","person":"Rae","robot":false,"roles":["auditor"],"identities":[],"tokens":[{"sha256":"00","expires":"2027-02-01T00:00:00Z"}]}   | 64 lower-case hex digits
{"account":"rae","person":"Rae","robot":false,"roles":["auditor"],"identities":[],"tokens":[{"sha256":"HASH","expires":"tomorrow"}]}             | a time like
{"account":"rae","person":"Rae","robot":false,"roles":["auditor"],"identities":[],"tokens":[{"sha256":"HASH","expires":"2027-02-01T01:00:00+01:00"}]} | a time like
{"account":"rae","person":"Rae","robot":false,"roles":["auditor"],"identities":[{"issuer":"https://id.example","claims":{"sub":"1"}}],"tokens":[]} | ok
{"account":"ci","person":"Rae","robot":true,"roles":["submitter"],"identities":[{"issuer":"https://ci.example","claims":{"environment":"release","repository_id":"7"}}],"tokens":[]} | ok
{"account":"ci","person":"Rae","robot":true,"roles":["submitter"],"identities":[{"issuer":"https://ci.example","claims":{"environment":"release"}}],"tokens":[]} | one of sub, repository_id or project_id
{"account":"ci","person":"Rae","robot":true,"roles":["submitter"],"identities":[{"issuer":"https://ci.example","claims":{"repository":"a/b","sub":"1"}}],"tokens":[]} | names that can be given to somebody else
{"account":"ci","person":"Rae","robot":true,"roles":["submitter"],"identities":[{"issuer":"https://ci.example","claims":{"sub":""}}],"tokens":[]} | has no value
{"account":"ci","person":"Rae","robot":true,"roles":["submitter"],"identities":[{"issuer":"ci.example","claims":{"sub":"1"}}],"tokens":[]} | the issuer is an address
{"account":"rae","person":"Rae","robot":false,"roles":[],"identities":[{"issuer":"https://id.example","claims":{"sub":"1"}}],"tokens":[]} | no token or identity is of use
{"account":"rae","person":"Rae","robot":false,"roles":["auditor"],"identities":[],"tokens":[],"admin":true}                                      | unknown field
{"account":"rae","person":"Rae","robot":false,"roles":["auditor"],"identities":[],"tokens":[]}{}                                                 | more than one document
{"person":"Rae","account":"rae","robot":false,"roles":["auditor"],"identities":[],"tokens":[]}                                                   | not in its one form
{"account":"rae","account":"eve","person":"Rae","robot":false,"roles":["auditor"],"identities":[],"tokens":[]}                                   | not in its one form
{"account":"rae","person":"Rae","robot":false,"roles":null,"identities":[],"tokens":[]}                                                          | not in its one form
`
	for _, line := range strings.Split(strings.TrimSpace(table), "\n") {
		text, want, _ := strings.Cut(line, " | ")
		want = strings.TrimSpace(want)
		a, err := ParseAccount([]byte(strings.TrimSpace(strings.ReplaceAll(text, "HASH", hash))))
		if want == "ok" {
			if err != nil || (Check(a.Principal(), Review, Object{}) == nil) != a.Principal().Has(Reviewer) {
				t.Errorf("%s: %v", text, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// People are compared, not accounts; one account's new version is no second one.
func TestAgainst(t *testing.T) {
	others := []Account{{ID: "ci", Person: "sam", Roles: []Role{Submitter}}, {ID: "rae", Person: "rae", Roles: []Role{Reviewer}}}
	for _, c := range []struct {
		a  Account
		ok bool
	}{
		{Account{ID: "sam2", Person: "sam", Roles: []Role{Reviewer}}, false},
		{Account{ID: "sam2", Person: "sam", Roles: []Role{Submitter}}, true},
		{Account{ID: "ci", Person: "sam", Roles: []Role{Reviewer}}, true},
		{Account{ID: "sam2", Person: "samuel", Roles: []Role{Reviewer}}, true}, // another name is another person: why a second one looks
	} {
		if err := c.a.Against(others); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.a, err)
		}
	}
}

func FuzzParseAccount(f *testing.F) {
	f.Add([]byte(`{"account":"rae","person":"Rae","robot":false,"roles":["auditor"],"identities":[],"tokens":[{"sha256":"` + hash + `","expires":"2027-02-01T00:00:00Z"}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := ParseAccount(b); err == nil && (a.Check() != nil || string(a.Canonical()) != string(b) || !json.Valid(b)) {
			t.Errorf("%q was read as %+v", b, a)
		}
	})
}
