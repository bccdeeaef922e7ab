package gate

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

// A court holds offline root keys and a trust file on a world's keys.
type court struct {
	t       *testing.T
	signers []note.Signer
	keys    []string
	roots   Roots
	file    TrustFile
}

func newCourt(t *testing.T, w *verdicttest.World) *court {
	t.Helper()
	c := &court{t: t}
	text := rootsLine + "\nthreshold 2\n"
	for _, name := range []string{"root-ann", "root-bob", "root-cid"} {
		secret, public, err := note.GenerateKey(rand.Reader, name)
		must(t, err)
		s, err := note.NewSigner(secret)
		must(t, err)
		c.signers, c.keys = append(c.signers, s), append(c.keys, public)
		text += public + "\n"
	}
	var err error
	c.roots, err = ParseRoots([]byte(text))
	must(t, err)
	public := func(s verdict.Signer) string {
		p, err := verdict.PublicPEM(s.Public())
		must(t, err)
		return p
	}
	c.file = TrustFile{
		Version: 3, Service: verdicttest.VerifierID, Issued: "2026-09-01T00:00:00Z", Expires: "2026-12-01T00:00:00Z", Log: w.Log.Key(), LogFrom: "2026-01-01T00:00:00Z", Witnesses: []string{},
		Keys: []TrustKey{
			{Public: public(w.Evidence), Types: verdict.Types(verdict.UseEvidence), From: "2026-01-01T00:00:00Z"},
			{Public: public(w.Approve), Types: verdict.Types(verdict.UseApprove), From: "2026-01-01T00:00:00Z"},
		},
	}
	return c
}

// sign signs the file with the root keys of those numbers.
func (c *court) sign(by ...int) []byte {
	c.t.Helper()
	text, err := c.file.Text()
	must(c.t, err)
	b := []byte(text)
	for _, i := range by {
		b, err = SignTrust(b, c.signers[i])
		must(c.t, err)
	}
	return b
}

func (c *court) open(b []byte) *SignedTrust {
	c.t.Helper()
	s, err := OpenTrust(b, c.roots)
	must(c.t, err)
	return &s
}

// Two of three root keys make a trust file; one does not, nor one that signs twice, nor
// a stranger, nor anything that was changed afterwards.
func TestOpenTrust(t *testing.T) {
	w := verdicttest.New(t)
	c := newCourt(t, w)
	for _, by := range [][]int{{0, 1}, {2, 0}, {0, 1, 2}} {
		if s := c.open(c.sign(by...)); len(s.Signers) != len(by) || s.File.Version != 3 {
			t.Errorf("%v: %+v", by, s)
		}
	}
	good := string(c.sign(0, 1))
	stranger := newCourt(t, w)
	stranger.file = c.file
	lines := strings.SplitAfter(good, "\n")
	for name, b := range map[string]string{
		"unsigned": string(c.sign()), "one": string(c.sign(0)), "one twice": string(c.sign(1, 1)), "strangers": string(stranger.sign(0, 1)), "nothing": "",
		"version": strings.Replace(good, `"version": "3"`, `"version": "4"`, 1), "expiry": strings.Replace(good, "2026-12", "2027-12", 1),
		"one and a line of the other's again": string(c.sign(0)) + lines[len(lines)-2][:20] + "AAAA\n",
		"one and a stranger":                  string(c.sign(0)) + strings.SplitAfter(string(stranger.sign(0)), "\n\n")[1],
	} {
		if s, err := OpenTrust([]byte(b), c.roots); err == nil {
			t.Errorf("%s: opened, by %v", name, s.Signers)
		}
	}
	if _, err := OpenTrust([]byte(good), Roots{}); err == nil {
		t.Error("opened without root keys")
	}
	c.roots.Threshold = 1 // guard off: one key is enough
	if _, err := OpenTrust(c.sign(0), c.roots); err == nil {
		t.Error("a threshold of 1 counts")
	}
}

