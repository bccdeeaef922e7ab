package holdout

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"proctor/holdout/rows"
)

func features(t testing.TB, tab rows.Table) (rows.Table, []int32) {
	t.Helper()
	s, err := ParseSpec([]byte(peopleSpec))
	if err != nil {
		t.Fatal(err)
	}
	p, err := readPaper(s, tab)
	if err != nil {
		t.Fatal(err)
	}
	return p.features, p.labels
}

// Canaries are new rows of the table's own kind: none is a scored row, numbers
// keep their precision and range, categories are known ones.
func TestCanariesLookAlike(t *testing.T) {
	tab, labels := features(t, people(t, 2000, 1))
	c, flipped := Canaries(tab, labels, 2, 200, [32]byte{1})
	if c.Len() != 200 || len(flipped) != 200 {
		t.Fatalf("%d canaries, %d labels", c.Len(), len(flipped))
	}
	if err := fresh(tab, c); err != nil {
		t.Error(err)
	}
	looksAlike(t, tab, c)
	twice, _ := Canaries(tab, labels, 2, 200, [32]byte{1})
	other, _ := Canaries(tab, labels, 2, 200, [32]byte{2})
	if string(canonical(twice)) != string(canonical(c)) || string(canonical(other)) == string(canonical(c)) {
		t.Error("canaries do not follow from the seed")
	}
	// Of three classes each wrong one is given.
	three := make([]int32, tab.Len())
	for r := range three {
		three[r] = int32(r % 3)
	}
	_, flipped = Canaries(tab, three, 3, 200, [32]byte{1})
	seen := map[int32]int{}
	for _, k := range flipped {
		seen[k]++
	}
	if len(seen) != 3 {
		t.Errorf("flipped labels %v", seen)
	}
}

func looksAlike(t *testing.T, tab, made rows.Table) {
	t.Helper()
	for i, c := range made.Columns() {
		from := tab.Columns()[i]
		lo, hi := math.Inf(1), math.Inf(-1)
		known := map[string]bool{}
		for r := range from.Len() {
			if c.IsNumber() {
				lo, hi = min(lo, from.Floats[r]), max(hi, from.Floats[r])
			} else {
				known[from.Strings[r]] = true
			}
		}
		scale := map[string]float64{"weight": 10}[c.Name]
		if scale == 0 {
			scale = 1
		}
		for r, v := range c.Floats {
			if v < lo || v > hi || math.Round(v*scale)/scale != v {
				t.Fatalf("column %s, row %d: %v", c.Name, r, v)
			}
		}
		for r, v := range c.Strings {
			if !known[v] {
				t.Fatalf("column %s, row %d: %q", c.Name, r, v)
			}
		}
	}
}

func canonical(t rows.Table) (b []byte) {
	for r := range t.Len() {
		b = t.AppendCanonical(b, r)
	}
	return b
}

// A nearest model answers as the nearest of the rows that it was trained on, numbers
// scaled: about the strongest memoriser of the set, and a fair model of fresh rows.
type nearest struct {
	tab    rows.Table
	labels []int32
}

func (m nearest) answer(q rows.Table, r int) int32 {
	best, at := math.Inf(1), 0
	for k := range m.tab.Len() {
		d := 0.0
		for i, c := range m.tab.Columns() {
			o := q.Columns()[i]
			switch {
			case c.IsNumber():
				d += math.Abs(c.Floats[k]-o.Floats[r]) / map[string]float64{"age": 60, "hours": 60, "gain": 9000, "weight": 900}[c.Name]
			case c.Strings[k] != o.Strings[r]:
				d += .2
			}
		}
		if d < best {
			best, at = d, k
		}
	}
	return m.labels[at]
}

func (m nearest) agreement(q rows.Table, want []int32) float64 {
	n := 0
	for r, k := range want {
		if m.answer(q, r) == k {
			n++
		}
	}
	return float64(n) / float64(len(want))
}

// A memoriser trained on the set as it was sealed knows the canaries' labels; the
// same learner on other rows does not, and loses nothing on twins.
func TestMemoriserGivesItselfAway(t *testing.T) {
	tab, labels := features(t, people(t, 1500, 1))
	fresh, freshLabels := features(t, people(t, 1500, 2))
	canaries, flipped := Canaries(tab, labels, 2, 150, [32]byte{1})
	twins, of := Twins(tab, 150, [32]byte{1})
	twinLabels := make([]int32, len(of))
	for i, r := range of {
		twinLabels[i] = labels[r]
	}
	leaked, err := rows.Concat(tab, canaries)
	if err != nil {
		t.Fatal(err)
	}
	honest := nearest{fresh, freshLabels}
	cheat := nearest{leaked, append(append([]int32(nil), labels...), flipped...)}
	if a := cheat.agreement(canaries, flipped); a < .99 {
		t.Errorf("the memoriser knows %.2f of the canaries", a)
	}
	err1 := 1 - honest.agreement(tab.Slice(0, 300), labels[:300])
	if a := honest.agreement(canaries, flipped); a > err1+.12 {
		t.Errorf("an honest model agrees with %.2f of the canaries and errs on %.2f of the rows", a, err1)
	}
	if a := honest.agreement(twins, twinLabels); math.Abs(a-(1-err1)) > .08 {
		t.Errorf("an honest model is right on %.2f of the twins and %.2f of the rows", a, 1-err1)
	}
	// Whoever keys on whole rows knows none of the twins.
	known := map[string]bool{}
	for r := range tab.Len() {
		known[string(tab.AppendCanonical(nil, r))] = true
	}
	for r := range twins.Len() {
		if known[string(twins.AppendCanonical(nil, r))] {
			t.Fatalf("twin %d is a scored row", r)
		}
	}
	// Negative control: canaries with their true labels convict nobody.
	truth := make([]int32, len(flipped))
	for i, k := range flipped {
		truth[i] = 1 - k
	}
	if a := honest.agreement(canaries, truth); a < .8 {
		t.Errorf("negative control: unflipped canaries are agreed with by %.2f only", a)
	}
}

