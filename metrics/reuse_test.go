package metrics

import (
	"cmp"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestPublishedReuse: numbers of Renggli et al., "Continuous integration of machine
// learning models with ease.ml/ci" (MLSys 2019), sections 3 to 5, and of the notebook
// SimpleSampleCalculation.ipynb in easeml/ci (7f6b051).
func TestPublishedReuse(t *testing.T) {
	rows := func(n float64, err error) float64 {
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	reuse := func(a Adaptivity, runs int, reliability float64) Reuse { return Reuse{runs, 1 - reliability, a} }
	full, none := reuse(AdaptFull, 32, .9999), reuse(AdaptNone, 32, .9999)
	for name, c := range map[string][2]float64{
		"n > .8 +/- .05, full":              {math.Ceil(rows(full.HoeffdingRows(.05, 1, 1))), 6279},
		"eps .01, full, cut off":            {math.Floor(rows(full.HoeffdingRows(.01, 1, 1))), 156_955},
		"eps .01, none, more than 63K":      {math.Ceil(rows(none.HoeffdingRows(.01, 1, 1))), 63_381},
		"eps .01, one run, more than 46K":   {math.Ceil(rows(reuse(AdaptNone, 1, .9999).HoeffdingRows(.01, 1, 1))), 46_052},
		"n - o > .1 +/- .1, full":           {math.Ceil(rows(reuse(AdaptFull, 32, .99).HoeffdingRows(.1, 2, 2))), 5496},
		"d < .1 and n - o, none, 29K":       {math.Ceil(rows(none.BennettRows(.01, .1))), 29_048},
		"d < .1 and n - o, full, 67K":       {math.Ceil(rows(full.BennettRows(.01, .1))), 67_706},
		"labels a commit, cut off":          {math.Floor(rows(full.ActiveLabels(.01, .1))), 2188},
		"SemEval, none, cut off":            {math.Floor(rows(reuse(AdaptNone, 7, .998).HoeffdingRows(.02, 2, 2))), 44_268},
		"SemEval, full, 58K":                {math.Floor(rows(reuse(AdaptFull, 7, .998).HoeffdingRows(.02, 2, 2)) / 1000), 58},
		"first change needs what none does": {rows(reuse(AdaptFirstChange, 32, .9999).HoeffdingRows(.01, 1, 1)), rows(none.HoeffdingRows(.01, 1, 1))},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %v, published %v", name, c[0], c[1])
		}
	}
}

// TestLadderReadme: the example in the README of mrtzh/Ladder.jl. Its second step is a
// tie, which the same rule in floating point takes for an improvement.
func TestLadderReadme(t *testing.T) {
	labels := []int{1, 0, 1, 1, 1, 0}
	l, err := NewLadder(len(labels))
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		submission []int
		want       Rung
	}{
		{[]int{0, 0, 0, 0, 0, 0}, Rung{4. / 6, true}}, {[]int{1, 0, 0, 0, 0, 0}, Rung{4. / 6, false}}, {[]int{1, 0, 1, 0, 0, 0}, Rung{2. / 6, true}},
	} {
		wrong := make([]bool, len(labels))
		for j := range labels {
			wrong[j] = labels[j] != c.submission[j]
		}
		if got, err := l.Submit(wrong); err != nil || got != c.want {
			t.Errorf("step %d: %+v, %v, want %+v", i+1, got, err, c.want)
		}
	}
}

// TestLadderRuleIsExact against fractions, on small and on huge counts, where int64
// products wrap and would decide wrongly.
func TestLadderRuleIsExact(t *testing.T) {
	exact := func(b, f, n int64) bool { // D/n > s/sqrt(n), squared, with s from its definition
		d, q, rows := big.NewRat(f-b, 1), big.NewRat(f+b, 1), big.NewRat(n, 1)
		mean := new(big.Rat).Quo(d, rows)
		square := new(big.Rat).Mul(mean, mean)
		variance := new(big.Rat).Sub(q, new(big.Rat).Mul(rows, square))
		variance.Quo(variance, big.NewRat(n-1, 1))
		return f > b && square.Cmp(variance.Quo(variance, rows)) > 0
	}
	wraps, floats, ties := 0, 0, 0
	try := func(b, f, n int64) {
		want := exact(b, f, n)
		if got := LadderMoves(b, f, n); got != want {
			t.Errorf("%d broke, %d fixed of %d: %v, exactly %v", b, f, n, got, want)
		}
		d, q := f-b, f+b
		wraps += oneIf((d > 0 && d*d*(n-1) > n*q-d*d) != want)
		mean := float64(d) / float64(n)
		s := math.Sqrt((float64(q) - float64(n)*mean*mean) / float64(n-1))
		floats += oneIf((mean > s/math.Sqrt(float64(n))) != want)
		ties += oneIf(d*d*(n-1) == n*q-d*d)
	}
	for n := int64(2); n <= 40; n++ {
		for b := int64(0); b <= n; b++ {
			for f := int64(0); b+f <= n; f++ {
				try(b, f, n)
			}
		}
	}
	rnd := rand.New(rand.NewPCG(8, 8))
	for range 500 {
		n := int64(3_000_000) + rnd.Int64N(1<<40)
		b := rnd.Int64N(n / 2)
		try(b, b+rnd.Int64N(n-2*b+1), n)
	}
	if wraps == 0 || floats == 0 || ties == 0 {
		t.Errorf("the test shows little: %d wrapped, %d differ in float64, %d ties", wraps, floats, ties)
	}
}

