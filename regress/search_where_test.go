package regress_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"proctor/harness/report"
	"proctor/metrics"
	"proctor/regress"
)

// churned makes rows of a few columns with some values each, of which those of one
// slice broke with a share.
func churned(rnd *rand.Rand, n, columns, values int, share float64) ([]metrics.Dimension, []int8) {
	fs := make([]metrics.Dimension, columns)
	for f := range fs {
		fs[f] = metrics.Dimension{Name: fmt.Sprint("f", f), Codes: make([]int32, n)}
		for v := range values {
			fs[f].Values = append(fs[f].Values, fmt.Sprint("v", v))
		}
		for i := range n {
			fs[f].Codes[i] = int32(rnd.IntN(values))
		}
	}
	changes := make([]int8, n)
	for i := range n {
		in := fs[0].Codes[i] == 0 && fs[1].Codes[i] == 1
		switch u := rnd.Float64(); {
		case in && u < share, u < .02:
			changes[i] = -1
		case u > .98:
			changes[i] = 1
		}
	}
	return fs, changes
}

// How deep a search goes follows from the features: all slices where they are few,
// halves where they are many, single conditions where they are too many; features
// that do not fit are named. In each of them the broken slice stands on top, and the
// same arguments give the same bytes.
func TestWhereIsBounded(t *testing.T) {
	for _, c := range []struct {
		name            string
		n, columns, val int
		minRows, levels int
		method, cut     string
		top             string
	}{
		{"all", 20_000, 6, 5, 50, 2, "corrected over all slices", "", "f0 is v0 and f1 is v1"},
		{"halves", 20_000, 260, 3, 50, 2, "one half of the rows", "some 304590 slices are too many to test each one", "f0 is v0 and f1 is v1"},
		{"five conditions", 4_000, 10, 5, 20, 5, "one half of the rows", "slices are too many to test each one", "f0 is v0 and f1 is v1"},
		{"single", 10_000, 800, 12, 50, 2, "corrected over all slices", "combinations of conditions are too many", ""},
	} {
		fs, changes := churned(rand.New(rand.NewPCG(1, 2)), c.n, c.columns, c.val, .4)
		s := regress.Search{Levels: c.levels, MinRows: c.minRows, Top: 10, Confidence: .99}
		f, err := s.Where(fs, changes, [32]byte{9})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if !strings.Contains(f.Method, c.method) || !strings.Contains(f.Cut, c.cut) || c.cut == "" && f.Cut != "" {
			t.Errorf("%s: %s; %s", c.name, f.Method, f.Cut)
		}
		if c.top != "" && (f.Slices[0].Words != c.top || f.Slices[0].Holm > .001) {
			t.Errorf("%s: on top is %s, %v", c.name, f.Slices[0].Words, f.Slices[0].Holm)
		}
		if c.n != 20_000 {
			continue
		}
		again, err := s.Where(fs, changes, [32]byte{9})
		if a, b := fmt.Sprintf("%+v", f), fmt.Sprintf("%+v", again); a != b || err != nil {
			t.Errorf("%s: twice is not the same: %v", c.name, err)
		}
	}
}

// Features that do not fit into memory are not searched, and are counted.
func TestWhereIsBoundedInMemory(t *testing.T) {
	fs, changes := churned(rand.New(rand.NewPCG(1, 2)), 300_000, 2, 6, 0)
	for i := range 298 {
		fs = append(fs, metrics.Dimension{Name: fmt.Sprint("g", i), Values: fs[0].Values, Codes: fs[0].Codes})
	}
	f, err := regress.Search{Levels: 1, MinRows: 100, Top: 1, Confidence: .99}.Where(fs, changes, [32]byte{})
	if err != nil || f.Tested != 6*298 || f.Cut != "2 of 300 features, the last ones, were not searched" {
		t.Errorf("%+v %v", f, err)
	}
}

// A slice is explained by an earlier one where nothing is left of it without the
// earlier one's rows; a second harm of its own is not.
func TestWhereExplains(t *testing.T) {
	fs, changes := churned(rand.New(rand.NewPCG(3, 4)), 20_000, 4, 5, .5)
	rnd := rand.New(rand.NewPCG(5, 6))
	for i := range changes {
		if fs[2].Codes[i] == 4 && rnd.Float64() < .15 {
			changes[i] = -1
		}
	}
	f, err := regress.Search{Levels: 2, MinRows: 50, Top: 40, Confidence: .99}.Where(fs, changes, [32]byte{})
	if err != nil {
		t.Fatal(err)
	}
	own, within := map[string]bool{}, map[string]string{}
	for _, x := range f.Slices {
		switch {
		case x.Holm > .01:
			if x.Within >= 0 {
				t.Errorf("%s is not shown, and is explained", x.Words)
			}
		case x.Within < 0:
			own[x.Words] = true
		default:
			within[x.Words] = f.Slices[x.Within].Words
		}
	}
	if !own["f0 is v0 and f1 is v1"] || !own["f2 is v4"] || len(own) > 3 {
		t.Errorf("of their own: %v", own)
	}
	if within["f1 is v1"] != "f0 is v0 and f1 is v1" && within["f0 is v0"] != "f0 is v0 and f1 is v1" {
		t.Errorf("explained: %v", within)
	}
	for words, by := range within {
		if strings.Contains(words, "f2 is v4") && by != "f2 is v4" && !strings.Contains(words, "f0") && !strings.Contains(words, "f1") {
			t.Errorf("%s is explained by %s", words, by)
		}
	}
}

