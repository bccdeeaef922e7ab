package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestPublishedTwoShares: example (a) of Newcombe, Statistics in Medicine 17 (1998) 873,
// 56 of 70 against 48 of 80: method 10 .0524 .3339, Miettinen-Nurminen .0528 .3382.
func TestPublishedTwoShares(t *testing.T) {
	s := TwoShares{56, 70, 48, 80}
	newcombe, err := s.Newcombe(.95)
	if err != nil {
		t.Fatal(err)
	}
	score, err := s.MiettinenNurminen(.95)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]float64{{newcombe.Low, .0524}, {newcombe.High, .3339}, {score.Low, .0528}, {score.High, .3382}} {
		if math.Abs(c[0]-c[1]) > 5e-5 {
			t.Errorf("%v, published %v", c[0], c[1])
		}
	}
}

// TestPublishedMcNemar: Bentur 2009 (airway hyper-responsiveness, 1/1/7/12) and Cavo
// 2012 (59/6/16/80) as tables 8.2 and 8.3 of Fagerland, Lydersen and Laake, "Statistical
// analysis of contingency tables" (2017), print them; contingencytables in R agrees.
func TestPublishedMcNemar(t *testing.T) {
	bentur, cavo := Cells{BothRight: 1, Broke: 7, Fixed: 1, SameWrong: 12}, Cells{BothRight: 59, Broke: 16, Fixed: 6, SameWrong: 80}
	limits := func(low, high float64) []float64 { return []float64{low, high} }
	wald := func(c Cells) []float64 {
		e, err := c.WaldChange(.95)
		if err != nil {
			t.Fatal(err)
		}
		return limits(e.Low, e.High)
	}
	_, asymptotic := McNemarChi2(7, 1, false)
	_, corrected := McNemarChi2(7, 1, true)
	for name, c := range map[string][2][]float64{
		"Bentur exact, mid-P":     {{McNemar(7, 1), McNemarMidP(7, 1)}, {.070313, .039063}},
		"Bentur asymptotic":       {{asymptotic, corrected}, {.033895, .077100}},
		"Bentur Tango":            {limits(Tango(7, 1, 21, .95)), {-.5172, -.0260}},
		"Bentur Newcombe":         {limits(Newcombe(bentur, .95)), {-.5069, -.0256}},
		"Bentur Bonett and Price": {limits(BonettPrice(7, 1, 21, .95)), {-.5084, -.0134}},
		"Bentur Wald":             {wald(bentur), {-.5197, -.0517}},
		"Cavo exact, mid-P":       {{McNemar(16, 6), McNemarMidP(16, 6)}, {.052479, .034690}},
		"Cavo Tango":              {limits(Tango(16, 6, 161, .95)), {-.1240, -.0054}},
		"Cavo Newcombe":           {limits(Newcombe(cavo, .95)), {-.1186, -.0046}},
		"Cavo Wald":               {wald(cavo), {-.1184, -.0058}},
	} {
		for i, want := range c[1] {
			digits := 5e-5
			if want > 0 { // p-values are printed with six
				digits = 5e-7
			}
			if math.Abs(c[0][i]-want) > digits*1.01 {
				t.Errorf("%s: %v, published %v", name, c[0], c[1])
			}
		}
	}
}

// TestLogPIsContinuous where the tail is summed in another way, and it falls.
func TestLogPIsContinuous(t *testing.T) {
	last := 1.0
	for z := 0.0; z < 60; z += .01 {
		p, err := Log10TwoSidedP(z)
		if err != nil || p > last {
			t.Fatalf("z %v: %v, %v", z, p, err)
		}
		last = p
	}
	if below, above := lnNormalUpper(math.Nextafter(30, 0)), lnNormalUpper(30); math.Abs(below-above) > 1e-11 {
		t.Errorf("at 30: %v and %v", below, above)
	}
	if normalUpper(40) != 0 {
		t.Error("the plain p-value does not underflow; the test shows nothing")
	}
	for _, z := range []float64{.3, 2, 8} {
		if got := math.Exp(lnNormalUpper(z)) + math.Exp(lnNormalUpper(-z)); math.Abs(got-1) > 1e-15 {
			t.Errorf("both sides of %v: %v", z, got)
		}
	}
}

