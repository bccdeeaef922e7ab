package gate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"proctor/harness/verdict"
)

// trustLine is the first line of a signed trust file.
const trustLine = "proctor/trust/1"

// A TrustFile says which keys a verifier trusts, for what and when. Offline root keys
// sign it as a C2SP signed note, whose text is the line proctor/trust/1 and this as JSON:
// a stolen signing key is answered by a new version, and no gate needs to be touched.
type TrustFile struct {
	Version   int64      `json:"version,string"` // 1, 2, ...; a gate takes none older than it has seen
	Service   string     `json:"service"`        // whose keys they are
	Issued    string     `json:"issued"`         // RFC 3339, UTC
	Expires   string     `json:"expires"`
	Keys      []TrustKey `json:"keys"`
	Log       string     `json:"log_key"`  // note verifier key
	LogFrom   string     `json:"log_from"` // when the log began
	Witnesses []string   `json:"witness_keys"`
}

// A TrustKey signs statements of these types in this window.
type TrustKey struct {
	Public string   `json:"public_key"` // PEM, ECDSA P-256
	Types  []string `json:"types"`      // predicate types
	From   string   `json:"from"`       // "": no beginning
	Until  string   `json:"until"`      // "": no end
	LogEnd int64    `json:"log_end,string"`
}

// Roots are the keys that sign trust files, and how many of them must.
type Roots struct {
	Threshold int
	Keys      []note.Verifier
}

const rootsLine = "proctor/roots/1"

// ParseRoots reads root keys from a text like
//
//	proctor/roots/1
//	threshold 2
//	root-ann+1a2b3c4d+AbC...
//	root-bob+5e6f7a8b+DeF...
//	root-cid+9c0d1e2f+GhI...
//
// It refuses a threshold below 2, and one key under two names.
func ParseRoots(text []byte) (Roots, error) {
	fail := func(why string) (Roots, error) { return Roots{}, errors.New("root keys: " + why) }
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) < 4 || lines[0] != rootsLine {
		return fail("they begin with the line " + rootsLine + ", then 'threshold 2' and a key a line")
	}
	number, ok := strings.CutPrefix(lines[1], "threshold ")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || strconv.Itoa(n) != number {
		return fail("the second line says 'threshold 2', or more")
	}
	r := Roots{Threshold: n}
	seen := map[string]bool{}
	for _, line := range lines[2:] {
		v, err := note.NewVerifier(line)
		if err != nil {
			return fail("a line is no verifier key (name+hash+key)")
		}
		raw := line[strings.LastIndex(line[:len(v.Name())+10], "+"):]
		if seen[raw] || seen[v.Name()] {
			return fail("a name or a key stands twice: nobody signs for two")
		}
		seen[raw], seen[v.Name()] = true, true
		r.Keys = append(r.Keys, v)
	}
	if n < 2 || n > len(r.Keys) {
		return fail(fmt.Sprintf("the threshold is %d of %d keys; it is 2 or more, and no more than there are", n, len(r.Keys)))
	}
	return r, nil
}

// Text returns what root keys sign.
func (f TrustFile) Text() (string, error) {
	if _, err := f.trust(); err != nil {
		return "", err
	}
	b, err := json.MarshalIndent(f, "", "  ")
	return trustLine + "\n" + string(b) + "\n", err
}

// ParseTrustText reads the text of a trust file, which nobody need have signed yet. It
// accepts exactly what [TrustFile.Text] prints.
func ParseTrustText(text string) (TrustFile, error) {
	var f TrustFile
	body, ok := strings.CutPrefix(text, trustLine+"\n")
	if !ok {
		return f, fmt.Errorf("trust: it does not begin with the line %s", trustLine)
	}
	if err := verdict.DecodeStrict([]byte(body), verdict.MaxPayload, &f); err != nil {
		return f, fmt.Errorf("trust: %w", err)
	}
	again, err := f.Text()
	if err == nil && again != text {
		err = errors.New("trust: not written as it must be")
	}
	return f, err
}

