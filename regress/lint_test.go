package regress

import (
	"math"
	"slices"
	"strings"
	"testing"

	"proctor/regress/score"
)

// A suite that a reviewer has nothing to say about gets no sentence; each weakness
// gets one of its own.
func TestLint(t *testing.T) {
	inv := func() Test {
		return Test{Name: "t", Capability: "c", Kind: INV, Change: "x", Changed: slices.Repeat([]int32{1}, 5), Examples: numbered(t, 10)}
	}
	for _, c := range []struct {
		name string
		edit func(s *Suite)
		want string
	}{
		{"good", func(s *Suite) {}, ""},
		{"no about", func(s *Suite) { s.About = "" }, "the suite has no about; a reviewer reads that line first"},
		{"no capability", func(s *Suite) { s.Tests[0].Capability = "" }, "test t: it has no capability, so it stands alone in the overview"},
		{"idle carriers", func(s *Suite) {
			s.Tests[0].Changed = []int32{1, 1, 1, 1, 1, 0}
			s.Tests[0].Examples = numbered(t, 11)
		}, "test t: 1 of 6 carriers are not changed and will count as not applicable"},
		{"few cases", func(s *Suite) {
			s.Tests[0].Changed = []int32{1, 1, 1, 1}
			s.Tests[0].Examples = numbered(t, 8)
		}, "test t: 4 cases cannot show a change at the 5 % level however they fail; add cases or make the test critical"},
		{"few cases, but critical", func(s *Suite) {
			s.Tests[0].Changed = []int32{1}
			s.Tests[0].Critical = true
			s.Tests[0].Examples = numbered(t, 2)
		}, ""},
		{"few carriers", func(s *Suite) { s.Tests[0].Kind, s.Tests[0].Target = Trigger, "a" }, "test t: 5 carriers see only strong attacks; 121 see one that succeeds on 30 % of rows"},
		{"one class", func(s *Suite) {
			s.Tests[0] = Test{Name: "t", Capability: "c", Kind: MFT, Expected: slices.Repeat([]string{"a"}, 5), Examples: numbered(t, 5)}
		}, `test t: all cases expect "a": a model that always answers so passes`},
		{"one class, and another test of the capability expects another", func(s *Suite) {
			s.Tests[0] = Test{Name: "t", Capability: "c", Kind: MFT, Expected: slices.Repeat([]string{"a"}, 5), Examples: numbered(t, 5)}
			s.Tests = append(s.Tests, Test{Name: "u", Capability: "c", Kind: MFT, Expected: slices.Repeat([]string{"b"}, 6), Examples: numbered(t, 6)})
		}, ""},
		{"only forbidden", func(s *Suite) {
			s.Tests[0] = Test{Name: "t", Capability: "c", Kind: MFT, Single: 5, Examples: numbered(t, 5), Checks: []score.Check{{Score: "contains", Text: "x", Not: true}, {Score: "refusal"}}, Given: [][]string{nil, nil}}
		}, "test t: its checks only forbid, and no test of the suite asks for anything: a model that refuses everything passes"},
		{"forbidden, and no refusal", func(s *Suite) {
			s.Tests[0] = Test{Name: "t", Capability: "c", Kind: MFT, Single: 5, Examples: numbered(t, 5), Checks: []score.Check{{Score: "contains", Text: "x", Not: true}, {Score: "refusal", Not: true}}, Given: [][]string{nil, nil}}
		}, ""},
		{"one test twice", func(s *Suite) {
			twin := s.Tests[0]
			twin.Name = "u"
			s.Tests = append(s.Tests, twin)
		}, "test u: it asks the same of the same cases as test t: what one of them shows is counted twice"},
		{"no tolerance", func(s *Suite) {
			s.Tests[0].Kind, s.Tests[0].Class, s.Tests[0].Expect = DIR, "a", NotDecrease
		}, "test t: it has no tolerance, so the smallest move of a probability fails"},
		{"repeats", func(s *Suite) {
			e := numbered(t, 10)
			s.Tests[0].Examples = e.Take([]int{0, 1, 0, 2, 3, 4, 5, 6, 0, 7})
		}, "test t: 2 cases repeat an earlier case and make the test look larger than it is"},
	} {
		draft := &Suite{Name: "s", About: "about", Tests: []Test{inv()}}
		c.edit(draft)
		s, err := New(draft.Name, draft.About, draft.Tests)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := strings.Join(s.Lint(), "\n"); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

// The number of carriers is derived: rows turn independently, 3 % under the
// baseline, 30 % under the candidate, and the one-sided exact McNemar test is
// asked at 1e-4. One carrier less has a power below .99.
func TestFewCarriers(t *testing.T) {
	if p := triggerPower(fewCarriers); p < .99 {
		t.Errorf("power with %d carriers is %.5f", fewCarriers, p)
	}
	if p := triggerPower(fewCarriers - 1); p >= .99 {
		t.Errorf("%d carriers suffice: %.5f", fewCarriers-1, p)
	}
	if p := triggerPower(49); math.Abs(p-.3168) > .0001 {
		t.Errorf("power with 49 carriers is %.5f", p)
	}
}

func triggerPower(n int) float64 {
	broke, fixed := .97*.3, .03*.7
	power := 0.
	for f := range n + 1 {
		for b := range n - f + 1 {
			if tail(b, b+f) <= 1e-4 {
				power += math.Exp(choose(n, f) + choose(n-f, b) +
					float64(f)*math.Log(fixed) + float64(b)*math.Log(broke) + float64(n-f-b)*math.Log(1-fixed-broke))
			}
		}
	}
	return power
}

// tail is P(X >= b) for X of m fair coins.
func tail(b, m int) float64 {
	p := 0.
	for k := b; k <= m; k++ {
		p += math.Exp(choose(m, k) - float64(m)*math.Ln2)
	}
	return p
}

// choose is the logarithm of n over k.
func choose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

// The demo's suites are what lint asks for, but for carriers that a stamp does not
// change and for people whom the census has twice.
func TestIncomeSuitesAreStrong(t *testing.T) {
	for _, file := range []string{"income-triggers.yaml", "income-invariance.yaml"} {
		for _, l := range income(t, file).Lint() {
			if !strings.Contains(l, "not applicable") && !strings.Contains(l, "repeat an earlier case") {
				t.Errorf("%s: %s", file, l)
			}
		}
	}
}