// TestMarginAgreesWithTheInterval: equivalence is shown at alpha just where the Tango
// interval at 1-2 alpha lies inside the margin.
func TestMarginAgreesWithTheInterval(t *testing.T) {
	const alpha, margin, n = .05, .06, 120
	inside := 0
	for b := int64(0); b <= 25; b++ {
		for f := int64(0); f <= 25; f++ {
			test, err := Cells{BothRight: n - b - f, Broke: b, Fixed: f}.TestMargin(margin)
			if err != nil {
				t.Fatal(err)
			}
			low, high := TangoLimits(b, f, n, alpha)
			if got, want := test.P() <= alpha, low >= -margin && high <= margin; got != want {
				t.Errorf("%d broke, %d fixed: p %v, limits %v %v", b, f, test, low, high)
			}
			if got, want := test.PLower <= alpha, low >= -margin; got != want {
				t.Errorf("%d broke, %d fixed: not inferior %v, lower limit %v", b, f, test.PLower, low)
			}
			inside += oneIf(test.P() <= alpha)
		}
	}
	if inside < 5 || inside > 600 {
		t.Errorf("%d tables show equivalence; the test shows nothing", inside)
	}
}

func differences(t testing.TB, d []float64) *Differences {
	t.Helper()
	x, err := NewDifferences(make([]float64, len(d)), d)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestSignFlips: on rows of 0 and 1 sign flips are McNemar's exact test; random signs
// agree with all of them.
func TestSignFlips(t *testing.T) {
	for b := int64(0); b <= 6; b++ {
		for f := int64(0); f <= 6; f++ {
			d := append(slices.Repeat([]float64{-1}, int(b)), slices.Repeat([]float64{1}, int(f))...)
			got, err := differences(t, append(d, 0, 0)).SignFlip(0, nil)
			if want := McNemar(b, f); err != nil || math.Abs(got-want) > 1e-12 {
				t.Errorf("%d broke, %d fixed: %v, %v, McNemar %v", b, f, got, err, want)
			}
		}
	}
	rnd := rand.New(rand.NewPCG(2, 3))
	d := make([]float64, exactFlips)
	for i := range d {
		d[i] = rnd.NormFloat64() + .4
	}
	exact := exactSigns(d)
	const replicates = 20_000
	if got := randomSigns(d, replicates, rand.NewPCG(4, 5)); math.Abs(got-exact) > 4*math.Sqrt(exact*(1-exact)/replicates)+1./replicates {
		t.Errorf("random signs %v, all signs %v", got, exact)
	}
	if got, err := differences(t, slices.Repeat([]float64{1}, 200)).SignFlip(99, rand.NewPCG(4, 5)); err != nil || got != .01 {
		t.Errorf("a p-value is at least 1/(1+replicates): %v, %v", got, err)
	}
	if _, err := differences(t, slices.Repeat([]float64{1}, 15)).SignFlip(99, nil); err == nil {
		t.Error("random signs without a source")
	}
}

// TestSignFlipsOfDecimals: sums of tenths that are equal but for rounding count as equal,
// as sums of integers show.
func TestSignFlipsOfDecimals(t *testing.T) {
	rnd, rounded := rand.New(rand.NewPCG(2, 4)), 0
	for range 50 {
		tenths, d := make([]int, 8), make([]float64, 8)
		for i := range d {
			tenths[i] = rnd.IntN(13) - 4
			d[i] = float64(tenths[i]) / 10
		}
		signed := func(word int) (whole int, float float64) {
			for i, k := range tenths {
				whole += k * (1 - 2*(word>>i&1))
				float += d[i] * float64(1-2*(word>>i&1))
			}
			return max(whole, -whole), math.Abs(float)
		}
		seen, seenFloat := signed(0)
		hits, plain := 0, 0
		for word := range 256 {
			whole, float := signed(word)
			hits += oneIf(whole >= seen)
			plain += oneIf(float >= seenFloat)
		}
		rounded += oneIf(plain != hits)
		if got := exactSigns(d); got != float64(hits)/256 {
			t.Errorf("%v: %v, want %v", d, got, float64(hits)/256)
		}
	}
	if rounded == 0 {
		t.Error("plain comparison is right everywhere; the test shows nothing")
	}
}

// TestWilcoxonEnumerated: the share of all signs whose smaller rank sum is as small.
func TestWilcoxonEnumerated(t *testing.T) {
	for _, d := range [][]float64{{1, -2, 3, 4, -5, 6}, {1, 1, -1, 2, 2, 3, -3, -3}, {-1, -1, -1, -1}, {0, 0, 5, -7, 7}} {
		got, p, err := differences(t, d).Wilcoxon()
		if err != nil {
			t.Fatal(err)
		}
		var size []float64
		signs := 0
		for _, v := range d {
			if v != 0 {
				signs |= oneIf(v > 0) << len(size)
				size = append(size, math.Abs(v))
			}
		}
		ranks, _ := midranks(size)
		smaller := func(word int) float64 {
			up, all := 0.0, 0.0
			for i, r := range ranks {
				up += r * float64(word>>i&1)
				all += r
			}
			return math.Min(up, all-up)
		}
		hits := 0
		for word := range 1 << len(size) {
			hits += oneIf(smaller(word) <= smaller(signs))
		}
		want := float64(hits) / float64(int(1)<<len(size))
		if got != smaller(signs) || math.Abs(p-want) > 1e-12 {
			t.Errorf("%v: (%v, %v), want (%v, %v)", d, got, p, smaller(signs), want)
		}
	}
	if _, _, err := differences(t, slices.Repeat([]float64{1}, wilcoxonRows+1)).Wilcoxon(); err == nil {
		t.Error("too many ranks are taken")
	}
}

// TestHommelIsClosedSimes: the adjusted p of a hypothesis is the largest of Simes's
// p-values over all sets that hold it.
func TestHommelIsClosedSimes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 5))
	above := 0
	for range 300 {
		p := make([]float64, 1+rnd.IntN(7))
		for i := range p {
			p[i] = math.Pow(rnd.Float64(), 3)
		}
		if rnd.IntN(4) == 0 {
			p[0] = math.NaN()
		}
		want := make([]float64, len(p))
		for set := 1; set < 1<<len(p); set++ {
			var in []float64
			for i, x := range p {
				if set>>i&1 == 1 {
					in = append(in, asP(x))
				}
			}
			slices.Sort(in)
			simes := 1.0
			for i, x := range in {
				simes = math.Min(simes, x*float64(len(in))/float64(i+1))
			}
			for i := range p {
				if set>>i&1 == 1 {
					want[i] = math.Max(want[i], simes)
				}
			}
		}
		got, hochberg := Hommel(p), Hochberg(p)
		for i := range p {
			if math.Abs(got[i]-want[i]) > 1e-14 {
				t.Fatalf("%v: %v, all sets give %v", p, got, want)
			}
			above += oneIf(got[i] < hochberg[i]-1e-12)
		}
	}
	if above == 0 {
		t.Error("never below Hochberg; the test shows nothing")
	}
	if got := Sidak([]float64{1e-18, math.NaN()}); got[0] != 2e-18 || got[1] != 1 {
		t.Errorf("Sidak of a small p: %v", got)
	}
}

