package harness

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"testing"

	"proctor/harness/jail"
	"proctor/harness/runner"
)

// imagePackage is a container image with one program in it, as a package.
func imagePackage(t *testing.T, program string, argv ...string) map[string]string {
	t.Helper()
	files := map[string]string{}
	blob := func(b []byte, kind string) map[string]any {
		sum := sha256.Sum256(b)
		digest := hex.EncodeToString(sum[:])
		files["image/blobs/sha256/"+digest] = string(b)
		return map[string]any{"mediaType": kind, "digest": "sha256:" + digest, "size": len(b)}
	}
	encode := func(v any) []byte {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	w.WriteHeader(&tar.Header{Name: "bin/model", Mode: 0o755, Size: int64(len(program)), Typeflag: tar.TypeReg})
	w.Write([]byte(program))
	w.Close()
	l := blob(layer.Bytes(), "application/vnd.oci.image.layer.v1.tar")
	c := blob(encode(map[string]any{"os": "linux", "config": map[string]any{"Entrypoint": []string{"model"}, "Cmd": argv}, "rootfs": map[string]any{"diff_ids": []any{l["digest"]}}}), "")
	m := blob(encode(map[string]any{"schemaVersion": 2, "config": c, "layers": []any{l}}), "")
	files[runner.ManifestFile] = string(encode(map[string]any{"protocol": "proctor/1", "kind": "image", "image": m["digest"], "batch_max": 32,
		"task": "classification", "classes": []string{"no", "yes"}}))
	return files
}

// An image goes the whole way; one whose layer is not what its digest says ends before
// a row is given to it, and its submitter is told in fixed words.
func TestImage(t *testing.T) {
	if have, why := jail.Probe(); !have.AtLeast(jail.NoCgroup) {
		t.Skipf("an image needs a root of its own; this machine has tier %s: %v", have, why)
	}
	bin, err := built()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t).begin()
	files := imagePackage(t, bin, "well")
	if v := w.run("v1", pack(files)); v.State != "done" || v.Result != "PASS" {
		t.Fatalf("%+v\n%s", v, w.log)
	}
	spoilt := maps.Clone(files)
	for name, b := range spoilt {
		if len(b) > 1<<20 {
			spoilt[name] = b[:1<<20] + "x" + b[1<<20+1:]
		}
	}
	if v := w.run("v2", pack(spoilt)); v.Reason != runner.StartFailed || v.BudgetLeft != 2 {
		t.Errorf("%+v\n%s", v, w.log)
	}
	w.clean()
}
