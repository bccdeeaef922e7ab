package policy

import (
	"crypto/ecdsa"
	"fmt"
	"strings"

	"proctor/harness/spell"
	"proctor/harness/verdict"
)

// Values of the keys below.
const (
	Refuse   = "refuse" // the submission
	Warn     = "warn"   // the reviewers
	Allow    = "allow"
	Optional = "optional" // verified where it is there
	Required = "required"
)

// A Package says what candidates' packages may hold and must bring. An empty field is
// the default: nobody ships a private key on purpose, while what looks like a token may
// be a test's; a model that may answer one row in two ways is harder to examine; and
// where nobody signs, nothing is asked for.
//
//	package:
//	  private_keys: refuse
//	  tokens: warn
//	  stochastic: refuse
//	  remote: refuse
//	  signature: required         # OpenSSF Model Signing
//	  provenance: optional        # SLSA
//	  training_record: required
//	  keys: [{name: ml-team, key: "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE..."}]
type Package struct {
	PrivateKeys string // Warn, or else refused
	Tokens      string // likely credentials of any other kind: Refuse, or else reviewers are told
	Stochastic  string // Allow, or else refused: models that are declared to answer at random
	Remote      string // Allow, or else refused: models that run elsewhere, and what of the set they are sent
	Signature   string // Required, or else optional
	Provenance  string // likewise
	Training    string // likewise
	Keys        []Key  // whose signatures count
}

// A Key is one whose signatures over packages count.
type Key struct {
	Name string
	Key  string // ECDSA P-256, base64 of its SubjectPublicKeyInfo
}

// MaxBudget is the most runs that a policy can give a lineage on a set.
const MaxBudget = 20

const maxKeys = 16

type packageFile struct {
	PrivateKeys *string   `yaml:"private_keys"`
	Tokens      *string   `yaml:"tokens"`
	Stochastic  *string   `yaml:"stochastic"`
	Remote      *string   `yaml:"remote"`
	Signature   *string   `yaml:"signature"`
	Provenance  *string   `yaml:"provenance"`
	Training    *string   `yaml:"training_record"`
	Keys        []keyFile `yaml:"keys"`
}

type keyFile struct {
	Name string `yaml:"name"`
	Key  string `yaml:"key"`
}

// rules takes what differs from the default, so that a policy that spells the default
// out is the same as one that says nothing.
func (f *packageFile) rules() (p Package, err error) {
	if f == nil {
		return p, nil
	}
	for _, k := range []struct {
		key          string
		text         *string
		usual, other string
		into         *string
	}{
		{"private_keys", f.PrivateKeys, Refuse, Warn, &p.PrivateKeys}, {"tokens", f.Tokens, Warn, Refuse, &p.Tokens},
		{"stochastic", f.Stochastic, Refuse, Allow, &p.Stochastic}, {"remote", f.Remote, Refuse, Allow, &p.Remote},
		{"signature", f.Signature, Optional, Required, &p.Signature}, {"provenance", f.Provenance, Optional, Required, &p.Provenance},
		{"training_record", f.Training, Optional, Required, &p.Training},
	} {
		if *k.into, err = choice(k.key, k.text, k.usual, k.other); err != nil {
			return p, err
		}
	}
	if f.Keys != nil && len(f.Keys) == 0 || len(f.Keys) > maxKeys {
		return p, fmt.Errorf("package.keys: %d are listed; 1 to %d, or leave the key out", len(f.Keys), maxKeys)
	}
	for _, k := range f.Keys {
		key := Key(k)
		if err := key.check(p.Keys); err != nil {
			return p, err
		}
		p.Keys = append(p.Keys, key)
	}
	if (p.Signature == Required || p.Provenance == Required) && p.Keys == nil {
		return p, fmt.Errorf("package: a signature or provenance is required and no keys are named, so that nothing could satisfy it")
	}
	return p, nil
}

func (k Key) check(before []Key) error {
	if !policyName.MatchString(k.Name) {
		return fmt.Errorf("package.keys: %.80q is not a name of 1 to 64 characters a-z, 0-9, dot, dash, underscore", k.Name)
	}
	if _, err := k.Public(); err != nil {
		return fmt.Errorf("package.keys: %s: want the base64 of an ECDSA P-256 public key, what stands between the lines of its PEM file, in one line", k.Name)
	}
	for _, b := range before {
		if b.Name == k.Name || b.Key == k.Key {
			return fmt.Errorf("package.keys: %s stands twice", k.Name)
		}
	}
	return nil
}

// Public returns the key itself. It has one spelling.
func (k Key) Public() (*ecdsa.PublicKey, error) {
	key, err := verdict.ParsePublicPEM("-----BEGIN PUBLIC KEY-----\n" + k.Key + "\n-----END PUBLIC KEY-----\n")
	if err != nil {
		return nil, err
	}
	text, err := verdict.PublicPEM(key)
	if err != nil {
		return nil, err
	}
	if KeyText(text) != k.Key {
		return nil, fmt.Errorf("another spelling of the key")
	}
	return key, nil
}

// KeyText is what a policy has of a public key in PEM.
func KeyText(pem string) string {
	lines := strings.Split(strings.TrimSpace(pem), "\n")
	return strings.Join(lines[min(1, len(lines)):max(1, len(lines)-1)], "")
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
	for _, k := range []struct{ key, value string }{{"private_keys", p.PrivateKeys}, {"tokens", p.Tokens},
		{"stochastic", p.Stochastic}, {"remote", p.Remote}, {"signature", p.Signature}, {"provenance", p.Provenance}, {"training_record", p.Training}} {
		if k.value != "" {
			parts = append(parts, k.key+": "+k.value)
		}
	}
	var keys []string
	for _, k := range p.Keys {
		keys = append(keys, fmt.Sprintf("{name: %s, key: %q}", word(k.Name), k.Key))
	}
	if keys != nil {
		parts = append(parts, "keys: ["+strings.Join(keys, ", ")+"]")
	}
	return strings.Join(parts, ", ")
}