// trust checks everything and returns the keys as [verdict.Verify] takes them.
func (f TrustFile) trust() (verdict.Trust, error) {
	fail := func(format string, a ...any) (verdict.Trust, error) {
		return verdict.Trust{}, fmt.Errorf("trust: "+format, a...)
	}
	if f.Version < 1 || f.Service == "" || f.Keys == nil || f.Witnesses == nil {
		return fail("version is 1 or more, service has a name, keys and witness_keys are lists")
	}
	issued, err := parseTime(f.Issued)
	expires, err2 := parseTime(f.Expires)
	_, err3 := parseTime(f.LogFrom)
	if err := errors.Join(err, err2, err3); err != nil || !expires.After(issued) {
		return fail("issued, expires and log_from are times like 2026-11-25T07:00:00Z, in that order")
	}
	var keys []verdict.Key
	for i, k := range f.Keys {
		public, err := verdict.ParsePublicPEM(k.Public)
		if err != nil {
			return fail("key %d: %w", i+1, err)
		}
		key := verdict.Key{Public: public, Types: k.Types, LogEnd: k.LogEnd}
		if key.From, err = optionalTime(k.From); err == nil {
			key.Until, err = optionalTime(k.Until)
		}
		if err != nil {
			return fail("key %d: %w", i+1, err)
		}
		keys = append(keys, key)
	}
	t, err := verdict.TrustKeys(keys, f.Log)
	if err != nil {
		return fail("%w", err)
	}
	return t.WithWitnesses(f.Witnesses)
}

func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Location() != time.UTC {
		return t, fmt.Errorf("%.40q is no time in UTC", s)
	}
	return t, nil
}

func optionalTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return parseTime(s)
}

// A SignedTrust is a trust file that enough root keys signed. Only [OpenTrust] makes one
// that is not empty; whether it is the newest and has not expired, [Check] says.
type SignedTrust struct {
	File    TrustFile
	Trust   verdict.Trust
	Signers []string // names of root keys, sorted
}

// OpenTrust reads a signed trust file.
func OpenTrust(signed []byte, roots Roots) (SignedTrust, error) {
	if len(roots.Keys) == 0 || roots.Threshold < 2 {
		return SignedTrust{}, errors.New("trust: there are no root keys")
	}
	n, err := note.Open(signed, note.VerifierList(roots.Keys...))
	if err != nil {
		return SignedTrust{}, errors.New("trust: no root key signed it, or a signature is false")
	}
	var s SignedTrust
	for _, sig := range n.Sigs { // one a key, as note.Open sees to
		s.Signers = append(s.Signers, sig.Name)
	}
	slices.Sort(s.Signers)
	if len(s.Signers) < roots.Threshold {
		return SignedTrust{}, fmt.Errorf("trust: signed by %s; %d root keys must", strings.Join(s.Signers, ", "), roots.Threshold)
	}
	if s.File, err = ParseTrustText(n.Text); err != nil {
		return SignedTrust{}, err
	}
	s.Trust, err = s.File.trust()
	return s, err
}

// SignTrust adds the signature of one root key to a trust file, signed by others or by
// nobody yet.
func SignTrust(file []byte, by note.Signer) ([]byte, error) {
	n := &note.Note{Text: string(file)}
	if i := bytes.LastIndex(file, []byte("\n\n")); i >= 0 {
		n.Text = string(file[:i+1])
		var unverified *note.UnverifiedNoteError
		if _, err := note.Open(file, note.VerifierList()); !errors.As(err, &unverified) {
			return nil, errors.New("trust: it is no signed note")
		}
		n.UnverifiedSigs = unverified.Note.UnverifiedSigs
	}
	if _, err := ParseTrustText(n.Text); err != nil {
		return nil, err
	}
	return note.Sign(n, by)
}

// TrustedRoot returns the trusted_root.json of sigstore clients.
func (f TrustFile) TrustedRoot() ([]byte, error) {
	from, err := parseTime(f.LogFrom)
	if err != nil {
		return nil, err
	}
	return verdict.TrustedRoot(f.Log, from)
}

// 14. The trust file is the newest that this gate has seen, and has not expired.
func (l *look) trusted() error {
	s, seen := l.Signed, l.Memory.TrustVersion
	switch {
	case s == nil && seen > 0:
		return refuse(Denied, "this gate goes by a signed trust file, version %d or newer, and was given bare keys", seen)
	case s == nil:
		return nil
	case s.File.Version < seen:
		return refuse(Denied, "the trust file is version %d, this gate has seen version %d", s.File.Version, seen)
	}
	expires, err := parseTime(s.File.Expires)
	if now := l.now(); err != nil || !now.Before(expires) {
		return refuse(Stale, "the trust file ended at %s: fetch the next version", s.File.Expires)
	}
	return nil
}
