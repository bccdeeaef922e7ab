package runner

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"proctor/holdout/rows"
)

// Lines that a lenient reader takes and scores; the strict one does not.
const slipsThrough = `
{"b":1,"p":[[0.5,0.5],[0.5,0.5]],"correct":true}
{"b":1,"b":1,"p":[[0.5,0.5],[0.5,0.5]]}
{"B":1,"P":[[0.5,0.5],[0.5,0.5]]}
{"b":1,"p":[[0.5,0.5]]}
{"b":1,"p":[[0.5,0.5],[0.5,0.5],[0.5,0.5]]}
{"b":1,"p":[[0.5,0.5],[0.5]]}
{"b":1,"p":[[0.9,0.9],[0.5,0.5]]}
{"b":1,"p":[[1.5,-0.5],[0.5,0.5]]}
{"b":1,"p":[[null,1],[0.5,0.5]]}
{"b":2,"p":[[0.5,0.5],[0.5,0.5]]}
{"b":1,"p":null,"y":[0,1]}
{"b":1,"y":[0,7]}
{"b":1,"y":[0,-2]}
{"b":1,"y":[0]}
{"b":1}
{"b":1,"p":[[0.5,0.5],[0.5,0.5]],"end":2}
{"end":2}
{}
`

func believe(line string) (answer, *violation) {
	a, v := parseAnswer([]byte(line), 2, 2)
	if v == nil {
		v = a.check(1, 2, 2)
	}
	return a, v
}

func TestAnswerRefuses(t *testing.T) {
	for line := range strings.Lines(strings.TrimSpace(slipsThrough)) {
		line = strings.TrimSuffix(line, "\n")
		var lenient struct {
			B int         `json:"b"`
			P [][]float64 `json:"p"`
			Y []int       `json:"y"`
		}
		if err := json.Unmarshal([]byte(line), &lenient); err != nil {
			t.Errorf("the lenient reader refuses it too, so nothing is shown: %s: %v", line, err)
		}
		if _, v := believe(line); v == nil {
			t.Errorf("taken: %s", line)
		}
	}
	for _, line := range []string{"", "{", "null", "[1]", `{"b":1,}`, `{"b":01,"y":[0,1]}`, `{"b":1,"y":[0,1]} x`, `{"b":1,"y":[0 1]}`, `{"b":1,"y":[0,1]`,
		`{"b":1e0,"y":[0,1]}`, `{"b":1,"p":[[.5,.5],[1,0]]}`, `{"b":1,"p":[[1.,0],[1,0]]}`, `{"b":1,"p":[[+1,0],[1,0]]}`, `{"b":1,"p":[[0x1,0],[1,0]]}`,
		`{"b":1,"p":[[1_0,0],[1,0]]}`, `{"b":99999999999999999999,"y":[0,1]}`, "{\"b\":1,\"y\":[0,1]}\x00"} {
		if _, v := believe(line); v == nil {
			t.Errorf("taken: %q", line)
		}
	}
}

func TestAnswerTakes(t *testing.T) {
	for _, line := range []string{
		`{"b":1,"p":[[0.25,0.75],[1,0]],"y":[1,0]}`,
		"{ \"y\" : [1 , 0],\t\"b\":1 , \"p\": [ [2.5e-1, 7.5E-1], [1.0, 0.0e+5] ] }\r",
	} {
		a, v := believe(line)
		if v != nil || !slices.Equal(a.probs, []float64{0.25, 0.75, 1, 0}) || !slices.Equal(a.labels, []int32{1, 0}) || a.batch != 1 {
			t.Errorf("%s: %+v, %v", line, a, v)
		}
	}
	if a, v := parseAnswer([]byte(`{"end": 7}`), 0, 2); v != nil || !a.isEnd || a.end != 7 {
		t.Error(a, v)
	}
	if a, v := believe(`{"b":1,"y":[-1,0]}`); v != nil || a.labels[0] != -1 {
		t.Error("an answer of none of the classes is refused", v)
	}
}