// TestFixedLadder releases multiples of its step, and only clear improvements.
func TestFixedLadder(t *testing.T) {
	l, err := NewFixedLadder(100, .05)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		losses int
		want   Rung
	}{
		{43, Rung{.45, true}}, {40, Rung{.45, false}}, {39, Rung{.4, true}}, {90, Rung{.4, false}}, {35, Rung{.4, false}}, {0, Rung{0, true}},
	} {
		wrong := make([]bool, 100)
		for i := range c.losses {
			wrong[i] = true
		}
		if got, err := l.Submit(wrong); err != nil || got != c.want {
			t.Errorf("%d losses: %+v, %v, want %+v", c.losses, got, err, c.want)
		}
	}
	for _, c := range []struct{ x, want float64 }{{.425, .4}, {.475, .5}, {.024, 0}, {.026, .05}, {1, 1}} {
		r, _ := new(big.Rat).SetString(big.NewFloat(c.x).Text('g', 10))
		if got, _ := roundTo(r, big.NewRat(1, 20)).Float64(); got != c.want {
			t.Errorf("%v to a twentieth: %v, want %v", c.x, got, c.want)
		}
	}
}

// TestLadderResistsBoosting: the attack of Blum and Hardt 2015. 400 random votes and
// their majority look better than chance by .065 on an unprotected scoreboard, and by
// nothing on fresh rows; by at most .02 on a Ladder.
func TestLadderResistsBoosting(t *testing.T) {
	m := boostMean(t, 30, 4000, 400)
	t.Logf("of 30 attacks: unprotected %.4f, Ladder %.4f, fresh rows %.4f", m.naive, m.ladder, m.fresh)
	if m.naive > .5-.065 {
		t.Errorf("the unprotected scoreboard shows %v; the attack does not work", m.naive)
	}
	if math.Abs(m.ladder-.5) > .02 {
		t.Errorf("the Ladder shows %v", m.ladder)
	}
	if math.Abs(m.fresh-.5) > .004 {
		t.Errorf("on fresh rows the vote has %v", m.fresh)
	}
}

// TestThresholdoutPublished: the experiment without signal of Dwork et al., Science 349
// (2015), figure 1: 10,000 rows and features, a classifier of the 500 features that
// agree on training and sealed rows. The sealed rows used again and again report .63;
// fresh rows, and Thresholdout, one half. The noise is normal, with threshold
// 4/sqrt(n) and tolerance 1/sqrt(n), as in the authors' code.
//
// Correlations of random features with random labels are drawn as the normal numbers
// that they are, and rows only for the features chosen, on condition of theirs.
func TestThresholdoutPublished(t *testing.T) {
	const n, features, chosen = 10_000, 10_000, 500
	root := math.Sqrt(n)
	rnd := rand.New(rand.NewPCG(9, 9))
	training, sealed, answers := make([]float64, features), make([]float64, features), make([]float64, features)
	guard, err := NewThresholdout(4/root, 1/root, features, func(scale float64) float64 {
		return rnd.NormFloat64() / root // one scale for all three, as they have it
	})
	if err != nil {
		t.Fatal(err)
	}
	for j := range training {
		training[j], sealed[j] = rnd.NormFloat64()/root, rnd.NormFloat64()/root
		a, err := guard.Ask(string(rune(j)), training[j], sealed[j])
		if err != nil {
			t.Fatal(err)
		}
		answers[j] = a.Value
	}
	accuracies := func(seen []float64) (train, held float64) {
		return accuracyOf(rnd, n, pick(training, seen, 1/root, chosen), training, training), accuracyOf(rnd, n, pick(training, seen, 1/root, chosen), training, sealed)
	}
	_, reported := accuracies(sealed)
	train, held := accuracies(answers)
	a, err := guard.Ask("the classifier", train, held)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("reported accuracy: sealed rows %.4f, Thresholdout %.4f (training rows %.4f)", reported, a.Value, train)
	if math.Abs(reported-.63) > .012 {
		t.Errorf("the sealed rows used again and again report %v, published .63", reported)
	}
	if math.Abs(a.Value-.5) > 4/root || !a.Sealed {
		t.Errorf("Thresholdout reports %+v, published .50", a)
	}
}

