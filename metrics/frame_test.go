package metrics

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// TestJoin runs testdata/join.txt: blank lines separate cases, and the last line
// of a case is the frame or the error that it gives. Classes are cat and dog.
func TestJoin(t *testing.T) {
	file, err := os.ReadFile("testdata/join.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range strings.Split(strings.TrimSpace(string(file)), "\n\n") {
		c := parseCase(t, text)
		t.Run(c.name, func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
			defer mem.AssertSize(t, 0)
			if got := joined(mem, c.answers, c.preds); got != c.want {
				t.Errorf("%s\ngot  %s\nwant %s", text, got, c.want)
			}
		})
	}
}

// joined returns the frame or the error as the last line of a case has it. It
// reads the Arrow record, not the slices beside it.
func joined(mem memory.Allocator, a Answers, p Predictions) string {
	f, err := Join(mem, a, p)
	if err != nil {
		var bad *CoverageError
		if !errors.As(err, &bad) {
			return "error is no CoverageError: " + err.Error()
		}
		return "error " + err.Error()
	}
	defer f.Release()
	s := "frame"
	for i := range f.Len() {
		s += " " + recordRow(f, i)
	}
	return s
}

func recordRow(f *Frame, i int) string {
	class := func(c int32) string {
		if c < 0 {
			return "none"
		}
		return f.Classes()[c]
	}
	rec := f.Record()
	s := class(rec.Column(0).(*array.Int32).Value(i)) + "/" + class(rec.Column(1).(*array.Int32).Value(i))
	s += map[bool]string{true: "/right", false: "/wrong"}[rec.Column(2).(*array.Boolean).Value(i)]
	for c := 3; c < int(rec.NumCols()); c++ {
		switch col := rec.Column(c).(type) {
		case *array.FixedSizeList:
			k := len(f.Classes())
			v := col.ListValues().(*array.Float64).Float64Values()[i*k : (i+1)*k]
			s += fmt.Sprintf("/%v,%v", v[0], v[1])
		case *array.Dictionary:
			name := strings.TrimPrefix(rec.ColumnName(c), "slice:")
			s += "/" + name + "=" + col.Dictionary().(*array.String).Value(col.GetValueIndex(i))
		}
	}
	return s
}

type joinCase struct {
	name    string
	answers Answers
	preds   Predictions
	want    string
}

func parseCase(t *testing.T, text string) joinCase {
	label := map[string]int32{"cat": 0, "dog": 1, "none": -1, "bird": 2, "below": -2}
	c := joinCase{answers: Answers{Classes: []string{"cat", "dog"}, Positive: -1}}
	for _, line := range strings.Split(text, "\n") {
		verb, rest, _ := strings.Cut(line, " ")
		args := strings.Fields(rest)
		switch verb {
		case "#":
			c.name = rest
		case "answers":
			for _, a := range args {
				c.answers.Labels = append(c.answers.Labels, label[a])
			}
		case "slice":
			c.answers.Dimensions = append(c.answers.Dimensions, dimensionOf(args[0], args[1:]))
		case "probs":
			c.preds.Probs = []float64{}
		case "predict":
			for _, a := range args {
				name, probs, _ := strings.Cut(a, ":")
				c.preds.Labels = append(c.preds.Labels, label[name])
				c.preds.Probs = append(c.preds.Probs, parseNumbers(t, probs)...)
			}
		case "frame", "error":
			c.want = verb + " " + strings.Join(args, " ")
		default:
			t.Fatalf("unknown line %q", line)
		}
	}
	return c
}

