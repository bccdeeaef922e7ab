package regress

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// A Revision is what changed from one version of a suite to the next. Added, deleted
// and changed cases are counted apart: whoever removes a failing case must not look like
// somebody who repaired a model.
type Revision struct {
	From, To string // digests
	Tests    []TestRevision
}

// A TestRevision is what changed in one test. A case is recognised by its carrier.
type TestRevision struct {
	Name      string
	Added     bool // the whole test
	Deleted   bool
	Redefined []string // what the test itself says otherwise, such as "critical: true -> false"
	Cases     CaseChanges
}

// CaseChanges counts cases and names the first of each kind: added and changed ones as
// in the new version, deleted ones as in the old.
type CaseChanges struct {
	Same, Added, Deleted, Changed int
	FirstAdded, FirstDeleted      []string
	FirstChanged                  []string
}

const firstNamed = 5

// Changed says whether the revision of a test changes anything.
func (t TestRevision) Changed() bool {
	return t.Added || t.Deleted || len(t.Redefined) > 0 || t.Cases.Added+t.Cases.Deleted+t.Cases.Changed > 0
}

// Revise compares two versions of a suite, tests in the order of the new one, then those
// that are gone.
func Revise(from, to *Suite) Revision {
	r := Revision{From: from.Digest(), To: to.Digest()}
	old := map[string]*Test{}
	for i := range from.Tests {
		old[from.Tests[i].Name] = &from.Tests[i]
	}
	for i := range to.Tests {
		t := &to.Tests[i]
		was := old[t.Name]
		delete(old, t.Name)
		r.Tests = append(r.Tests, reviseTest(was, t))
	}
	for i := range from.Tests {
		if t := &from.Tests[i]; old[t.Name] != nil {
			r.Tests = append(r.Tests, reviseTest(t, nil))
		}
	}
	return r
}

func reviseTest(was, now *Test) TestRevision {
	var r TestRevision
	switch {
	case was == nil:
		r = TestRevision{Name: now.Name, Added: true}
	case now == nil:
		r = TestRevision{Name: was.Name, Deleted: true}
	default:
		r = TestRevision{Name: now.Name, Redefined: redefined(was, now)}
	}
	r.Cases.compare(was, now)
	return r
}

// redefined lists what two tests of one name say otherwise about all their cases.
func redefined(was, now *Test) []string {
	var out []string
	for _, f := range []struct {
		name     string
		old, new any
	}{
		{"kind", was.Kind, now.Kind}, {"capability", was.Capability, now.Capability}, {"critical", was.Critical, now.Critical},
		{"change", was.Change, now.Change}, {"target", was.Target, now.Target}, {"class", was.Class, now.Class}, {"expect", was.Expect, now.Expect},
		{"monotone", was.Monotone, now.Monotone}, {"tolerance", tolerance(was.Tolerance), tolerance(now.Tolerance)}, {"checks", checks(was), checks(now)},
		{"turns", strings.Join(was.Turns, ", "), strings.Join(now.Turns, ", ")},
	} {
		if f.old != f.new {
			out = append(out, fmt.Sprintf("%s: %v -> %v", f.name, f.old, f.new))
		}
	}
	return out
}

func tolerance(t *float64) string {
	if t == nil {
		return "none"
	}
	return formatNumber(*t)
}

func checks(t *Test) string {
	s := make([]string, len(t.Checks))
	for i, c := range t.Checks {
		s[i] = c.String()
	}
	return strings.Join(s, ", ")
}

// A caseKey is the digest of a carrier, and that of all that the case asks.
type caseKey struct{ carrier, whole [sha256.Size]byte }

func (c *CaseChanges) compare(was, now *Test) {
	old := map[[sha256.Size]byte][]caseAt{}
	if was != nil {
		for i, k := range was.keys() {
			old[k.carrier] = append(old[k.carrier], caseAt{i, k.whole})
		}
	}
	if now != nil {
		for i, k := range now.keys() {
			found := old[k.carrier]
			if len(found) == 0 {
				c.Added++
				c.FirstAdded = nameCase(c.FirstAdded, now, i)
				continue
			}
			at := 0
			for n, f := range found { // an equal one first, among cases of one carrier
				if f.whole == k.whole {
					at = n
					break
				}
			}
			if found[at].whole == k.whole {
				c.Same++
			} else {
				c.Changed++
				c.FirstChanged = nameCase(c.FirstChanged, now, i)
			}
			old[k.carrier] = append(found[:at:at], found[at+1:]...)
		}
	}
	if was != nil {
		c.deleted(was, old)
	}
}

type caseAt struct {
	index int
	whole [sha256.Size]byte
}

// deleted counts what is left of the old cases, in their order.
func (c *CaseChanges) deleted(was *Test, old map[[sha256.Size]byte][]caseAt) {
	left := map[int]bool{}
	for _, list := range old {
		for _, a := range list {
			left[a.index] = true
		}
	}
	for i := range was.Len() {
		if left[i] {
			c.Deleted++
			c.FirstDeleted = nameCase(c.FirstDeleted, was, i)
		}
	}
}

func nameCase(list []string, t *Test, i int) []string {
	if len(list) < firstNamed {
		list = append(list, t.CaseID(i))
	}
	return list
}

// keys returns the keys of all cases in order.
func (t *Test) keys() []caseKey {
	out := make([]caseKey, t.Len())
	var buf []byte
	at := 0
	for i := range out {
		buf = t.Examples.AppendCanonical(buf[:0], at)
		out[i].carrier = sha256.Sum256(buf)
		at++
		for k := int32(0); t.Changed != nil && k < t.Changed[i]; k++ {
			buf = t.Examples.AppendCanonical(buf, at)
			at++
		}
		if t.Expected != nil {
			buf = fmt.Appendf(buf, "is %q", t.Expected[i])
		}
		if t.Forbidden != nil {
			buf = fmt.Appendf(buf, "not %q", t.Forbidden[i])
		}
		for _, g := range t.Given {
			if g != nil {
				buf = fmt.Appendf(buf, "given %q", g[i])
			}
		}
		out[i].whole = sha256.Sum256(buf)
	}
	return out
}

// Summary tells the revision in one line for who decides on it: what is gone comes first.
func (r Revision) Summary() string {
	var sum CaseChanges
	var gone, redefined []string
	for _, t := range r.Tests {
		sum.Added += t.Cases.Added
		sum.Deleted += t.Cases.Deleted
		sum.Changed += t.Cases.Changed
		if t.Deleted {
			gone = append(gone, t.Name)
		}
		for _, d := range t.Redefined {
			redefined = append(redefined, t.Name+": "+d)
		}
	}
	s := fmt.Sprintf("%d cases deleted, %d changed, %d added", sum.Deleted, sum.Changed, sum.Added)
	if len(gone) > 0 {
		s += "; tests deleted: " + strings.Join(gone, ", ")
	}
	if len(redefined) > 0 {
		s += "; redefined: " + strings.Join(redefined, ", ")
	}
	if len(s) > MaxNote {
		s = s[:strings.LastIndexByte(s[:MaxNote-3], ' ')] + "..."
	}
	return s
}
