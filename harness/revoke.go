package harness

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/harness/verdict"
	"proctor/web/api"
)

// revocationKind is the kind of change that takes something back.
const revocationKind = "revocation"

// recall is the document of a proposal to revoke: what two people agree on.
type recall struct {
	Format string `json:"format"`
	api.Revocation
	Name string `json:"name"`
}

const recallFormat = "proctor/revocation/1"

// ProposeRevocation proposes to take back what rests on something. It takes effect when
// a second person activates it. The note says how much it hits by now.
func (s *Service) ProposeRevocation(ctx context.Context, p access.Principal, r api.Revocation) (api.Change, error) {
	if err := access.Check(p, access.Propose, access.Object{Kind: revocationKind}); err != nil {
		return api.Change{}, err
	}
	if err := checkRevocation(&r); err != nil {
		return api.Change{}, err
	}
	var hits []hit
	if err := s.Store.View(ctx, func(tx *store.Tx) error {
		im, err := s.readImpact(tx)
		if err == nil {
			hits, err = im.on(r.Kind, r.Digest, r.From)
		}
		return err
	}); err != nil {
		return api.Change{}, err
	}
	name := r.Kind
	if len(hits) > 0 {
		name = hits[0].name
	} else if !slices.Contains([]string{verdict.RevokePackage, verdict.RevokeKey, verdict.RevokeHarness, verdict.RevokePerson}, r.Kind) {
		return api.Change{}, refuse(Missing, "no verdict rests on a %s of digest %s", r.Kind, r.Digest)
	}
	body, err := json.Marshal(recall{recallFormat, r, name})
	if err != nil {
		return api.Change{}, err
	}
	note := fmt.Sprintf("revoke the %s %s (%s), on which %d verdicts rest: %s", r.Kind, name, r.Digest, len(hits), r.Reason)
	sum := sha256.Sum256(body)
	return s.propose(ctx, p, store.Document{Digest: "sha256:" + hex.EncodeToString(sum[:]), Kind: revocationKind, Name: name, Body: body}, note)
}

func checkRevocation(r *api.Revocation) error {
	r.Reason = strings.TrimSpace(r.Reason)
	switch {
	case !slices.Contains(verdict.RevocationKinds(), r.Kind):
		return refuse(Usage, "what is revoked is one of %s", strings.Join(verdict.RevocationKinds(), ", "))
	case !isDigest(r.Digest):
		return refuse(Usage, "what is revoked is named by sha256: and 64 lower-case hex digits")
	case r.Reason == "" || len(r.Reason) > maxReason:
		return refuse(Usage, "a revocation has a reason of 1 to %d characters", maxReason)
	case r.From < 0 || r.From > 0 && r.Kind != verdict.RevokeKey:
		return refuse(Usage, "only a key is revoked from an entry of the log on")
	}
	return nil
}

func isDigest(d string) bool {
	h, ok := strings.CutPrefix(d, "sha256:")
	return ok && len(h) == 64 && strings.Trim(h, "0123456789abcdef") == ""
}

// revoke signs and logs what a proposal takes back, with all that rests on it now.
func (s *Service) revoke(tx *store.Tx, log *appender, c store.Change, p access.Principal) error {
	d, err := tx.Document(c.Digest)
	if err != nil {
		return err
	}
	var r recall
	if err := json.Unmarshal(d.Body, &r); err != nil || r.Format != recallFormat {
		return fmt.Errorf("revocation %s: its record cannot be read", c.Digest)
	}
	im, err := s.readImpact(tx)
	if err != nil {
		return err
	}
	hits, err := im.on(r.Kind, r.Digest, r.From)
	if err != nil {
		return err
	}
	_, _, err = log.add(&verdict.Revocation{
		ID: c.ID, Verifier: s.Name, Kind: r.Kind, Target: verdict.Ref{Name: r.Name, Digest: r.Digest}, From: r.From, Evidence: evidenceOf(hits), Reason: r.Reason,
		ProposedBy: c.ProposedBy, ProposedPerson: c.ProposedPerson, By: p.ID, Person: p.Person, At: s.stamp(),
	}, s.Approve)
	var lint *verdict.LintError
	if errors.As(err, &lint) {
		return refuse(Conflict, "this revocation cannot be signed: %v", lint)
	}
	return err
}