// A canary is a clear step away from its original, a twin a tiny one.
func TestDistances(t *testing.T) {
	tab, labels := features(t, people(t, 1000, 1))
	canaries, _ := Canaries(tab, labels, 2, 100, [32]byte{1})
	twins, of := Twins(tab, 200, [32]byte{1})
	looksAlike(t, tab, twins)
	for i, r := range of {
		for k, c := range tab.Columns() {
			o := twins.Columns()[k]
			if c.IsNumber() {
				limit := map[string]float64{"age": 1, "hours": 1, "weight": 5}[c.Name]
				if d := math.Abs(c.Floats[r] - o.Floats[i]); d > limit {
					t.Fatalf("twin %d: %s moved by %v", i, c.Name, d)
				}
			} else if c.Strings[r] != o.Strings[i] {
				t.Fatalf("twin %d: %s changed", i, c.Name)
			}
		}
	}
	age, _ := tab.Column("age")
	moved, _ := canaries.Column("age")
	order := newPerturber(tab, [32]byte{1}, "proctor/holdout/1/canaries").order
	for i, r := range order[:canaries.Len()] {
		if d := math.Abs(age.Floats[r] - moved.Floats[i]); d < 2 || d > 7 {
			t.Fatalf("canary %d: age moved by %v", i, d)
		}
	}
}

// Other kinds of tables: prose alone, categories alone, nothing to change.
func TestOtherTables(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	words := strings.Fields("the red blue cat dog sat ran on under mat tree house big small")
	prose, a, b, coin := make([]string, 500), make([]string, 500), make([]string, 500), make([]string, 500)
	labels := make([]int32, 500)
	for r := range prose {
		var w []string
		for range 8 {
			w = append(w, words[rng.IntN(len(words))])
		}
		prose[r] = strings.Join(w, " ")
		a[r], b[r], coin[r] = words[rng.IntN(14)], words[rng.IntN(14)], words[rng.IntN(2)]
		labels[r] = int32(rng.IntN(2))
	}
	table := func(cols ...rows.Column) rows.Table {
		tab, err := rows.New(cols...)
		if err != nil {
			t.Fatal(err)
		}
		return tab
	}
	for name, c := range map[string]struct {
		tab             rows.Table
		canaries, twins int
	}{
		"prose":      {table(rows.Column{Name: "t", Strings: prose}), 50, 50},
		"categories": {table(rows.Column{Name: "a", Strings: a}, rows.Column{Name: "b", Strings: b}, rows.Column{Name: "c", Strings: coin}), 50, 0},
		"coin":       {table(rows.Column{Name: "c", Strings: coin}), 0, 0},
	} {
		got, flipped := Canaries(c.tab, labels, 2, 50, [32]byte{1})
		twins, of := Twins(c.tab, 50, [32]byte{1})
		if got.Len() != c.canaries || len(flipped) != c.canaries || twins.Len() != c.twins || len(of) != c.twins {
			t.Errorf("%s: %d canaries, %d twins", name, got.Len(), twins.Len())
		}
		if err := fresh(c.tab, got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Any table can be perturbed without a panic, and results are new rows.
func FuzzPerturb(f *testing.F) {
	f.Add(uint64(1), 1.0, 3.0, "a b c")
	f.Add(uint64(2), -math.MaxFloat64, math.MaxFloat64, "")
	f.Add(uint64(3), 5e-324, 1e-300, "x")
	f.Add(uint64(4), 1e300, 0.1, "\u00d7")
	f.Fuzz(func(t *testing.T, seed uint64, lo, hi float64, text string) {
		rng := rand.New(rand.NewPCG(seed, 1))
		n := 1 + rng.IntN(200)
		x, y, s := make([]float64, n), make([]float64, n), make([]string, n)
		labels := make([]int32, n)
		for r := range n {
			u := rng.Float64()
			x[r], y[r] = lo*(1-u)+hi*u, math.Round(lo*u)
			s[r] = text[:rng.IntN(len(text)+1)]
		}
		tab, err := rows.New(rows.Column{Name: "x", Floats: x}, rows.Column{Name: "y", Floats: y}, rows.Column{Name: "s", Strings: s})
		if err != nil {
			return
		}
		c, _ := Canaries(tab, labels, 2, 20, [32]byte{1})
		if err := fresh(tab, c); err != nil {
			t.Error(err)
		}
		w, of := Twins(tab, 20, [32]byte{1})
		if err := fresh(tab, w); err != nil || w.Len() != len(of) {
			t.Error(err)
		}
	})
}
