package verdict

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"time"
)

// Predicate types of what takes an approval back.
const (
	RevocationType     = Base + "revocation/v1"
	RevocationListType = Base + "revocation-list/v1"
)

// What can be revoked. A verdict is named by the digest of its evidence or approval, a
// waiver by its own, a key by [KeyDigest], a person by [PersonDigest].
const (
	RevokeVerdict = "verdict"
	RevokePackage = "package"
	RevokeKey     = "key"
	RevokeHoldout = "holdout"
	RevokeSuite   = "suite"
	RevokePolicy  = "policy"
	RevokeHarness = "harness"
	RevokePerson  = "person"
)

// RevocationKinds lists what can be revoked.
func RevocationKinds() []string {
	return []string{RevokeVerdict, RevokePackage, RevokeKey, RevokeHoldout, RevokeSuite, RevokePolicy, RevokeHarness, RevokePerson}
}

// A Revocation takes back everything that rests on its target: for good, and for
// everybody who asks for the list.
type Revocation struct {
	ID       string `json:"id"` // of the proposal
	Verifier string `json:"verifier"`
	Kind     string `json:"kind"`
	Target   Ref    `json:"target"` // the subject
	// From is the first log index of a key that may be a thief's; 0 for everything
	// that it signed, and for every other kind.
	From int64 `json:"from_log_index,string"`
	// Evidence lists the digests of all evidence that rested on the target, sorted: a
	// gate that is given the approval alone knows by them what the approval rests on.
	Evidence       []string `json:"evidence"`
	Reason         string   `json:"reason"`
	ProposedBy     string   `json:"proposed_by"`
	ProposedPerson string   `json:"proposed_person"`
	By             string   `json:"by"`
	Person         string   `json:"person"`
	At             string   `json:"at"`
}

// A RevocationList is all that is revoked as of one state of the log. It is signed and
// not logged: each of its entries is there already. Its subject is the log's root.
type RevocationList struct {
	Verifier string    `json:"verifier"`
	Log      string    `json:"log"`             // origin
	Sequence int64     `json:"sequence,string"` // entries of the log that it covers; never less than before
	Root     string    `json:"root"`            // digest of that tree
	Revoked  []Revoked `json:"revoked"`
	At       string    `json:"at"`
	Expires  string    `json:"expires"`
}

// Revoked is one entry of a list.
type Revoked struct {
	Kind     string   `json:"kind"`
	Digest   string   `json:"digest"`                // of what is revoked
	From     int64    `json:"from_log_index,string"` // of a key: the first entry that counts; else 0
	Evidence []string `json:"evidence"`              // digests of the evidence that is hit
	LogIndex int64    `json:"log_index,string"`      // of the revocation
}

func (*Revocation) predicateType() string     { return RevocationType }
func (*RevocationList) predicateType() string { return RevocationListType }

func (s *Revocation) subject() Subject     { return s.Target.subject() }
func (s *RevocationList) subject() Subject { return Subject{s.Log, s.Root} }

func (s *Revocation) madeAt() string     { return s.At }
func (s *RevocationList) madeAt() string { return s.At }

// KeyDigest names a signing key: the SHA-256 of its public form in DER.
func KeyDigest(k *ecdsa.PublicKey) (string, error) {
	der, err := spki(k)
	if err != nil {
		return "", err
	}
	h := sha256.Sum256(der)
	return "sha256:" + hex.EncodeToString(h[:]), nil
}

// PersonDigest names a person in a revocation.
func PersonDigest(person string) string {
	h := sha256.Sum256([]byte("proctor-person/1\n" + person))
	return "sha256:" + hex.EncodeToString(h[:])
}

// Key returns the digest of the key that signed the envelope.
func (e *Envelope) Key() (string, error) { return KeyDigest(e.key) }

func (s *Revocation) lint() []string {
	var p problems
	p.text("id", s.ID)
	p.text("verifier", s.Verifier)
	p.oneOf("kind", s.Kind, RevocationKinds()...)
	p.ref("target", s.Target)
	p.revoked("revocation", s.Kind, s.From, s.Evidence)
	p.text("reason", s.Reason)
	p.two(s.ProposedBy, s.ProposedPerson, s.By, s.Person)
	p.time("at", s.At)
	return p
}

