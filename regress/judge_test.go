package regress

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"proctor/holdout/rows"
	"proctor/metrics"
	"proctor/regress/score"
)

// TestJudge runs testdata/judge.txt.
func TestJudge(t *testing.T) {
	file, err := os.ReadFile("testdata/judge.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(file), "=== ")
	for c := range strings.SplitSeq(text, "\n=== ") {
		title, body, _ := strings.Cut(c, "\n")
		t.Run(title, func(t *testing.T) {
			body = strings.TrimSpace(body)
			at := strings.LastIndex(body, "\n") + 1
			want := strings.Join(strings.Fields(body[at:]), " ")
			if got := judge(t, body[:at]); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// judge returns the outcomes or the error, as the last line of a case has it.
func judge(t *testing.T, body string) string {
	var classes []string
	var test Test
	var p metrics.Predictions
	var texts []string
	for line := range strings.Lines(body) {
		f := strings.Fields(line)
		switch f[0] {
		case "classes":
			classes = f[1:]
		case "test":
			test = parseTest(t, f[1:])
		case "answers":
			p.Labels = parseAnswers(t, classes, f[1:])
		case "texts":
			texts = strings.Split(strings.TrimSpace(strings.TrimPrefix(line, "texts")), " | ")
			for i := range texts {
				texts[i] = strings.ReplaceAll(texts[i], "EMPTY", "")
			}
		case "check":
			var c score.Check
			if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "check")), &c); err != nil {
				t.Fatal(err)
			}
			test.Checks, test.Given = append(test.Checks, c), append(test.Given, nil)
		case "given":
			test.Given[len(test.Given)-1] = f[1:]
		case "probs":
			p.Probs = parseProbs(t, f[1:])
		default:
			t.Fatalf("unknown line %q", line)
		}
	}
	s, err := New("s", "", []Test{test})
	if err != nil {
		return "error " + err.Error()
	}
	j, err := s.Judge(classes, p)
	if texts != nil {
		j, err = s.JudgeTexts(classes, texts)
	}
	if err != nil {
		return "error " + err.Error()
	}
	out := "outcomes"
	for _, o := range j.Outcomes(0) {
		out += " " + map[Outcome]string{Passed: "pass", Failed: "fail", NotApplicable: "n/a"}[o]
	}
	return out
}

// parseTest reads "KIND key=value ..." and gives each example a value of its own.
func parseTest(t *testing.T, f []string) Test {
	test := Test{Name: "t", Kind: Kind(f[0])}
	n := 0
	for _, kv := range f[1:] {
		key, v, _ := strings.Cut(kv, "=")
		switch key {
		case "expected":
			test.Expected = strings.Split(v, ",")
			n = len(test.Expected)
		case "forbidden":
			test.Forbidden = strings.Split(v, ",")
		case "single":
			n = int(parseProbs(t, []string{v})[0])
			test.Single = n
		case "monotone":
			test.Monotone = true
		case "changed":
			test.Change = "x is changed"
			for s := range strings.SplitSeq(v, ",") {
				k, err := strconv.Atoi(s)
				if err != nil {
					t.Fatal(err)
				}
				test.Changed = append(test.Changed, int32(k))
				n += 1 + k
			}
		case "target":
			test.Target = v
		case "class":
			test.Class = v
		case "expect":
			test.Expect = v
		case "tolerance":
			test.Tolerance = new(parseProbs(t, []string{v})[0])
		default:
			t.Fatalf("unknown attribute %q", kv)
		}
	}
	test.Examples = numbered(t, n)
	return test
}

// numbered returns n examples that all differ.
func numbered(t *testing.T, n int) rows.Table {
	t.Helper()
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(i)
	}
	tab, err := rows.New(rows.Column{Name: "x", Floats: x})
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// parseAnswers reads classes, "-" for none and "#n" for a bare index.
func parseAnswers(t *testing.T, classes, f []string) []int32 {
	out := make([]int32, len(f))
	for i, s := range f {
		out[i] = int32(slices.Index(classes, s))
		if n, ok := strings.CutPrefix(s, "#"); ok {
			v, err := strconv.Atoi(n)
			if err != nil {
				t.Fatal(err)
			}
			out[i] = int32(v)
		} else if s != "-" && out[i] < 0 {
			t.Fatalf("answer %q is none of %q", s, classes)
		}
	}
	return out
}

func parseProbs(t *testing.T, f []string) []float64 {
	var out []float64
	for _, r := range f {
		for s := range strings.SplitSeq(r, ",") {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, v)
		}
	}
	return out
}

// Critical cases are named by test and row, in order; failures of other tests are not.
func TestCriticalFailed(t *testing.T) {
	mft := func(name string, critical bool) Test {
		return Test{Name: name, Kind: MFT, Critical: critical, Expected: []string{"a", "b", "a"}, Examples: numbered(t, 3)}
	}
	s, err := New("s", "", []Test{mft("plain", false), mft("must", true), mft("also must", true)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		answers []int32
		want    []string
	}{
		{[]int32{0, 1, 0, 0, 1, 0, 0, 1, 0}, nil},
		{[]int32{1, 0, 1, 0, 1, 0, 0, 1, 0}, nil},
		{[]int32{0, 1, 0, 1, 1, -1, 0, 0, 0}, []string{"must/1", "must/3", "also must/2"}},
	} {
		j, err := s.Judge([]string{"a", "b"}, metrics.Predictions{Labels: c.answers})
		if err != nil {
			t.Fatal(err)
		}
		if got := j.CriticalFailed(); !slices.Equal(got, c.want) {
			t.Errorf("%v: %q, want %q", c.answers, got, c.want)
		}
		if j.Suite() != s {
			t.Error("the outcomes belong to another suite")
		}
		j.Outcomes(1)[0] = 0 // a copy: nobody changes what was judged
		if j.Outcomes(1)[0] == 0 {
			t.Error("outcomes can be changed from outside")
		}
	}
}

// Answers go to the tests in the order of Table, whatever their lengths.
func TestAnswersMeetTheirCases(t *testing.T) {
	inv := Test{Name: "i", Kind: INV, Change: "x", Changed: []int32{2, 0, 1}, Examples: numbered(t, 6)}
	mft := Test{Name: "m", Kind: MFT, Expected: []string{"a", "b"}, Examples: numbered(t, 2)}
	dir := Test{Name: "d", Kind: DIR, Change: "x", Changed: []int32{1}, Class: "b", Expect: NotIncrease, Examples: numbered(t, 2)}
	s, err := New("s", "", []Test{inv, mft, dir})
	if err != nil {
		t.Fatal(err)
	}
	probs := make([]float64, 20)
	probs[16+1], probs[18+1] = .2, .1 // class b of the last two examples
	j, err := s.Judge([]string{"a", "b"}, metrics.Predictions{Labels: []int32{0, 0, 0, 1, 1, 0, 0, 0, 0, 0}, Probs: probs})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]Outcome{{Passed, NotApplicable, Failed}, {Passed, Failed}, {Passed}}
	for i := range want {
		if got := j.Outcomes(i); !slices.Equal(got, want[i]) {
			t.Errorf("test %d: %v, want %v", i, got, want[i])
		}
	}
}
