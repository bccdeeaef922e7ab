package harness

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"proctor/harness/policy"
	"proctor/harness/provenance"
	"proctor/harness/report"
	"proctor/harness/runner"
	"proctor/harness/store"
	"proctor/harness/verdict"
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
	id := w.recorded(modelWith(map[string]string{"id": aKey}))
	if v := w.work(id); v.Reason != packageRefused || v.BudgetLeft != 3 {
		t.Errorf("%+v", v)
	}
}

// recorded queues a package by a record alone, as if it had been admitted.
func (w *world) recorded(raw []byte) string {
	w.t.Helper()
	f := w.force()
	pkg, _, err := w.s.inspect(context.Background(), raw)
	if err != nil {
		w.t.Fatal(err)
	}
	ref, err := w.s.Blobs.Put(context.Background(), raw)
	if err != nil {
		w.t.Fatal(err)
	}
	run := store.Run{ID: w.s.newID(), Dedupe: f.question(pkg.Digest), Lineage: "line", Package: pkg.Digest, PackageName: "m",
		PackageKind: "onnx", PackageBlob: string(ref), SubmittedBy: "sub1", SubmittedPerson: "sub1"}
	if err := w.store.Update(context.Background(), func(tx *store.Tx) error { _, err := tx.NewRun(run); return err }); err != nil {
		w.t.Fatal(err)
	}
	return run.ID
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

func aRecord(data string) string {
	d := "sha256:" + strings.Repeat("0", 64)
	return `{"format":"proctor/training/1","datasets":[{"name":"` + data + `","digest":"` + d + `"}],"code":{"name":"repo","commit":"` + strings.Repeat("0", 40) +
		`"},"lockfile":{"name":"lock","digest":"` + d + `"},"configuration":{"name":"conf","digest":"` + d + `"}}`
}

// signed is the honest model, signed by s.
func signed(t *testing.T, w *world, s verdict.Signer, files map[string]string) []byte {
	t.Helper()
	_, seen, err := w.s.inspect(context.Background(), modelWith(files))
	if err != nil {
		t.Fatal(err)
	}
	payload, err := provenance.SignatureStatement("model", seen.files)
	if err != nil {
		t.Fatal(err)
	}
	b, err := verdict.SignForeign(context.Background(), payload, s)
	if err != nil {
		t.Fatal(err)
	}
	all := maps.Clone(files)
	all[provenance.SignatureFile] = string(b)
	return modelWith(all)
}

// A policy that asks for a signature takes what a key of its own signed, whole, and
// nothing else; who signed is in the report and in the evidence.
func TestSignedPackages(t *testing.T) {
	w := newWorld(t)
	own, err := verdict.CreateKey(w.dir + "/owner.pem")
	if err != nil {
		t.Fatal(err)
	}
	other, err := verdict.CreateKey(w.dir + "/other.pem")
	if err != nil {
		t.Fatal(err)
	}
	text, err := verdict.PublicPEM(own.Public())
	if err != nil {
		t.Fatal(err)
	}
	w.seal(1)
	w.rule(testPolicy + "package: {signature: required, training_record: required, keys: [{name: ml-team, key: \"" + policy.KeyText(text) + "\"}]}\n")
	files := map[string]string{provenance.TrainingFile: aRecord("a")}
	_, err = w.submit("sub1", "m", modelWith(files))
	w.refused("asks for a signature, and the package has no model.sig", err)
	_, err = w.submit("sub1", "m", signed(t, w, other, files))
	w.refused("model.sig: envelope: none of the known keys made its signature", err)
	_, err = w.submit("sub1", "m", signed(t, w, own, map[string]string{"x": "y"}))
	w.refused("asks for a training record", err)
	_, err = w.submit("sub1", "m", modelWith(map[string]string{provenance.TrainingFile: "{}"}))
	w.refused("training-record.json: ", err)
	late := maps.Clone(files) // a file that joined after the signature
	_, seen, err := w.s.inspect(context.Background(), signed(t, w, own, files))
	if err != nil {
		t.Fatal(err)
	}
	late[provenance.SignatureFile], late["sitecustomize.py"] = string(seen.signature), "import os"
	_, err = w.submit("sub1", "m", modelWith(late))
	w.refused(`model.sig: it does not name "sitecustomize.py"`, err)

	v := w.run("m", signed(t, w, own, files))
	if v.State != "done" {
		t.Fatalf("%+v\n%s", v, w.log)
	}
	p := w.report(v.ID).Package
	if len(p.Attestations) != 1 || p.Attestations[0].By != "ml-team" || p.Attestations[0].Kind != provenance.Signature || p.Training == nil || p.Training.Digest == "" || p.Training.Changes != nil {
		t.Errorf("%+v %+v", p, p.Training)
	}
	e := w.evidence(v.ID)
	if len(e.Attestations) != 2 || e.Attestations[0].By != "ml-team" || e.Attestations[1].Kind != "training-record" || e.Attestations[1].By != "" {
		t.Errorf("%+v", e.Attestations)
	}
	w.clean()
}

func (w *world) evidence(id string) *verdict.Evidence {
	w.t.Helper()
	var e *verdict.Evidence
	err := w.store.View(context.Background(), func(tx *store.Tx) error {
		r, err := tx.Run(id)
		if err == nil {
			_, e, err = w.s.loggedEvidence(tx, r)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// A signature that no key of the policy can judge is not claimed; new data against the
// deployed model's is said in the report and in the evidence.
func TestTrainingRecords(t *testing.T) {
	w := newWorld(t).begin()
	w.deploy("v1", modelWith(map[string]string{provenance.TrainingFile: aRecord("a")}))
	v := w.run("v2", modelWith(map[string]string{provenance.TrainingFile: aRecord("b"), provenance.SignatureFile: "{}"}))
	if v.State != "done" {
		t.Fatalf("%+v\n%s", v, w.log)
	}
	p, want := w.report(v.ID).Package, []string{`Data set "b" is new.`, `Data set "a" is not used any more.`}
	if len(p.Attestations) != 0 || p.Training == nil || p.Training.Baseline == "" || !slices.Equal(p.Training.Changes, want) {
		t.Errorf("%+v %+v", p, p.Training)
	}
	if e := w.evidence(v.ID); !slices.Equal(e.TrainingChanges, want) || len(e.Attestations) != 1 {
		t.Errorf("%+v %q", e.Attestations, e.TrainingChanges)
	}
	events, err := w.s.Follow(context.Background(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	alerts := ""
	for _, e := range events {
		alerts += strings.Join(e.Alerts, "\n") + "\n"
	}
	if !strings.Contains(alerts, `the training record of v2: Data set "b" is new.`) {
		t.Errorf("nobody is told: %s", alerts)
	}
	w.clean()
}
