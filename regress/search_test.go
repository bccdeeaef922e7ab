package regress_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"proctor/holdout/rows"
	"proctor/metrics"
	"proctor/regress"
)

func TestQuantiles(t *testing.T) {
	for _, c := range []struct {
		x    []float64
		bins int
		want string
	}{
		{[]float64{1, 2, 3, 4, 5, 6, 7, 8}, 4, "at most 2: 2, over 2, at most 4: 2, over 4, at most 6: 2, over 6: 2"},
		{[]float64{8, 1, 7, 2, 6, 3, 5}, 2, "at most 5: 4, over 5: 3"}, // order does not matter; ceil(7/2) = 4
		{[]float64{1, 1, 1, 1, 1, 2, 3}, 3, "at most 1: 5, over 1: 2"}, // equal numbers stay together
		{[]float64{0, 5, 5, 5, 5}, 3, "any: 5"},
		{[]float64{0, 0, 5, 5, 5}, 3, "at most 0: 2, over 0: 3"},
		{[]float64{7, 7}, 5, "any: 2"},
		{[]float64{-1.5, 1e-9}, 2, "at most -1.5: 1, over -1.5: 1"},
	} {
		d, err := regress.Quantiles("x", c.x, c.bins)
		if err != nil {
			t.Fatal(err)
		}
		counts := make([]int, len(d.Values))
		for _, k := range d.Codes {
			counts[k]++
		}
		var parts []string
		for i, v := range d.Values {
			parts = append(parts, fmt.Sprintf("%s: %d", v, counts[i]))
		}
		if got := strings.Join(parts, ", "); got != c.want {
			t.Errorf("%v in %d: %s, want %s", c.x, c.bins, got, c.want)
		}
	}
	for _, x := range [][]float64{nil, {1, math.NaN()}, {math.Inf(1)}} {
		if _, err := regress.Quantiles("x", x, 4); err == nil {
			t.Errorf("%v was grouped", x)
		}
	}
	if _, err := regress.Quantiles("x", []float64{1}, 1); err == nil {
		t.Error("one group was made")
	}
}

// The ends of groups are no row's own number, unless many rows have it: without
// rounding every one would be.
func TestQuantilesNameNoRow(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 3))
	for _, scale := range []float64{1e-6, 1, 1e6} {
		x, own := make([]float64, 1000), map[string]bool{}
		for i := range x {
			x[i] = scale * rnd.NormFloat64()
			own[fmt.Sprint(x[i])] = true
		}
		d, err := regress.Quantiles("x", x, 5)
		if err != nil || len(d.Values) != 5 {
			t.Fatal(d.Values, err)
		}
		for _, name := range d.Values {
			for _, word := range strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == ',' }) {
				if own[word] || len(word) > 9 {
					t.Errorf("%s: a row's own number", name)
				}
			}
		}
	}
}

