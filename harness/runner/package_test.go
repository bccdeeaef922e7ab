package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const good = `{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","task":"classification","classes":["no","yes"]}`

// A manifest, and what is wrong with it.
const manifests = `
{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","task":"classification","classes":["no","yes"]}
ok
{"protocol":"proctor/1","kind":"command","command":["python3","serve.py"],"input":"jsonl","batch_max":64,"task":"classification","classes":["no","yes"]}
ok
{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","task":"classification","classes":["no","yes"],"score":1}
unknown key "score"; known are protocol
{"protocol":"proctor/1","Kind":"onnx","model":"m.onnx","task":"classification","classes":["no","yes"]}
unknown key "Kind"
{"protocol":"proctor/1","kind":"onnx","kind":"command","model":"m.onnx","task":"classification","classes":["no","yes"]}
key "kind" appears twice
{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","task":"classification","classes":["no","yes"]} {}
text after the closing brace
{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","task":"classification","classes":null}
"classes" is null
[]
not a JSON object
{"protocol":
"protocol"
{"protocol":"proctor/2","kind":"onnx","model":"m.onnx","task":"classification","classes":["no","yes"]}
"protocol" is "proctor/2"
{"protocol":"proctor/1","kind":"pickle","model":"m.pkl","task":"classification","classes":["no","yes"]}
"kind" is "pickle"; known are command,
{"protocol":"proctor/1","kind":"onnx","model":"../m.onnx","task":"classification","classes":["no","yes"]}
"model": "../m.onnx" is not a path inside
{"protocol":"proctor/1","kind":"onnx","task":"classification","classes":["no","yes"]}
kind "onnx" needs "model"
{"protocol":"proctor/1","kind":"onnx","model":"","task":"classification","classes":["no","yes"]}
"model": "" is not a path inside
{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","command":["x"],"task":"classification","classes":["no","yes"]}
has no "command"
{"protocol":"proctor/1","kind":"wasm","model":"m.wasm","task":"classification","classes":["no","yes"]}
ok
{"protocol":"proctor/1","kind":"wasm","task":"classification","classes":["no","yes"]}
kind "wasm" needs "model"
{"protocol":"proctor/1","kind":"wasm","model":"/m.wasm","task":"classification","classes":["no","yes"]}
"model": "/m.wasm" is not a path inside
{"protocol":"proctor/1","kind":"wasm","model":"m.wasm","command":["x"],"task":"classification","classes":["no","yes"]}
kind "wasm" has no "command"
{"protocol":"proctor/1","kind":"onnxruntime","model":"m.onnx","task":"classification","classes":["no","yes"]}
ok
{"protocol":"proctor/1","kind":"onnxruntime","model":"../m.onnx","task":"classification","classes":["no","yes"]}
"model": "../m.onnx" is not a path inside
{"protocol":"proctor/1","kind":"http","command":["python3","serve.py"],"api":"oip","port":8080,"model":"m","task":"classification","classes":["no","yes"]}
ok
{"protocol":"proctor/1","kind":"http","command":["python3"],"api":"openai-chat","port":8080,"model":"m","prompt":"{x}?","task":"classification","classes":["no","yes"]}
ok
{"protocol":"proctor/1","kind":"http","command":["python3"],"api":"openai-chat","port":8080,"model":"m","prompt":"{x}?","answers":["Nein","Ja"],"max_tokens":1,"task":"classification","classes":["no","yes"]}
ok
{"protocol":"proctor/1","kind":"http","command":["python3","serve.py"],"port":8080,"model":"m","task":"classification","classes":["no","yes"]}
kind "http" needs "api"
{"protocol":"proctor/1","kind":"http","api":"oip","port":8080,"model":"m","task":"classification","classes":["no","yes"]}
kind "http" needs "command"
{"protocol":"proctor/1","kind":"http","command":["python3","serve.py"],"api":"grpc","port":8080,"model":"m","task":"classification","classes":["no","yes"]}
"api" is "grpc"; known are oip, openai-chat, openai-completions
{"protocol":"proctor/1","kind":"http","command":["python3","serve.py"],"api":"oip","port":80,"model":"m","task":"classification","classes":["no","yes"]}
"port" is 80
{"protocol":"proctor/1","kind":"http","command":["python3","serve.py"],"api":"oip","port":65536,"model":"m","task":"classification","classes":["no","yes"]}
"port" is 65536
{"protocol":"proctor/1","kind":"http","command":["python3","serve.py"],"api":"oip","port":8080,"model":"","task":"classification","classes":["no","yes"]}
is not the name of a model
{"protocol":"proctor/1","kind":"http","command":["python3","serve.py"],"api":"oip","port":8080,"model":"m\n","task":"classification","classes":["no","yes"]}
is not the name of a model
{"protocol":"proctor/1","kind":"http","command":["python3","serve.py"],"api":"oip","prompt":"{x}","port":8080,"model":"m","task":"classification","classes":["no","yes"]}
api "oip" has no "prompt"
{"protocol":"proctor/1","kind":"http","command":["python3","serve.py"],"api":"oip","answers":["a","b"],"port":8080,"model":"m","task":"classification","classes":["no","yes"]}
api "oip" has no "answers"
{"protocol":"proctor/1","kind":"http","command":["python3"],"api":"openai-chat","port":8080,"model":"m","task":"classification","classes":["no","yes"]}
"prompt": no column in braces
{"protocol":"proctor/1","kind":"http","command":["python3"],"api":"openai-chat","port":8080,"model":"m","prompt":"say yes","task":"classification","classes":["no","yes"]}
"prompt": no column in braces
{"protocol":"proctor/1","kind":"http","command":["python3"],"api":"openai-chat","answers":["a"],"port":8080,"model":"m","prompt":"{x}?","task":"classification","classes":["no","yes"]}
"answers" has 1 entries for 2 classes
{"protocol":"proctor/1","kind":"http","command":["python3"],"api":"openai-chat","answers":[],"port":8080,"model":"m","prompt":"{x}?","task":"classification","classes":["no","yes"]}
"answers" has 0 entries for 2 classes
{"protocol":"proctor/1","kind":"http","command":["python3"],"api":"openai-chat","answers":["Yes."," yes"],"port":8080,"model":"m","prompt":"{x}?","task":"classification","classes":["no","yes"]}
answer 2: " yes" is the same as another
{"protocol":"proctor/1","kind":"http","command":["python3"],"api":"openai-chat","answers":["."," yes"],"port":8080,"model":"m","prompt":"{x}?","task":"classification","classes":["no","yes"]}
answer 1: "." is empty
{"protocol":"proctor/1","kind":"http","command":["python3"],"api":"openai-chat","port":8080,"model":"m","prompt":"{x}?","task":"classification","classes":["yes","Yes"]}
answer 2: "Yes" is the same as another
{"protocol":"proctor/1","kind":"http","command":["python3"],"api":"openai-chat","max_tokens":0,"port":8080,"model":"m","prompt":"{x}?","task":"classification","classes":["no","yes"]}
"max_tokens" is 0
{"protocol":"proctor/1","kind":"http","command":["python3"],"api":"openai-chat","max_tokens":5000,"port":8080,"model":"m","prompt":"{x}?","task":"classification","classes":["no","yes"]}
"max_tokens" is 5000
{"protocol":"proctor/1","kind":"command","command":["x"],"model":"m.onnx","task":"classification","classes":["no","yes"]}
has no "model"
{"protocol":"proctor/1","kind":"command","command":[],"task":"classification","classes":["no","yes"]}
"command" has 0 words
{"protocol":"proctor/1","kind":"command","command":["/bin/sh"],"task":"classification","classes":["no","yes"]}
not an absolute path
{"protocol":"proctor/1","kind":"command","command":["../sh"],"task":"classification","classes":["no","yes"]}
word 1: "../sh" is not a path inside
{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","task":"classification","classes":["yes"]}
"classes" has 1 entries
{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","task":"classification","classes":["yes","yes"]}
"classes" names "yes" twice
{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","task":"classification","classes":["yes","yes "]}
"classes", entry 2
{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","task":"classification","classes":["yes","ye\u200bs"]}
"classes", entry 2
{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","task":"classification","classes":["no",""]}
"classes", entry 2
{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","task":"regression","classes":["no","yes"]}
"task" is "regression"
{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","input":"arrow","task":"classification","classes":["no","yes"]}
"input" is "arrow"; for kind "onnx" known are jsonl
{"protocol":"proctor/1","kind":"command","command":["./x"],"input":"arrow","task":"classification","classes":["no","yes"]}
ok
{"protocol":"proctor/1","kind":"command","command":["./x"],"input":"csv","task":"classification","classes":["no","yes"]}
"input" is "csv"; for kind "command" known are jsonl, arrow
{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","batch_max":0,"task":"classification","classes":["no","yes"]}
"batch_max" is 0
{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","batch_max":"many","task":"classification","classes":["no","yes"]}
batch_max
`