// pick chooses the features whose answers agree in sign and exceed least both times,
// those with the strongest training correlation first.
func pick(training, seen []float64, least float64, most int) []int {
	var out []int
	for j, x := range training {
		if math.Min(math.Abs(x), math.Abs(seen[j])) > least && x*seen[j] > 0 {
			out = append(out, j)
		}
	}
	slices.SortFunc(out, func(a, b int) int { return cmp.Compare(math.Abs(training[b]), math.Abs(training[a])) })
	return out[:min(most, len(out))]
}

// accuracyOf draws the rows of the features chosen, given their correlations on these
// rows, and counts where the vote with the signs of training is right.
func accuracyOf(rnd *rand.Rand, n int, features []int, training, here []float64) float64 {
	votes, column := make([]float64, n), make([]float64, n)
	for _, j := range features {
		for i := range column {
			column[i] = rnd.NormFloat64()
		}
		shift := here[j] - sum(column)/float64(n)
		for i, z := range column { // label times feature, summing to n times the correlation
			votes[i] += math.Copysign(z+shift, training[j]*(z+shift))
		}
	}
	right := 0
	for _, v := range votes {
		right += oneIf(v > 0)
	}
	return float64(right) / float64(n)
}

// TestRepeatedQuestionsAreNotAveraged: under fresh names a mean of answers comes as near
// to the sealed value as one likes; under its own name the question has one answer.
func TestRepeatedQuestionsAreNotAveraged(t *testing.T) {
	const asked, sigma, sealed = 2000, .05, .7
	for _, c := range []struct {
		name  string
		names func(i int) string
	}{
		{"same name", func(int) string { return "q" }}, {"fresh names", func(i int) string { return string(rune(i)) }},
	} {
		guard, err := NewThresholdout(.01, sigma, asked, Laplace(rand.NewPCG(1, 2)))
		if err != nil {
			t.Fatal(err)
		}
		first, total, count := 0.0, 0.0, 0
		for i := range asked {
			a, err := guard.Ask(c.names(i), 0, sealed)
			if err != nil {
				t.Fatal(err)
			}
			if a.Sealed {
				if count == 0 {
					first = a.Value
				}
				total += a.Value
				count++
			}
		}
		far := math.Abs(total/float64(count) - sealed)
		if fresh := c.name == "fresh names"; fresh && far > .01 {
			t.Errorf("%s: the mean is off by %v; the attack does not work", c.name, far)
		} else if !fresh && (math.Abs(total/float64(count)-first) > 1e-12 || guard.Budget() < asked-1) {
			t.Errorf("%s: answers differ, or %d of %d left", c.name, guard.Budget(), asked)
		}
	}
}

func TestThresholdoutEndsItsAnswers(t *testing.T) {
	guard, err := NewThresholdout(.1, 0, 1, func(float64) float64 { return 0 })
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		train, sealed float64
		want          ThresholdAnswer
		err           error
	}{
		{.5, .55, ThresholdAnswer{.5, false}, nil}, {.5, .9, ThresholdAnswer{.9, true}, nil}, {.5, .5, ThresholdAnswer{}, ErrReuseBudget},
	} {
		got, err := guard.Ask(string(rune('a'+i)), c.train, c.sealed)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("question %d: %+v, %v, want %+v, %v", i+1, got, err, c.want, c.err)
		}
	}
	if threshold, sigma, err := ThresholdoutScale(.1, 100, .05); err != nil || math.Abs(threshold-.075) > 1e-15 || math.Abs(sigma-.1/(96*math.Log(8000))) > 1e-15 {
		t.Errorf("theorem 9: %v, %v, %v", threshold, sigma, err)
	}
}

// TestLaplace: its mean distance from 0 is its scale, and half lies within scale ln 2.
func TestLaplace(t *testing.T) {
	draw, x, within := Laplace(rand.NewPCG(7, 7)), 0.0, 0
	const n = 100_000
	total := 0.0
	for range n {
		d := draw(3)
		x += math.Abs(d) / n
		total += d / n
		within += oneIf(math.Abs(d) < 3*math.Ln2)
	}
	if math.Abs(x-3) > .04 || math.Abs(total) > .06 || math.Abs(float64(within)/n-.5) > .007 {
		t.Errorf("mean distance %v, mean %v, within %d", x, total, within)
	}
}