// TestTwoClassesShiftAsMcNemar: on two classes both tests are McNemar's.
func TestTwoClassesShiftAsMcNemar(t *testing.T) {
	table := [][]int64{{40, 9}, {3, 50}}
	want, p := McNemarChi2(9, 3, false)
	s, seen, err := Bowker(table)
	if err != nil || math.Abs(s.Statistic-want) > 1e-12 || math.Abs(s.P-p) > 1e-12 || s.DF != 1 || seen != 1 {
		t.Errorf("Bowker %+v, %v", s, err)
	}
	m, err := StuartMaxwell(table)
	if err != nil || math.Abs(m.Statistic-want) > 1e-12 || math.Abs(m.P-p) > 1e-12 || m.DF != 1 {
		t.Errorf("Stuart-Maxwell %+v, %v", m, err)
	}
}

func TestSymmetryEdges(t *testing.T) {
	// three classes turn round: no class is told more often, but it is no symmetry
	round := [][]int64{{5, 40, 0}, {0, 5, 40}, {40, 0, 5}}
	if m, err := StuartMaxwell(round); err != nil || m.Statistic > 1e-9 || m.P < .99 {
		t.Errorf("equal shares: %+v, %v", m, err)
	}
	if s, _, err := Bowker(round); err != nil || s.Statistic != 120 || s.P > 1e-20 {
		t.Errorf("turned round: %+v, %v", s, err)
	}
	unused := [][]int64{{40, 9, 0}, {3, 50, 0}, {0, 0, 8}}
	if m, err := StuartMaxwell(unused); err != nil || m.DF != 1 || math.Abs(m.Statistic-3) > 1e-12 {
		t.Errorf("a class without a change: %+v, %v", m, err)
	}
	if m, err := StuartMaxwell([][]int64{{4, 0}, {0, 4}}); err != nil || m != (SymmetryTest{P: 1}) {
		t.Errorf("no change: %+v, %v", m, err)
	}
	rnd := rand.New(rand.NewPCG(3, 9))
	for range 2000 { // two groups of three classes: the covariance is singular, but for rounding
		apart := make([][]int64, 6)
		for i := range apart {
			apart[i] = make([]int64, 6)
			for j := range 3 {
				apart[i][i/3*3+j] = 1 + rnd.Int64N(100_000_000)
			}
		}
		if s, err := StuartMaxwell(apart); err == nil {
			t.Fatalf("two groups of classes have the statistic %+v", s)
		}
	}
	for name, table := range map[string][][]int64{"none": nil, "one class": {{3}}, "not square": {{1, 2}, {3}}, "negative": {{1, -2}, {3, 4}}} {
		_, _, err := Bowker(table)
		if _, err2 := StuartMaxwell(table); err == nil || err2 == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestJackknifeCells is the jackknife over rows, cell by cell.
func TestJackknifeCells(t *testing.T) {
	cells := []int64{30, 0, 7, 13}
	f1 := func(c []int64) float64 { return 2 * float64(c[0]) / float64(2*c[0]+c[2]+c[3]) }
	var rows []float64
	for i, c := range cells {
		for range c {
			less := slices.Clone(cells)
			less[i]--
			rows = append(rows, f1(less))
		}
	}
	got, err := JackknifeCells(cells, f1).acceleration()
	want, err2 := JackknifeRows(rows).acceleration()
	if err != nil || err2 != nil || want == 0 || math.Abs(got-want) > 1e-12 {
		t.Errorf("%v (%v), over rows %v (%v)", got, err, want, err2)
	}
}

func TestBootstrapIntervalEdges(t *testing.T) {
	r, err := NewReplicates(10, []float64{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	if e, _, err := r.BCa(JackknifeRows([]float64{1, 2}), .95); err != nil || e.Undefined == "" {
		t.Errorf("all replicates below the value: %+v, %v", e, err)
	}
	second := func(_ any, err error) error { return err }
	_, _, zero := new(Replicates).BCa(Jackknife{}, .95)
	_, _, noKnife := r.BCa(Jackknife{}, .95)
	for name, err := range map[string]error{
		"one replicate":    second(NewReplicates(1, []float64{1})),
		"NaN replicate":    second(NewReplicates(1, []float64{1, math.NaN()})),
		"NaN value":        second(NewReplicates(math.NaN(), []float64{1, 2})),
		"zero percentile":  second(new(Replicates).Percentile(.95)),
		"zero BCa":         zero,
		"no jackknife":     noKnife,
		"confidence 1":     second(r.Percentile(1)),
		"no rows":          second(PoissonBootstrap(0, 1, rand.NewPCG(1, 1), nil)),
		"no source":        second(PoissonBootstrap(1, 1, nil, nil)),
		"a count of 0":     second(Jackknife{[]float64{1}, []int64{0}}.acceleration()),
		"one count for 2":  second(Jackknife{[]float64{1, 2}, []int64{1}}.acceleration()),
		"no share":         second(Wilson(3, 2, .95)),
		"confidence NaN":   second(Jeffreys(1, 2, math.NaN())),
		"two shares":       second(TwoShares{3, 2, 1, 1}.Newcombe(.95)),
		"second share":     second(TwoShares{1, 2, -1, 1}.MiettinenNurminen(.95)),
		"clusters missing": second(ClusteredMean([]float64{1, 2}, []int32{1}, .95)),
		"clustered NaN":    second(ClusteredMean([]float64{1, math.NaN()}, []int32{1, 2}, .95)),
		"one difference":   second(NewDifferences([]float64{1}, []float64{1})),
		"cells that wrap":  second(Cells{BothRight: math.MaxInt64, Broke: math.MaxInt64, Fixed: 40}.TestMargin(.1)),
		"negative cell":    second(Cells{BothRight: 5, Broke: -1}.TestMargin(.1)),
		"margin 0":         second(Cells{BothRight: 5}.TestMargin(0)),
		"equal rows":       second(differences(t, []float64{1, 1}).TestMargin(.1)),
	} {
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	undefinedOnes := map[string]func() (Estimate, error){
		"no rows, Wilson":  func() (Estimate, error) { return Wilson(0, 0, .95) },
		"an empty set":     func() (Estimate, error) { return TwoShares{0, 0, 1, 2}.MiettinenNurminen(.95) },
		"one cluster":      func() (Estimate, error) { return ClusteredMean([]float64{1, 2}, []int32{7, 7}, .95) },
		"no spread":        func() (Estimate, error) { return differences(t, []float64{2, 2}).Mean(.95) },
		"zero differences": func() (Estimate, error) { return new(Differences).Mean(.95) },
		"no cells, Wald":   func() (Estimate, error) { return Cells{}.WaldChange(.95) },
	}
	if e, _ := undefinedOnes["one cluster"](); e.Undefined != "all rows are of one cluster" {
		t.Errorf("one cluster: %q", e.Undefined)
	}
	for name, f := range undefinedOnes {
		if e, err := f(); err != nil || e.Undefined == "" || e.Interval || e.Value != 0 {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
}

// TestPoissonBootstrap: weights have mean and variance 1, and the spread of a mean is
// its standard error.
func TestPoissonBootstrap(t *testing.T) {
	const n, replicates = 400, 2000
	rnd := rand.New(rand.NewPCG(5, 5))
	x := make([]float64, n)
	for i := range x {
		x[i] = rnd.NormFloat64()
	}
	total, squares := 0.0, 0.0
	draws, err := PoissonBootstrap(n, replicates, rand.NewPCG(6, 6), func(w []float64) float64 {
		top, bottom := 0.0, 0.0
		for i, v := range w {
			top += v * x[i]
			bottom += v
			total += v
			squares += (v - 1) * (v - 1)
		}
		return top / bottom
	})
	if err != nil {
		t.Fatal(err)
	}
	if m, v := total/(n*replicates), squares/(n*replicates); math.Abs(m-1) > .005 || math.Abs(v-1) > .01 {
		t.Errorf("weights have mean %v and variance %v", m, v)
	}
	r, err := NewReplicates(sum(x)/n, draws)
	if err != nil {
		t.Fatal(err)
	}
	want := math.Sqrt(columnMean(x).variance)
	if math.Abs(r.SE()/want-1) > 4/math.Sqrt(2*replicates) {
		t.Errorf("spread %v, standard error %v", r.SE(), want)
	}
}
