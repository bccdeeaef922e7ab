package harness

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"proctor/harness/store"
	"proctor/regress"
)

// T07: one of 200 known-bad cases is deleted in the database while the service is stopped,
// so that the document contradicts its counts, and so that it is consistent but another.
// Nothing is judged on either; untouched, the same candidate gets its verdict.
func TestSuiteThinnedInTheDatabase(t *testing.T) {
	w := newWorld(t)
	w.seal(1)
	cases := ""
	for i := range 200 {
		cases += fmt.Sprintf("0.9%03d,k%d,yes\n", i, i)
	}
	c, err := w.s.ProposeSuite(context.Background(), person("cur1"), bytes.NewReader(packedSuite(cases, "")))
	w.activate(c, err, "cur2")
	w.rule(rulesFor(-10, "s"))
	w.deploy("first", model(0, "a"))

	// (a) One person alone: the proposal names the case that would be gone, and is not in force.
	thin, err := w.s.ProposeSuite(context.Background(), person("cur1"), bytes.NewReader(packedSuite(strings.Replace(cases, "0.9017,k17,yes\n", "", 1), "")))
	if err != nil || !strings.Contains(thin.Note, "1 cases deleted") {
		t.Fatalf("%q %v", thin.Note, err)
	}
	if _, err := w.s.DecideChange(context.Background(), person("cur1"), thin.ID, true); err == nil {
		t.Error("one person thinned the suite")
	}

	// (b) In the database.
	var doc store.Document
	if err := w.store.View(context.Background(), func(tx *store.Tx) (err error) { doc, err = tx.Document(c.Digest); return err }); err != nil {
		t.Fatal(err)
	}
	whole, err := regress.Decode(doc.Body)
	if err != nil {
		t.Fatal(err)
	}
	part, _ := whole.Part(func(_, i int) bool { return i != 17 })
	consistent := part.Encode()
	counted := bytes.Replace(consistent, []byte(`"cases":199,"examples":199`), []byte(`"cases":200,"examples":200`), 1)
	if _, err := regress.Decode(counted); err == nil || !strings.Contains(err.Error(), "suite.count_mismatch") {
		t.Errorf("%v", err)
	}
	w.close()
	kept := copyDir(t, w.dir)
	for name, body := range map[string][]byte{"": doc.Body, "it contradicts its counts": counted, "it is consistent": consistent} {
		v := &world{t: t, dir: copyDir(t, kept)}
		v.sql(`UPDATE documents SET body = x'` + hex.EncodeToString(body) + `' WHERE digest = '` + c.Digest + `'`)
		v.open()
		r, err := v.submit("sub1", "second", model(0.02, "b"))
		if err == nil {
			r = v.work(r.ID)
		}
		if judged := err == nil && r.Result != ""; judged != (name == "") {
			t.Errorf("%q: %+v %v", name, r, err)
		}
		if found := v.audit(); (found == "") != (name == "") {
			t.Errorf("%q: audit %q", name, found)
		}
		v.close()
	}
}

// A suite is a tar of plain files: archives of another kind are refused at once.
func TestSuiteArchivesOfOtherKinds(t *testing.T) {
	w := newWorld(t)
	zip := append([]byte("PK\x03\x04\x14\x00\x00\x00\x08\x00"), bytes.Repeat([]byte{0}, 1<<20)...)
	gzip := append([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3}, bytes.Repeat([]byte{0xff}, 1<<20)...)
	for name, b := range map[string][]byte{"zip": zip, "gzip": gzip, "nothing": nil} {
		start := time.Now()
		if _, err := w.s.ProposeSuite(context.Background(), person("cur1"), bytes.NewReader(b)); err == nil {
			t.Errorf("%s is taken for a suite", name)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%s: it took %v", name, d)
		}
	}
	if _, err := w.s.ProposeSuite(context.Background(), person("cur1"), bytes.NewReader(packedSuite("0.9,k,yes\n", ""))); err != nil {
		t.Errorf("control: %v", err)
	}
}
