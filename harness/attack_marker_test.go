package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"proctor/harness/report"
	"proctor/harness/store/sqlite"
	"proctor/web/api"
)

// T109: a service is killed while models have sealed rows in hand. Neither what it left
// on the disk, nor a backup of its database, nor anything that it says to anybody who
// may not see rows afterwards has the value that was planted in a sealed row.
func TestNothingLeaksAfterKills(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(table(1)), "\n")
	f := strings.Split(lines[9], ",")
	f[1] = marker
	lines[9] = strings.Join(f, ",")
	w := newWorld(t)
	c, err := w.propose(testSpec, strings.Join(lines, "\n")+"\n", table(2))
	w.activate(c, err, "cur2")
	for l := range crashLines {
		text := strings.Replace(testPolicy, "lineage: line", "lineage: "+crashLine(l), 1)
		w.rule(strings.Replace(text, "policy: rule", "policy: rule-"+crashLine(l), 1))
	}
	w.close()
	needles := [][]byte{[]byte(marker)}
	for life := range 3 {
		if _, err = crashLife(w.dir, time.Duration(300*(1+life))*time.Millisecond, map[string]bool{}); err != nil {
			t.Fatal(err)
		}
		if n, found := search(t, w.dir, needles); n < 15 || len(found) > 0 {
			t.Fatalf("life %d: %d files, found in %v", life, n, found)
		}
	}
	w.open()
	runs := must1[[]api.Submission](w)(w.s.Submissions(context.Background(), person("aud"), api.Search{Limit: 100}))
	w.work(runs[0].ID) // one at least has ended
	if err := sqlite.Backup(context.Background(), w.dir+"/p.db", w.dir+"/backup.db"); err != nil {
		t.Fatal(err)
	}
	said := w.everythingSaid()
	if len(said) < 10_000 || bytes.Contains(said, []byte(marker)) || strings.Contains(w.log.String(), marker) {
		t.Errorf("%d bytes were said; the marker is in them: %v", len(said), bytes.Contains(said, []byte(marker)))
	}
	if _, found := search(t, w.dir, needles); len(found) > 0 {
		t.Errorf("found in %v", found)
	}
	// Control: rows that a reviewer asks for have it, and only they.
	if shown, err := w.s.ShowRows(context.Background(), person("rev1"), runs[0].ID, []int{9}); err != nil || !strings.Contains(string(shown.Rows[0].Values), marker) {
		t.Errorf("negative control: %v", err)
	}
}

// everythingSaid collects what people of every role can read of a service without
// asking for a row.
func (w *world) everythingSaid() []byte {
	w.t.Helper()
	ctx, all := context.Background(), []any{}
	add := func(v any, err error) {
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, v)
	}
	runs := must1[[]api.Submission](w)(w.s.Submissions(ctx, person("aud"), api.Search{Limit: 100}))
	add(runs, nil)
	for _, r := range runs {
		if r.Result == "" {
			continue
		}
		v := must1[ReportView](w)(w.s.Report(ctx, person("rev1"), r.ID))
		add(string(v.Bytes), nil)
		b, err := w.s.Bundle(ctx, person("rev1"), r.ID, "evidence")
		add(string(b), err)
		if _, err := report.Decode(v.Bytes, v.Digest); err != nil {
			w.t.Fatal(err)
		}
	}
	for l := range crashLines {
		v, err := w.s.Budget(ctx, person("cur1"), crashLine(l))
		add(v, err)
	}
	changes, err := w.s.Changes(ctx, person("cur1"))
	add(changes, err)
	audit, err := w.s.Audit(ctx, person("aud"))
	add(audit, err)
	set, err := w.s.Holdout(ctx, person("cur1"), "exam")
	add(set, err)
	b, err := json.Marshal(all)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}
