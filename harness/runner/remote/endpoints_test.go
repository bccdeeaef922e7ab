package remote

import (
	"strings"
	"testing"

	"proctor/harness/runner"
)

// An operator's file, and the error or the endpoints that it gives.
const files = `
{"endpoints": []}
ok
{"endpoints": [{"url": "https://llm.example", "header": "Authorization", "value": "Bearer sk-secret"}]}
ok https://llm.example:443
{"endpoints": [{"url": "https://LLM.example:8443/"}, {"url": "http://10.0.0.7:8000", "private": true}, {"url": "http://[fd00::1]", "private": true}]}
ok https://llm.example:8443 http://10.0.0.7:8000 http://[fd00::1]:80
{"endpoints": [{"url": "https://a.test", "header": "X-Key", "value": sk-secret}]}
not JSON
{"endpoints": [{"url": "https://a.test", "header": 7, "value": "sk-secret"}]}
no other keys
{"endpoints": [{"url": "https://a.test", "key": "sk-secret"}]}
no other keys
{"endpoints": []} {}
after the closing brace
{"endpoints": [{"url": "http://a.test", "header": "X-Key", "value": "sk-secret"}]}
http:// is for endpoints that are private
{"endpoints": [{"url": "https://a.test/v1"}]}
has a path
{"endpoints": [{"url": "https://a.test", "value": "sk-secret"}]}
go together
{"endpoints": [{"url": "https://a.test", "header": "X-Key"}]}
go together
{"endpoints": [{"url": "https://a.test", "header": "X-Key", "value": "sk-secret\r\nX: y"}]}
not those of an HTTP request
{"endpoints": [{"url": "https://a.test", "header": "X Key", "value": "sk-secret"}]}
not those of an HTTP request
{"endpoints": [{"url": "https://a.test", "header": "host", "value": "sk-secret"}]}
not those of an HTTP request
{"endpoints": [{"url": "https://a.test"}, {"url": "https://A.test:443"}]}
named twice
{"endpoints": [{"url": "https://sk-secret@a.test"}]}
not an address
`

func TestParseEndpoints(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(files), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		file, want := lines[i], lines[i+1]
		e, err := ParseEndpoints([]byte(file))
		got := "ok"
		if err != nil {
			got = err.Error()
		} else {
			for _, x := range e.list {
				got += " " + x.URL
			}
		}
		if ok := strings.HasPrefix(want, "ok"); ok && got != want || !ok && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%s\n got %s\nwant %s", file, got, want)
		}
		if strings.Contains(got, "secret") {
			t.Errorf("the error holds the credential: %s", got)
		}
	}
}

// What a package may name, given what the operator named.
func TestNamed(t *testing.T) {
	e, err := NewEndpoints(Endpoint{URL: "https://llm.example"}, Endpoint{URL: "http://10.0.0.7:8000", Private: true})
	if err != nil {
		t.Fatal(err)
	}
	for address, ok := range map[string]bool{
		"https://llm.example": true, "https://llm.example/v1": true, "https://LLM.example:443/a/b": true, "http://10.0.0.7:8000/v1": true,
		"http://llm.example": false, "https://llm.example:444": false, "https://llm.example.evil.test": false, "https://evil.test/llm.example": false,
		"https://llm.example@evil.test": false, "https://10.0.0.7:8000": false, "http://10.0.0.7": false, "http://10.0.0.8:8000": false, "https://llm.example.": false,
	} {
		if err := e.Allows(manifest(address)); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := (*Endpoints)(nil).Allows(manifest("https://llm.example")); err == nil {
		t.Error("no endpoints allow one")
	}
	if _, err := e.Text("https://llm.example", runner.APIInference, "m", "", 1); err == nil {
		t.Error("a model of tables is one of text")
	}
}

// Whatever stands in the file, what was read is named by its own origin and by no other.
func FuzzParseEndpoints(f *testing.F) {
	for line := range strings.Lines(files) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := ParseEndpoints(data)
		if err != nil {
			return
		}
		for _, x := range e.list {
			if got, err := e.find(x.URL); err != nil || got != x {
				t.Errorf("%q is not found: %v", x.URL, err)
			}
			if !x.Private && !strings.HasPrefix(x.URL, "https://") {
				t.Errorf("%q without TLS", x.URL)
			}
		}
	})
}