// two demands two people who are not one.
func (p *problems) two(proposedBy, proposedPerson, by, person string) {
	p.text("proposed_by", proposedBy)
	p.text("proposed_person", proposedPerson)
	p.text("by", by)
	p.text("person", person)
	if proposedPerson == person {
		p.add("%s decides on what he proposed himself", clip(person))
	}
}

func (p *problems) revoked(what, kind string, from int64, evidence []string) {
	if from < 0 || from > 0 && kind != RevokeKey {
		p.add("%s: only a key is revoked from an entry on, and that is 0 or more", what)
	}
	if evidence == nil {
		p.add("%s: evidence is no list", what)
	}
	for i, d := range evidence {
		p.digest(what+": evidence", d)
		if i > 0 && evidence[i-1] >= d {
			p.add("%s: evidence is not sorted, or stands twice", what)
			break
		}
	}
}

func (s *RevocationList) lint() []string {
	var p problems
	p.text("verifier", s.Verifier)
	p.text("log", s.Log)
	p.digest("root", s.Root)
	if s.Sequence < 1 {
		p.add("sequence %d", s.Sequence)
	}
	if s.Revoked == nil {
		p.add("revoked is no list")
	}
	last := int64(-1)
	for i, r := range s.Revoked {
		what := fmt.Sprintf("entry %d", i+1)
		p.oneOf(what, r.Kind, RevocationKinds()...)
		p.digest(what, r.Digest)
		p.revoked(what, r.Kind, r.From, r.Evidence)
		if r.LogIndex <= last || r.LogIndex >= s.Sequence {
			p.add("%s: log index %d is not after %d and before %d", what, r.LogIndex, last, s.Sequence)
		}
		last = r.LogIndex
	}
	p.span("at", s.At, "expires", s.Expires, MaxListLife)
	return p
}

// MaxListLife is the longest life of a revocation list. Gates demand a shorter one.
const MaxListLife = 7 * 24 * time.Hour

// span demands two times in their order, not further apart than most.
func (p *problems) span(whatFrom, from, whatTo, to string, most time.Duration) {
	p.time(whatFrom, from)
	p.time(whatTo, to)
	a, err := time.Parse(time.RFC3339Nano, from)
	b, err2 := time.Parse(time.RFC3339Nano, to)
	if err == nil && err2 == nil && (!b.After(a) || b.Sub(a) > most) {
		p.add("%s is not after %s, or more than %v later", whatTo, whatFrom, most)
	}
}

// Hits says which part of a statement this entry takes back, "" if none: an approval's
// evidence, the package, the policy, the key that signed it from an entry on, or the
// statement itself.
func (r Revoked) Hits(v *Verified) (string, error) {
	key, err := v.Key()
	if err != nil {
		return "", err
	}
	evidence, policy := "", ""
	switch s := v.Statement().(type) {
	case *Approval:
		evidence, policy = s.EvidenceDigest(), s.PolicyDigest()
	case *Waiver:
		evidence = s.Evidence
	}
	switch {
	case r.Kind == RevokeVerdict && (r.Digest == v.Digest() || r.Digest == evidence):
		return "the verdict", nil
	case r.Kind == RevokePackage && r.Digest == v.Subject().Digest:
		return "the model", nil
	case r.Kind == RevokePolicy && r.Digest == policy:
		return "its policy", nil
	case r.Kind == RevokeKey && r.Digest == key && v.Index >= r.From:
		return "the key that signed it", nil
	case slices.Contains(r.Evidence, evidence):
		return "a " + r.Kind + " that it rests on", nil
	}
	return "", nil
}

// OpenRevocations reads a revocation list that a trusted key signed and that has not
// expired. It is in no log, so that no key counts which is bounded by the log.
func OpenRevocations(envelope []byte, t Trust) (*RevocationList, error) {
	e, err := Open(envelope, t, math.MaxInt64)
	if err != nil {
		return nil, fmt.Errorf("revocations: %w", err)
	}
	l, ok := e.Statement().(*RevocationList)
	if !ok {
		return nil, fmt.Errorf("revocations: it is a %s, want %s", e.Type(), RevocationListType)
	}
	return l, nil
}