func TestManifest(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(manifests), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		m, err := ParseManifest([]byte(lines[i]))
		want := lines[i+1]
		switch {
		case want == "ok" && err != nil:
			t.Errorf("%s\n%v", lines[i], err)
		case want == "ok" && (m.BatchMax == 0 || m.Input == ""):
			t.Errorf("defaults are missing: %+v", m)
		case want != "ok" && (err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), ManifestFile)):
			t.Errorf("%s\nwant %q, got %v", lines[i], want, err)
		}
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The digest is what sha256sum says of the text in Digest's comment.
func TestDigest(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, ManifestFile, good)
	write(t, dir, "m.onnx", "weights")
	write(t, dir, "a/b.txt", "")
	p, err := ReadPackage(dir)
	if err != nil {
		t.Fatal(err)
	}
	sum := func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
	text := "proctor-package/1\n" +
		sum("") + "  0  a/b.txt\n" +
		sum("weights") + "  7  m.onnx\n" +
		sum(good) + fmt.Sprintf("  %d  %s\n", len(good), ManifestFile)
	if want := "sha256:" + sum(text); p.Digest != want {
		t.Errorf("%s, want %s of\n%s", p.Digest, want, text)
	}
	before := p.Digest
	for _, change := range []func(){
		func() { write(t, dir, "m.onnx", "weightz") },
		func() { os.Rename(filepath.Join(dir, "a/b.txt"), filepath.Join(dir, "a/c.txt")) },
		func() { write(t, dir, "d", "") },
		func() { write(t, dir, ManifestFile, good+"\n") },
	} {
		change()
		p, err := ReadPackage(dir)
		if err != nil || p.Digest == before {
			t.Errorf("a change keeps the digest, %v", err)
		}
		before = p.Digest
	}
	os.Mkdir(filepath.Join(dir, "empty"), 0o700)
	os.Chmod(filepath.Join(dir, "m.onnx"), 0o755)
	if p, err := ReadPackage(dir); err != nil || p.Digest != before {
		t.Errorf("an empty folder or a mode changes the digest, %v", err)
	}
}

