package regress

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"proctor/harness/spell"
	"proctor/holdout/rows"
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
func Load(fsys fs.FS, file string) (*Suite, error) { return LoadWith(fsys, file, nil) }

// A TableReader reads a binary case table, such as Parquet. Such files can crash whoever parses
// them: it does so in a process of its own.
type TableReader func(format string, b []byte) (rows.Table, error)

// LoadWith is Load for suites with Parquet tables, which decode reads.
func LoadWith(fsys fs.FS, file string, decode TableReader) (*Suite, error) {
	b, err := readInside(fsys, file, maxYAML)
	if err != nil {
		return nil, fmt.Errorf("read suite: %w", err)
	}
	f, err := parseYAML(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	l := loader{fsys: fsys, dir: path.Dir(file), text: f.Text, words: f.Words, decode: decode, tables: map[string]*rawTable{}}
	if len(f.Tests) > MaxTests {
		return nil, fmt.Errorf("%s has %d tests; at most %d are possible", file, len(f.Tests), MaxTests)
	}
	tests := make([]Test, len(f.Tests))
	total, size := 0, 0
	for i, tf := range f.Tests {
		if tests[i], err = l.test(tf); err != nil {
			return nil, fmt.Errorf("%s: test %d (%q): %w", file, i+1, tf.Name, err)
		}
		// Counted while reading: a thousand tests over one large table must not fill the memory first.
		size += tests[i].bytes()
		if total += tests[i].cells(); total > MaxCells || size > MaxBytes {
			return nil, fmt.Errorf("%s: the examples up to test %q hold more than %d values or %d bytes", file, tf.Name, MaxCells, MaxBytes)
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
	words  wordsFile
	decode TableReader          // nil: tables are CSV or JSONL
	tables map[string]*rawTable // by path or, where generated, by test: tests may share carriers
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
		Target: f.Target, Class: f.Class, Expect: f.Expect, Tolerance: f.Tolerance, Monotone: f.Monotone, Turns: f.Turns,
	}
	if err := t.Kind.check(); err != nil {
		return t, err
	}
	changes, err := f.changes()
	if err != nil {
		return t, err
	}
	source, raw, err := l.source(f)
	if err != nil {
		return t, err
	}
	features, taken, err := raw.table(l.text, f.taken())
	if err == nil {
		err = l.checks(f, &t, taken)
	}
	if err == nil {
		err = t.fill(features, taken, changes)
	}
	if err != nil {
		return t, fmt.Errorf("%s: %w", source, err)
	}
	return t, nil
}

// fill gives the test its cases.
func (t *Test) fill(features rows.Table, taken map[string][]string, changes []change) (err error) {
	t.Examples = features
	switch {
	case t.Kind == Stress || t.Checks != nil && (t.Kind == MFT || t.Kind == Golden):
		t.Single = features.Len()
	case t.Kind == MFT || t.Kind == Golden:
		t.Expected, t.Forbidden = taken[expectColumn], taken[expectNotColumn]
		if t.Expected == nil && t.Forbidden == nil {
			var names []string
			for _, f := range features.Fields() {
				names = append(names, f.Name)
			}
			return fmt.Errorf("there is no column %q with the class of each case%s", expectColumn, spell.Suggest(expectColumn, names))
		}
		if t.Expected == nil {
			t.Expected = make([]string, features.Len())
		}
	case changes == nil:
		return t.group(taken[caseColumn])
	default:
		t.Examples, t.Changed, err = expand(features, changes)
		t.Change = describe(changes)
	}
	return err
}

// group reads forms that people wrote themselves: rows of one case stand together.
func (t *Test) group(cases []string) error {
	if cases == nil {
		return fmt.Errorf("there is no column %q: rows with the same value in it are one case, the carrier first", caseColumn)
	}
	done := map[string]bool{}
	for i, id := range cases {
		switch {
		case i > 0 && id == cases[i-1]:
			t.Changed[len(t.Changed)-1]++
		case done[id]:
			return fmt.Errorf("row %d: the rows of case %.40q do not stand together", i+1, id)
		default:
			done[id] = true
			t.Changed = append(t.Changed, 0)
		}
	}
	t.Change = "forms as written"
	return nil
}

func (l *loader) table(file string) (*rawTable, error) {
	if t, ok := l.tables[file]; ok {
		return t, nil
	}
	b, err := l.read(file, "a case table")
	if err != nil {
		return nil, err
	}
	var t *rawTable
	if l.decode != nil && strings.EqualFold(path.Ext(file), ".parquet") {
		t, err = decoded(file, b, l.decode)
	} else {
		t, err = readTable(file, b)
	}
	if err != nil {
		return nil, err
	}
	l.tables[file] = t
	return t, nil
}

// read returns a file of the suite's folder.
func (l *loader) read(file, what string) ([]byte, error) {
	if !fs.ValidPath(file) || file == "." || strings.Contains(file, `\`) {
		return nil, fmt.Errorf("path %q: %s lies in the folder of its suite", file, what)
	}
	b, err := readInside(l.fsys, path.Join(l.dir, file), maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %s beside the suite", file)
	}
	return b, err
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