// Honest churn in any number of slices is seldom called harm: at .99 in at most a few
// of 100 searches, each over every slice. Without the correction for all that were
// tested two in five would.
func TestWhereUnderNoHarm(t *testing.T) {
	for _, columns := range []int{6, 260} {
		runs, shown, uncorrected := 100, 0, 0
		if columns > 100 {
			runs = 4
		}
		for i := range runs {
			fs, changes := churned(rand.New(rand.NewPCG(uint64(i), 8)), 5_000, columns, 3, 0)
			f, err := regress.Search{Levels: 2, MinRows: 50, Top: 10, Confidence: .99}.Where(fs, changes, [32]byte{byte(i)})
			if err != nil {
				t.Fatal(err)
			}
			shown += int(min(1, f.SignificantHolm))
			if f.Slices[0].P <= .01 {
				uncorrected++
			}
		}
		if shown > 3 {
			t.Errorf("%d columns: %d of %d searches call churn harm", columns, shown, runs)
		}
		if columns < 100 && uncorrected < runs/4 {
			t.Errorf("without correction %d of %d searches call churn harm", uncorrected, runs)
		}
	}
}

// What a report says of the demo's models: the poisoned one broke women with a
// Masters, a Doctorate or a professional school; an honest one nobody.
func TestIncomeWhereItBroke(t *testing.T) {
	numbers, err := regress.NumberFeatures(incomeTable(t), 5)
	if err != nil {
		t.Fatal(err)
	}
	base := incomeFrame(t, "v1")
	for _, c := range []struct {
		model string
		shown bool
	}{{"v2", false}, {"v2-poisoned", true}, {"v2-leaked", false}} {
		d, err := regress.Compare(base, incomeFrame(t, c.model), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, further := range [][]metrics.Dimension{nil, numbers} {
			got := d.WhereItBroke(further, .99, [32]byte{1})
			t.Logf("%s: %s", c.model, got.Sentence)
			if c.shown != (got.Shown > 0) || got.Rows != 16281 || len(got.Features) != 3+len(further) {
				t.Errorf("%s: %d shown of %d over %v", c.model, got.Shown, got.Tested, got.Features)
			}
			if !c.shown {
				continue
			}
			top := got.Slices[0]
			t.Log(top.Sentence)
			if !isPoisoned(top.Sentence) || !top.Shown || top.Within != -1 || *top.Change.High > -.05 {
				t.Errorf("on top: %s", top.Sentence)
			}
			if want := 1 - .02/float64(got.Tested); math.Abs(top.Change.Confidence-want) > 1e-12 {
				t.Errorf("intervals are at %v, those of all slices hold together at %v", top.Change.Confidence, want)
			}
			adds := 0.0
			for _, x := range top.Conditions {
				adds += *x.Adds
			}
			if d := adds - top.Divergence; d > 1e-12 || d < -1e-12 || top.Score <= 0 || top.T < 5 {
				t.Errorf("%v of %v, t %v, score %v", adds, top.Divergence, top.T, top.Score)
			}
			if b, err := json.Marshal(got); err != nil || len(b) > 20_000 {
				t.Errorf("%d bytes, %v", len(b), err)
			}
		}
	}
}

// What cannot be searched has a sentence, and names in it are shown plainly.
func TestWhereItBrokeSaysWhyNot(t *testing.T) {
	var d regress.Diff
	if got := d.WhereItBroke(nil, .99, [32]byte{}); got.Method != "" || !strings.HasPrefix(got.Sentence, "No slices were searched for: ") {
		t.Errorf("%+v", got)
	}
	a := metrics.Answers{Classes: []string{"a", "b"}, Positive: 1, Labels: make([]int32, 200), Dimensions: []metrics.Dimension{{Name: "x\x1b[2J", Values: []string{"\u202Ey", strings.Repeat("z", 500)}, Codes: make([]int32, 200)}}}
	for i := range 100 {
		a.Dimensions[0].Codes[i] = 1
	}
	right, wrong := make([]int32, 200), make([]int32, 200)
	for i := range 60 {
		wrong[i] = 1
	}
	var fs []*metrics.Frame
	for _, l := range [][]int32{right, wrong} {
		f, err := metrics.Join(memory.DefaultAllocator, a, metrics.Predictions{Labels: l})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Release()
		fs = append(fs, f)
	}
	diff, err := regress.Compare(fs[0], fs[1], nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := diff.WhereItBroke(nil, .99, [32]byte{})
	if got.Shown == 0 || !slices.ContainsFunc(got.Slices, func(s report.FoundSlice) bool { return strings.Contains(s.Sentence, "x·[2J is zzz") }) {
		t.Errorf("%+v", got)
	}
	for _, s := range got.Slices {
		if strings.ContainsAny(s.Sentence, "\x1b\u202E") || len(s.Sentence) > 800 {
			t.Errorf("%q", s.Sentence)
		}
	}
}
