package credential

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io/fs"
	mrand "math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

// drawn returns n characters of an alphabet. Nothing that looks like a credential
// stands in this file: each is put together while the test runs.
func drawn(n int, alphabet string) string {
	r := mrand.New(mrand.NewPCG(1, uint64(n)))
	var b strings.Builder
	for range n {
		b.WriteByte(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

const (
	upper = "BCDFGHJKLMNPQRSTVWXZ23456789"
	mixed = "BCDFGHJKLMNPQRSTVWXZbcdfghjklmnpqrstvwxz23456789"
)

func keyPEM(t testing.TB) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// planted is one credential of each kind, by the kind that must be named.
func planted(t testing.TB) map[string][]string {
	key := keyPEM(t)
	quoted, err := json.Marshal(map[string]string{"type": "service_account", "private_key": key})
	if err != nil {
		t.Fatal(err)
	}
	jwt := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"1234567890"}`)) + "." + drawn(43, mixed)
	head := func(kind, headers string) string {
		return "-----BEGIN " + kind + "-----\n" + headers + drawn(64, mixed) + "\n" + drawn(64, mixed) + "\n-----END " + kind + "-----\n"
	}
	return map[string][]string{
		"private key (PEM)": {key, strings.ReplaceAll(key, "\n", "\r\n"), string(quoted), `KEY = "` + strings.ReplaceAll(key, "\n", `\n" + "`) + `"`,
			head("OPENSSH PRIVATE KEY", ""), head("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n"), head("PGP PRIVATE KEY BLOCK", "Version: 1\n\n"), head("ENCRYPTED PRIVATE KEY", "")},
		"private key (age)":          {"AGE-SECRET-KEY-1" + drawn(58, upper)},
		"private key (PuTTY)":        {"PuTTY-User-Key-File-" + "3: ssh-ed25519\nEncryption: none\nPublic-Lines: 2\n" + drawn(64, mixed) + "\nPrivate-Lines: 1\n" + drawn(40, mixed)},
		"private key (JWK)":          {`{"kty":"EC","crv":"P-256","x":"a","d":"` + drawn(43, mixed) + `"}`, `{"d": "` + drawn(43, mixed) + `", "kty": "OKP"}`},
		"AWS access key id":          {"AKIA" + drawn(16, upper), "aws_id=ASIA" + drawn(16, upper)},
		"GitHub token":               {"ghp_" + drawn(36, mixed), "x = 'ghs_" + drawn(36, mixed) + "'", "github_pat_" + drawn(22, mixed) + "_" + drawn(59, mixed)},
		"GitLab token":               {"glpat-" + drawn(20, mixed)},
		"Hugging Face token":         {"hf_" + drawn(34, mixed)},
		"token of a model provider":  {"sk-" + drawn(48, mixed), "sk-proj-" + drawn(60, mixed), "sk-ant-api03-" + drawn(60, mixed)},
		"Google API key":             {"AIza" + drawn(35, mixed)},
		"Google OAuth secret":        {"GOCSPX-" + drawn(28, mixed)},
		"Slack token":                {"xoxb-" + drawn(24, mixed)},
		"Slack webhook":              {"https://hooks.slack.com/services/T" + drawn(9, upper) + "/B" + drawn(9, upper) + "/" + drawn(24, mixed)},
		"npm token":                  {"npm_" + drawn(36, mixed), "//registry/:_authToken=" + drawn(36, mixed)},
		"PyPI token":                 {"pypi-AgE" + drawn(60, mixed)},
		"payment provider key":       {"sk_live_" + drawn(24, mixed), "rk_live_" + drawn(24, mixed)},
		"SendGrid token":             {"SG." + drawn(22, mixed) + "." + drawn(43, mixed)},
		"Azure storage key":          {"AccountName=a;AccountKey=" + drawn(86, mixed) + "=="},
		"JSON web token":             {jwt},
		"password in a URL":          {"postgres://scorer:" + drawn(12, mixed) + "@db.internal/models"},
		"password in a netrc line":   {"machine host login scorer password " + drawn(12, mixed)},
		"authorization header":       {"'Authorization': 'Bearer " + drawn(30, mixed) + "'"},
		"value of a name like passw": {`DB_PASSWORD = "` + drawn(20, mixed) + `"`},
		"value of a name like api_k": {`api_key: '` + drawn(20, mixed) + `'`},
		"value of a name like clien": {`"client_secret_v2" => "` + drawn(20, mixed) + `"`},
	}
}

func scanText(t testing.TB, text string) []Found {
	t.Helper()
	found, err := Scan("f", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Each kind is found, on its line, in the middle of a file.
func TestPlanted(t *testing.T) {
	for kind, values := range planted(t) {
		for _, v := range values {
			found := scanText(t, "# settings\n\n  "+v+"\nx = 1\n")
			hit := false
			for _, f := range found {
				hit = hit || strings.HasPrefix(f.Kind, kind) && f.Line == 3 && f.File == "f" && f.Private == strings.HasPrefix(kind, "private key")
			}
			if !hit {
				t.Errorf("%s: not found; found %v", kind, found)
			}
		}
	}
}

// No finding holds a part of what it found.
func TestNeverTheValue(t *testing.T) {
	for kind, values := range planted(t) {
		for _, v := range values {
			text := fmt.Sprintf("%v", scanText(t, v))
			for i := 0; i+8 <= len(v); i++ {
				if part := v[i : i+8]; strings.Contains(text, part) && !strings.Contains(kind, strings.TrimSpace(part)) && !strings.Contains("value of a name like client_secret password api_key private", part) {
					t.Fatalf("%s: a finding holds %q", kind, part)
				}
			}
		}
	}
}

// What only looks like a credential: words about them, stand-ins, and public parts.
func TestInnocent(t *testing.T) {
	for _, text := range []string{
		"-----BEGIN PRIVATE KEY-----", `if block.Type != "-----BEGIN PRIVATE KEY-----" { return }`, "-----BEGIN PUBLIC KEY-----\n" + drawn(64, mixed), "-----BEGIN CERTIFICATE-----\n" + drawn(64, mixed),
		"AKIA" + "IOSFODNN7EXAMPLE", "AKIA" + strings.Repeat("X", 16), "ghp_" + strings.Repeat("x", 36), "ghp_" + drawn(10, mixed), "task-" + "sk-learn-compatible-estimators-in-a-pipeline",
		`{"kty":"EC","x":"` + drawn(43, mixed) + `"}`, "password = os.environ['DB_PASSWORD_OF_MODELS']", `password: "<your password here>"`, `secret = "changeme-changeme-changeme"`,
		"postgres://user:password@localhost/x", "postgres://user:$PASSWORD@host", "https://example.org/a:b@c", "Authorization: Bearer $TOKEN_FROM_ENVIRONMENT", "eyJ" + drawn(30, mixed),
		"SG.x.y", `api_key = "aaaaaaaaaaaaaaaaaaaaaaaa"`, "the secret of a good model", "sha256:" + drawn(64, "0123456789abcdef"),
	} {
		if found := scanText(t, text); len(found) > 0 {
			t.Errorf("%.50q: %v", text, found)
		}
	}
}

// The example models of this repository, the demo's and all of its documentation hold
// none: a scanner that cries wolf is switched off.
func TestOwnFiles(t *testing.T) {
	for _, dir := range []string{"../../../testdata", "../../../docs", "../../runner", "../../jail"} {
		fsys := os.DirFS(dir)
		var names []string
		err := fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				names = append(names, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		found, err := ScanFS(fsys, names)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > 0 {
			t.Errorf("%s: %v", dir, found)
		}
	}
}

// Wherever in a large file a credential lies, over whatever end of a block, and however
// the reader cuts it, it is found once and on its line.
func TestBlocks(t *testing.T) {
	token := "ghp_" + drawn(36, mixed)
	line := strings.Repeat("w", 99) + "\n"
	for _, at := range []int{0, 1, behind, block - ahead - 40, block - ahead - 1, block - ahead, block - 3, block, 2*block - ahead - behind, 2 * block} {
		pad := strings.Repeat(line, at/100) + strings.Repeat(" ", at%100)
		text := pad + token + "\n" + strings.Repeat(line, 20_000)
		want := strings.Count(pad, "\n") + 1
		found, err := Scan("f", iotest.HalfReader(strings.NewReader(text)))
		if err != nil || len(found) != 1 || found[0].Line != want {
			t.Errorf("at byte %d: %v %v, want line %d", at, found, err, want)
		}
	}
}

// A binary file is scanned for tokens too; a key store is known by its name.
func TestBinary(t *testing.T) {
	dir := t.TempDir()
	b := append(bytes.Repeat([]byte{0, 1, 255, '\n'}, 1000), []byte("\x00hf_"+drawn(34, mixed)+"\x00")...)
	for name, content := range map[string][]byte{"weights.pkl": b, "keys.P12": {1, 2, 3}} {
		if err := os.WriteFile(dir+"/"+name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := ScanFS(os.DirFS(dir), []string{"keys.P12", "weights.pkl"})
	if err != nil || fmt.Sprint(found) != "[keys.P12, line 1: PKCS #12 key store weights.pkl, line 1001: Hugging Face token]" {
		t.Error(found, err)
	}
}

func TestMany(t *testing.T) {
	var b strings.Builder
	for range 5 * MaxFound {
		b.WriteString("ghp_" + drawn(36, mixed) + "\n")
	}
	if n := len(scanText(t, b.String())); n != MaxFound {
		t.Errorf("%d found", n)
	}
}

func FuzzScan(f *testing.F) {
	for _, values := range planted(f) {
		for _, v := range values {
			f.Add("x\n" + v)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, x := range scanText(t, text) {
			if x.Line < 1 || x.Line > strings.Count(text, "\n")+1 || x.Kind == "" {
				t.Errorf("%+v in a text of %d lines", x, strings.Count(text, "\n")+1)
			}
		}
	})
}

func BenchmarkScan(b *testing.B) {
	r := mrand.New(mrand.NewPCG(1, 2))
	weights := make([]byte, 32<<20)
	for i := range weights {
		weights[i] = byte(r.Uint32())
	}
	b.SetBytes(int64(len(weights)))
	for b.Loop() {
		if _, err := Scan("weights", bytes.NewReader(weights)); err != nil {
			b.Fatal(err)
		}
	}
}