func parseNumbers(t *testing.T, list string) (out []float64) {
	for _, s := range strings.Split(list, ",") {
		if s == "" {
			continue
		}
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

func dimensionOf(name string, values []string) Dimension {
	d := Dimension{Name: name}
	for _, v := range values {
		i := slices.Index(d.Values, v)
		if i < 0 {
			i = len(d.Values)
			d.Values = append(d.Values, v)
		}
		d.Codes = append(d.Codes, int32(i))
	}
	return d
}

// TestJoinRefusesAnswers: answers are ours, but a frame on wrong ones would be
// signed all the same.
func TestJoinRefusesAnswers(t *testing.T) {
	good := func() Answers {
		return Answers{Classes: []string{"a", "b"}, Positive: 1, Labels: []int32{0, 1}, Dimensions: []Dimension{{"sex", []string{"F", "M"}, []int32{0, 1}}}}
	}
	for want, change := range map[string]func(*Answers){
		"no rows":                          func(a *Answers) { a.Labels = nil },
		"1 classes, need at least 2":       func(a *Answers) { a.Classes = a.Classes[:1] },
		`"a" is there twice`:               func(a *Answers) { a.Classes[1] = "a" },
		"an empty name":                    func(a *Answers) { a.Classes[0] = "" },
		"positive class 2":                 func(a *Answers) { a.Positive = 2 },
		"positive class -2":                func(a *Answers) { a.Positive = -2 },
		"1 labels are no class":            func(a *Answers) { a.Labels[0] = -1 },
		"2 labels are no class":            func(a *Answers) { a.Labels = []int32{2, 3} },
		"1 rows, the answers have 2":       func(a *Answers) { a.Dimensions[0].Codes = []int32{0} },
		"1 codes have no value":            func(a *Answers) { a.Dimensions[0].Codes[1] = 2 },
		`value "F" is there twice`:         func(a *Answers) { a.Dimensions[0].Values[1] = "F" },
		`a name cannot be "class"`:         func(a *Answers) { a.Dimensions[0].Name = "class" },
		"or contain *":                     func(a *Answers) { a.Dimensions[0].Name = "sex*race" },
		`dimensions: "sex" is there twice`: func(a *Answers) { a.Dimensions = append(a.Dimensions, a.Dimensions[0]) },
	} {
		mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
		a := good()
		change(&a)
		_, err := Join(mem, a, Predictions{Labels: []int32{0, 1}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
		mem.AssertSize(t, 0)
	}
	if _, err := Join(memory.DefaultAllocator, good(), Predictions{Labels: []int32{0, 1}}); err != nil {
		t.Errorf("without a change: %v", err)
	}
}

// TestJoinCopies: what a caller does to its slices later changes no frame.
func TestJoinCopies(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	a := Answers{Classes: []string{"a", "b"}, Positive: -1, Labels: []int32{0, 1}}
	p := Predictions{Labels: []int32{0, 1}, Probs: []float64{1, 0, 0, 1}}
	f, err := Join(mem, a, p)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	a.Labels[0], p.Labels[0], p.Probs[0], a.Classes[0] = 1, 1, math.NaN(), "z"
	if f.Answers()[0] != 0 || f.Labels()[0] != 0 || f.Probs()[0] != 1 || f.Classes()[0] != "a" {
		t.Error("the frame changed")
	}
}

// TestSilenceWouldPay is the attack that Join's completeness stops: a model that
// leaves out the rows that it finds hard scores higher on the rest.
func TestSilenceWouldPay(t *testing.T) {
	f := randomFrame(t, 1, 500, 2, 0)
	right, answered := 0, 0
	for i, y := range f.Answers() {
		if f.Probs()[2*i+int(f.Labels()[i])] < 0.6 {
			continue
		}
		answered++
		right += oneIf(f.Labels()[i] == y)
	}
	if whole := f.mustValue(t, "accuracy").(float64); float64(right)/float64(answered) <= whole {
		t.Fatal("silence does not pay on these rows; the test shows nothing")
	}
	_, err := Join(memory.DefaultAllocator, answersOf(f), Predictions{Labels: f.Labels()[:answered]})
	var bad *CoverageError
	if !errors.As(err, &bad) || bad.Missing != int64(500-answered) {
		t.Errorf("got %v, want %d missing", err, 500-answered)
	}
}
