package harness

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"proctor/harness/report"
	"proctor/harness/runner"
	"proctor/harness/store"
)

// Credentials are put together here: nothing of the kind lies in the repository.
var (
	aToken = "ghp_" + strings.Repeat("Zq7Wm4Kx9", 4)
	aKey   = "-----BEGIN PRIVATE KEY" + "-----\n" + strings.Repeat("Zq7Wm4Kx", 20)
)

// modelWith is the honest model with more files.
func modelWith(files map[string]string) []byte {
	b, _ := json.Marshal(toyModel{})
	all := map[string]string{"m.onnx": string(b),
		runner.ManifestFile: `{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","batch_max":64,"task":"classification","classes":["no","yes"]}`}
	for name, text := range files {
		all[name] = text
	}
	return pack(all)
}

func (w *world) report(id string) *report.Report {
	w.t.Helper()
	v, err := w.s.Report(context.Background(), person("rev1"), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return v.Report
}

// A private key keeps a package out unless the policy says otherwise; a token is told
// to reviewers unless the policy refuses it. Nobody is told the value.
func TestCredentialsInPackages(t *testing.T) {
	for _, c := range []struct {
		rule, refusal string
		files         map[string]string
		found         []report.Credential
	}{
		{"", "keys/id, line 3: private key (PEM)", map[string]string{"keys/id": "\n\n" + aKey}, nil},
		{"", "", map[string]string{"conf": "a\n" + aToken}, []report.Credential{{File: "conf", Line: 2, Kind: "GitHub token"}}},
		{"package: {tokens: refuse}\n", "conf, line 2: GitHub token", map[string]string{"conf": "a\n" + aToken}, nil},
		{"package: {private_keys: warn}\n", "", map[string]string{"id": aKey}, []report.Credential{{File: "id", Line: 1, Kind: "private key (PEM)", Private: true}}},
		{"", "", map[string]string{"README": "no secrets here"}, []report.Credential{}},
	} {
		w := newWorld(t)
		w.seal(1)
		w.rule(testPolicy + c.rule)
		v, err := w.submit("sub1", "m", modelWith(c.files))
		if c.refusal != "" {
			w.refused(c.refusal, err)
			if text := err.Error(); strings.Contains(text, "Zq7W") {
				t.Errorf("a submitter is told %s", text)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if v = w.work(v.ID); v.State != "done" {
			t.Fatalf("%+v\n%s", v, w.log)
		}
		r := w.report(v.ID)
		if r.Package == nil || !slices.Equal(r.Package.Credentials, c.found) {
			t.Errorf("%q: the report says %+v, want %+v", c.rule, r.Package, c.found)
		}
		if b, _ := json.Marshal(r); strings.Contains(string(b), "Zq7W") || strings.Contains(w.log.String(), "Zq7W") {
			t.Error("the value stands in the report or the log")
		}
	}
}

// A record in the database is not an admission: what the policy refuses is refused
// again before a row is handed out, and costs nothing.
func TestAdmittedByTheRecordOnly(t *testing.T) {
	w := newWorld(t).begin()
	raw, f := modelWith(map[string]string{"id": aKey}), w.force()
	pkg, _, err := w.s.inspect(context.Background(), raw)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := w.s.Blobs.Put(context.Background(), raw)
	if err != nil {
		t.Fatal(err)
	}
	run := store.Run{ID: w.s.newID(), Dedupe: f.question(pkg.Digest), Lineage: "line", Package: pkg.Digest, PackageName: "m",
		PackageKind: "onnx", PackageBlob: string(ref), SubmittedBy: "sub1", SubmittedPerson: "sub1"}
	if err := w.store.Update(context.Background(), func(tx *store.Tx) error { _, err := tx.NewRun(run); return err }); err != nil {
		t.Fatal(err)
	}
	if v := w.work(run.ID); v.Reason != packageRefused || v.BudgetLeft != 3 {
		t.Errorf("%+v", v)
	}
}

// What a model writes on standard error is looked through too.
func TestCredentialsOnStderr(t *testing.T) {
	w := newWorld(t).begin()
	v := w.run("m", misbehaver(t, "tells"))
	if v.State != "done" {
		t.Fatalf("%+v\n%s", v, w.log)
	}
	if r := w.report(v.ID); len(r.Package.Credentials) != 1 || r.Package.Credentials[0] != (report.Credential{File: "standard error", Line: 1, Kind: "GitHub token"}) {
		t.Errorf("%+v", r.Package)
	}
}
