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
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Trust is what a verifier pins. [NewTrust] makes one; the zero value trusts
// nothing. It fixes the algorithm and which predicate types each key may sign, so
// that a document cannot choose either.
type Trust struct {
	keys []trustedKey
	log  note.Verifier
	pub  ed25519.PublicKey // of log
	// without leaves steps of Verify out; only tests of this package set it, to
	// show that the attack then succeeds.
	without map[string]bool
}

type trustedKey struct {
	key   *ecdsa.PublicKey
	spki  []byte
	types []string
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
	t := Trust{keys: []trustedKey{
		{evidence, e, []string{EvidenceType, PlanType, ReviewType, ChangeType, ExposureType, AbortType, CustodyType}},
		{approve, a, []string{ApprovalType}},
	}}
	if t.log, t.pub, err = parseLogKey(logKey); err != nil {
		return Trust{}, err
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
