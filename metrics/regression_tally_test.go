package metrics

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// regressionRows are rows in some unit, some with no error, some far off.
func regressionRows(seed uint64, n int) (y, p, w []float64) {
	rnd := rand.New(rand.NewPCG(seed, 12))
	for i := range n {
		y, p, w = append(y, rnd.ExpFloat64()*1e4), append(p, rnd.ExpFloat64()*1e4), append(w, float64(rnd.IntN(4))*.1)
		switch i % 9 {
		case 1:
			p[i] = y[i]
		case 2:
			p[i] *= 1e12
		case 3:
			y[i] = 0
		}
	}
	return y, p, w
}

func mustRegressionTally(t testing.TB, from int, y, p, w []float64) *RegressionTally {
	t.Helper()
	u, err := TallyRegression(int64(from), y, p, w)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// sentRegression is the tally after it went over a wire.
func sentRegression(t testing.TB, u *RegressionTally) *RegressionTally {
	t.Helper()
	v, err := DecodeRegressionTally(u.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(v.Encode(), u.Encode()) {
		t.Fatal("a tally decodes to another")
	}
	return v
}

// readings are all numbers of a tally, as losses are those of its rows.
func readings(u *RegressionTally) map[string]Estimate {
	return map[string]Estimate{
		"mae": u.MAE(), "mse": u.MSE(), "rmse": u.RMSE(), "mape": u.MAPE(), "smape": u.SMAPE(), "msle": u.MSLE(), "pinball": u.Pinball(0.2),
		"r2": u.R2(), "explained variance": u.ExplainedVariance(), "max error": u.MaxError(),
	}
}

// TestRegressionOfPartsIsThatOfAll: wherever the rows are cut and in whatever order the
// parts are added, some of weight 0, state and numbers are those of all rows, bit for bit.
func TestRegressionOfPartsIsThatOfAll(t *testing.T) {
	for seed := range uint64(12) {
		rnd := rand.New(rand.NewPCG(seed, 13))
		y, p, w := regressionRows(seed, 2+rnd.IntN(6000))
		if seed%2 == 0 {
			w = nil
		} else {
			clear(w[:rnd.IntN(len(w))])
			w[len(w)-1] = .3
		}
		if seed%3 > 0 {
			p[0] = -p[0]
		}
		want := mustRegressionTally(t, 0, y, p, w)
		cuts := []int{0, len(y)}
		for range rnd.IntN(6) {
			cuts = append(cuts, 1+rnd.IntN(len(y)-1))
		}
		slices.Sort(cuts)
		cuts = slices.Compact(cuts)
		var parts []*RegressionTally
		for i, from := range cuts[:len(cuts)-1] {
			to, v := cuts[i+1], []float64(nil)
			if w != nil {
				v = w[from:to]
			}
			parts = append(parts, sentRegression(t, mustRegressionTally(t, from, y[from:to], p[from:to], v)))
		}
		rnd.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		sum := parts[0]
		for _, u := range parts[1:] {
			if err := sum.Add(u); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(sum.Encode(), want.Encode()) || sum.N() != int64(len(y)) {
			t.Errorf("seed %d, cut at %v: another state", seed, cuts)
		}
		if got, all := readings(sum), readings(want); !reflect.DeepEqual(got, all) {
			t.Errorf("seed %d: %+v, of all rows %+v", seed, got, all)
		}
		for name, e := range losses(mustRegression(t, y, p, w)) { // these have intervals besides
			if got := readings(sum)[name]; got.Value != e.Value || got.Undefined != e.Undefined || got.N != e.N {
				t.Errorf("seed %d, %s: %+v, of all rows %+v", seed, name, got, e)
			}
		}
	}
}

// TestBlocksOfRegressionWouldNot: the control. The mean of absolute errors as float64
// adds them has other last bits under another cut or order of the rows, and this one not.
func TestBlocksOfRegressionWouldNot(t *testing.T) {
	y, p, _ := regressionRows(5, 20000)
	naive := func(y, p []float64) float64 {
		return blockSum(len(y), func(i int) float64 { return math.Abs(y[i] - p[i]) })
	}
	all, exact, differ := naive(y, p), mustRegression(t, y, p, nil).MAE(), 0
	for cut := 1000; cut < 20000; cut += 1000 {
		differ += oneIf(naive(y[cut:], p[cut:])+naive(y[:cut], p[:cut]) != all)
		turned := mustRegression(t, slices.Concat(y[cut:], y[:cut]), slices.Concat(p[cut:], p[:cut]), nil)
		if !reflect.DeepEqual(turned.MAE(), exact) {
			t.Errorf("turned at %d: %+v, was %+v", cut, turned.MAE(), exact)
		}
	}
	if differ == 0 {
		t.Error("float64 has no order either: the test cannot fail")
	}
}

// TestWeightsOfOneAreNone: sums with weights of 1, which go another way, are those
// without.
func TestWeightsOfOneAreNone(t *testing.T) {
	y, p, w := regressionRows(6, 5000)
	for i := range w {
		w[i] = 1
	}
	if got, want := readings(mustRegressionTally(t, 0, y, p, w)), readings(mustRegressionTally(t, 0, y, p, nil)); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, without weights %+v", got, want)
	}
}

// TestRegressionIsNearTheSlowWay: by definition, row after row in float64.
func TestRegressionIsNearTheSlowWay(t *testing.T) {
	y, p, w := regressionRows(7, 900)
	total, mean, bias := 0.0, 0.0, 0.0
	for i := range y {
		total += w[i]
		mean += w[i] * y[i]
		bias += w[i] * (y[i] - p[i])
	}
	want := map[string]float64{}
	all, left := 0.0, 0.0
	for i := range y {
		e, v := y[i]-p[i], w[i]/total
		want["mae"] += v * math.Abs(e)
		want["mse"] += v * e * e
		want["pinball"] += v * max(.2*e, -.8*e)
		want["mape"] += v * math.Abs(e) / max(math.Abs(y[i]), 0x1p-52)
		if e != 0 {
			want["smape"] += v * 2 * math.Abs(e) / (math.Abs(y[i]) + math.Abs(p[i]))
		}
		want["msle"] += v * math.Pow(math.Log1p(y[i])-math.Log1p(p[i]), 2)
		all += v * math.Pow(y[i]-mean/total, 2)
		left += v * math.Pow(e-bias/total, 2)
	}
	want["rmse"], want["r2"], want["explained variance"] = math.Sqrt(want["mse"]), 1-want["mse"]/all, 1-left/all
	got := readings(mustRegressionTally(t, 3, y, p, w))
	for name, v := range want {
		near(t, name, got[name].Value/v, 1, 1e-12)
	}
}

// TestConstantTruth: over the rows that have weight it is a value and not a rounding.
func TestConstantTruth(t *testing.T) {
	for what, c := range map[string]struct {
		y, p, w []float64
		want    float64
	}{
		"a tenth, right":          {[]float64{.1, .1, .1}, []float64{.1, .1, .1}, nil, 1},
		"a tenth, wrong":          {[]float64{.1, .1, .1}, []float64{.1, .1, .2}, nil, 0},
		"another of weight 0":     {[]float64{.1, .1, 5}, []float64{.1, .1, 9}, []float64{1, .7, 0}, 1},
		"all but the last bit":    {[]float64{1, 1 + 0x1p-52}, []float64{1, 1 + 0x1p-52}, nil, 1},
		"by the last bit, missed": {[]float64{1, 1 + 0x1p-52}, []float64{1 + 0x1p-52, 1}, nil, -3},
		"large, by one":           {[]float64{1e15, 1e15 + 1}, []float64{1e15 + 1, 1e15}, nil, -3},
	} {
		if e := mustRegression(t, c.y, c.p, c.w).R2(); e.Undefined != "" || e.Value != c.want {
			t.Errorf("%s: %+v, want %v", what, e, c.want)
		}
	}
}

// TestLargeNumbers: sums that overflow do no harm, errors that do are no numbers.
func TestLargeNumbers(t *testing.T) {
	big := math.MaxFloat64
	r := mustRegression(t, []float64{big, big, 0}, []float64{big / 2, big / 2, 0}, nil)
	near(t, "MAE", r.MAE().Value/big, 1./3, 1e-15)
	near(t, "sMAPE", r.SMAPE().Value, 4./9, 1e-15)
	near(t, "R2", r.R2().Value, .25, 1e-15) // 1 - (1/2)/(2/3)
	for what, e := range map[string]Estimate{"mse": r.MSE(), "rmse": r.RMSE()} {
		if e.Undefined == "" {
			t.Errorf("%s is %v", what, e.Value)
		}
	}
	near(t, "sMAPE of the ends", mustRegression(t, []float64{big}, []float64{-big}, nil).SMAPE().Value, 2, 0)
	far := mustRegressionTally(t, 0, []float64{big, 1}, []float64{-big, 2}, []float64{0, 1})
	if e := far.MAE(); e.Undefined != "" || e.Value != 1 {
		t.Errorf("a row of weight 0 overflows: %+v", e)
	}
	sentRegression(t, mustRegressionTally(t, 0, []float64{big, 1}, []float64{-big, 2}, nil))
}

// TestRegressionTalliesThatDoNotFit: rows twice, weights on one side, nothing, gaps.
func TestRegressionTalliesThatDoNotFit(t *testing.T) {
	y, p, w := regressionRows(8, 100)
	first := func() *RegressionTally { return mustRegressionTally(t, 10, y[:50], p[:50], nil) }
	for why, u := range map[string]*RegressionTally{
		"repeated": first(), "overlap": mustRegressionTally(t, 59, y[:9], p[:9], nil), "before": mustRegressionTally(t, 0, y[:11], p[:11], nil),
		"weighted": mustRegressionTally(t, 60, y, p, w), "none": {},
	} {
		sum, before := first(), first().Encode()
		if err := sum.Add(u); err == nil || !bytes.Equal(sum.Encode(), before) {
			t.Errorf("%s: added, or changed: %v", why, err)
		}
	}
	gap := first()
	if err := gap.Add(mustRegressionTally(t, 61, y[51:], p[51:], nil)); err != nil {
		t.Fatal(err)
	}
	light := mustRegressionTally(t, 0, y, p, make([]float64, 100))
	heavy := mustRegressionTally(t, 0, y[:2], p[:2], []float64{math.MaxFloat64, math.MaxFloat64})
	for what, u := range map[string]*RegressionTally{"a gap": sentRegression(t, gap), "weight 0": sentRegression(t, light), "weight beyond float64": heavy, "none": {}} {
		for name, e := range readings(u) {
			if e.Undefined == "" || e.Value != 0 {
				t.Errorf("%s, %s: %+v", what, name, e)
			}
		}
	}
	if err := gap.Add(mustRegressionTally(t, 60, y[50:51], p[50:51], nil)); err != nil || gap.MAE().Value != mustRegression(t, y, p, nil).MAE().Value {
		t.Errorf("the gap is closed: %v, %+v", err, gap.MAE())
	}
	for i, err := range []error{
		second(TallyRegression(-1, y, p, nil)), second(TallyRegression(maxTallyRows-99, y, p, nil)), second(TallyRegression(0, nil, nil, nil)),
		second(TallyRegression(0, y, p[1:], nil)), second(TallyRegression(0, []float64{math.NaN()}, []float64{1}, nil)),
	} {
		if err == nil {
			t.Errorf("case %d was taken", i)
		}
	}
}

// TestDecodeRegressionTallyIsStrict: cut, longer, changed, or sums that no rows have.
func TestDecodeRegressionTallyIsStrict(t *testing.T) {
	y, p, w := regressionRows(9, 80)
	whole := mustRegressionTally(t, 7, y, p, w)
	good := whole.Encode()
	for i := range good {
		if _, err := DecodeRegressionTally(good[:i]); err == nil {
			t.Fatalf("the first %d of %d bytes are a tally", i, len(good))
		}
		b := slices.Clone(good)
		b[i] ^= 0x81
		if u, err := DecodeRegressionTally(b); err == nil && !bytes.Equal(u.Encode(), b) {
			t.Fatalf("byte %d: read and not the same", i)
		}
	}
	if _, err := DecodeRegressionTally(append(slices.Clone(good), 0)); err == nil {
		t.Error("a byte too many")
	}
	least := exactSum{chunks: [sumChunks]int64{1}}
	for what, spoil := range map[string]func(u *RegressionTally){
		"no rows":              func(u *RegressionTally) { u.rows = nil },
		"rows twice":           func(u *RegressionTally) { u.rows = []rowSpan{{0, 40}, {39, 79}} },
		"neighbours apart":     func(u *RegressionTally) { u.rows = []rowSpan{{0, 40}, {40, 80}} },
		"backwards":            func(u *RegressionTally) { u.rows = []rowSpan{{80, 0}} },
		"negatives":            func(u *RegressionTally) { u.negatives = 81 },
		"largest NaN":          func(u *RegressionTally) { u.worst = math.NaN() },
		"largest infinite":     func(u *RegressionTally) { u.worst = math.Inf(1) },
		"largest too small":    func(u *RegressionTally) { u.worst = 1 },
		"largest -0":           func(u *RegressionTally) { u.worst = math.Copysign(0, -1) },
		"negative sizes":       func(u *RegressionTally) { u.sums[ratioTerms].add(-1e300) },
		"bias above size":      func(u *RegressionTally) { u.sums[errorTerms].add(1e200) },
		"squares below":        func(u *RegressionTally) { u.sums[squareTerms] = exactSum{} },
		"squares above":        func(u *RegressionTally) { u.sums[squareTerms].addProduct(1e100, 1e100) },
		"truth without spread": func(u *RegressionTally) { u.sums[truthSquareTerms] = exactSum{} },
		"ratio above 2":        func(u *RegressionTally) { u.sums[evenRatioTerms].add(1e5) },
		"logs above":           func(u *RegressionTally) { u.sums[logSquareTerms].add(1e9) },
		"finer than a product": func(u *RegressionTally) { u.sums[truthTerms].join(least) },
		"one side infinite":    func(u *RegressionTally) { u.sums[absoluteTerms].infinites++ },
		"an infinite truth":    func(u *RegressionTally) { u.sums[truthTerms].infinites++ },
		"no weight":            func(u *RegressionTally) { u.weight = exactSum{} },
		"negative weight":      func(u *RegressionTally) { u.weight.add(-1e9) },
	} {
		u := sentRegression(t, whole)
		spoil(u)
		if _, err := DecodeRegressionTally(u.Encode()); err == nil {
			t.Errorf("%s: no rows have this", what)
		}
	}
}

// FuzzDecodeRegressionTally: what is read is written as it was, and has no number that is
// none.
func FuzzDecodeRegressionTally(f *testing.F) {
	y, p, w := regressionRows(10, 9)
	f.Add(mustRegressionTally(f, 0, y, p, w).Encode())
	f.Add(mustRegressionTally(f, 3, y, p, nil).Encode())
	f.Add(mustRegressionTally(f, 3, []float64{math.MaxFloat64, -1}, []float64{-math.MaxFloat64, -1}, nil).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		u, err := DecodeRegressionTally(b)
		if err != nil {
			return
		}
		if !bytes.Equal(u.Encode(), b) {
			t.Fatal("read and not the same")
		}
		for name, e := range readings(u) {
			if math.IsNaN(e.Value) || math.IsInf(e.Value, 0) || e.Undefined != "" && e.Value != 0 {
				t.Fatalf("%s: %+v", name, e)
			}
		}
		if err := u.Add(u); err == nil {
			t.Fatalf("%d rows twice", u.N())
		}
	})
}

// FuzzTallyRegression: any three rows give numbers or reasons, and the same in two parts.
func FuzzTallyRegression(f *testing.F) {
	f.Add(3., 2.5, 1., -.5, 0., 1., 7., 8., 0.)
	f.Add(math.MaxFloat64, -math.MaxFloat64, 0., 0., 5e-324, 5e-324, 1e308, 1e308, 1e308)
	f.Fuzz(func(t *testing.T, a, b, c, d, e, g, h, i, j float64) {
		y, p, w := []float64{a, d, h}, []float64{b, e, i}, []float64{c, g, j}
		u, err := TallyRegression(0, y, p, w)
		if err != nil {
			return
		}
		last, first := mustRegressionTally(t, 2, y[2:], p[2:], w[2:]), mustRegressionTally(t, 0, y[:2], p[:2], w[:2])
		if err := last.Add(first); err != nil {
			t.Fatal(err)
		}
		sentRegression(t, u)
		if fmt.Sprint(readings(u)) != fmt.Sprint(readings(last)) || !bytes.Equal(u.Encode(), last.Encode()) {
			t.Fatalf("%+v, in parts %+v", readings(u), readings(last))
		}
		for name, e := range readings(u) {
			if math.IsNaN(e.Value) || math.IsInf(e.Value, 0) {
				t.Fatalf("%s: %+v", name, e)
			}
		}
		for _, weights := range [][]float64{w, nil} {
			if r, err := NewRegression(y, p, weights); err == nil {
				for id, e := range withIntervals(r) {
					marked(t, id, e, math.Inf(-1), math.Inf(1))
				}
			}
		}
	})
}