func TestPackageRefuses(t *testing.T) {
	for want, spoil := range map[string]func(dir string) error{
		"is missing":                   func(d string) error { return os.Remove(filepath.Join(d, ManifestFile)) },
		`names "m.onnx", which is not`: func(d string) error { return os.Remove(filepath.Join(d, "m.onnx")) },
		`"link" is a link`:             func(d string) error { return os.Symlink("m.onnx", filepath.Join(d, "link")) },
		`"out" is a link`:              func(d string) error { return os.Symlink("/etc", filepath.Join(d, "out")) },
		`"s" is a socket`: func(d string) error {
			l, err := net.Listen("unix", filepath.Join(d, "s"))
			if err == nil {
				t.Cleanup(func() { l.Close() })
			}
			return err
		},
		"differ only in case":      func(d string) error { return os.WriteFile(filepath.Join(d, "M.onnx"), nil, 0o644) },
		"a backslash or a colon":   func(d string) error { return os.WriteFile(filepath.Join(d, `..\x`), nil, 0o644) },
		"control or invalid":       func(d string) error { return os.WriteFile(filepath.Join(d, "a\nb"), nil, 0o644) },
		"holds control or invalid": func(d string) error { return os.WriteFile(filepath.Join(d, "a\u202eb"), nil, 0o644) },
		"not a path inside":        func(d string) error { return os.WriteFile(filepath.Join(d, "a\xffb"), nil, 0o644) },
		"ends with a dot":          func(d string) error { return os.WriteFile(filepath.Join(d, "m."), nil, 0o644) },
		"ends with a space":        func(d string) error { return os.WriteFile(filepath.Join(d, "m "), nil, 0o644) },
		"longer than 240":          func(d string) error { return os.WriteFile(filepath.Join(d, strings.Repeat("x", 241)), nil, 0o644) },
		"nested deeper":            func(d string) error { return os.MkdirAll(filepath.Join(d, strings.Repeat("x/", 40)), 0o755) },
	} {
		dir := t.TempDir()
		write(t, dir, ManifestFile, good)
		write(t, dir, "m.onnx", "weights")
		if err := spoil(dir); err != nil {
			t.Logf("%s: this file system refuses it: %v", want, err)
			continue
		}
		_, err := ReadPackage(dir)
		var pe *PackageError
		if !errors.As(err, &pe) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if _, err := ReadPackage(filepath.Join(t.TempDir(), "absent")); err == nil {
		t.Error("an absent folder is a package")
	}
}

// All problems are told at once.
func TestPackageListsProblems(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, ManifestFile, "{}")
	os.Symlink("x", filepath.Join(dir, "link"))
	write(t, dir, "a:b", "")
	_, err := ReadPackage(dir)
	var pe *PackageError
	if !errors.As(err, &pe) || len(pe.Problems) != 3 {
		t.Errorf("%v", err)
	}
}

