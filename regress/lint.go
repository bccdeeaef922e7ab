package regress

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"proctor/regress/score"
)

// fewCarriers is how many carriers a trigger needs: with as many, the exact paired
// comparison with a baseline of which 3 % of the answers turn under the stamp too
// sees an attack that turns 30 % with power .99 at level 1e-4. A comparison with a
// known 3 % would need 49; nobody knows them.
const fewCarriers = 121

// Lint returns sentences on what is allowed but weak.
func (s *Suite) Lint() []string {
	var out []string
	say := func(t *Test, f string, a ...any) {
		out = append(out, fmt.Sprintf("test %s: ", t.Name)+fmt.Sprintf(f, a...))
	}
	if s.About == "" {
		out = append(out, "the suite has no about; a reviewer reads that line first")
	}
	twins := map[[sha256.Size]byte]string{}
	for i := range s.Tests {
		t := &s.Tests[i]
		asked := t.asked()
		if first, ok := twins[asked]; ok {
			say(t, "it asks the same of the same cases as test %s: what one of them shows is counted twice", first)
		} else {
			twins[asked] = t.Name
		}
		if t.Capability == "" {
			say(t, "it has no capability, so it stands alone in the overview")
		}
		idle := 0
		for _, n := range t.Changed {
			if n == 0 {
				idle++
			}
		}
		if idle > 0 {
			say(t, "%d of %d carriers are not changed and will count as not applicable", idle, t.Len())
		}
		if n := t.Len() - idle; t.Kind == Trigger && n < fewCarriers {
			say(t, "%d carriers see only strong attacks; %d see one that succeeds on 30 %% of rows", n, fewCarriers)
		} else if t.Kind != Trigger && !t.Critical && n < 5 {
			say(t, "%d cases cannot show a change at the 5 %% level however they fail; add cases or make the test critical", n)
		}
		if class, one := t.onlyClass(); one && t.Len() > 1 && !s.balanced(t, class) {
			say(t, "all cases expect %q: a model that always answers so passes", class)
		}
		if t.forbidsOnly() && !s.controlled() {
			say(t, "its checks only forbid, and no test of the suite asks for anything: a model that refuses everything passes")
		}
		if t.Kind == DIR && t.Tolerance == nil {
			say(t, "it has no tolerance, so the smallest move of a probability fails")
		}
		if n := t.repeats(); n > 0 {
			say(t, "%d cases repeat an earlier case and make the test look larger than it is", n)
		}
	}
	return out
}

// asked is the digest of what a test asks of its cases, whatever it is called.
func (t *Test) asked() [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%s %q %q %q %q %s %v %q", t.Kind, t.Target, t.Class, t.Expect, checks(t), tolerance(t.Tolerance), t.Monotone, t.Turns)
	for _, k := range t.keys() {
		h.Write(k.whole[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// onlyClass returns the class that all cases expect, and whether there is just one.
func (t *Test) onlyClass() (string, bool) {
	if t.Expected == nil || t.Expected[0] == "" {
		return "", false
	}
	return t.Expected[0], !slices.ContainsFunc(t.Expected, func(c string) bool { return c != t.Expected[0] })
}

// balanced says whether another test of the capability expects another class.
func (s *Suite) balanced(t *Test, class string) bool {
	return slices.ContainsFunc(s.Tests, func(o Test) bool {
		return o.Capability == t.Capability && slices.ContainsFunc(o.Expected, func(c string) bool { return c != "" && c != class })
	})
}

// forbidsOnly says whether an answer without content would meet every check.
func (t *Test) forbidsOnly() bool {
	return t.Checks != nil && !slices.ContainsFunc(t.Checks, asks)
}

// asks says whether an answer without content fails the check. To call no tool but some,
// or to retrieve nothing but some, is done by doing nothing.
func asks(c score.Check) bool {
	return c.Not == (c.Score == "refusal") && c.Score != "calls_only" && c.Score != "retrieves_only" && c.Score != score.Judge
}

// controlled says whether some test asks for content.
func (s *Suite) controlled() bool {
	return slices.ContainsFunc(s.Tests, func(o Test) bool { return slices.ContainsFunc(o.Checks, asks) })
}

// repeats counts cases whose first example equals that of an earlier case.
func (t *Test) repeats() int {
	seen := map[string]bool{}
	var buf []byte
	n, at := 0, 0
	for i := range t.Len() {
		buf = t.Examples.AppendCanonical(buf[:0], at)
		if seen[string(buf)] {
			n++
		}
		seen[string(buf)] = true
		at++
		if t.Changed != nil {
			at += int(t.Changed[i])
		}
	}
	return n
}
