package metrics

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"testing"
)

// goldenFns compute what each golden function wants, every value of it.
var goldenFns = map[string]func(*testing.T, *goldenCase) map[string]any{
	"label_metrics":       runLabelMetrics,
	"binary_scores":       runBinaryScores,
	"multiclass_scores":   runMulticlassScores,
	"ece":                 runCalibration,
	"ece_toplabel":        runTopLabel,
	"calibration":         runCalibration,
	"top_k_accuracy":      runTopK,
	"multilabel":          runMultiLabel,
	"reliability_curve":   runReliability,
	"paired_table":        runPairedTable,
	"paired_predictions":  runPairedPredictions,
	"paired_scores":       runPairedScores,
	"binomial_ci":         runBinomialCI,
	"multiplicity":        runMultiplicity,
	"paired_continuous":   runPairedContinuous,
	"bootstrap_intervals": runBootstrapIntervals,
	"bootstrap_moments":   runBootstrapMoments,
	"clustered_se":        runClusteredSE,
	"two_proportions_ci":  runTwoShares,
	"log10_two_sided_p": func(_ *testing.T, c *goldenCase) map[string]any {
		v, err := Log10TwoSidedP(c.num("z"))
		return answer("log10_p", v, err)
	},
	"mcnemar_exact_log10p": func(_ *testing.T, c *goldenCase) map[string]any {
		return map[string]any{"log10_p": McNemarLog10(int64(c.num("b")), int64(c.num("c")))}
	},
	"quantile7": func(_ *testing.T, c *goldenCase) map[string]any {
		return map[string]any{"value": must(Quantile(c.nums("x"), c.num("q")))}
	},
	"mcnemar_sample_size": func(_ *testing.T, c *goldenCase) map[string]any {
		return map[string]any{"n": McNemarRows(c.num("p_discordant"), c.num("delta"), c.num("alpha"), c.num("power"))}
	},

	"normal_mixture_bound":            runMixtureBound,
	"normal_log_mixture":              runLogMixture,
	"gamma_exponential_mixture_bound": runMixtureBound,
	"gamma_exponential_log_mixture":   runLogMixture,
	"beta_binomial_mixture_bound":     runMixtureBound,
	"beta_binomial_log_mixture":       runLogMixture,
	"poly_stitching_bound":            runStitching,
	"bernoulli_confidence_interval":   runBernoulliSequence,
	"cs_empirical_bernstein":          runEmpiricalBernstein,
	"e_process_hedged":                runHedge,
	"msprt":                           runSPRT,
	"e_bh":                            runEBH,

	"sample_size_hoeffding":           runHoeffdingRows,
	"sample_size_hoeffding_two_sided": runHoeffdingTwoSided,
	"sample_size_bennett":             runBennettRows,
	"condition_tristate":              runCondition,
	"ladder":                          runLadder,
	"ladder_free":                     runLadder,
	"thresholdout":                    runThresholdout,
	"reuse_bounds":                    runReuseBounds,
	"boosting_attack":                 runBoosting,
}

// elsewhere names the golden functions that another package runs.
var elsewhere = map[string]string{
	"sliceline": "regress", "divexplorer": "regress", "divexplorer_count": "regress",
}

const goldenFolder = "../testdata/golden"

// goldenCases of testdata/golden and the 11 of regress/testdata/golden_slices.json are
// all 223 that there are.
const goldenCases = 223 - 11

// TestGolden runs every case in testdata/golden. Each function that is built has one.
func TestGolden(t *testing.T) {
	ran := runGolden(t, goldenFolder)
	if here := casesOf(t, ran); here != goldenCases {
		t.Errorf("%d golden cases are here, not %d", here, goldenCases)
	}
	for _, fn := range slices.Sorted(maps.Keys(goldenFns)) {
		if ran[fn] == 0 {
			t.Errorf("no golden case for %s", fn)
		}
	}
}

// TestGoldenFolder runs every file in the folder that PROCTOR_GOLDEN names: cases
// that nobody here has seen, of the same functions. Without it, testdata/golden.
func TestGoldenFolder(t *testing.T) {
	folder := os.Getenv("PROCTOR_GOLDEN")
	if folder == "" {
		folder = goldenFolder
	}
	casesOf(t, runGolden(t, folder))
}