// What a trust file may not say, whoever signs it.
func TestTrustFileForm(t *testing.T) {
	w := verdicttest.New(t)
	for name, change := range map[string]func(f *TrustFile){
		"no version": func(f *TrustFile) { f.Version = 0 }, "no service": func(f *TrustFile) { f.Service = "" }, "no keys": func(f *TrustFile) { f.Keys = []TrustKey{} },
		"null witnesses": func(f *TrustFile) { f.Witnesses = nil }, "ends before it begins": func(f *TrustFile) { f.Expires = f.Issued }, "local time": func(f *TrustFile) { f.Expires = "2027-01-01T00:00:00+01:00" },
		"one key twice": func(f *TrustFile) { f.Keys[1].Public = f.Keys[0].Public }, "a type of both": func(f *TrustFile) { f.Keys[0].Types = append([]string{verdict.ApprovalType}, f.Keys[0].Types...) },
		"no type": func(f *TrustFile) { f.Keys[0].Types = nil }, "an unknown type": func(f *TrustFile) { f.Keys[0].Types = []string{"https://x.example/v1"} }, "a type twice": func(f *TrustFile) { f.Keys[1].Types = []string{verdict.ApprovalType, verdict.ApprovalType} },
		"an empty window": func(f *TrustFile) { f.Keys[0].Until = f.Keys[0].From }, "a negative end": func(f *TrustFile) { f.Keys[0].LogEnd = -1 }, "no key": func(f *TrustFile) { f.Keys[0].Public = "" }, "no log": func(f *TrustFile) { f.Log = "" },
		"the log's start": func(f *TrustFile) { f.LogFrom = "" }, "a witness that is none": func(f *TrustFile) { f.Witnesses = []string{"x"} },
	} {
		c := newCourt(t, w)
		c.file.Keys = append([]TrustKey{}, c.file.Keys...)
		change(&c.file)
		if _, err := c.file.Text(); err == nil {
			t.Errorf("%s: has a text", name)
		}
	}
	c := newCourt(t, w)
	text, err := c.file.Text()
	must(t, err)
	for name, bad := range map[string]string{
		"no first line": strings.TrimPrefix(text, trustLine+"\n"), "spaces": strings.Replace(text, "  ", "   ", 1), "trailing": text + "{}\n", "unknown key": strings.Replace(text, `"service"`, `"x": 1, "service"`, 1),
		"a checkpoint": "log.proctor.example\n3\nAAAA\n",
	} {
		if _, err := ParseTrustText(bad); err == nil {
			t.Errorf("%s: read", name)
		}
	}
	if root, err := c.file.TrustedRoot(); err != nil || !strings.Contains(string(root), `"https://log.proctor.example"`) || !strings.Contains(string(root), `"start": "2026-01-01T00:00:00Z"`) {
		t.Errorf("%v %s", err, root)
	}
}

func TestParseRoots(t *testing.T) {
	c := newCourt(t, verdicttest.New(t))
	renamed := func(key, name string) string {
		secret, public, _ := note.GenerateKey(rand.Reader, name)
		_ = secret
		return public[:strings.LastIndex(public, "+")] + key[strings.LastIndex(key, "+"):]
	}
	good := fmt.Sprintf("%s\nthreshold 2\n%s\n%s\n", rootsLine, c.keys[0], c.keys[1])
	if r, err := ParseRoots([]byte(good)); err != nil || len(r.Keys) != 2 {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"nothing": "", "threshold 1": strings.Replace(good, " 2", " 1", 1), "threshold 3 of 2": strings.Replace(good, " 2", " 3", 1), "threshold 02": strings.Replace(good, " 2", " 02", 1),
		"a key twice": good + c.keys[0] + "\n", "a key of two names": good + renamed(c.keys[0], "root-zoe") + "\n", "a line": good + "x\n", "other format": strings.Replace(good, "roots/1", "roots/2", 1),
		"one key": fmt.Sprintf("%s\nthreshold 2\n%s\n", rootsLine, c.keys[0]),
	} {
		if _, err := ParseRoots([]byte(bad)); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

// A gate goes by a signed trust file: the newest that it has seen, until it ends. Keys
// have their types and windows.
func TestSignedTrustAtGate(t *testing.T) {
	for _, c := range []struct {
		name  string
		step  int // that refuses; 0: open
		setup func(s *scene, c *court)
	}{
		{"as it is", 0, func(s *scene, c *court) {}},
		{"seen before", 0, func(s *scene, c *court) { s.in.Memory.TrustVersion = 3 }},
		{"older than was seen", 14, func(s *scene, c *court) { s.in.Memory.TrustVersion = 4 }},
		{"ended", 14, func(s *scene, c *court) { c.file.Expires = verdicttest.At.Format(time.RFC3339) }},
		{"bare keys after a signed file", 14, func(s *scene, c *court) { s.in.Memory.TrustVersion = 3; s.in.Trust = s.w.Trust; s.in.Signed = nil }},
		{"a key before its window", 1, func(s *scene, c *court) { c.file.Keys[1].From = "2026-09-15T00:00:00Z" }},
		{"a key after its window", 1, func(s *scene, c *court) { c.file.Keys[1].Until = "2026-09-14T11:59:59Z" }},
		{"a key from that entry on", 1, func(s *scene, c *court) { c.file.Keys[1].LogEnd = 1 }},
		{"a key without the type", 1, func(s *scene, c *court) { c.file.Keys[1].Types = []string{verdict.RevocationType} }},
		{"the evidence key alone", 1, func(s *scene, c *court) { c.file.Keys = c.file.Keys[:1] }},
	} {
		s := newScene(t)
		k := newCourt(t, s.w)
		s.in.Trust, s.in.Signed = verdict.Trust{}, &SignedTrust{}
		c.setup(s, k)
		if s.in.Signed != nil {
			s.in.Signed = k.open(k.sign(0, 2))
		}
		ok, err := Check(s.in)
		var r *Refusal
		if errors.As(err, &r); c.step == 0 && (err != nil || ok.Memory.TrustVersion != 3) || c.step > 0 && (r == nil || r.Step != c.step) {
			t.Errorf("%s: %v, want step %d", c.name, err, c.step)
			continue
		}
		if c.step == 14 {
			s.in.without = map[int]bool{14: true}
			if _, err := Check(s.in); err != nil {
				t.Errorf("%s: without step 14: %v", c.name, err)
			}
		}
	}
}
