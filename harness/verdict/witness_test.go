package verdict_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"proctor/harness/cosig"
	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

var mutations = flag.Int("mutations", 4000, "how many changed bundles TestMutations tries")

func witness(t testing.TB, name string, at time.Time) *cosig.Signer {
	t.Helper()
	secret, err := cosig.Generate(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := cosig.ParseSigner(secret, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// cosigned returns a bundle whose checkpoint some witnesses signed.
func cosigned(t testing.TB, w *verdicttest.World, b []byte, by ...*cosig.Signer) []byte {
	t.Helper()
	o := verdicttest.Parse(t, b)
	path := []any{"verificationMaterial", "tlogEntries", 0, "inclusionProof", "checkpoint", "envelope"}
	v, _ := o.At(path...)
	signed := []byte(v.(string))
	for _, s := range by {
		signed = w.Cosign(t, signed, s)
	}
	o.Set(string(signed), path...)
	out, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Cosignatures count when a pinned key made them over this very checkpoint, each key
// once. A false line of a pinned witness is refused; lines of others do not count.
func TestWitnesses(t *testing.T) {
	w := verdicttest.New(t)
	a, b, stranger := witness(t, "a.example", verdicttest.At), witness(t, "b.example", verdicttest.At.Add(time.Hour)), witness(t, "c.example", verdicttest.At)
	_, old := w.Issue(t, verdicttest.Passed(pkg))
	_, plain := w.Issue(t, verdicttest.Passed(pkg))
	trust, err := w.Trust.WithWitnesses([]string{a.Verifier().Key(), b.Verifier().Key()})
	if err != nil {
		t.Fatal(err)
	}
	both := cosigned(t, w, plain, b, a)
	line := func(bundle []byte, name string) string {
		v, _ := verdicttest.Parse(t, bundle).At("verificationMaterial", "tlogEntries", 0, "inclusionProof", "checkpoint", "envelope")
		for l := range strings.Lines(v.(string)) {
			if strings.HasPrefix(l, "— "+name) {
				return l
			}
		}
		return ""
	}
	with := func(lines ...string) []byte {
		o := verdicttest.Parse(t, plain)
		path := []any{"verificationMaterial", "tlogEntries", 0, "inclusionProof", "checkpoint", "envelope"}
		v, _ := o.At(path...)
		o.Set(v.(string)+strings.Join(lines, ""), path...)
		out, _ := json.Marshal(o)
		return out
	}
	oldA := line(cosigned(t, w, old, a), "a.example")
	for name, c := range map[string]struct {
		bundle []byte
		want   string // "": refused
	}{
		"none":                       {plain, "[]"},
		"both":                       {both, "[{a.example 2026-09-14 12:00:00 +0000 UTC} {b.example 2026-09-14 13:00:00 +0000 UTC}]"},
		"a stranger":                 {cosigned(t, w, plain, stranger), "[]"},
		"one line twice":             {with(line(both, "a.example"), line(both, "a.example")), "[{a.example 2026-09-14 12:00:00 +0000 UTC}]"},
		"pasted from an older tree":  {with(oldA), ""},
		"a changed time":             {with(strings.Replace(line(both, "a.example"), "AAAA", "AAAB", 1)), ""},
		"a stranger of a known name": {cosigned(t, w, plain, witness(t, "a.example", verdicttest.At)), "[]"},
	} {
		v, err := verdict.Verify(c.bundle, trust, wantEvidence())
		switch {
		case c.want == "" && err == nil:
			t.Errorf("%s: accepted with %v", name, v.Witnesses)
		case c.want != "" && (err != nil || fmt.Sprint(v.Witnesses) != c.want):
			t.Errorf("%s: %v %v", name, v, err)
		}
	}
	for _, keys := range [][]string{{"x"}, {a.Verifier().Key(), a.Verifier().Key()}, {w.Log.Key()}, {""}} {
		if _, err := w.Trust.WithWitnesses(keys); err == nil {
			t.Errorf("witnesses %q are trusted", keys)
		}
	}
}

// Retired keys: what they signed stays valid, what they sign now does not, by the
// statement's time and, for a key that leaked, by the place in the log.
func TestRetiredKeys(t *testing.T) {
	w, now := verdicttest.New(t), verdicttest.New(t)
	var bundles [][]byte
	for range 4 {
		_, b := w.Issue(t, verdicttest.Passed(pkg))
		bundles = append(bundles, b)
	}
	late := verdicttest.Passed(pkg)
	late.At = verdicttest.At.Add(time.Hour).Format(time.RFC3339)
	_, lateBundle := w.Issue(t, late)
	fresh, err := verdict.NewTrust(now.Evidence.Public(), now.Approve.Public(), w.Log.Key())
	if err != nil {
		t.Fatal(err)
	}
	check := func(b []byte, trust verdict.Trust) error {
		_, err := verdict.Verify(b, trust, wantEvidence())
		return err
	}
	if check(bundles[0], fresh) == nil {
		t.Error("a key that nobody pins")
	}
	until := verdicttest.At.Add(time.Minute)
	retired, err := fresh.WithRetired(verdict.UseEvidence, w.Evidence.Public(), until, 0)
	if err != nil {
		t.Fatal(err)
	}
	leaked, err := fresh.WithRetired(verdict.UseEvidence, w.Evidence.Public(), until, 2)
	if err != nil {
		t.Fatal(err)
	}
	wrongUse, err := fresh.WithRetired(verdict.UseApprove, w.Evidence.Public(), until, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range bundles {
		if err := check(b, retired); err != nil {
			t.Errorf("entry %d: %v", i, err)
		}
		if err := check(b, leaked); (err == nil) != (i < 2) {
			t.Errorf("entry %d, leaked from 2 on: %v", i, err)
		}
		if check(b, leaked.Without("key window")) != nil { // negative control
			t.Errorf("entry %d: it is not the window that refuses", i)
		}
		if check(b, wrongUse) == nil {
			t.Errorf("entry %d: a retired key for approvals signed evidence", i)
		}
	}
	if check(lateBundle, retired) == nil {
		t.Error("a retired key signs on")
	}
	for name, bad := range map[string]func() error{
		"unknown use": func() error { _, err := fresh.WithRetired("all", w.Evidence.Public(), until, 0); return err },
		"no end": func() error {
			_, err := fresh.WithRetired(verdict.UseEvidence, w.Evidence.Public(), time.Time{}, 3)
			return err
		},
		"still in use": func() error {
			_, err := fresh.WithRetired(verdict.UseApprove, now.Evidence.Public(), until, 0)
			return err
		},
		"no key": func() error { _, err := fresh.WithRetired(verdict.UseEvidence, nil, until, 0); return err },
	} {
		if bad() == nil {
			t.Errorf("%s: trusted", name)
		}
	}
	// The leaf alone tells as much.
	leaf := w.Store.Entries[3].Leaf
	for name, c := range map[string]struct {
		trust verdict.Trust
		ok    bool
	}{"its own": {w.Trust, true}, "retired": {retired, true}, "leaked": {leaked, false}, "a stranger's": {fresh, false}} {
		if err := c.trust.CheckLeaf(3, leaf); (err == nil) != c.ok {
			t.Errorf("leaf, %s key: %v", name, err)
		}
	}
	for _, b := range [][]byte{nil, []byte("{}"), append([]byte(" "), leaf...), bytes.Replace(leaf, []byte(`"content":"`), []byte(`"content":"AAAA`), 1), bytes.Replace(leaf, []byte("SHA2_256"), []byte("SHA2_512"), 1)} {
		if w.Trust.CheckLeaf(3, b) == nil {
			t.Errorf("%s is taken for a leaf", b)
		}
	}
}

// No changed bundle yields another statement, place in the log or witnesses:
//
//	go test ./harness/verdict -run TestMutations -mutations 1000000
func TestMutations(t *testing.T) {
	w := verdicttest.New(t)
	for range 5 {
		w.Append(t, []byte("other entry"))
	}
	a, b := witness(t, "a.example", verdicttest.At), witness(t, "b.example", verdicttest.At)
	trust, err := w.Trust.WithWitnesses([]string{a.Verifier().Key(), b.Verifier().Key()})
	if err != nil {
		t.Fatal(err)
	}
	other := verdicttest.Passed(pkg)
	other.Run.ID, other.Sentence = "run-2", "another one"
	var bundles [][]byte
	var want []*verdict.Verified
	for _, e := range []*verdict.Evidence{verdicttest.Passed(pkg), other} {
		_, plain := w.Issue(t, e)
		x := cosigned(t, w, plain, a, b)
		v, err := verdict.Verify(x, trust, wantEvidence())
		if err != nil || len(v.Witnesses) != 2 {
			t.Fatal(v, err)
		}
		bundles, want = append(bundles, x), append(want, v)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for n := range *mutations {
		c := mutate(rng, bundles[n%2], bundles[1-n%2])
		v, err := verdict.Verify(c, trust, wantEvidence())
		if err != nil {
			continue
		}
		accepted++
		if !same(v, want[0]) && !same(v, want[1]) {
			t.Fatalf("mutation %d is accepted with another meaning:\n%s", n, c)
		}
	}
	t.Logf("%d of %d were accepted, as what they were", accepted, *mutations)
}

// same compares everything that a caller can learn. A witness's line that was taken
// away is not there: fewer witnesses are no lie, and the caller demands as many as he
// needs.
func same(v, w *verdict.Verified) bool {
	for _, c := range v.Witnesses {
		found := false
		for _, d := range w.Witnesses {
			found = found || c == d
		}
		if !found {
			return false
		}
	}
	return v.Digest() == w.Digest() && bytes.Equal(v.Payload(), w.Payload()) && v.Index == w.Index && v.TreeSize == w.TreeSize && v.Root == w.Root && reflect.DeepEqual(v.Statement(), w.Statement())
}

// mutate changes a bundle by one to three small steps, some with parts of another one.
func mutate(rng *rand.Rand, b, other []byte) []byte {
	c := bytes.Clone(b)
	for range 1 + rng.IntN(3) {
		if len(c) == 0 {
			return c
		}
		i := rng.IntN(len(c))
		n := min(1+rng.IntN(40), len(c)-i)
		switch rng.IntN(9) {
		case 0:
			c[i] ^= 1 << rng.IntN(8)
		case 1:
			c = append(c[:i:i], append([]byte{byte(rng.IntN(256))}, c[i:]...)...)
		case 2:
			c = append(c[:i:i], c[i+n:]...)
		case 3:
			c = append(c[:i+n:i+n], c[i:]...)
		case 4:
			c = c[:i]
		case 5:
			copy(c[i:i+n], other[min(i, len(other)-1):])
		case 6: // the same digits in another form
			c[i] = "0123456789+/=AZaz\",:{}[] \n"[rng.IntN(26)]
		case 7:
			c = append(c, c[i:i+n]...)
		case 8: // a whole value of the other bundle
			for _, key := range []string{`"logIndex":"`, `"sig":"`, `"rootHash":"`, `"treeSize":"`, `"canonicalizedBody":"`, `"envelope":"`, `"payload":"`}[rng.IntN(7):] {
				x, y := bytes.Index(c, []byte(key)), bytes.Index(other, []byte(key))
				if x >= 0 && y >= 0 {
					xe, ye := bytes.IndexByte(c[x+len(key):], '"'), bytes.IndexByte(other[y+len(key):], '"')
					if xe >= 0 && ye >= 0 {
						c = append(c[:x+len(key):x+len(key)], append(bytes.Clone(other[y+len(key):y+len(key)+ye]), c[x+len(key)+xe:]...)...)
					}
				}
				break
			}
		}
	}
	return c
}
