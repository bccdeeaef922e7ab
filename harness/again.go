package harness

import (
	"context"
	"errors"
	"slices"
	"time"

	"proctor/harness/policy"
	"proctor/harness/runner"
)

// How many rows a second process is asked at least, if the exam has as many: a
// change in 1 % of answers is seen among 300 rows with probability .951 and among
// 500 with .993, one in 5 % among 150 with .9995.
const (
	sameRows  = 300
	movedRows = 500
	aloneRows = 150
)

// dates are how far the clock is moved for packages whose runtime lets us: a
// season and more than a year on, at other times of the day.
var dates = []time.Duration{(45*24 + 8) * time.Hour, (400*24 + 16) * time.Hour}

// A second sheet asks rows of the first again, in a fresh process that holds one
// batch at a time. It begins with the first sheet's own first batches, word for
// word: whoever answers those otherwise is not a function of what it was asked.
// After them come rows in another order and other company, and rows alone. A
// model that is a function of the row answers all of them as before.
type second struct {
	runner.Sheet
	main *sheet
	of   []int // of[i] is the position of the first sheet that asked the row before
	part []int // part[i] says for what position i asks
}

// What a second sheet asks a row for.
const (
	askSame  = iota // in the same batch, at the same place
	askMoved        // in another order, in batches of other sizes
	askAlone        // in a batch of its own
	askParts
)

// askNames are the parts' names in tests.
var askNames = [askParts]string{"same", "moved", "alone"}

func (s *sheet) again(seed []byte) *second {
	z := &second{main: s}
	for _, size := range s.Batches {
		if len(z.of) >= sameRows {
			break
		}
		same := make([]int, size)
		for i := range same {
			same[i] = len(z.of) + i
		}
		z.add(askSame, same)
	}
	rng := stream(seed, "again")
	draw := func(most int) (at []int) {
		for _, r := range rng.Perm(s.n)[:min(s.n, most)] {
			at = append(at, s.first[r])
		}
		return at
	}
	moved, alone := draw(movedRows), draw(aloneRows)
	sizes := append(cut(len(moved), s.batch, rng), slices.Repeat([]int{0}, len(alone))...)
	rng.Shuffle(len(sizes), func(i, j int) { sizes[i], sizes[j] = sizes[j], sizes[i] })
	for _, size := range sizes {
		if size > 0 {
			z.add(askMoved, moved[:size])
			moved = moved[size:]
		} else {
			z.add(askAlone, alone[:1])
			alone = alone[1:]
		}
	}
	z.Rows, z.InHand = s.Rows.Take(z.of), 1
	return z
}

// add appends a batch.
func (z *second) add(part int, of []int) {
	z.of = append(z.of, of...)
	z.part = append(z.part, slices.Repeat([]int{part}, len(of))...)
	z.Batches = append(z.Batches, len(of))
}

// asked counts how a second process answered.
type asked struct {
	parts [askParts]policy.Asked
	clock policy.Clock
	runs  []*answered // further ones of a model that is declared stochastic
}

// compare holds the answers of a second process to those of the first.
func (z *second) compare(first, out runner.Output, k int) (parts [askParts]policy.Asked) {
	for i, of := range z.of {
		p := &parts[z.part[i]]
		p.Rows++
		if !z.main.isBlind(askNames[z.part[i]]) && !sameAnswer(first, of, out, i, k) {
			p.Differ++
		}
	}
	return parts
}

// askAgain asks a second process, and one more for each date, in the same batches
// as the second: where those two differ, only the date can have made it.
func (t *task) askAgain(ctx context.Context, r runner.Runner, dir string, pkg *runner.Package, s *sheet, first runner.Output) (*asked, error) {
	z, k, limits := s.again(t.seed), len(pkg.Manifest.Classes), t.s.Limits
	t.stage(ctx, "asking the candidate again")
	out, _, err := r.Run(ctx, dir, pkg, z.Sheet, limits)
	if err != nil {
		return nil, afterwards(err, s)
	}
	a := &asked{parts: z.compare(first, out, k)}
	if pkg.Manifest.Stochastic {
		if a.runs, err = t.rerun(ctx, r, dir, pkg, s); err != nil {
			return nil, err
		}
	}
	why, err := r.Clock(ctx, pkg)
	if err != nil {
		return nil, err
	}
	if why != runner.ClockMoves {
		a.clock.Missing = clockMissing[why]
		return a, nil
	}
	for _, d := range dates {
		t.stage(ctx, "asking the candidate at another date")
		z.Ahead = d
		later, _, err := r.Run(ctx, dir, pkg, z.Sheet, limits)
		if err != nil {
			return nil, afterwards(err, s)
		}
		for i := range z.of {
			a.clock.Rows++
			if !s.isBlind("clock") && !sameAnswer(out, i, later, i, k) {
				a.clock.Differ++
			}
		}
	}
	return a, nil
}

// clockMissing says in words why the clock was not moved; "": there is none.
var clockMissing = map[string]string{
	runner.ClockNone:    "",
	runner.ClockNoLib:   "this service has no libfaketime to show the model another date with",
	runner.ClockRuntime: "the package brings its own runtime, which cannot be shown another date",
	runner.ClockRemote:  "the model runs elsewhere, where nobody here can show it another date",
	runner.ClockRefuses: "the interpreter was shown another date and did not take it",
}

// afterwards is a failure after the exam was answered: its rows were delivered.
func afterwards(err error, s *sheet) error {
	var f *runner.Failure
	if errors.As(err, &f) {
		f.Delivered += s.Rows.Len()
	}
	return err
}
