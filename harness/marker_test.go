package harness

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const marker = "MARKER-of-32-bytes-in-a-sealed-1" // in a row of the sealed set

// T109: after runs, a crash, reports, an audit and a restart, a value planted in a
// sealed row, and the order of its answers, is in no file of the service and in no
// word that it said. A copy of the plain table is found by the same search.
func TestNothingLeaksToDisk(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(table(1)), "\n")
	var answers []string
	for i, line := range lines[1:] {
		f := strings.Split(line, ",")
		if i == 7 {
			f[1] = marker
			lines[i+1] = strings.Join(f, ",")
		}
		if i < 64 {
			answers = append(answers, f[3])
		}
	}
	plain := strings.Join(lines, "\n") + "\n"
	w := newWorld(t)
	c, err := w.propose(testSpec, plain, table(2))
	w.activate(c, err, "cur2")
	w.rule(testPolicy)
	w.deploy("v1", model(0, ""))
	v := w.run("v2", model(0.02, "s"))
	w.run("crash", misbehaver(t, "panics"))
	if _, err := w.s.Report(context.Background(), person("rev1"), v.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.propose(strings.Replace(testSpec, "features: [x, tag]", "features: [x, tag, label]", 1), plain, ""); err == nil || strings.Contains(err.Error(), marker) {
		t.Errorf("%v", err)
	}
	w.clean()
	said := w.log.String()
	w.restart()
	needles := [][]byte{[]byte(marker), []byte(hex.EncodeToString([]byte(marker)))}
	for skip := range 3 { // base64 has three forms, by where the text begins
		s := base64.StdEncoding.EncodeToString([]byte(marker[skip:]))
		needles = append(needles, []byte(s[:len(s)-6]))
	}
	for _, sep := range []string{"", ",", "\n", `","`} {
		needles = append(needles, []byte(strings.Join(answers, sep)))
	}
	codes, wide := []byte{}, []byte{}
	for _, a := range answers {
		k := byte(0)
		if a == "yes" {
			k = 1
		}
		codes, wide = append(codes, k), append(wide, k, 0, 0, 0)
	}
	needles = append(needles, codes, wide)
	files, found := search(t, w.dir, needles)
	if files < 15 || len(found) > 0 {
		t.Errorf("%d files, found in %v", files, found)
	}
	for _, n := range needles {
		if bytes.Contains([]byte(said+w.log.String()), n) {
			t.Errorf("the log has %q", n)
		}
	}
	// Negative control.
	if err := os.WriteFile(w.dir+"/copy.csv", []byte(plain), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, found := search(t, w.dir, needles); len(found) == 0 {
		t.Error("negative control: the plain table is not found")
	}
}

// search looks for needles in every file below dir.
func search(t *testing.T, dir string, needles [][]byte) (files int, found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files++
		for _, n := range needles {
			if bytes.Contains(b, n) {
				found = append(found, path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, found
}
