package report

import (
	"math"
	"strings"
	"testing"
)

func TestEncode(t *testing.T) {
	v := 1.5
	r := &Report{Format: "proctor/report/1", Lineage: "income", Decision: Decision{Result: Pass, Findings: []Finding{{Claim: "overall", Value: &v}}}}
	b, digest, err := Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(b, digest)
	if err != nil || back.Lineage != "income" || *back.Decision.Findings[0].Value != 1.5 {
		t.Errorf("%v %v", back, err)
	}
	again, digest2, err := Encode(back)
	if err != nil || digest2 != digest || string(again) != string(b) {
		t.Error("the same report has two encodings")
	}
}

// Bytes that are not the ones named are not shown, nor are keys we do not know.
func TestDecodeRefuses(t *testing.T) {
	b, digest, err := Encode(&Report{})
	if err != nil {
		t.Fatal(err)
	}
	changed := []byte(strings.Replace(string(b), `"result":""`, `"result":"PASS"`, 1))
	if _, err := Decode(changed, digest); err == nil {
		t.Error("a changed report was read")
	}
	if r, err := Decode(changed, Digest(changed)); err != nil || r.Decision.Result != Pass {
		t.Errorf("negative control: the digest is what refused: %v", err)
	}
	for _, tail := range []string{`{}`, `x`} {
		more := append(append([]byte{}, b...), tail...)
		if _, err := Decode(more, Digest(more)); err == nil {
			t.Errorf("bytes after the end were read: %s", tail)
		}
	}
	unknown := []byte(`{"surprise":1}`)
	if _, err := Decode(unknown, Digest(unknown)); err == nil {
		t.Error("an unknown key was read")
	}
}

func TestNoNaN(t *testing.T) {
	nan := math.NaN()
	if _, _, err := Encode(&Report{Decision: Decision{Findings: []Finding{{Value: &nan}}}}); err == nil {
		t.Error("NaN was encoded")
	}
}
