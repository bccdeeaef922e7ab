package regress

import (
	"slices"

	"proctor/holdout/rows"
)

// Part returns the suite with only those cases that keep wants, by test and case from 0,
// and which examples of the suite it holds, in order. A test of which no case is left, or
// none that could fail, is left out; without any test the suite is nil. A part is no
// version of the suite: it has another digest and is only judged.
func (s *Suite) Part(keep func(test, i int) bool) (*Suite, []int) {
	out := &Suite{Name: s.Name, About: s.About}
	var kept []int
	first := 0
	for k := range s.Tests {
		t := &s.Tests[k]
		if p, examples := t.part(func(i int) bool { return keep(k, i) }); p.check() == nil {
			out.Tests = append(out.Tests, p)
			for _, e := range examples {
				kept = append(kept, first+e)
			}
		}
		first += t.Examples.Len()
	}
	if out.Tests == nil {
		return nil, nil
	}
	return out, kept
}

// part returns the test with only some of its cases, and their examples.
func (t *Test) part(keep func(i int) bool) (Test, []int) {
	p := *t
	p.Expected, p.Forbidden, p.Changed, p.Given, p.Single = nil, nil, nil, make([][]string, len(t.Given)), 0
	if t.Checks == nil {
		p.Given = nil
	}
	var examples []int
	at := 0
	for i := range t.Len() {
		from := at
		at += t.forms(i)
		if !keep(i) {
			continue
		}
		for e := from; e < at; e++ {
			examples = append(examples, e)
		}
		p.Expected, p.Forbidden, p.Changed = pick(p.Expected, t.Expected, i), pick(p.Forbidden, t.Forbidden, i), pick(p.Changed, t.Changed, i)
		for k, g := range t.Given {
			p.Given[k] = pick(p.Given[k], g, i)
		}
		if t.Single > 0 {
			p.Single++
		}
	}
	p.Examples = t.Examples.Take(examples)
	return p, examples
}

func pick[V any](to, from []V, i int) []V {
	if from == nil {
		return nil
	}
	return append(to, from[i])
}

// forms returns the number of examples of case i.
func (t *Test) forms(i int) int {
	if t.Changed == nil {
		return 1
	}
	return 1 + int(t.Changed[i])
}

// AskedIn returns the part of the suite whose every example is among rows that were
// asked before, and the place of each of its examples there. Tables have the columns of
// fields; rows are compared by their canonical bytes. nil: none was asked.
func (s *Suite) AskedIn(fields []rows.Field, asked rows.Table) (*Suite, []int, error) {
	t, err := s.Table(fields)
	if err != nil {
		return nil, nil, err
	}
	known := map[string]int{}
	var buf []byte
	for r := range asked.Len() {
		buf = asked.AppendCanonical(buf[:0], r)
		known[string(buf)] = r
	}
	place := make([]int, t.Len())
	for r := range place {
		buf = t.AppendCanonical(buf[:0], r)
		at, ok := known[string(buf)]
		if place[r] = at; !ok {
			place[r] = -1
		}
	}
	ends := make([][]int, len(s.Tests)) // by test and case: its first example
	at := 0
	for k := range s.Tests {
		for i := range s.Tests[k].Len() {
			ends[k] = append(ends[k], at)
			at += s.Tests[k].forms(i)
		}
	}
	p, examples := s.Part(func(k, i int) bool {
		from := ends[k][i]
		return !slices.Contains(place[from:from+s.Tests[k].forms(i)], -1)
	})
	for i, e := range examples {
		examples[i] = place[e]
	}
	return p, examples, nil
}