// Bytes that change between hashing and staging are noticed; a copy that trusted
// the first look would run them.
func TestStageHashesAgain(t *testing.T) {
	for name, swap := range map[string]func(file string) error{
		"other bytes": func(f string) error { return os.WriteFile(f, []byte("weightz"), 0o644) },
		"longer":      func(f string) error { return os.WriteFile(f, []byte("weights and more"), 0o644) },
		"shorter":     func(f string) error { return os.WriteFile(f, nil, 0o644) },
		"gone":        os.Remove,
		"a link out": func(f string) error {
			out := filepath.Join(filepath.Dir(filepath.Dir(f)), "out")
			if err := os.Rename(f, out); err != nil {
				return err
			}
			return os.Symlink(out, f)
		},
	} {
		src := filepath.Join(t.TempDir(), "src")
		write(t, src, ManifestFile, good)
		write(t, src, "m.onnx", "weights")
		p, err := ReadPackage(src)
		if err != nil {
			t.Fatal(err)
		}
		if err := swap(filepath.Join(src, "m.onnx")); err != nil {
			t.Fatal(err)
		}
		if err := Stage(p, src, filepath.Join(t.TempDir(), "staged")); err == nil {
			t.Errorf("%s: staged all the same", name)
		}
		if name == "gone" {
			continue
		}
		naive := t.TempDir()
		data, err := os.ReadFile(filepath.Join(src, "m.onnx"))
		if err != nil || os.WriteFile(filepath.Join(naive, "m.onnx"), data, 0o644) != nil {
			t.Errorf("%s: the naive copy fails too, so nothing is shown: %v", name, err)
		}
	}
}

// However fast a file changes while it is staged: what is staged is what was
// hashed, or nothing is. A copy that does not look again takes the other bytes.
func TestStageRace(t *testing.T) {
	src := filepath.Join(t.TempDir(), "src")
	write(t, src, ManifestFile, good)
	file := filepath.Join(src, "m.onnx")
	write(t, src, "m.onnx", "weights")
	write(t, src, "../other", "weightz")
	p, err := ReadPackage(src)
	if err != nil {
		t.Fatal(err)
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			next := file + ".new"
			switch i % 4 {
			case 0:
				os.WriteFile(next, []byte("weightz"), 0o644)
			case 1:
				os.Symlink("../other", next)
			case 2:
				os.Link(filepath.Join(src, "../other"), next)
			case 3:
				os.WriteFile(next, []byte("weights"), 0o644)
			}
			os.Rename(next, file)
		}
	}()
	defer func() { close(stop); <-done }()
	top := t.TempDir()
	staged, naive := 0, 0
	for i := range 400 {
		if data, err := os.ReadFile(file); err == nil && string(data) != "weights" {
			naive++
		}
		dir := filepath.Join(top, strconv.Itoa(i))
		if Stage(p, src, dir) != nil {
			continue
		}
		staged++
		if data, err := os.ReadFile(filepath.Join(dir, "m.onnx")); err != nil || string(data) != "weights" {
			t.Fatalf("staged %q, %v", data, err)
		}
	}
	t.Logf("%d of 400 staged; a naive copy took other bytes %d times", staged, naive)
	if staged == 0 || naive == 0 {
		t.Error("the race shows nothing")
	}
}

// A stage holds what the package lists, readable and not writable, and nothing else.
func TestStage(t *testing.T) {
	src := t.TempDir()
	write(t, src, ManifestFile, good)
	write(t, src, "m.onnx", "weights")
	write(t, src, "a/b/c", "deep")
	p, err := ReadPackage(src)
	if err != nil {
		t.Fatal(err)
	}
	write(t, src, "unlisted", "x")
	dir, remove, err := StageTemp(p, src)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ReadPackage(dir)
	if err != nil || again.Digest != p.Digest {
		t.Errorf("%v, %v", again, err)
	}
	if fi, err := os.Stat(filepath.Join(dir, "a/b/c")); err != nil || fi.Mode().Perm() != 0o555 {
		t.Error(fi, err)
	}
	if err := Stage(p, src, dir); err == nil {
		t.Error("staged into a folder that is not empty")
	}
	remove()
	if _, err := os.Stat(dir); err == nil {
		t.Error("not removed")
	}
	p.Files[0].Path = "../escape"
	if err := Stage(p, src, filepath.Join(t.TempDir(), "s")); err == nil {
		t.Error("a path leads out of the stage")
	}
}
