package harness

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"proctor/harness/report"
	"proctor/harness/runner"
	"proctor/holdout"
	"proctor/holdout/rows"
	"proctor/web/api"
)

// trainedOn packs a model with the fingerprint of a table.
func trainedOn(t *testing.T, text string, lines int, salt string) []byte {
	t.Helper()
	recs, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var x []float64
	var tag []string
	for _, r := range recs[1 : 1+lines] {
		v, err := strconv.ParseFloat(r[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		x, tag = append(x, v), append(tag, r[1])
	}
	train, err := rows.New(rows.Column{Name: "x", Floats: x}, rows.Column{Name: "tag", Strings: tag})
	if err != nil {
		t.Fatal(err)
	}
	f, err := holdout.NewFingerprint(train, []string{"x", "tag"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := json.Marshal(toyModel{Salt: salt})
	if err != nil {
		t.Fatal(err)
	}
	return pack(map[string]string{"m.onnx": string(m), fingerprintFile: string(f.Bytes()),
		runner.ManifestFile: `{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","batch_max":64,"task":"classification","classes":["no","yes"]}`})
}

// A model whose own package says that it was trained on the set fails, and its
// submitter learns that much and no number. Without the declaration the same model
// passes: what nobody declares is left to canaries and twins.
func TestTrainedOnTheSet(t *testing.T) {
	w := newWorld(t)
	w.seal(1)
	w.rule(strings.Replace(testPolicy, "budget_runs: 3", "budget_runs: 4", 1))
	w.deploy("v1", model(0, ""))
	for _, c := range []struct {
		name    string
		archive []byte
		result  string
		hits    int64
	}{
		{"all", trainedOn(t, table(1), testRows, "all"), report.Fail, testRows},
		{"fresh", trainedOn(t, table(2), testRows, "fresh"), report.Pass, 0},
		{"undeclared", model(0, "all"), report.Pass, -1},
	} {
		v := w.run(c.name, c.archive)
		view, err := w.s.Report(context.Background(), person("rev1"), v.ID)
		if err != nil {
			t.Fatal(err)
		}
		hits := int64(-1)
		for _, p := range view.Report.Probes {
			if p.Name == "training overlap" {
				hits = p.Hits
			}
		}
		if v.Result != c.result || hits != c.hits {
			t.Errorf("%s: %s %q, %d rows; want %s and %d", c.name, v.Result, view.Report.Decision.Sentence, hits, c.result, c.hits)
		}
		if seen := must1[api.Submission](w)(w.s.Submission(context.Background(), person("sub1"), v.ID)); c.result == report.Fail && (seen.Reason != "memorisation" || strings.Contains(seen.Sentence, "400")) {
			t.Errorf("a submitter reads %+v", seen)
		}
	}
	_, err := w.submit("sub1", "cut", pack(map[string]string{"m.onnx": "{}", fingerprintFile: "{}\n",
		runner.ManifestFile: `{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","batch_max":64,"task":"classification","classes":["no","yes"]}`}))
	w.refused("training-fingerprint.bin", err)
	w.clean()
}
