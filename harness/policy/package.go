package policy

import (
	"fmt"
	"strings"

	"proctor/harness/spell"
)

// What a policy says to something that a package should not hold.
const (
	Refuse = "refuse" // the submission
	Warn   = "warn"   // the reviewers
)

// A Package says what candidates' packages may hold. An empty field is the default:
// nobody ships a private key on purpose, while what looks like a token may be a test's.
//
//	package: {private_keys: refuse, tokens: warn}
type Package struct {
	PrivateKeys string // Warn, or else refused
	Tokens      string // likely credentials of any other kind: Refuse, or else reviewers are told
}

type packageFile struct {
	PrivateKeys *string `yaml:"private_keys"`
	Tokens      *string `yaml:"tokens"`
}

// rules takes what differs from the default, so that a policy that spells the default
// out is the same as one that says nothing.
func (f *packageFile) rules() (p Package, err error) {
	if f == nil {
		return p, nil
	}
	if p.PrivateKeys, err = choice("private_keys", f.PrivateKeys, Refuse, Warn); err == nil {
		p.Tokens, err = choice("tokens", f.Tokens, Warn, Refuse)
	}
	return p, err
}

// choice returns "" for the usual value and for none.
func choice(key string, text *string, usual, other string) (string, error) {
	switch {
	case text == nil || *text == usual:
		return "", nil
	case *text == other:
		return other, nil
	}
	return "", fmt.Errorf("package.%s: %.80q is neither %s nor %s%s", key, *text, usual, other, spell.Suggest(*text, []string{usual, other}))
}

// text returns the rules as they stand between braces, "" if all are the default.
func (p Package) text() string {
	var parts []string
	for _, k := range []struct{ key, value string }{{"private_keys", p.PrivateKeys}, {"tokens", p.Tokens}} {
		if k.value != "" {
			parts = append(parts, k.key+": "+k.value)
		}
	}
	return strings.Join(parts, ", ")
}
