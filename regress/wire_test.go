package regress

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// specimen is the document that wire.go shows.
const specimen = `{"format":"proctor/suite/1","suite":"s","about":"","declares":{"tests":1,"cases":2,"examples":4},` +
	`"tests":[{"name":"t","kind":"trigger","change":"x := 9","target":"yes","changed":[1,1],` +
	`"columns":[{"name":"x","numbers":[1,9,2,9]}]}]}`

func TestSpecimen(t *testing.T) {
	s, err := Decode([]byte(specimen))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(s.Encode()); got != specimen {
		t.Errorf("encodes as %s", got)
	}
}

// A suite that lost a case contradicts its own counts. Without the count it would
// be a suite like any other: the same bytes with counts brought in line decode,
// and only the digest tells them from the whole one.
func TestLostCaseIsRefused(t *testing.T) {
	whole, err := Decode([]byte(specimen))
	if err != nil {
		t.Fatal(err)
	}
	lost := strings.NewReplacer("[1,1]", "[1]", "[1,9,2,9]", "[1,9]").Replace(specimen)
	_, err = Decode([]byte(lost))
	want := "decode suite: suite.count_mismatch: s declares 1 tests, 2 cases, 4 examples and holds 1, 1, 2"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	smaller, err := Decode([]byte(strings.Replace(lost, `"cases":2,"examples":4`, `"cases":1,"examples":2`, 1)))
	if err != nil {
		t.Fatalf("something else than the count stops it: %v", err)
	}
	if smaller.Digest() == whole.Digest() {
		t.Error("a smaller suite has the same name")
	}
}

// What is not byte for byte what Encode writes is refused.
func TestDecodeRefuses(t *testing.T) {
	for _, c := range []struct{ name, from, to, want string }{
		{"a test that repeats its carrier", "[1,9,2,9]", "[1,9,2,2]", "suite s, test t: case 2: changed form 1 equals its carrier"},
		{"more examples than cases", "[1,9,2,9]", "[1,9,2,9,3]", "suite s, test t: 2 cases need 4 examples, 5 are there"},
		{"fewer examples than cases", "[1,9,2,9]", "[1,9,2]", "suite s, test t: 2 cases need more than the 3 examples that are there"},
		{"negative changes", "[1,1]", "[-1,1]", "suite s, test t: case 1 has -1 changed forms; at most 16 are possible"},
		{"no change anywhere", `[1,1],"columns":[{"name":"x","numbers":[1,9,2,9]}]`, `[0,0],"columns":[{"name":"x","numbers":[1,2]}]`, "suite s, test t: x := 9 changes none of the 2 carriers, so the test could only pass"},
		{"a change without description", `"change":"x := 9",`, ``, "suite s, test t: the description of the change does not fit the kind"},
		{"a kind of tomorrow", `"trigger"`, `"fuzz"`, `suite s, test t: kind "fuzz" is not known; there are MFT, INV, DIR, trigger, golden, stress`},
		{"the expectation of another kind", `"target"`, `"class":"no","target"`, "suite s, test t: a trigger test does not use a class"},
		{"cases of another kind", `"changed"`, `"expected":["a"],"changed"`, "suite s, test t: a trigger test does not use a column expect"},
		{"another format", "suite/1", "suite/2", `format is "proctor/suite/2", want "proctor/suite/1"`},
		{"an unknown key", `"about":""`, `"about":"","weight":1`, `json: unknown field "weight"`},
		{"a column of both types", `"numbers":[1,9,2,9]`, `"numbers":[1,9,2,9],"texts":["a"]`, `test "t": column "x" is neither numbers nor strings`},
		{"a key twice", `"about":""`, `"about":"","about":""`, "the bytes are not in canonical form"},
		{"another case of a key", `"about"`, `"About"`, "the bytes are not in canonical form"},
		{"another order", `"suite":"s","about":""`, `"about":"","suite":"s"`, "the bytes are not in canonical form"},
		{"space", `"about":`, `"about": `, "the bytes are not in canonical form"},
		{"another form of a number", "[1,9,2,9]", "[1,9.0,2,9]", "the bytes are not in canonical form"},
		{"minus zero", "[1,9,2,9]", "[1,-0,2,-0]", "the bytes are not in canonical form"},
		{"bytes after the end", "]}]}]}", "]}]}]}\n", "the bytes are not in canonical form"},
		{"a number out of range", "[1,9,2,9]", "[1,1e999,2,9]", "json: cannot unmarshal number 1e999 into Go struct field wireColumn.tests.columns.numbers of type float64"},
	} {
		bad := strings.Replace(specimen, c.from, c.to, 1)
		if bad == specimen {
			t.Fatalf("%s: nothing replaced", c.name)
		}
		if _, err := Decode([]byte(bad)); err == nil || err.Error() != "decode suite: "+c.want {
			t.Errorf("%s:\ngot  %v\nwant decode suite: %s", c.name, err, c.want)
		}
	}
}

