package harness

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"proctor/harness/policy"
	"proctor/harness/runner"
)

// A second sheet begins with the first batches of the first word for word, then
// asks rows in another order and alone, and follows from the seed.
func TestSecondSheet(t *testing.T) {
	for _, c := range []struct{ n, batch int }{{1, 1}, {40, 4096}, {400, 64}, {5000, 256}, {30000, 4096}} {
		s, err := newSheet(numbers(t, c.n), c.batch, []byte("s"))
		if err != nil {
			t.Fatal(err)
		}
		z := s.again([]byte("s"))
		was, _ := s.Rows.Column("x")
		x, _ := z.Rows.Column("x")
		var rows [askParts]map[float64]int
		for i := range rows {
			rows[i] = map[float64]int{}
		}
		pos := 0
		for b, size := range z.Batches {
			part := z.part[pos]
			for i := pos; i < pos+size; i++ {
				if x.Floats[i] != was.Floats[z.of[i]] || z.part[i] != part {
					t.Fatalf("%v: position %d does not ask what it says", c, i)
				}
				rows[part][x.Floats[i]]++
			}
			if part == askSame && (size != s.Batches[b] || z.of[pos] != pos) || part == askAlone && size != 1 || size > c.batch {
				t.Errorf("%v: batch %d of part %d has %d rows", c, b, part, size)
			}
			pos += size
		}
		if pos != z.Rows.Len() || z.InHand != 1 || len(rows[askMoved]) != min(c.n, movedRows) || len(rows[askAlone]) != min(c.n, aloneRows) {
			t.Errorf("%v: %d rows, %d moved, %d alone", c, pos, len(rows[askMoved]), len(rows[askAlone]))
		}
		if !slices.Equal(z.of, s.again([]byte("s")).of) || c.n > 1 && slices.Equal(z.of, s.again([]byte("t")).of) {
			t.Errorf("%v: the order is not a function of the seed", c)
		}
	}
}

// A model that answers 1 % of the rows otherwise the second time is seen in at
// least 95 of 100 runs, on sets of any size that has 400 rows: .99^400 = .018.
func TestOnePercent(t *testing.T) {
	const trials = 400
	for _, n := range []int{400, 4000} {
		table := numbers(t, n)
		seen := 0
		for trial := range trials {
			seed := binary.BigEndian.AppendUint32(nil, uint32(trial))
			s, err := newSheet(table, 64, seed)
			if err != nil {
				t.Fatal(err)
			}
			out := runner.Output{Labels: make([]int32, len(s.source))}
			rng := rand.New(rand.NewPCG(uint64(trial), 7))
			for _, i := range s.twice {
				if rng.Float64() < 0.01 {
					out.Labels[i] = 1
				}
			}
			if a, err := s.collect(out, []int32{0, 1}); err != nil {
				t.Fatal(err)
			} else if a.differ > 0 {
				seen++
			}
		}
		t.Logf("%d rows: seen in %d of %d runs", n, seen, trials)
		if seen*100 < trials*95 {
			t.Errorf("%d rows: seen in %d of %d runs only", n, seen, trials)
		}
	}
}

// What a second process answers is held to the first process's answers, part by part.
func TestCompareAgain(t *testing.T) {
	s, err := newSheet(numbers(t, 1000), 64, []byte("s"))
	if err != nil {
		t.Fatal(err)
	}
	z := s.again([]byte("s"))
	first := runner.Output{Labels: make([]int32, len(s.source))}
	out := runner.Output{Labels: make([]int32, len(z.of))}
	for i, part := range z.part { // one in four alone, none else
		if part == askAlone && i%4 == 0 {
			out.Labels[i] = 1
		}
	}
	parts := z.compare(first, out, 2)
	if parts[askSame].Differ != 0 || parts[askMoved].Differ != 0 || parts[askAlone].Differ < 20 || parts[askAlone].Rows != aloneRows || parts[askMoved] != (policy.Asked{Rows: movedRows}) {
		t.Errorf("%+v", parts)
	}
}
