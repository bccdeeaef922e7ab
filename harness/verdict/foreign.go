package verdict

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// foreignBundle is what is read of a sigstore bundle that another tool made: the
// envelope. What else it holds is its maker's word and nothing rests on it, above all
// no key and no hint of one.
type foreignBundle struct {
	MediaType string          `json:"mediaType"`
	Envelope  json.RawMessage `json:"dsseEnvelope"`
}

// OpenForeign returns the payload of an in-toto statement that another tool signed, in
// a sigstore bundle or a bare DSSE envelope, and which of keys signed it. It says
// nothing of what the payload says: that is the caller's to read, from these bytes and
// no others. JSON with a key twice, more than one signature, and any other kind of
// payload are refused.
func OpenForeign(data []byte, keys []*ecdsa.PublicKey) (payload []byte, key int, err error) {
	if err := ScanForeign(data, MaxBundle); err != nil {
		return nil, 0, fmt.Errorf("envelope: %w", err)
	}
	var b foreignBundle
	if err := json.Unmarshal(data, &b); err != nil {
		return nil, 0, fmt.Errorf("envelope: %w", jsonError(err))
	}
	raw := json.RawMessage(data)
	if b.MediaType != "" {
		if b.MediaType != bundleType {
			return nil, 0, fmt.Errorf("envelope: the bundle is a %q, want %q", clip(b.MediaType), bundleType)
		}
		raw = b.Envelope
	}
	var e envelopeJSON
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, 0, errors.New("envelope: there is none")
	}
	if e.PayloadType != payloadType || len(e.Signatures) != 1 {
		return nil, 0, fmt.Errorf("envelope: payloadType %q with %d signatures; want %q with one", clip(e.PayloadType), len(e.Signatures), payloadType)
	}
	if payload, err = decode64("payload", e.Payload); err != nil {
		return nil, 0, err
	}
	sig, err := decode64("signature", e.Signatures[0].Sig)
	if err != nil {
		return nil, 0, err
	}
	digest := sha256.Sum256(pae(payload))
	for i, k := range keys {
		if _, err := spki(k); err == nil && ecdsa.VerifyASN1(k, digest[:], sig) {
			return payload, i, nil
		}
	}
	return nil, 0, errors.New("envelope: none of the known keys made its signature")
}

// ScanForeign refuses JSON of others that two readers could read differently: it is one
// value of at most most bytes, no key stands twice or in two cases, nesting is bounded.
func ScanForeign(data []byte, most int) error {
	_, err := readTree(data, most)
	return err
}

// SignForeign signs an in-toto statement of somebody else's predicate type and returns
// it as a sigstore bundle that is in no log. It checks nothing of what the statement
// says, so it is for the keys of models' owners, never for a service's.
func SignForeign(ctx context.Context, payload []byte, s Signer) ([]byte, error) {
	text, err := PublicPEM(s.Public())
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(pae(payload))
	sig, err := s.Sign(ctx, digest[:])
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	b64 := base64.StdEncoding.EncodeToString
	hint := sha256.Sum256([]byte(text))
	return json.MarshalIndent(map[string]any{
		"mediaType":            bundleType,
		"verificationMaterial": map[string]any{"publicKey": map[string]string{"hint": hex.EncodeToString(hint[:])}, "tlogEntries": []any{}},
		"dsseEnvelope":         envelopeJSON{b64(payload), payloadType, []signatureJSON{{b64(sig)}}},
	}, "", "  ")
}
