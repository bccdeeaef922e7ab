package verdict

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"proctor/harness/cosig"
)

// Trust is what a verifier pins. [NewTrust] makes one; the zero value trusts
// nothing. It fixes the algorithm and which predicate types each key may sign, so
// that a document cannot choose either.
type Trust struct {
	keys      []trustedKey
	log       note.Verifier
	pub       ed25519.PublicKey // of log
	witnesses []note.Verifier
	// without leaves steps of Verify out; only tests of this package set it, to
	// show that the attack then succeeds.
	without map[string]bool
}

type trustedKey struct {
	key    *ecdsa.PublicKey
	spki   []byte
	types  []string
	from   time.Time // of statements; zero: no beginning
	until  time.Time // of statements; zero: no end
	logEnd int64     // first index that it may not sign; 0: no end
}

func (k trustedKey) logged(index int64) bool { return k.logEnd == 0 || index < k.logEnd }

// valid says whether the key may have made a statement that is logged at index. The
// log's order is the one that a thief of the key cannot choose.
func (k trustedKey) valid(s Statement, index int64) error {
	if !k.logged(index) {
		return fmt.Errorf("its key signs nothing from entry %d on, this is entry %d", k.logEnd, index)
	}
	if k.from.IsZero() && k.until.IsZero() {
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, s.madeAt())
	if err != nil || !k.until.IsZero() && at.After(k.until) {
		return fmt.Errorf("its key was retired at %s, the statement says %s", k.until.Format(time.RFC3339), clip(s.madeAt()))
	}
	if at.Before(k.from) {
		return fmt.Errorf("its key signs from %s on, the statement says %s", k.from.Format(time.RFC3339), clip(s.madeAt()))
	}
	return nil
}

// Uses of a key.
const (
	UseEvidence = "evidence" // signs everything but approvals, waivers and revocations
	UseApprove  = "approve"  // signs these
)

func typesOf(use string) ([]string, error) {
	switch use {
	case UseEvidence:
		return []string{EvidenceType, PlanType, ReviewType, ChangeType, ExposureType, AbortType, CustodyType}, nil
	case UseApprove:
		return []string{ApprovalType, RevocationType, RevocationListType, WaiverType}, nil
	}
	return nil, fmt.Errorf("use of a key is %q; it may be %s or %s", clip(use), UseEvidence, UseApprove)
}

// NewTrust pins the key that signs approvals, the key that signs everything else,
// and the log's verifier key. The two signing keys must differ.
func NewTrust(evidence, approve *ecdsa.PublicKey, logKey string) (Trust, error) {
	e, err := spki(evidence)
	if err != nil {
		return Trust{}, fmt.Errorf("evidence key: %w", err)
	}
	a, err := spki(approve)
	if err != nil {
		return Trust{}, fmt.Errorf("approve key: %w", err)
	}
	if bytes.Equal(e, a) {
		return Trust{}, errors.New("evidence and approvals have the same key: whoever signs evidence could approve")
	}
	var t Trust
	for _, k := range []trustedKey{{key: evidence, spki: e}, {key: approve, spki: a}} {
		k.types, err = typesOf([]string{UseEvidence, UseApprove}[len(t.keys)])
		if err != nil {
			return Trust{}, err
		}
		t.keys = append(t.keys, k)
	}
	if t.log, t.pub, err = parseLogKey(logKey); err != nil {
		return Trust{}, err
	}
	return t, nil
}

// A Key is a signing key, what it may sign, and in which window.
type Key struct {
	Public *ecdsa.PublicKey
	Types  []string  // predicate types
	From   time.Time // of statements; zero: no beginning
	Until  time.Time // of statements; zero: no end
	LogEnd int64     // first index that it may not sign; 0: no end
}

// TrustKeys pins keys, each for its types and its window, and the log's verifier key. A
// key that signs approvals signs no evidence.
func TrustKeys(keys []Key, logKey string) (Trust, error) {
	var t Trust
	var err error
	if t.log, t.pub, err = parseLogKey(logKey); err != nil {
		return Trust{}, err
	}
	for i, k := range keys {
		der, err := spki(k.Public)
		if err == nil {
			err = oneUse(k.Types)
		}
		switch {
		case err != nil:
		case slices.ContainsFunc(t.keys, func(o trustedKey) bool { return bytes.Equal(o.spki, der) }):
			err = errors.New("it stands twice")
		case k.LogEnd < 0 || !k.Until.IsZero() && !k.Until.After(k.From):
			err = errors.New("its window is empty")
		}
		if err != nil {
			return Trust{}, fmt.Errorf("key %d: %w", i+1, err)
		}
		t.keys = append(t.keys, trustedKey{k.Public, der, slices.Clone(k.Types), k.From, k.Until, k.LogEnd})
	}
	if len(t.keys) == 0 {
		return Trust{}, errors.New("there are no keys")
	}
	return t, nil
}