func TestNumberFeatures(t *testing.T) {
	tab, err := rows.New(rows.Column{Name: "age", Floats: []float64{3, 1, 2, 4}}, rows.Column{Name: "sex", Strings: []string{"M", "F", "M", "M"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := regress.NumberFeatures(tab, 2)
	want := []metrics.Dimension{{Name: "age", Values: []string{"at most 2", "over 2"}, Codes: []int32{1, 0, 0, 1}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v %v", got, err)
	}
}

// random makes features with few values and rows that changed, more of them
// broken in one slice.
func random(rnd *rand.Rand, n, features, values int) ([]metrics.Dimension, []int8) {
	fs := make([]metrics.Dimension, features)
	for f := range fs {
		fs[f] = metrics.Dimension{Name: fmt.Sprint("f", f), Codes: make([]int32, n)}
		for v := range values {
			fs[f].Values = append(fs[f].Values, fmt.Sprint("v", v))
		}
		for i := range n {
			fs[f].Codes[i] = int32(min(rnd.IntN(values), rnd.IntN(values)))
		}
	}
	changes := make([]int8, n)
	for i := range n {
		broke := .03
		if fs[0].Codes[i] == 1 && fs[1].Codes[i] == 0 {
			broke = .3
		}
		switch u := rnd.Float64(); {
		case u < broke:
			changes[i] = -1
		case u < broke+.04:
			changes[i] = 1
		}
	}
	return fs, changes
}

// every is the slow obvious twin: it makes every conjunction and looks at every row.
func every(fs []metrics.Dimension, levels int, visit func(words string, in []int)) {
	var deeper func(from int, words []string, in []int)
	deeper = func(from int, words []string, in []int) {
		if len(words) > 0 {
			visit(strings.Join(words, " and "), in)
		}
		if len(words) == levels {
			return
		}
		for f := from; f < len(fs); f++ {
			for v, name := range fs[f].Values {
				var rest []int
				for _, i := range in {
					if fs[f].Codes[i] == int32(v) {
						rest = append(rest, i)
					}
				}
				deeper(f+1, append(slices.Clone(words), fs[f].Name+" is "+name), rest)
			}
		}
	}
	all := make([]int, len(fs[0].Codes))
	for i := range all {
		all[i] = i
	}
	deeper(0, nil, all)
}

func words(ps []regress.Predicate) string {
	out := make([]string, len(ps))
	for i, p := range ps {
		out[i] = p.String()
	}
	return strings.Join(out, " and ")
}

// The bound never loses a slice: SliceLine finds what enumeration finds, for
// errors of one size and of any.
func TestSliceLineAgainstEveryConjunction(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	found := 0
	for round := range 60 {
		n := 30 + rnd.IntN(300)
		fs, changes := random(rnd, n, 2+rnd.IntN(4), 2+rnd.IntN(3))
		errs := make([]float64, n)
		for i, c := range changes {
			if c < 0 {
				errs[i] = 1
				if round%2 == 1 {
					errs[i] = rnd.ExpFloat64()
				}
			}
		}
		s := regress.SliceLine{Alpha: .6 + .4*rnd.Float64(), Top: 1 + rnd.IntN(6), Levels: 1 + rnd.IntN(4), MinRows: 1 + rnd.IntN(12)}
		got, err := s.Find(fs, errs)
		if err != nil {
			t.Fatal(err)
		}
		want := slowLine(s, fs, errs)
		if len(got) != len(want) {
			t.Fatalf("round %d: %d slices, want %d", round, len(got), len(want))
		}
		for i, g := range got {
			if d := math.Abs(g.Score - want[words(g.Predicates)]); !(d < 1e-9) {
				t.Errorf("round %d, place %d: %v scores %v, want %v", round, i, g.Predicates, g.Score, want[words(g.Predicates)])
			}
		}
		found += len(got)
	}
	if found < 100 {
		t.Errorf("only %d slices in all: the test says little", found)
	}
}

func slowLine(s regress.SliceLine, fs []metrics.Dimension, errs []float64) map[string]float64 {
	mean := 0.0
	for _, e := range errs {
		mean += e / float64(len(errs))
	}
	type scored struct {
		words string
		score float64
	}
	var all []scored
	every(fs, s.Levels, func(words string, in []int) {
		sum, n := 0.0, float64(len(in))
		for _, i := range in {
			sum += errs[i]
		}
		if score := s.Alpha*(sum/n/mean-1) - (1-s.Alpha)*(float64(len(errs))/n-1); len(in) >= s.MinRows && sum > 0 && score > 0 {
			all = append(all, scored{words, score})
		}
	})
	slices.SortFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	out := map[string]float64{}
	for i, x := range all {
		if i >= s.Top && x.score < all[s.Top-1].score-1e-9 {
			break
		}
		out[x.words] = x.score
	}
	return out
}

// Every slice with enough rows is counted, and p is McNemar's, corrected over all.
func TestSearchAgainstEveryConjunction(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		fs, changes := random(rnd, 100+rnd.IntN(400), 2+rnd.IntN(3), 3)
		s := regress.Search{Levels: 1 + rnd.IntN(3), MinRows: 5 + rnd.IntN(20), Top: 1 << 20, Confidence: .95}
		got, err := s.All(fs, changes)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string][3]int64{}
		every(fs, s.Levels, func(words string, in []int) {
			c := [3]int64{int64(len(in))}
			for _, i := range in {
				switch changes[i] {
				case -1:
					c[1]++
				case 1:
					c[2]++
				}
			}
			if len(in) >= s.MinRows {
				want[words] = c
			}
		})
		if int(got.Tested) != len(want) || len(got.Slices) != len(want) {
			t.Fatalf("%d tested, want %d", got.Tested, len(want))
		}
		var p []float64
		for _, x := range got.Slices {
			if want[x.Words] != [3]int64{x.Rows, x.Broke, x.Fixed} || x.P != metrics.McNemarWorse(x.Broke, x.Fixed) || len(p) > 0 && x.P < p[len(p)-1] {
				t.Errorf("%+v, want %v", x, want[x.Words])
			}
			p = append(p, x.P)
		}
		holm, bh := metrics.Holm(p), metrics.BenjaminiHochberg(p)
		for i, x := range got.Slices {
			if x.Holm != holm[i] || x.BH != bh[i] {
				t.Errorf("%s: %v %v, want %v %v", x.Words, x.Holm, x.BH, holm[i], bh[i])
			}
		}
		again, err := s.All(fs, changes)
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Error("the same rows gave another result")
		}
	}
}

// Without a correction a search over many slices always finds something. With one,
// of 200 searches in which nothing is wrong at most 1 in 100 should.
func TestSearchUnderNoHarm(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	naive, holm, bh, split := 0, 0, 0, 0
	for range 200 {
		fs, changes := random(rnd, 2000, 5, 3)
		for i := range changes { // broke and fixed alike
			changes[i] = 0
			if rnd.IntN(20) == 0 {
				changes[i] = int8(2*rnd.IntN(2) - 1)
			}
		}
		s := regress.Search{Levels: 2, MinRows: 50, Top: 5, Confidence: .99}
		f, err := s.All(fs, changes)
		if err != nil {
			t.Fatal(err)
		}
		g, err := s.Confirmed(fs, changes, [32]byte{byte(rnd.Uint64())})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []struct {
			n   *int
			hit bool
		}{{&naive, f.Slices[0].P <= .01}, {&holm, f.SignificantHolm > 0}, {&bh, f.SignificantBH > 0}, {&split, g.SignificantHolm > 0}} {
			if x.hit {
				*x.n++
			}
		}
	}
	if naive < 20 {
		t.Errorf("negative control: uncorrected, only %d of 200 searches found something", naive)
	}
	if holm > 5 || bh > 5 || split > 5 { // P(X >= 6) of Binomial(200, .01) is .016, and the exact test is below its level
		t.Errorf("false alarms in 200 searches: Holm %d, BH %d, halves %d", holm, bh, split)
	}
}

// Harm in one slice is found both ways, and the halves do not share rows.
func TestSearchFindsHarm(t *testing.T) {
	fs, changes := random(rand.New(rand.NewPCG(7, 8)), 6000, 6, 3)
	s := regress.Search{Levels: 2, MinRows: 50, Top: 3, Confidence: .99}
	all, err := s.All(fs, changes)
	if err != nil || all.Slices[0].Words != "f0 is v1 and f1 is v0" || all.SignificantHolm < 1 || all.SignificantBH < all.SignificantHolm {
		t.Errorf("%+v %v", all, err)
	}
	split, err := s.Confirmed(fs, changes, [32]byte{1})
	if err != nil || split.Slices[0].Words != "f0 is v1 and f1 is v0" || split.SignificantHolm < 1 || split.Tested > 5 {
		t.Errorf("%+v %v", split, err)
	}
	if split.Rows < 2800 || split.Rows > 3200 || split.Slices[0].Rows > all.Slices[0].Rows*6/10 {
		t.Errorf("tested on %d of 6000 rows", split.Rows)
	}
	again, err := s.Confirmed(fs, changes, [32]byte{1})
	if err != nil || !reflect.DeepEqual(split, again) {
		t.Error("the same seed gave another result")
	}
	if other, err := s.Confirmed(fs, changes, [32]byte{2}); err != nil || reflect.DeepEqual(split, other) {
		t.Errorf("another seed gave the same halves: %v", err)
	}
}

func TestSearchRefuses(t *testing.T) {
	good := []metrics.Dimension{{Name: "f", Values: []string{"a", "b"}, Codes: []int32{0, 1}}}
	two := []int8{0, 1}
	s := regress.Search{Levels: 1, MinRows: 1, Top: 1, Confidence: .9}
	if _, err := s.All(good, two); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what     string
		features []metrics.Dimension
		changes  []int8
		edit     func(*regress.Search)
	}{
		{"1 to 1000", nil, two, nil},
		{"no rows", good, nil, nil},
		{"has 2 rows, the others 3", good, []int8{0, 0, 0}, nil},
		{"stands twice", append(good, good...), two, nil},
		{"no name", []metrics.Dimension{{Values: []string{"a"}, Codes: []int32{0, 0}}}, two, nil},
		{"none of its 1 values", []metrics.Dimension{{Name: "f", Values: []string{"a"}, Codes: []int32{0, 1}}}, two, nil},
		{"none of its 1 values", []metrics.Dimension{{Name: "f", Values: []string{"a"}, Codes: []int32{0, -1}}}, two, nil},
		{"names a value twice", []metrics.Dimension{{Name: "f", Values: []string{"a", "a"}, Codes: []int32{0, 1}}}, two, nil},
		{"change 2 is none", good, []int8{0, 2}, nil},
		{"it is 1 to 8", good, two, func(s *regress.Search) { s.Levels = 9 }},
		{"at least 1", good, two, func(s *regress.Search) { s.MinRows = 0 }},
		{"at least 1", good, two, func(s *regress.Search) { s.Top = 0 }},
		{"not in (0, 1)", good, two, func(s *regress.Search) { s.Confidence = math.NaN() }},
	} {
		q := s
		if c.edit != nil {
			c.edit(&q)
		}
		_, err := q.All(c.features, c.changes)
		_, err2 := q.Confirmed(c.features, c.changes, [32]byte{})
		for _, err := range []error{err, err2} {
			if err == nil || !strings.Contains(err.Error(), c.what) {
				t.Errorf("want %q: %v", c.what, err)
			}
		}
	}
	line := regress.SliceLine{Alpha: .9, Top: 1, Levels: 1, MinRows: 1}
	for _, e := range []float64{-1, math.NaN(), math.Inf(1)} {
		if _, err := line.Find(good, []float64{1, e}); err == nil {
			t.Errorf("error %v was taken", e)
		}
	}
	for _, bad := range []regress.SliceLine{{}, {Alpha: math.NaN(), Top: 1, Levels: 1, MinRows: 1}, {Alpha: .5, Levels: 1, MinRows: 1}, {Alpha: .5, Top: 1, Levels: 9, MinRows: 1}} {
		if _, err := bad.Find(good, []float64{1, 0}); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
	for _, x := range []struct {
		outcome int8
		support float64
		levels  int
	}{{2, .1, 1}, {1, 0, 1}, {1, math.NaN(), 1}, {1, 1.1, 1}, {1, .1, 0}} {
		if _, err := regress.DivExplorer(good, []int8{0, x.outcome}, x.support, x.levels); err == nil {
			t.Errorf("%+v was taken", x)
		}
	}
}

// A search that would need more slices than there is room for is refused, whole.
func TestSearchIsBounded(t *testing.T) {
	const n = 64
	var fs []metrics.Dimension
	for f := range 40 {
		fs = append(fs, metrics.Dimension{Name: fmt.Sprint(f), Values: []string{"a"}, Codes: make([]int32, n)})
	}
	s := regress.Search{Levels: 8, MinRows: 1, Top: 1, Confidence: .99}
	if _, err := s.All(fs, make([]int8, n)); err == nil || !strings.Contains(err.Error(), "more than 2097152 slices") {
		t.Error(err)
	}
}

// Where nothing broke nothing is found, and nothing is NaN.
func TestSearchOfNothing(t *testing.T) {
	fs := []metrics.Dimension{{Name: "f", Values: []string{"a", "b"}, Codes: []int32{0, 1}}}
	s := regress.Search{Levels: 2, MinRows: 1, Top: 5, Confidence: .99}
	all, err := s.All(fs, []int8{0, 0})
	if err != nil || all.Tested != 2 || all.SignificantHolm+all.SignificantBH != 0 || all.Slices[0].P != 1 {
		t.Errorf("%+v %v", all, err)
	}
	split, err := s.Confirmed(fs, []int8{0, 0}, [32]byte{})
	if err != nil || split.Tested != 0 || len(split.Slices) != 0 {
		t.Errorf("%+v %v", split, err)
	}
}
