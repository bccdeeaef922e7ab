package verdict_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"

	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

// Whatever comes in, only the statement that was signed comes out.
func FuzzVerify(f *testing.F) {
	w := verdicttest.New(f)
	env, b := w.Issue(f, verdicttest.Passed(pkg))
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := verdict.Verify(b, w.Trust, wantEvidence())
		if err == nil && v.Digest() != env.Digest() {
			t.Errorf("accepted another statement: %s", v.Payload())
		}
	})
}

// What is decoded prints the same; encoding/json reads the same from it.
func FuzzDecodeStrict(f *testing.F) {
	type form struct {
		A string `json:"a"`
		B []struct {
			N int64    `json:"n,string"`
			F *float64 `json:"f"`
		} `json:"b"`
	}
	for _, s := range []string{`{"a":"x","b":[{"n":"1","f":1e-7}]}`, `{"a":"","b":null}`, `{"a":"x","A":"y","b":[]}`, `{"a":"\ud800","b":[]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v, again form
		if verdict.DecodeStrict(b, 1<<16, &v) != nil {
			return
		}
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := verdict.DecodeStrict(out, 1<<17, &again); err != nil {
			t.Errorf("%s was read, its own print %s is not: %v", b, out, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	w := verdicttest.New(b)
	for range 100 {
		w.Append(b, []byte("other entry"))
	}
	_, bundle := w.Issue(b, verdicttest.Passed(pkg))
	b.SetBytes(int64(len(bundle)))
	for b.Loop() {
		if _, err := verdict.Verify(bundle, w.Trust, wantEvidence()); err != nil {
			b.Fatal(err)
		}
	}
}

// Our reading of JSON is that of encoding/json, but for what it refuses.
func FuzzTree(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2.5e3,"x\"\\",{}],"b":{"c":null}, "d" : true}`, `[]`, `"\u00e9\ud800"`, ` 1 `, `{"a":1,"A":2}`, `[[[]]]`, `{"":""}`, `{"a":1}x`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !utf8.Valid(b) { // which was refused before
			return
		}
		got, err := verdict.ParseTree(b)
		if err != nil {
			return
		}
		var want any
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		if err := d.Decode(&want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, encoding/json %#v %v", b, got, want, err)
		}
	})
}