// A revoked entry of the log.
type revokedAt struct {
	*verdict.Revocation
	at int64
}

// recalled is what the log has taken back.
type recalled struct {
	revocations []revokedAt       // oldest first
	revoked     map[string]string // digest of what is revoked, and of evidence that it hit -> what for
	people      map[string]bool   // by verdict.PersonDigest
	keys        map[string]int64  // digest -> first entry that counts
}

func (r *recalled) note(at int64, s *verdict.Revocation) {
	if r.revoked == nil {
		*r = recalled{revoked: map[string]string{}, people: map[string]bool{}, keys: map[string]int64{}}
	}
	r.revocations = append(r.revocations, revokedAt{s, at})
	why := fmt.Sprintf("the %s %s is revoked", s.Kind, s.Target.Name)
	if s.Kind != verdict.RevokeKey && s.Kind != verdict.RevokePerson { // of these, what they hit
		r.revoked[s.Target.Digest] = why
	}
	for _, d := range s.Evidence {
		r.revoked[d] = why
	}
	switch s.Kind {
	case verdict.RevokePerson:
		r.people[s.Target.Digest] = true
	case verdict.RevokeKey:
		if from, ok := r.keys[s.Target.Digest]; !ok || s.From < from {
			r.keys[s.Target.Digest] = s.From
		}
	}
}

func (r *recalled) clone() recalled {
	return recalled{slices.Clone(r.revocations), maps.Clone(r.revoked), maps.Clone(r.people), maps.Clone(r.keys)}
}

// by says whether a key is revoked at an entry of the log.
func (r *recalled) by(key string, at int64) bool {
	from, ok := r.keys[key]
	return ok && at >= from
}

// heeds refuses what a person wants who was revoked: his role is still an account's, and
// what he decides would be hit the next day.
func (s *Service) heeds(tx *store.Tx, p access.Principal) error {
	return s.follow(tx, func(l *standing) error {
		if l.people[verdict.PersonDigest(p.Person)] {
			return refuse(Conflict, "the person %s is revoked, and neither proposes nor decides", p.Person)
		}
		return nil
	})
}

// signs says whether a key that this service signs with is revoked: what it signs from
// now on counts nowhere.
func (s *Service) signs(tx *store.Tx) (why string, err error) {
	next, err := tx.LogSize()
	if err != nil {
		return "", err
	}
	err = s.follow(tx, func(l *standing) error {
		for _, k := range []verdict.Signer{s.Evidence, s.Approve} {
			digest, err := verdict.KeyDigest(k.Public())
			if err != nil {
				return err
			}
			if l.by(digest, next) {
				why = "a key that this service signs with is revoked"
			}
		}
		return nil
	})
	return why, err
}

// hit says what of that which evidence rests on is revoked, "" if nothing.
func (r *recalled) hit(e *verdict.Evidence) string {
	digests := []string{e.Inputs.Candidate.Digest, e.Inputs.Policy.Digest, e.Run.Harness}
	for _, list := range [][]verdict.Ref{e.Inputs.Holdouts, e.Inputs.Suites} {
		for _, x := range list {
			digests = append(digests, x.Digest)
		}
	}
	for _, d := range digests {
		if why := r.revoked[d]; why != "" {
			return why
		}
	}
	return ""
}