func TestConditions(t *testing.T) {
	within := func(x, eps float64) Range {
		r, err := Within(x, eps)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	n, o, d := within(.9, .01), within(.85, .01), within(.05, .01)
	for name, c := range map[string]struct{ got, want Tri }{
		"n - o > .02":             {n.Minus(o).Above(.02), TriTrue},
		"n - o > .04":             {n.Minus(o).Above(.04), TriUnknown},
		"n - o > .08":             {n.Minus(o).Above(.08), TriFalse},
		"n - 1.1 o > -.01":        {n.Plus(o.Times(-1.1)).Above(-.06), TriTrue},
		"d < .1 and n - o > .02":  {d.Below(.1).And(n.Minus(o).Above(.02)), TriTrue},
		"unknown and true":        {TriUnknown.And(TriTrue), TriUnknown},
		"unknown and false":       {TriUnknown.And(TriFalse), TriFalse},
		"an end on the constant":  {Range{0, .5}.Above(.5), TriFalse},
		"the other end":           {Range{.5, 1}.Above(.5), TriUnknown},
		"ends in the wrong order": {Range{1, 0}.Above(-1), TriUnknown},
		"NaN":                     {Range{math.NaN(), 1}.Above(2), TriUnknown},
		"zero value":              {Tri(0), TriUnknown},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
}

// TestTranscriptLevels: the levels of all transcripts of a run add to alpha.
func TestTranscriptLevels(t *testing.T) {
	for run := 1; run <= 8; run++ {
		level, err := TranscriptLevel(.01, 3, run)
		if err != nil || math.Abs(level*math.Pow(3, float64(run-1))-.01) > 1e-15 {
			t.Errorf("run %d: %v, %v", run, level, err)
		}
	}
}

func TestReuseRefuses(t *testing.T) {
	nan := math.NaN()
	second := func(_ any, err error) error { return err }
	ladder, err := NewLadder(3)
	if err != nil {
		t.Fatal(err)
	}
	guard, err := NewThresholdout(.1, .1, 3, func(float64) float64 { return 0 })
	if err != nil {
		t.Fatal(err)
	}
	_, _, scale := ThresholdoutScale(nan, 1, .05)
	for name, err := range map[string]error{
		"ladder of one row":      second(NewLadder(1)),
		"step 0":                 second(NewFixedLadder(10, 0)),
		"step NaN":               second(NewFixedLadder(10, nan)),
		"zero ladder":            second(new(Ladder).Submit(nil)),
		"fewer rows":             second(ladder.Submit(make([]bool, 2))),
		"no noise":               second(NewThresholdout(.1, .1, 1, nil)),
		"negative budget":        second(NewThresholdout(.1, .1, -1, guard.noise)),
		"zero thresholdout":      second(new(Thresholdout).Ask("q", 0, 0)),
		"NaN mean":               second(guard.Ask("q", nan, 0)),
		"NaN tolerance":          scale,
		"no adaptivity":          second(Reuse{1, .05, 0}.HoeffdingRows(.1, 1, 1)),
		"no runs":                second(Reuse{0, .05, AdaptFull}.HoeffdingRows(.1, 1, 1)),
		"delta 0":                second(Reuse{1, 0, AdaptFull}.BennettRows(.1, .1)),
		"eps 0":                  second(Reuse{1, .05, AdaptFull}.HoeffdingRows(0, 1, 1)),
		"eps too small":          second(Reuse{1, .05, AdaptFull}.HoeffdingRows(1e-200, 1, 1)),
		"share above 1":          second(Reuse{1, .05, AdaptFull}.BennettRows(.1, 1.1)),
		"negative tolerance":     second(Within(0, -1)),
		"more moves than rounds": second(BoundReuse(10, 5, .05, 6)),
		"run 0":                  second(TranscriptLevel(.01, 3, 0)),
		"a run past any level":   second(TranscriptLevel(.01, 3, 2000)),
		"transcripts of level 2": second(TranscriptLevel(2, 3, 1)),
	} {
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if r, err := ladder.Submit(make([]bool, 3)); err != nil || !r.Moved {
		t.Errorf("a refused submission changed the ladder: %+v, %v", r, err)
	}
	for _, c := range [][3]int64{{-1, 3, 10}, {3, 3, 10}, {2, 9, 10}, {0, 1, 0}} {
		if LadderMoves(c[0], c[1], c[2]) {
			t.Errorf("%v moves the ladder", c)
		}
	}
}
