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
	"slices"
	"strings"
	"sync/atomic"
)

// Limits of what is made and read.
const (
	MaxPayload = 1 << 20
	MaxBundle  = 2 << 20
)

const (
	payloadType   = "application/vnd.in-toto+json"
	statementType = "https://in-toto.io/Statement/v1"
)

// statementJSON is an in-toto Statement v1 as it is signed.
type statementJSON struct {
	Type          string          `json:"_type"`
	Subject       []subjectJSON   `json:"subject"`
	PredicateType string          `json:"predicateType"`
	Predicate     json.RawMessage `json:"predicate"`
}

type subjectJSON struct {
	Name   string `json:"name"`
	Digest SHA256 `json:"digest"`
}

// envelopeJSON is a DSSE envelope.
type envelopeJSON struct {
	Payload     string          `json:"payload"`
	PayloadType string          `json:"payloadType"`
	Signatures  []signatureJSON `json:"signatures"`
}

type signatureJSON struct {
	Sig string `json:"sig"`
}

// pae is DSSE's pre-authentication encoding: what the signature covers.
func pae(payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload)
}

// A Prepared is a statement that may be signed, once. Only [Prepare] makes one.
type Prepared struct{ p *prepared }

type prepared struct {
	payload   []byte
	statement Statement // read from payload: not the caller's, who may change his
	used      atomic.Bool
}

// A LintError lists why a statement must not be signed, or be believed.
type LintError struct{ Problems []string }

func (e *LintError) Error() string {
	if n := len(e.Problems); n > 3 {
		return strings.Join(e.Problems[:3], "; ") + fmt.Sprintf("; and %d more", n-3)
	}
	return strings.Join(e.Problems, "; ")
}

// Prepare checks everything about a statement that can be checked before it is
// signed and fixes its bytes. An approval must come from [NewApproval].
func Prepare(s Statement) (Prepared, error) {
	if isNil(s) {
		return Prepared{}, errors.New("prepare: there is no statement")
	}
	fail := func(err error) (Prepared, error) {
		return Prepared{}, fmt.Errorf("prepare %s: %w", s.predicateType(), err)
	}
	if a, ok := s.(*Approval); ok && a.evidence == nil {
		return fail(errors.New("an approval is made from its evidence, by NewApproval"))
	}
	if bad := lint(s); len(bad) > 0 {
		return fail(&LintError{bad})
	}
	predicate, err := json.Marshal(s)
	if err != nil {
		return fail(err)
	}
	of := s.subject()
	payload, err := json.Marshal(statementJSON{statementType, []subjectJSON{{of.Name, SHA256{hexOf(of.Digest)}}}, s.predicateType(), predicate})
	if err != nil {
		return fail(err)
	}
	read, err := decodeStatement(payload)
	if err != nil { // nobody could read what would be signed
		return fail(err)
	}
	return Prepared{&prepared{payload: payload, statement: read}}, nil
}

func lint(s Statement) []string {
	var p problems
	of := s.subject()
	p.text("subject name", of.Name)
	p.digest("subject", of.Digest)
	return append(p, s.lint()...)
}

func isNil(s Statement) bool {
	switch s := s.(type) {
	case *Plan:
		return s == nil
	case *Evidence:
		return s == nil
	case *Review:
		return s == nil
	case *Change:
		return s == nil
	case *Exposure:
		return s == nil
	case *Custody:
		return s == nil
	case *Abort:
		return s == nil
	case *Approval:
		return s == nil
	case *Revocation:
		return s == nil
	case *RevocationList:
		return s == nil
	case *Waiver:
		return s == nil
	}
	return true
}

// decodeStatement reads a payload strictly and checks it as Prepare does.
func decodeStatement(payload []byte) (Statement, error) {
	var j statementJSON
	in, err := readTree(payload, MaxPayload)
	if err == nil {
		err = decodeTree(in, payload, &j)
	}
	if err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	if j.Type != statementType {
		return nil, fmt.Errorf("statement: _type is %q, want %q", clip(j.Type), statementType)
	}
	if len(j.Subject) != 1 {
		return nil, fmt.Errorf("statement: %d subjects; there must be one", len(j.Subject))
	}
	s := newStatement(j.PredicateType)
	if s == nil {
		return nil, fmt.Errorf("statement: predicate type %q is unknown", clip(j.PredicateType))
	}
	predicate := in.(map[string]any)["predicate"] // it is there, as decodeTree found
	if err := decodeTree(predicate, j.Predicate, s); err != nil {
		return nil, fmt.Errorf("predicate: %w", err)
	}
	of := Subject{j.Subject[0].Name, "sha256:" + j.Subject[0].Digest.SHA256}
	if a, ok := s.(*Approval); ok {
		a.of = of
	}
	if s.subject() != of {
		return nil, errors.New("statement: the predicate speaks of another subject")
	}
	if bad := lint(s); len(bad) > 0 {
		return nil, &LintError{bad}
	}
	return s, nil
}