// casesOf counts the cases that ran here, and says so.
func casesOf(t *testing.T, ran map[string]int) (here int) {
	t.Helper()
	others := 0
	for fn, n := range ran {
		if elsewhere[fn] != "" {
			others += n
		} else {
			here += n
		}
	}
	t.Logf("%d golden cases of %d functions ran; %d more are run by regress", here, len(ran), others)
	return here
}

// runGolden runs every case of every file in folder and counts them by function.
// A function that nobody knows is an error.
func runGolden(t *testing.T, folder string) map[string]int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files in %s: %v", folder, err)
	}
	ran := map[string]int{}
	for _, file := range files {
		for _, c := range readGolden(t, file) {
			ran[c.Fn]++
			f, ok := goldenFns[c.Fn]
			switch {
			case elsewhere[c.Fn] != "":
			case !ok:
				t.Errorf("%s: there is no function %s", c.ID, c.Fn)
			default:
				t.Run(c.ID+"/"+c.Fn, func(t *testing.T) { c.check(t, f) })
			}
		}
	}
	return ran
}

// check compares every wanted value.
func (c *goldenCase) check(t *testing.T, run func(*testing.T, *goldenCase) map[string]any) {
	got := run(t, c)
	for key, want := range c.Want {
		value, ok := got[key]
		if !ok { // refused: good where no value is wanted
			value = got["error"]
		}
		c.compare(t, key, value, want)
	}
}

// compare holds a value, list or map of values against what is wanted.
func (c *goldenCase) compare(t *testing.T, path string, got, want any) {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s: got %v, want %v", path, got, want)
			return
		}
		for k, v := range w {
			c.compare(t, path+"."+k, g[k], v)
		}
	case []any:
		g := asList(got)
		if len(g) != len(w) {
			t.Errorf("%s: got %v, want %v", path, got, want)
			return
		}
		for i := range w {
			c.compare(t, fmt.Sprintf("%s[%d]", path, i), g[i], w[i])
		}
	default:
		c.compareOne(t, path, got, want)
	}
}

func (c *goldenCase) compareOne(t *testing.T, path string, got, want any) {
	if got == want { // true or false, a word, nothing
		return
	}
	if s, ok := got.(string); ok { // a reason, or an error
		if s == "" || !(path == "error" || want == "NaN") {
			t.Errorf("%s: got %q, want %v", path, s, want)
		}
		return
	}
	g, w := asNumber(got), asNumber(want)
	if math.IsInf(w, 0) && g == w {
		return
	}
	if got == nil || math.IsNaN(g) || math.IsInf(w, 0) || !(math.Abs(g-w) <= c.Tol.Abs+c.Tol.Rel*math.Abs(w)) {
		t.Errorf("%s: got %v, want %v", path, got, want)
	}
}

func asNumber(v any) float64 {
	switch x := v.(type) {
	case float64:
		return x
	case int:
		return float64(x)
	case int64:
		return float64(x)
	case string: // how the files write what is not finite
		if f, err := strconv.ParseFloat(x, 64); err == nil && f-f != 0 {
			return f
		}
	}
	return math.NaN()
}

// asList is a slice of any kind as a list of any.
func asList(v any) []any {
	s := reflect.ValueOf(v)
	if s.Kind() != reflect.Slice {
		return nil
	}
	out := make([]any, s.Len())
	for i := range out {
		out[i] = s.Index(i).Interface()
	}
	return out
}

type goldenCase struct {
	ID, Fn     string
	In, Params map[string]any
	Want       map[string]any
	Tol        struct{ Abs, Rel float64 }
}

func readGolden(t *testing.T, name string) []*goldenCase {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Count int
		Cases []*goldenCase
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) == 0 || len(file.Cases) != file.Count {
		t.Fatalf("%s: %d cases, says %d", name, len(file.Cases), file.Count)
	}
	return file.Cases
}

// num is a number of in or params; "NaN" is one.
func (c *goldenCase) num(key string) float64 {
	v, ok := c.In[key]
	if !ok {
		v = c.Params[key]
	}
	return asNumber(v)
}

func (c *goldenCase) nums(key string) []float64 { return asNums(c.In[key]) }

func asNums(v any) []float64 {
	var out []float64
	for _, x := range v.([]any) {
		out = append(out, asNumber(x))
	}
	return out
}

// codes are integers as class labels; what is no integer becomes -2, no class.
func (c *goldenCase) codes(key string) []int32 {
	var out []int32
	for _, x := range c.nums(key) {
		if x != math.Trunc(x) {
			x = -2
		}
		out = append(out, int32(x))
	}
	return out
}
