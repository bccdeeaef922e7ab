package harness

import (
	"math"
	"slices"
	"strings"
	"testing"

	"proctor/harness/runner"
	"proctor/holdout/rows"
)

func numbers(t *testing.T, n int) rows.Table {
	t.Helper()
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(i)
	}
	table, err := rows.New(rows.Column{Name: "x", Floats: x})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// Every row is asked, a tenth of them (at least 400) twice and never twice in one batch; the
// order follows from the seed alone.
func TestSheet(t *testing.T) {
	for _, c := range []struct{ n, batch int }{{1, 1}, {2, 4096}, {9, 3}, {40, 4096}, {400, 64}, {400, 4096}, {5000, 256}, {30000, 4096}} {
		for seed := byte(0); seed < 5; seed++ {
			s, err := newSheet(numbers(t, c.n), c.batch, []byte{seed})
			if err != nil {
				t.Fatal(err)
			}
			asked := make([]int, c.n)
			batches := make([][]int, c.n)
			pos := 0
			x, _ := s.Rows.Column("x")
			for b, size := range s.Batches {
				if size < 1 || size > c.batch {
					t.Fatalf("%v: a batch of %d", c, size)
				}
				for range size {
					r := int(x.Floats[pos])
					if r != s.source[pos] {
						t.Fatalf("%v: position %d asks row %d, not %d", c, pos, r, s.source[pos])
					}
					asked[r]++
					batches[r] = append(batches[r], b)
					pos++
				}
			}
			twice, same := 0, 0
			for r, n := range asked {
				if n < 1 || n > 2 {
					t.Fatalf("%v: row %d is asked %d times", c, r, n)
				}
				if n == 2 {
					twice++
					if batches[r][0] == batches[r][1] {
						same++
					}
				}
			}
			if pos != s.Rows.Len() || twice != min(c.n, max(minRepeats, min(maxRepeats, c.n/10))) || twice != len(s.twice) || same != 0 {
				t.Errorf("%v seed %d: %d rows, %d twice, %d of them within a batch (%d batches)", c, seed, pos, twice, same, len(s.Batches))
			}
			if c.n >= 40 && len(s.Batches) < minBatches {
				t.Errorf("%v: %d batches", c, len(s.Batches))
			}
		}
	}
	a, _ := newSheet(numbers(t, 300), 32, []byte("s"))
	b, _ := newSheet(numbers(t, 300), 32, []byte("s"))
	other, _ := newSheet(numbers(t, 300), 32, []byte("t"))
	if !slices.Equal(a.source, b.source) || !slices.Equal(a.Batches, b.Batches) || slices.Equal(a.source, other.source) {
		t.Error("the order is not a function of the seed")
	}
	for _, c := range []struct{ n, batch int }{{0, 5}, {5, 0}} {
		if _, err := newSheet(numbers(t, c.n), c.batch, nil); err == nil {
			t.Errorf("%d rows in batches of %d were laid out", c.n, c.batch)
		}
	}
}

// Answers come back in row order and in the set's order of classes; none of the
// classes stays none; what is said twice differently is counted.
func TestCollect(t *testing.T) {
	s := &sheet{n: 2, source: []int{1, 0, 1}, first: []int{1, 0}, twice: []int{2}}
	order := []int32{2, 0, 1} // the package's first class is the set's third
	out := runner.Output{Labels: []int32{0, -1, 0}, Probs: []float64{.7, .2, .1, .3, .3, .4, .7, .2, .1}}
	a, err := s.collect(out, order)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.predictions.Labels, []int32{-1, 2}) || !slices.Equal(a.predictions.Probs, []float64{.3, .4, .3, .2, .1, .7}) || a.repeated != 1 || a.differ != 0 {
		t.Errorf("%+v", a)
	}
	for _, c := range []struct {
		label  int32
		moved  float64
		differ int
	}{{0, 0, 0}, {1, 0, 1}, {-1, 0, 1}, {0, 0.9e-5, 0}, {0, 1.1e-5, 1}, {0, math.NaN(), 1}} {
		out := runner.Output{Labels: []int32{0, 0, c.label}, Probs: []float64{.7, .2, .1, .3, .3, .4, .7 - c.moved, .2 + c.moved, .1}}
		if a, err := s.collect(out, order); err != nil || a.differ != c.differ {
			t.Errorf("second answer %d, moved %g: %+v %v", c.label, c.moved, a, err)
		}
	}
	for _, out := range []runner.Output{{Labels: []int32{0, 0}}, {Labels: []int32{0, 0, 0}, Probs: []float64{1}}} {
		if _, err := s.collect(out, order); err == nil || !strings.Contains(err.Error(), "answers to 3") {
			t.Errorf("%+v: %v", out, err)
		}
	}
}

// Both must have the same classes, in any order.
func TestClassOrder(t *testing.T) {
	if o, err := classOrder([]string{"a", "b", "c"}, []string{"c", "a", "b"}); err != nil || !slices.Equal(o, []int32{2, 0, 1}) {
		t.Errorf("%v %v", o, err)
	}
	// A class that only looks the same is another one.
	for _, pkg := range [][]string{{"a", "b"}, {"a", "b", "x"}, {}, {"\u0430", "b", "c"}, {"A", "b", "c"}, {"a ", "b", "c"}, {"a\u200b", "b", "c"}} {
		if _, err := classOrder([]string{"a", "b", "c"}, pkg); err == nil {
			t.Errorf("%q was taken", pkg)
		}
	}
}

// Another class is the same answer only between equal probabilities.
func TestSameAnswer(t *testing.T) {
	out := func(l int32, p ...float64) runner.Output { return runner.Output{Labels: []int32{l}, Probs: p} }
	for i, c := range []struct {
		a, b runner.Output
		want bool
	}{
		{out(0, .5, .5), out(1, .5, .5), true},
		{out(0, .500004, .499996), out(1, .499999, .500001), true},
		{out(0, .50001, .49999), out(1, .50001, .49999), false},
		{out(0, .5, .5), out(-1, .5, .5), false},
		{out(0), out(0), true},
		{out(0), out(1), false},
		{out(0, .5, .5), out(0), false},
		{out(0, math.NaN(), .5), out(0, math.NaN(), .5), false},
	} {
		if got := sameAnswer(c.a, 0, c.b, 0, 2); got != c.want {
			t.Errorf("case %d: %v", i, got)
		}
	}
}