// An Envelope is a signed statement. Only [Issue] and [Open] make one.
type Envelope struct {
	payload, sig []byte
	key          *ecdsa.PublicKey
	statement    Statement
}

// Issue signs a prepared statement. It checks the signature that it got.
func Issue(ctx context.Context, p Prepared, s Signer) (*Envelope, error) {
	if p.p == nil || p.p.used.Swap(true) {
		return nil, errors.New("issue: the statement was not prepared, or is signed already")
	}
	key := s.Public()
	if _, err := spki(key); err != nil {
		return nil, fmt.Errorf("issue: %w", err)
	}
	digest := sha256.Sum256(pae(p.p.payload))
	sig, err := s.Sign(ctx, digest[:])
	if err != nil {
		return nil, fmt.Errorf("issue: sign: %w", err)
	}
	if !ecdsa.VerifyASN1(key, digest[:], sig) {
		return nil, errors.New("issue: the signer returned a signature that its key does not verify")
	}
	return &Envelope{p.p.payload, sig, key, p.p.statement}, nil
}

// Open reads a bare envelope, as the log stores it at that index, that a trusted key
// signed. It does not look into the log: [Verify] does.
func Open(envelope []byte, t Trust, index int64) (*Envelope, error) {
	var j envelopeJSON
	if err := DecodeStrict(envelope, MaxBundle, &j); err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	return open(j, t, index)
}

func open(j envelopeJSON, t Trust, index int64) (*Envelope, error) {
	if j.PayloadType != payloadType {
		return nil, fmt.Errorf("envelope: payloadType is %q, want %q", clip(j.PayloadType), payloadType)
	}
	if len(j.Signatures) != 1 {
		return nil, fmt.Errorf("envelope: %d signatures; there must be one", len(j.Signatures))
	}
	payload, err := decode64("payload", j.Payload)
	if err != nil {
		return nil, err
	}
	sig, err := decode64("signature", j.Signatures[0].Sig)
	if err != nil {
		return nil, err
	}
	by, err := t.signedBy(payload, sig)
	if err != nil {
		return nil, err
	}
	// The bytes that were verified, and no others, are read.
	s, err := decodeStatement(payload)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(by.types, s.predicateType()) && !t.without[stepKeyType] {
		return nil, fmt.Errorf("envelope: its key may not sign %s", s.predicateType())
	}
	if err := by.valid(s, index); err != nil && !t.without[stepKeyWindow] {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	return &Envelope{payload, sig, by.key, s}, nil
}

// signedBy returns the trusted key that made a signature.
func (t Trust) signedBy(payload, sig []byte) (trustedKey, error) {
	digest := sha256.Sum256(pae(payload))
	for _, k := range t.keys {
		if ecdsa.VerifyASN1(k.key, digest[:], sig) || t.without[stepSignature] {
			return k, nil
		}
	}
	return trustedKey{}, errors.New("envelope: no trusted key made its signature")
}

func decode64(what, s string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return nil, fmt.Errorf("%s: not base64", what)
	}
	return b, nil
}

func (e *Envelope) json() envelopeJSON {
	b64 := base64.StdEncoding.EncodeToString
	return envelopeJSON{b64(e.payload), payloadType, []signatureJSON{{b64(e.sig)}}}
}

// Bytes returns the DSSE envelope as JSON.
func (e *Envelope) Bytes() []byte {
	b, err := json.Marshal(e.json())
	if err != nil {
		panic("three strings do not encode: " + err.Error())
	}
	return b
}

// Digest names the statement: "sha256:<hex>" of its payload.
func (e *Envelope) Digest() string {
	h := sha256.Sum256(e.payload)
	return "sha256:" + hex.EncodeToString(h[:])
}

// Payload returns the bytes that were signed; do not change them.
func (e *Envelope) Payload() []byte { return e.payload }

// Statement returns what the envelope says; do not change it.
func (e *Envelope) Statement() Statement { return e.statement }

// Type returns the predicate type.
func (e *Envelope) Type() string { return e.statement.predicateType() }

// Subject returns what the statement speaks of.
func (e *Envelope) Subject() Subject { return e.statement.subject() }

// Leaf returns the log's leaf for the envelope: the canonical form of a rekor v2
// hashedrekord 0.0.2. It holds hashes and a signature, nothing of the statement.
func (e *Envelope) Leaf() ([]byte, error) {
	der, err := spki(e.key)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(pae(e.payload))
	return leafOf(digest[:], e.sig, der), nil
}