// recalled says why evidence counts no more, "" if it does. env is the evidence as it is
// logged at an entry, nil if it is not signed yet.
func (s *Service) recalled(tx *store.Tx, e *verdict.Evidence, env *verdict.Envelope, at int64) (why string, err error) {
	err = s.follow(tx, func(l *standing) error {
		if why = l.hit(e); why == "" {
			why = l.decidedBy(e)
		}
		if env == nil || why != "" {
			return nil
		}
		key, err := env.Key()
		if why = l.revoked[env.Digest()]; why == "" && err == nil && l.by(key, at) {
			why = "the key that signed it is revoked"
		}
		return err
	})
	if err == nil && why == "" && env == nil {
		return s.signs(tx)
	}
	return why, err
}

// decidedBy says which part of what evidence rests on a revoked person proposed or
// activated, "" if none.
func (r *standing) decidedBy(e *verdict.Evidence) string {
	for _, x := range slices.Concat([]verdict.Ref{e.Inputs.Policy}, e.Inputs.Holdouts, e.Inputs.Suites) {
		for _, person := range r.deciders[x.Digest] {
			if r.people[verdict.PersonDigest(person)] {
				return fmt.Sprintf("%s is revoked, who decided on %s", person, x.Name)
			}
		}
	}
	return ""
}

// A listed is the newest list that was signed.
type listed struct {
	mu   sync.Mutex
	size int64
	at   time.Time
	text []byte
}

// SignedTrust returns the trust file that the offline root keys signed, as it is: who
// takes it checks it against the root keys.
func (s *Service) SignedTrust() ([]byte, error) {
	b, err := os.ReadFile(s.TrustFile)
	if errors.Is(err, fs.ErrNotExist) || s.TrustFile == "" {
		return nil, refuse(Missing, "this service publishes no signed trust file")
	}
	return b, err
}

// How long a list is handed out before it is signed again, and how long it lives.
const (
	listFresh = 30 * time.Second
	listLife  = 24 * time.Hour
)

// Revocations returns the signed list of all that is revoked, as a DSSE envelope. It
// holds digests only and is public: a gate that cannot get it stays shut.
func (s *Service) Revocations(ctx context.Context) ([]byte, error) {
	_, head := s.Head.Checkpoint()
	now := s.Now()
	s.listed.mu.Lock()
	defer s.listed.mu.Unlock()
	l := &s.listed
	if age := now.Sub(l.at); l.text != nil && l.size == head.N && age >= 0 && age < listFresh {
		return l.text, nil
	}
	var list *verdict.RevocationList
	if err := s.Store.View(ctx, func(tx *store.Tx) (err error) {
		list, err = s.revocationList(tx, now)
		return err
	}); err != nil {
		return nil, err
	}
	p, err := verdict.Prepare(list)
	if err != nil {
		return nil, err
	}
	e, err := verdict.Issue(ctx, p, s.Approve)
	if err != nil {
		return nil, err
	}
	l.text, l.size, l.at = e.Bytes(), head.N, now
	return l.text, nil
}

func (s *Service) revocationList(tx *store.Tx, now time.Time) (*verdict.RevocationList, error) {
	_, head := s.Head.Checkpoint()
	if head.N == 0 {
		return nil, refuse(Missing, "the log is empty: nothing can be revoked yet")
	}
	origin, _, _ := strings.Cut(s.LogKey, "+")
	list := &verdict.RevocationList{
		Verifier: s.Name, Log: origin, Sequence: head.N, Root: "sha256:" + hex.EncodeToString(head.Hash[:]), Revoked: []verdict.Revoked{},
		At: now.UTC().Format(time.RFC3339), Expires: now.UTC().Add(listLife).Format(time.RFC3339),
	}
	err := s.follow(tx, func(l *standing) error {
		for _, r := range l.revocations {
			if r.at < head.N {
				list.Revoked = append(list.Revoked, verdict.Revoked{Kind: r.Kind, Digest: r.Target.Digest, From: r.From, Evidence: r.Evidence, LogIndex: r.at})
			}
		}
		return nil
	})
	return list, err
}
