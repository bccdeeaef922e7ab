package access

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// An Account says who somebody is to the service and what he may do. It is a
// document like a policy: immutable, named by its digest, put in force by an
// activation in the log. A later version of the same name replaces it.
//
//	{"account":"rae","person":"Rae Lee","robot":false,"roles":["reviewer"],
//	 "identities":[{"issuer":"https://id.example","claims":{"sub":"248289761001"}}],
//	 "tokens":[{"sha256":"9f86…","expires":"2027-02-01T00:00:00Z"}]}
//
// but on one line.
//
// One without roles has ended: it may do nothing and no token speaks for it.
type Account struct {
	ID         string     `json:"account"`
	Person     string     `json:"person"` // the human behind it; robots share their owner's
	Robot      bool       `json:"robot"`
	Roles      []Role     `json:"roles"`
	Identities []Identity `json:"identities"`
	Tokens     []Token    `json:"tokens"`
}

// A Token is a secret that speaks for an account, as far as others may know it.
type Token struct {
	SHA256  string `json:"sha256"`  // hex, of the secret
	Expires string `json:"expires"` // RFC 3339, UTC, whole seconds
}

// Most tokens of an account: one in use, and room to change it on several machines.
const (
	maxTokens     = 8
	maxIdentities = 8
)

var accountName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$`)

// Check says what is wrong with an account, in words for whoever wrote it.
func (a Account) Check() error {
	if !accountName.MatchString(a.ID) {
		return fmt.Errorf("the account %q: a name is 1 to 64 letters, digits and . _ @ + -, and starts with a letter or digit", clip(a.ID))
	}
	if p := strings.TrimSpace(a.Person); p == "" || p != a.Person || len(p) > 128 || !utf8.ValidString(p) || strings.ContainsFunc(p, func(r rune) bool { return r < ' ' }) {
		return fmt.Errorf("the account %s: the person behind it is a name of 1 to 128 bytes", a.ID)
	}
	for i, r := range a.Roles {
		if !slices.Contains(Roles(), r) {
			return fmt.Errorf("there is no role %q; there are %q", clip(string(r)), Roles())
		}
		if slices.Contains(a.Roles[:i], r) {
			return fmt.Errorf("the role %s is named twice", r)
		}
		for _, q := range a.Roles[:i] {
			if Conflict(q, r) {
				return fmt.Errorf("the roles %s and %s conflict: nobody holds both", q, r)
			}
		}
	}
	for i, id := range a.Identities {
		if err := id.check(); err != nil {
			return fmt.Errorf("identity %d of %s: %w", i+1, a.ID, err)
		}
	}
	return a.checkTokens()
}

func (a Account) checkTokens() error {
	if len(a.Roles) == 0 && len(a.Tokens)+len(a.Identities) > 0 {
		return fmt.Errorf("the account %s has no role, so that no token or identity is of use", a.ID)
	}
	if len(a.Identities) > maxIdentities {
		return fmt.Errorf("the account %s has %d identities; at most %d", a.ID, len(a.Identities), maxIdentities)
	}
	if len(a.Tokens) > maxTokens {
		return fmt.Errorf("the account %s has %d tokens; at most %d", a.ID, len(a.Tokens), maxTokens)
	}
	for i, t := range a.Tokens {
		if b, err := hex.DecodeString(t.SHA256); err != nil || len(b) != 32 || strings.ToLower(t.SHA256) != t.SHA256 {
			return fmt.Errorf("token %d of %s: sha256 is 64 lower-case hex digits", i+1, a.ID)
		}
		if at, err := time.Parse(time.RFC3339, t.Expires); err != nil || at.UTC().Format(time.RFC3339) != t.Expires {
			return fmt.Errorf("token %d of %s: expires is a time like 2027-02-01T00:00:00Z", i+1, a.ID)
		}
		if slices.ContainsFunc(a.Tokens[:i], func(o Token) bool { return o.SHA256 == t.SHA256 }) {
			return fmt.Errorf("token %d of %s is named twice", i+1, a.ID)
		}
	}
	return nil
}

// Principal is the caller that a token of this account stands for.
func (a Account) Principal() Principal {
	return Principal{ID: a.ID, Person: a.Person, Robot: a.Robot, Roles: slices.Clone(a.Roles)}
}

// Against refuses an account whose roles conflict with those of another account of
// the same person: people are compared, not accounts.
func (a Account) Against(others []Account) error {
	for _, o := range others {
		if o.Person != a.Person || o.ID == a.ID {
			continue
		}
		for _, r := range o.Roles {
			for _, q := range a.Roles {
				if Conflict(r, q) {
					return fmt.Errorf("%s is %s by the account %q: the role %s conflicts with that", a.Person, r, o.ID, q)
				}
			}
		}
	}
	return nil
}

// Canonical is the one form of an account, which its digest names.
func (a Account) Canonical() []byte {
	if a.Roles == nil {
		a.Roles = []Role{}
	}
	if a.Identities == nil {
		a.Identities = []Identity{}
	}
	if a.Tokens == nil {
		a.Tokens = []Token{}
	}
	b, err := json.Marshal(a)
	if err != nil {
		panic(err) // strings and lists of strings
	}
	return b
}

// Digest names the account's canonical form.
func (a Account) Digest() string {
	h := sha256.Sum256(a.Canonical())
	return "sha256:" + hex.EncodeToString(h[:])
}

// ParseAccount reads exactly what Canonical prints of an account that Check accepts.
func ParseAccount(b []byte) (Account, error) {
	var a Account
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return Account{}, fmt.Errorf("account: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Account{}, errors.New("account: more than one document")
	}
	if err := a.Check(); err != nil {
		return Account{}, err
	}
	if !bytes.Equal(a.Canonical(), b) {
		return Account{}, errors.New("account: not in its one form")
	}
	return a, nil
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}
