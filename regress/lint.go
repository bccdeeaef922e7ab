package regress

import (
	"fmt"
	"slices"
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
	for i := range s.Tests {
		t := &s.Tests[i]
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
		if t.Kind == MFT && t.Len() > 1 && len(slices.Compact(slices.Sorted(slices.Values(t.Expected)))) == 1 {
			say(t, "all cases expect %q: a model that always answers so passes", t.Expected[0])
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