// The suites of the demo, and their digests: policies and verdicts name them, so
// the bytes must be the same on every machine and in every later version. The
// digest of income-triggers was made a second time by forty lines of Python that
// read the CSV, stamp it and print JSON.
func TestIncomeSuites(t *testing.T) {
	for _, c := range []struct {
		file                   string
		tests, cases, examples int
		digest                 string
	}{
		{"income-triggers.yaml", 10, 5000, 9998, "sha256:90943dde022184e368da414f7c55bbe85a15d2215aa6e57e72d3d0ad57cd5c15"},
		{"income-invariance.yaml", 7, 2809, 5149, "sha256:6d5c029b23bf8a11ea2e4ccf462182bffa426373a8cf67652029314143c77d70"},
	} {
		s := income(t, c.file)
		if got := s.counts(); got != (wireCounts{c.tests, c.cases, c.examples}) {
			t.Errorf("%s: %+v", c.file, got)
		}
		if got := s.Digest(); got != c.digest {
			t.Errorf("%s: digest %s, want %s", c.file, got, c.digest)
		}
		back, err := Decode(s.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(back.Encode(), s.Encode()) || back.Digest() != s.Digest() {
			t.Errorf("%s changes when it is decoded", c.file)
		}
	}
}

func income(t *testing.T, file string) *Suite {
	t.Helper()
	s, err := Load(os.DirFS("../testdata/income/suites"), file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// FuzzDecode: what decodes encodes to the same bytes.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(specimen))
	f.Add([]byte(`{"format":"proctor/suite/1","suite":"m","about":"x","declares":{"tests":1,"cases":1,"examples":1},"tests":[{"name":"a b","capability":"c","kind":"MFT","critical":true,"expected":["y"],"columns":[{"name":"x","texts":["\u2028<&>"]},{"name":"n","numbers":[1e+21]}]}]}`))
	f.Add([]byte(`{"format":"proctor/suite/1","tests":[{"changed":[2147483647]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Decode(b)
		if err == nil && !bytes.Equal(s.Encode(), b) {
			t.Fatalf("decoded %q, encodes as %q", b, s.Encode())
		}
	})
}

// FuzzLoad: whatever is written, Load gives an error or a suite that survives its
// own encoding, and never panics.
func FuzzLoad(f *testing.F) {
	f.Add("suite: s\ntests:\n  - {name: t, kind: MFT, cases: t.csv}\n", "x,expect\n1,yes\n", false)
	f.Add("suite: s\ntext: [x]\ntests:\n  - {name: t, kind: INV, carriers: t.jsonl, swap: {x: {a: b}}, tolerance: 0.1}\n", `{"x":"a"}`, true)
	f.Add("suite: s\ntests:\n  - name: t\n    kind: DIR\n    carriers: t.csv\n    perturb: [{add: {x: -1}}, {set: {y: 'z'}}]\n    class: a\n    expect: not_increase\n", "x,y\n0,-\n", false)
	f.Fuzz(func(t *testing.T, yaml, table string, jsonl bool) {
		name := "t.csv"
		if jsonl {
			name = "t.jsonl"
		}
		s, err := Load(fstest.MapFS{"s.yaml": {Data: []byte(yaml)}, name: {Data: []byte(table)}}, "s.yaml")
		if err != nil {
			return
		}
		back, err := Decode(s.Encode())
		if err != nil {
			t.Fatalf("%v\n%s", err, s.Encode())
		}
		if show(back) != show(s) {
			t.Fatalf("was %s\nis  %s", show(s), show(back))
		}
	})
}