// Types returns the predicate types that a key of one use may sign, nil for no use.
func Types(use string) []string {
	types, err := typesOf(use)
	if err != nil {
		return nil
	}
	return types
}

// oneUse demands known types, each once, and all of one use.
func oneUse(types []string) error {
	for _, use := range []string{UseEvidence, UseApprove} {
		known := Types(use)
		if len(types) > 0 && !slices.ContainsFunc(types, func(t string) bool { return !slices.Contains(known, t) }) {
			if sorted := slices.Sorted(slices.Values(types)); len(slices.Compact(sorted)) == len(types) {
				return nil
			}
			return errors.New("a type stands twice")
		}
	}
	return errors.New("its types are none, unknown, or of evidence and of approvals at once")
}

// WithRetired returns t with a key that signed in the past: statements that say they
// were made until then, and stand before the entry logEnd of the log (0: anywhere).
// A key that leaked ends at the first entry that may be the thief's; times are his to
// choose.
func (t Trust) WithRetired(use string, key *ecdsa.PublicKey, until time.Time, logEnd int64) (Trust, error) {
	types, err := typesOf(use)
	if err != nil {
		return Trust{}, err
	}
	der, err := spki(key)
	if err != nil {
		return Trust{}, fmt.Errorf("retired key: %w", err)
	}
	if until.IsZero() || logEnd < 0 {
		return Trust{}, errors.New("retired key: without an end")
	}
	for _, k := range t.keys {
		if bytes.Equal(k.spki, der) {
			return Trust{}, errors.New("retired key: it is another key's too")
		}
	}
	t.keys = append(slices.Clip(t.keys), trustedKey{key: key, spki: der, types: types, until: until, logEnd: logEnd})
	return t, nil
}

// WithWitnesses returns t with the keys of witnesses, each of another name.
func (t Trust) WithWitnesses(keys []string) (Trust, error) {
	t.witnesses = nil
	for _, key := range keys {
		v, err := cosig.ParseVerifier(key)
		if err != nil {
			return Trust{}, err
		}
		for _, w := range t.witnesses {
			if w.Name() == v.Name() {
				return Trust{}, fmt.Errorf("two witnesses have the name %s", v.Name())
			}
		}
		t.witnesses = append(t.witnesses, v)
	}
	return t, nil
}

func parseLogKey(key string) (note.Verifier, ed25519.PublicKey, error) {
	v, err := note.NewVerifier(key)
	if err != nil {
		return nil, nil, errors.New("log key: not a note verifier key (name+hash+key)")
	}
	raw, err := base64.StdEncoding.DecodeString(key[strings.Index(key[len(v.Name())+1:], "+")+len(v.Name())+2:])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != 1 {
		return nil, nil, errors.New("log key: not an Ed25519 key")
	}
	return v, raw[1:], nil
}

// logID returns the log's id in bundles: SHA-256 of origin, newline, 0x01, key.
func (t Trust) logID() []byte {
	h := sha256.Sum256([]byte(t.log.Name() + "\n\x01" + string(t.pub)))
	return h[:]
}

// TrustedRoot returns the trusted_root.json that sigstore clients need to check
// the log's part of a bundle. validFrom is when the log began.
func TrustedRoot(logKey string, validFrom time.Time) ([]byte, error) {
	v, pub, err := parseLogKey(logKey)
	if err != nil {
		return nil, err
	}
	der := append([]byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}, pub...) // RFC 8410
	type m = map[string]any
	return json.MarshalIndent(m{
		"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
		"tlogs": []m{{
			"baseUrl":       "https://" + v.Name(),
			"hashAlgorithm": "SHA2_256",
			"publicKey": m{
				"rawBytes":   der,
				"keyDetails": "PKIX_ED25519",
				"validFor":   m{"start": validFrom.UTC().Format(time.RFC3339)},
			},
			"logId": m{"keyId": Trust{log: v, pub: pub}.logID()},
		}},
		"certificateAuthorities": []m{}, "ctlogs": []m{}, "timestampAuthorities": []m{},
	}, "", "  ")
}
