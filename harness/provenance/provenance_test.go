package provenance

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"proctor/harness/verdict"
)

func newKey(t testing.TB) verdict.Signer {
	t.Helper()
	s, err := verdict.CreateKey(filepath.Join(t.TempDir(), "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func file(path, content string) File {
	sum := sha256.Sum256([]byte(content))
	return File{path, hex.EncodeToString(sum[:])}
}

var files = []File{file("a-b", "1"), file("a/b", "2"), file("proctor-model.json", "3"), file(SignatureFile, "itself")}

// sign signs a statement after change has spoilt it.
func sign(t testing.TB, s verdict.Signer, payload []byte, change func(m map[string]any)) []byte {
	t.Helper()
	if change != nil {
		var m map[string]any
		if err := json.Unmarshal(payload, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		var err error
		if payload, err = json.Marshal(m); err != nil {
			t.Fatal(err)
		}
	}
	b, err := verdict.SignForeign(t.Context(), payload, s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func signatureStatement(t testing.TB) []byte {
	t.Helper()
	b, err := SignatureStatement("model", files)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func predicate(m map[string]any) map[string]any { return m["predicate"].(map[string]any) }
func resources(m map[string]any) []any          { return predicate(m)["resources"].([]any) }
func serialization(m map[string]any) map[string]any {
	return predicate(m)["serialization"].(map[string]any)
}

// What a signer may write, and what is refused of it.
func TestSignature(t *testing.T) {
	own, other := newKey(t), newKey(t)
	keys := []Key{{"other", other.Public()}, {"ml-team", own.Public()}}
	good := sign(t, own, signatureStatement(t), nil)
	a, err := CheckSignature(good, files, keys)
	if err != nil || a.By != "ml-team" || a.Kind != Signature || a.Digest != digestOf(good) {
		t.Fatalf("%+v %v", a, err)
	}
	reroot := func(m map[string]any) { // so that only the one fault is left
		root := sha256.New()
		for _, r := range resources(m) {
			sum, _ := hex.DecodeString(r.(map[string]any)["digest"].(string))
			root.Write(sum)
		}
		m["subject"].([]any)[0].(map[string]any)["digest"].(map[string]any)["sha256"] = hex.EncodeToString(root.Sum(nil))
	}
	for _, c := range []struct {
		name, want string
		change     func(m map[string]any)
	}{
		{"a file is not named", `does not name "a-b"`, func(m map[string]any) { predicate(m)["resources"] = resources(m)[1:]; reroot(m) }},
		{"a file is to be ignored", `does not name "a-b"`, func(m map[string]any) {
			predicate(m)["resources"] = resources(m)[1:]
			serialization(m)["ignore_paths"] = []string{"a-b"}
			reroot(m)
		}},
		{"a name for another's content", "has another content", func(m map[string]any) {
			x, y := resources(m)[0].(map[string]any), resources(m)[1].(map[string]any)
			x["name"], y["name"] = y["name"], x["name"] // the root digest does not see it
		}},
		{"a file twice", "twice", func(m map[string]any) { predicate(m)["resources"] = append(resources(m), resources(m)[0]); reroot(m) }},
		{"a file that is not there", "not in the package", func(m map[string]any) {
			predicate(m)["resources"] = append(resources(m), map[string]any{"name": "c", "algorithm": "sha256", "digest": files[0].SHA256})
			reroot(m)
		}},
		{"another root", "its subject is not", func(m map[string]any) {
			m["subject"].([]any)[0].(map[string]any)["digest"].(map[string]any)["sha256"] = strings.Repeat("0", 64)
		}},
		{"shards", "want files by sha256", func(m map[string]any) { serialization(m)["method"] = "shards" }},
		{"links", "without links", func(m map[string]any) { serialization(m)["allow_symlinks"] = true }},
		{"blake", "no SHA-256", func(m map[string]any) { resources(m)[0].(map[string]any)["algorithm"] = "blake3" }},
		{"another predicate", "want", func(m map[string]any) { m["predicateType"] = buildType }},
		{"old statement", "want", func(m map[string]any) { m["_type"] = "https://in-toto.io/Statement/v0.1" }},
	} {
		if _, err := CheckSignature(sign(t, own, signatureStatement(t), c.change), files, keys); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := CheckSignature(good, files, keys[:1]); err == nil {
		t.Error("a key that nobody trusts will do")
	}
	if _, err := CheckSignature(good, files, nil); err == nil {
		t.Error("no key will do")
	}
	changed := append([]File{file("a-b", "another")}, files[1:]...)
	if _, err := CheckSignature(good, changed, keys); err == nil {
		t.Error("a file may change")
	}
}

// An envelope of another form says nothing, whatever its signature.
func TestEnvelope(t *testing.T) {
	own := newKey(t)
	keys := []Key{{"k", own.Public()}}
	good := string(sign(t, own, signatureStatement(t), nil))
	var bundle struct{ DsseEnvelope json.RawMessage }
	if err := json.Unmarshal([]byte(good), &bundle); err != nil {
		t.Fatal(err)
	}
	if _, err := CheckSignature(bundle.DsseEnvelope, files, keys); err != nil {
		t.Errorf("a bare envelope: %v", err)
	}
	for name, pair := range map[string][2]string{
		"another bundle":  {"bundle.v0.3+json", "bundle.v0.1+json"},
		"another payload": {"application/vnd.in-toto+json", "application/vnd.in-toto+JSON"},
		"two signatures":  {"      }\n    ]", "      }, {\"sig\": \"\"}\n    ]"},
		"a key twice":     {`"dsseEnvelope"`, `"dsseEnvelope": {}, "dsseEnvelope"`},
		"a key's twin":    {`"dsseEnvelope"`, `"DSSEEnvelope": {}, "dsseEnvelope"`},
		"more behind":     {"\n}", "\n} {}"},
	} {
		text := good
		if i := strings.LastIndex(text, pair[0]); i < 0 {
			t.Fatalf("%s: no %q in %s", name, pair[0], text)
		} else {
			text = text[:i] + pair[1] + text[i+len(pair[0]):]
		}
		if _, err := CheckSignature([]byte(text), files, keys); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func buildStatement(t testing.TB) []byte {
	t.Helper()
	var subjects []any
	for _, f := range files[:3] {
		subjects = append(subjects, map[string]any{"name": f.Path, "digest": map[string]string{"sha256": f.SHA256}})
	}
	b, err := json.Marshal(map[string]any{"_type": statementType, "predicateType": buildType, "subject": append(subjects, map[string]any{"name": "other.bin", "digest": map[string]string{"sha512": "x"}}),
		"predicate": map[string]any{"buildDefinition": map[string]any{"buildType": "https://example.test/build"}, "runDetails": map[string]any{"builder": map[string]any{"id": "https://example.test/builder"}}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBuild(t *testing.T) {
	own := newKey(t)
	keys := []Key{{"ci", own.Public()}}
	a, err := CheckBuild(sign(t, own, buildStatement(t), nil), files, keys)
	if err != nil || a.By != "ci" || a.Kind != Build || a.Of != "https://example.test/builder" {
		t.Fatalf("%+v %v", a, err)
	}
	for _, c := range []struct {
		name, want string
		change     func(m map[string]any)
	}{
		{"a file is not named", `does not name "a-b"`, func(m map[string]any) { m["subject"] = m["subject"].([]any)[1:] }},
		{"another content", "has another content", func(m map[string]any) {
			m["subject"].([]any)[1].(map[string]any)["digest"] = map[string]string{"sha256": strings.Repeat("0", 64)}
		}},
		{"no builder", "names no builder", func(m map[string]any) { m["predicate"] = map[string]any{} }},
		{"a model signature", "want", func(m map[string]any) { m["predicateType"] = signatureType }},
	} {
		if _, err := CheckBuild(sign(t, own, buildStatement(t), c.change), files, keys); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := CheckBuild(sign(t, newKey(t), buildStatement(t), nil), files, keys); err == nil {
		t.Error("a key that nobody trusts will do")
	}
}

const record = `{"format":"proctor/training/1","datasets":[{"name":"a","digest":"sha256:` + zeros + `"},{"name":"b","digest":"sha256:` + zeros + `"}],
"code":{"name":"repo","commit":"0000000000000000000000000000000000000000"},"lockfile":{"name":"lock","digest":"sha256:` + zeros + `"},"configuration":{"name":"conf","digest":"sha256:` + zeros + `"}}`

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"

func TestTraining(t *testing.T) {
	old, err := ParseTraining([]byte(record))
	if err != nil {
		t.Fatal(err)
	}
	if c := Changes(old, old); c != nil {
		t.Errorf("of itself: %q", c)
	}
	for name, c := range map[string]struct{ from, to, want string }{
		"another content": {`"a","digest":"sha256:0`, `"a","digest":"sha256:1`, `Data set "a" has another content.`},
		"another set":     {`"a"`, `"c"`, `Data set "c" is new. Data set "a" is not used any more.`},
		"code":            {`"commit":"0`, `"commit":"1`, "The code is repo at 100000000000, was repo at 000000000000."},
		"dependencies":    {`"lock","digest":"sha256:0`, `"lock","digest":"sha256:1`, "The dependencies changed (lock)."},
		"configuration":   {`"conf","digest":"sha256:0`, `"conf","digest":"sha256:1`, "The configuration changed (conf)."},
	} {
		now, err := ParseTraining([]byte(strings.Replace(record, c.from, c.to, 1)))
		if err != nil {
			t.Fatal(name, err)
		}
		if got := strings.Join(Changes(old, now), " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := Changes(nil, old); len(got) != 1 || !strings.Contains(got[0], "the candidate has one") {
		t.Errorf("%q", got)
	}
	if got := Changes(old, nil); len(got) != 1 || !strings.Contains(got[0], "The candidate has no training record") {
		t.Errorf("%q", got)
	}
	for name, pair := range map[string][2]string{
		"format":      {"training/1", "training/2"},
		"unknown key": {`"code"`, `"kode"`},
		"twice":       {`"b"`, `"a"`},
		"digest":      {`"a","digest":"sha256:0`, `"a","digest":"sha256:x`},
		"commit":      {`"commit":"0`, `"commit":"`},
		"name":        {`"lock"`, `"lo\u0000ck"`},
		"null":        {`{"name":"conf","digest":"sha256:` + zeros + `"}`, "null"},
	} {
		if _, err := ParseTraining([]byte(strings.Replace(record, pair[0], pair[1], 1))); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func FuzzTraining(f *testing.F) {
	f.Add([]byte(record))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := ParseTraining(data); err == nil && (r.check() != nil || Changes(r, r) != nil) {
			t.Error("a record that does not hold")
		}
	})
}

func FuzzSignature(f *testing.F) {
	key := newKey(f)
	b, err := SignatureStatement("m", files)
	if err != nil {
		f.Fatal(err)
	}
	signed, err := verdict.SignForeign(f.Context(), b, key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Fuzz(func(t *testing.T, data []byte) {
		CheckSignature(data, files, []Key{{"k", key.Public()}})
		CheckBuild(data, files, []Key{{"k", key.Public()}})
	})
}

// testdata/model_signing was signed by model_signing 1.1.1 (PyPI):
// model_signing sign key --private_key key.pem --signature model.sig m
func TestModelSigning(t *testing.T) {
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("testdata", "model_signing", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	key, err := verdict.ParsePublicPEM(string(read("key.pub")))
	if err != nil {
		t.Fatal(err)
	}
	var files []File
	for line := range strings.Lines(string(read("files"))) {
		words := strings.Fields(line)
		files = append(files, File{Path: words[1], SHA256: words[0]})
	}
	keys := []Key{{"theirs", key}}
	if a, err := CheckSignature(read("model.sig"), files, keys); err != nil || a.By != "theirs" {
		t.Fatal(a, err)
	}
	if _, err := CheckSignature(read("model.sig"), files[1:], keys); err == nil {
		t.Error("a file may be missing")
	}
	// The tool's own list of paths to ignore lets one of these join; we do not.
	if _, err := CheckSignature(read("model.sig"), append(files, file(".github/evil.py", "x")), keys); err == nil {
		t.Error("a file may join")
	}
}
