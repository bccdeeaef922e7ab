package regress

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
)

// tables lie beside every suite of testdata/load.txt.
var tables = map[string]string{
	"c.csv": "x,y\n1,a\n2,b\n",
	"m.csv": "x,y,expect\n1,a,yes\n2,b,no\n",
}

// TestLoad runs testdata/load.txt: each case is a suite file, tables in the form
// "-- name --", and under "-- want --" the suite or the error that it gives.
func TestLoad(t *testing.T) {
	file, err := os.ReadFile("testdata/load.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(file), "=== ")
	for c := range strings.SplitSeq(text, "\n=== ") {
		title, body, _ := strings.Cut(c, "\n")
		t.Run(title, func(t *testing.T) {
			fsys, want := folder(body)
			if got := load(fsys); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func folder(body string) (fs.FS, string) {
	a := txtar.Parse([]byte(body))
	fsys := fstest.MapFS{"s.yaml": {Data: a.Comment}}
	for name, text := range tables {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	want := ""
	for _, f := range a.Files {
		if f.Name == "want" {
			want = strings.TrimSpace(string(f.Data))
		} else {
			fsys[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	return fsys, want
}

// load returns the suite or the error, as a case has it. Every suite that loads
// must survive its own encoding.
func load(fsys fs.FS) string {
	s, err := Load(fsys, "s.yaml")
	if err != nil {
		return "error " + err.Error()
	}
	back, err := Decode(s.Encode())
	if err != nil {
		return err.Error()
	}
	if got, want := show(back), show(s); got != want {
		return "decodes as\n" + got + "\nwas\n" + want
	}
	return show(s)
}

// show prints a suite, one line a case: carrier | changed forms, or example => class.
func show(s *Suite) string {
	var b strings.Builder
	fmt.Fprintf(&b, "suite %s %q\n", s.Name, s.About)
	for i := range s.Tests {
		t := &s.Tests[i]
		fmt.Fprintf(&b, "test %s %s%s\n", t.Kind, t.Name, attributes(t))
		at := 0
		for c := range t.Len() {
			fmt.Fprintf(&b, "%s:%s", t.CaseID(c), row(t, at))
			at++
			switch {
			case t.Expected != nil && t.Expected[c] == "":
				fmt.Fprintf(&b, " => not %s", t.Forbidden[c])
			case t.Expected != nil:
				fmt.Fprintf(&b, " => %s", t.Expected[c])
			case t.Changed != nil:
				for range t.Changed[c] {
					fmt.Fprintf(&b, " |%s", row(t, at))
					at++
				}
			}
			b.WriteByte('\n')
		}
	}
	return strings.TrimSpace(b.String())
}

func attributes(t *Test) string {
	s := ""
	for _, a := range [][2]string{{"capability", t.Capability}, {"change", t.Change}, {"target", t.Target}, {"class", t.Class}, {"expect", t.Expect}} {
		if a[1] != "" {
			s += fmt.Sprintf(" %s=%q", a[0], a[1])
		}
	}
	if t.Tolerance != nil {
		s += fmt.Sprintf(" tolerance=%v", *t.Tolerance)
	}
	if t.Monotone {
		s += " monotone"
	}
	if t.Critical {
		s += " critical"
	}
	for i, c := range t.Checks {
		s += map[bool]string{true: " checks: ", false: "; "}[i == 0] + c.String()
		if t.Given[i] != nil {
			s += fmt.Sprint(" ", t.Given[i])
		}
	}
	return s
}

func row(t *Test, r int) string {
	s := ""
	for _, c := range t.Examples.Columns() {
		if c.IsNumber() {
			s += fmt.Sprintf(" %v", c.Floats[r])
		} else {
			s += fmt.Sprintf(" %q", c.Strings[r])
		}
	}
	return s
}

const linked = "suite: s\ntests:\n  - {name: t, kind: MFT, cases: %s}\n"

// A case table is read only where it lies as a plain file below the suite. Each
// way out works for a reader without the guard, so the guard is what stops it.
func TestLinksAreNotFollowed(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(outside, "secret.csv"), tables["m.csv"])
	for name, to := range map[string]string{"link.csv": filepath.Join(outside, "secret.csv"), "sub": outside} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ table, want string }{
		{"link.csv", "link.csv is not a plain file or folder; links are not followed"},
		{"sub/secret.csv", "sub is not a plain file or folder; links are not followed"},
	} {
		write(filepath.Join(dir, "s.yaml"), fmt.Sprintf(linked, c.table))
		if _, err := fs.ReadFile(os.DirFS(dir), c.table); err != nil {
			t.Errorf("%s: the way out is not open: %v", c.table, err)
		}
		_, err := Load(os.DirFS(dir), "s.yaml")
		if want := `s.yaml: test 1 ("t"): ` + c.want; err == nil || err.Error() != want {
			t.Errorf("%s:\ngot  %v\nwant %s", c.table, err, want)
		}
	}
	if err := os.Symlink("s.yaml", filepath.Join(dir, "other.yaml")); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(os.DirFS(dir), "other.yaml"); err == nil || !strings.Contains(err.Error(), "links are not followed") {
		t.Errorf("a linked suite file: %v", err)
	}
}

// Hostile nesting ends in a sentence before a recursive parser sees it.
func TestDeepNesting(t *testing.T) {
	for _, unit := range []string{"[", "{a: ", "- ", "? ", "-\t"} {
		if _, err := parseYAML([]byte("suite: " + strings.Repeat(unit, 70))); err == nil || err.Error() != "the file is nested too deep" {
			t.Errorf("%q: %v", unit, err)
		}
	}
	for _, unit := range []string{"!a ", "&a ", "*a ", "a: ", "<<: ", "| ", ": ", "]", "a:\n", "- a\n"} {
		if _, err := parseYAML([]byte("suite: " + strings.Repeat(unit, 20_000))); err == nil {
			t.Errorf("%q is accepted", unit)
		}
	}
	if deep([]byte("# " + strings.Repeat("-", 200))) {
		t.Error("a line of dashes is no nesting")
	}
}

func TestFileTooLarge(t *testing.T) {
	big := bytes.Repeat([]byte("#"), maxYAML+1)
	_, err := Load(fstest.MapFS{"s.yaml": {Data: big}}, "s.yaml")
	if want := "read suite: s.yaml has more than 262144 bytes"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