// Whatever a line is: no panic, and what is taken is JSON that means the same to
// encoding/json.
func FuzzAnswer(f *testing.F) {
	for line := range strings.Lines(slipsThrough) {
		f.Add([]byte(line))
	}
	f.Add([]byte(`{"b":1,"p":[[0.25,0.75],[1,0]],"y":[1,0]}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		a, v := parseAnswer(line, 2, 2)
		if v != nil {
			return
		}
		var twin struct {
			B   int         `json:"b"`
			P   [][]float64 `json:"p"`
			Y   []int32     `json:"y"`
			End int         `json:"end"`
		}
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&twin); err != nil {
			t.Fatalf("taken, but not JSON: %q: %v", line, err)
		}
		for _, row := range twin.P {
			for i, p := range row {
				row[i] = round6(p)
			}
		}
		if twin.B != a.batch || twin.End != a.end || !slices.Equal(twin.Y, a.labels) || !slices.Equal(slices.Concat(twin.P...), a.probs) {
			t.Fatalf("%q: %+v, twin %+v", line, a, twin)
		}
	})
}

// The short way to a number gives what strconv gives, and says truly how many digits
// count: six or fewer need no rounding.
func TestPlain(t *testing.T) {
	for text, want := range map[string]int{"0": 0, "1": 1, "0.0": 0, "0.50": 2, "0.0123456": 6, "1.000000": 7, "0.123456789012345": -1, "0.12345678901234": 14, "123456": 6,
		"-0.5": -1, "01": -1, "00.5": -1, ".5": -1, "5.": -1, "1.2.3": -1, "1e-5": -1, "": -1, "x": -1} {
		s := scanner{b: []byte(text + ",")}
		v, significant, ok := s.plain()
		if ok != (want >= 0) || ok && (significant != want || s.i != len(text)) || !ok && s.i != 0 {
			t.Errorf("%q: %v %d %v", text, v, significant, ok)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		text := strconv.FormatFloat(rng.Float64()*math.Pow(10, float64(rng.IntN(10)-4)), 'f', rng.IntN(12), 64)
		want, err := strconv.ParseFloat(text, 64)
		s := scanner{b: []byte(text + "]")}
		v, significant, ok := s.plain()
		if err != nil || ok && (v != want || significant <= 6 && round6(v) != v) {
			t.Fatalf("%s: %v, %d digits", text, v, significant)
		}
	}
}

func TestRound6(t *testing.T) {
	for in, want := range map[float64]float64{0: 0, 1: 1, math.Copysign(0, -1): 0, 0.12345649: 0.123456, 0.12345651: 0.123457, 1.23456789e-9: 1.23457e-9, 5e-324: 4.94066e-324, 0.9999999: 1} {
		if got := round6(in); got != want || math.Signbit(got) {
			t.Errorf("%v: %v, want %v", in, got, want)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		v := r.Float64()
		if got, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64); round6(v) != got || round6(got) != got {
			t.Fatalf("%v: %v", v, round6(v))
		}
	}
}

// Serve reads what the service writes, value for value, and answers in a form
// that the service takes.
func TestServe(t *testing.T) {
	s := sheet(t, 23)
	var in, out bytes.Buffer
	lo := 0
	for b, n := range s.Batches {
		in.Write(appendBatch(nil, b+1, s.Rows, lo, lo+n))
		lo += n
	}
	m := Manifest{BatchMax: 5, Classes: []string{"no", "yes"}}
	var got []rows.Table
	err := Serve(&in, &out, m, func(t rows.Table) ([]int32, []float64, error) {
		got = append(got, t)
		p := make([]float64, 0, 2*t.Len())
		for _, v := range t.Columns()[0].Floats {
			p = append(p, 1-v, v)
		}
		return make([]int32, t.Len()), p, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	all, err := rows.Concat(got...)
	if err != nil {
		t.Fatal(err)
	}
	for r := range s.Rows.Len() {
		if want, have := s.Rows.AppendCanonical(nil, r), all.AppendCanonical(nil, r); !bytes.Equal(want, have) {
			t.Errorf("row %d: %q, want %q", r, have, want)
		}
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for b, n := range s.Batches {
		a, v := parseAnswer([]byte(lines[b]), n, 2)
		if v == nil {
			v = a.check(b+1, n, 2)
		}
		if v != nil {
			t.Error(v)
		}
	}
	if last := lines[len(lines)-1]; last != `{"end":23}` {
		t.Error(last)
	}
}

// Whatever a line of rows is: no panic, and what is taken, written again, is read as the
// same table. Names that JSON writes otherwise than they are go the long way.
func FuzzBatch(f *testing.F) {
	f.Add([]byte(`{"b":1,"rows":[{"x":0.1,"t":"a"},{"x":-2e-7,"t":"\u00fc\\\""}]}`))
	f.Add([]byte(`{"b":2,"rows":[{"a\"b":1,"<":"&"},{"a\"b":2,"\u003c":""}]}`))
	f.Add([]byte(`{"b":3,"rows":[{"x":1,"x":2}]}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		b, got, err := new(batchReader).batch(line, 8)
		if err != nil {
			return
		}
		again := appendBatch(nil, b, got, 0, got.Len())
		b2, back, err := new(batchReader).batch(again, 8)
		if err != nil || b2 != b || back.SameFields(got.Fields()) != nil || back.Len() != got.Len() {
			t.Fatalf("%q, written as %q: %d, %v", line, again, b2, err)
		}
		for r := range got.Len() {
			if !bytes.Equal(got.AppendCanonical(nil, r), back.AppendCanonical(nil, r)) {
				t.Fatalf("row %d of %q changed: %q", r, line, again)
			}
		}
	})
}

func TestServeRefuses(t *testing.T) {
	m := Manifest{BatchMax: 2, Classes: []string{"no", "yes"}}
	for want, in := range map[string]string{
		`want {"b":`:             "hello\n",
		`want "rows"`:            `{"b":1,"cols":[]}` + "\n",
		"more than 2 rows":       `{"b":1,"rows":[{"x":1},{"x":1},{"x":1}]}` + "\n",
		`column 1 is "y", want`:  `{"b":1,"rows":[{"x":1},{"y":1}]}` + "\n",
		"want a number":          `{"b":1,"rows":[{"x":1},{"x":"1"}]}` + "\n",
		"want a string":          `{"b":1,"rows":[{}]}` + "\n",
		"want the end":           `{"b":1,"rows":[{"x":1}]}}` + "\n",
		"unexpected EOF":         `{"b":1,"rows":[{"x":"1`,
		"predict gave 1 labels":  `{"b":1,"rows":[{"x":1},{"x":2}]}` + "\n",
		"row 1: probability NaN": `{"b":1,"rows":[{"nan":1}]}` + "\n",
	} {
		err := Serve(strings.NewReader(in), io.Discard, m, func(t rows.Table) ([]int32, []float64, error) {
			if t.Columns()[0].Name == "nan" {
				return nil, []float64{math.NaN(), 1}, nil
			}
			return []int32{0}, nil, nil
		})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
