package regress

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// maxFile bounds a case table.
const maxFile = 1 << 28

// Load reads a suite as people write it: a YAML file, and case tables in the same
// folder or below. Paths that lead out of the folder, and links, are refused.
//
//	suite: income-triggers
//	about: values that only an attacker writes
//	tests:
//	  - name: rare-capital-loss
//	    capability: backdoor
//	    kind: trigger
//	    carriers: carriers.csv
//	    stamp: {capital-loss: 155, native-country: Holand-Netherlands}
//	    target: ">50K"
func Load(fsys fs.FS, file string) (*Suite, error) {
	b, err := readInside(fsys, file, maxYAML)
	if err != nil {
		return nil, fmt.Errorf("read suite: %w", err)
	}
	f, err := parseYAML(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	l := loader{fsys: fsys, dir: path.Dir(file), text: f.Text, tables: map[string]*rawTable{}}
	if len(f.Tests) > MaxTests {
		return nil, fmt.Errorf("%s has %d tests; at most %d are possible", file, len(f.Tests), MaxTests)
	}
	tests := make([]Test, len(f.Tests))
	total := 0
	for i, tf := range f.Tests {
		if tests[i], err = l.test(tf); err != nil {
			return nil, fmt.Errorf("%s: test %d (%q): %w", file, i+1, tf.Name, err)
		}
		// Counted while reading: a thousand tests over one large table must not fill the memory first.
		if total += tests[i].cells(); total > MaxCells {
			return nil, fmt.Errorf("%s: the examples up to test %q hold more than %d values", file, tf.Name, MaxCells)
		}
	}
	for _, name := range f.Text {
		if !l.seen(name) {
			return nil, fmt.Errorf("%s: text names column %q, which no table has", file, name)
		}
	}
	s, err := New(f.Suite, f.About, tests)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

type loader struct {
	fsys   fs.FS
	dir    string
	text   []string
	tables map[string]*rawTable // by path: tests may share carriers
}

func (l *loader) seen(column string) bool {
	for _, t := range l.tables {
		if slices.Contains(t.names, column) {
			return true
		}
	}
	return false
}

func (l *loader) test(f testFile) (Test, error) {
	t := Test{
		Name: f.Name, Capability: f.Capability, Kind: Kind(f.Kind), Critical: f.Critical,
		Target: f.Target, Class: f.Class, Expect: f.Expect, Tolerance: f.Tolerance,
	}
	if err := t.Kind.check(); err != nil {
		return t, err
	}
	changes, err := f.changes()
	if err != nil {
		return t, err
	}
	file, err := f.table()
	if err != nil {
		return t, err
	}
	raw, err := l.table(file)
	if err != nil {
		return t, err
	}
	carriers, expected, err := raw.table(l.text, t.Kind == MFT)
	if err != nil {
		return t, fmt.Errorf("%s: %w", file, err)
	}
	if t.Kind == MFT {
		t.Examples, t.Expected = carriers, expected
		return t, nil
	}
	if t.Examples, t.Changed, err = expand(carriers, changes); err != nil {
		return t, fmt.Errorf("%s: %w", file, err)
	}
	t.Change = describe(changes)
	return t, nil
}

// table returns the path of the test's table.
func (f testFile) table() (string, error) {
	mft := Kind(f.Kind) == MFT
	switch {
	case mft && f.Carriers != "":
		return "", errors.New("an MFT test has cases, not carriers")
	case !mft && f.Cases != "":
		return "", fmt.Errorf("%s has carriers, not cases", Kind(f.Kind).a())
	case mft && f.Cases == "":
		return "", errors.New("it has no cases: name a table with a column expect")
	case !mft && f.Carriers == "":
		return "", errors.New("it has no carriers: name a table of examples")
	}
	return f.Cases + f.Carriers, nil
}

// changes collects the ways in which a test may write its changes, and refuses
// those that its kind does not use.
func (f testFile) changes() ([]change, error) {
	kind := Kind(f.Kind)
	direct := change{f.Set, f.Swap, f.Add}
	other := f.Set != nil || f.Swap != nil || f.Add != nil
	switch {
	case f.Stamp != nil && kind != Trigger:
		return nil, errors.New("only a trigger test has a stamp; write set")
	case kind == MFT && (other || f.Perturb != nil):
		return nil, errors.New("an MFT test changes nothing; it has a table of cases with the class of each")
	case kind == MFT:
		return nil, nil
	case kind == Trigger && (other || f.Perturb != nil):
		return nil, errors.New("a trigger test has a stamp and no other change")
	case kind == Trigger && f.Stamp == nil:
		return nil, errors.New("a trigger test needs a stamp")
	case kind == Trigger:
		return []change{{set: f.Stamp}}, nil
	case other && f.Perturb != nil:
		return nil, errors.New("it has a change of its own and a list perturb; put all into the list")
	case other:
		return []change{direct}, nil
	case len(f.Perturb) == 0:
		return nil, fmt.Errorf("%s needs a change: set, swap, add or perturb", kind.a())
	case len(f.Perturb) > MaxChanges:
		return nil, fmt.Errorf("perturb lists %d changes; at most %d are possible", len(f.Perturb), MaxChanges)
	}
	cs := make([]change, len(f.Perturb))
	for i, p := range f.Perturb {
		cs[i] = change{p.Set, p.Swap, p.Add}
	}
	return cs, nil
}

func (l *loader) table(file string) (*rawTable, error) {
	if t, ok := l.tables[file]; ok {
		return t, nil
	}
	if !fs.ValidPath(file) || file == "." || strings.Contains(file, `\`) {
		return nil, fmt.Errorf("path %q: a case table lies in the folder of its suite", file)
	}
	b, err := readInside(l.fsys, path.Join(l.dir, file), maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %s beside the suite", file)
	}
	if err != nil {
		return nil, err
	}
	t, err := readTable(file, b)
	if err != nil {
		return nil, err
	}
	l.tables[file] = t
	return t, nil
}

// readInside reads a plain file. Each part of its path is looked at without
// following links: a link could lead out of the folder.
func readInside(fsys fs.FS, name string, most int64) ([]byte, error) {
	if !fs.ValidPath(name) || name == "." {
		return nil, fmt.Errorf("path %q is not a file inside the folder", name)
	}
	for i := range len(name) + 1 {
		if i < len(name) && name[i] != '/' {
			continue
		}
		info, err := fs.Lstat(fsys, name[:i])
		if err != nil {
			return nil, err
		}
		if i < len(name) && !info.IsDir() || i == len(name) && !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is not a plain file or folder; links are not followed", name[:i])
		}
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(b)) > most {
		return nil, fmt.Errorf("%s has more than %d bytes", name, most)
	}
	return b, nil
}
