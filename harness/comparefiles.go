package harness

import (
	"fmt"
	"slices"
	"strings"

	"proctor/holdout/rows"
	"proctor/metrics"
	"proctor/regress"
)

// An IDError says how the ids of a prediction file fail to match those asked for.
type IDError struct {
	File                       string
	Missing, Unknown, Repeated []string
}

func (e *IDError) Error() string {
	return fmt.Sprintf("%s: ids do not match one to one: %d missing%s, %d unknown%s, %d repeated%s", e.File,
		len(e.Missing), few(e.Missing), len(e.Unknown), few(e.Unknown), len(e.Repeated), few(e.Repeated))
}

// few names the first of a list.
func few(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	const most = 3
	more := ""
	if len(ids) > most {
		more = ", ..."
	}
	return fmt.Sprintf(" (%s%s)", strings.Join(ids[:min(most, len(ids))], ", "), more)
}

func readIDs(file string, t rows.Table) ([]string, error) {
	for _, name := range []string{"id", "label"} {
		if c, ok := t.Column(name); !ok || c.IsNumber() {
			return nil, fmt.Errorf("%s: there is no column %q", file, name)
		}
	}
	c, _ := t.Column("id")
	seen := make(map[string]bool, len(c.Strings))
	e := &IDError{File: file}
	for _, id := range c.Strings {
		if seen[id] {
			e.Repeated = append(e.Repeated, id)
		}
		seen[id] = true
	}
	if len(e.Repeated) > 0 {
		return nil, e
	}
	return c.Strings, nil
}

// A predictionFile is one model's answers, in the order of the ids asked for.
type predictionFile struct {
	name, digest string
	ids          []string
	labels       []string
	probs        []rows.Column // p:<class>, reordered; none: no probabilities
}

func readPredictions(name string, t rows.Table, asked []string) (predictionFile, error) {
	f := predictionFile{name: name, digest: tableDigest(t), ids: asked}
	c, ok := t.Column("id")
	if !ok || c.IsNumber() {
		return f, fmt.Errorf("%s: there is no column \"id\"", name)
	}
	order, err := match(name, c.Strings, asked)
	if err != nil {
		return f, err
	}
	for _, col := range t.Take(order).Columns() {
		if strings.HasPrefix(col.Name, "p:") {
			if !col.IsNumber() {
				return f, fmt.Errorf("%s: column %q holds something that is no number", name, col.Name)
			}
			f.probs = append(f.probs, rows.Column{Name: strings.TrimPrefix(col.Name, "p:"), Floats: col.Floats})
		}
		if col.Name == "label" {
			f.labels = text(col)
		}
	}
	if f.labels == nil {
		return f, fmt.Errorf("%s: there is no column \"label\"", name)
	}
	return f, nil
}

// match returns, for each id asked for, its row in the file.
func match(name string, have, asked []string) ([]int, error) {
	at := make(map[string]int, len(have))
	e := &IDError{File: name}
	for i, id := range have {
		if _, twice := at[id]; twice {
			e.Repeated = append(e.Repeated, id)
		}
		at[id] = i
	}
	order := make([]int, len(asked))
	wanted := make(map[string]bool, len(asked))
	for i, id := range asked {
		wanted[id] = true
		row, ok := at[id]
		if !ok {
			e.Missing = append(e.Missing, id)
		}
		order[i] = row
	}
	for _, id := range have {
		if !wanted[id] {
			e.Unknown = append(e.Unknown, id)
			wanted[id] = true // named once
		}
	}
	if len(e.Missing)+len(e.Unknown)+len(e.Repeated) > 0 {
		return nil, e
	}
	return order, nil
}

// predictions puts labels and probabilities into the order of the classes.
func (f predictionFile) predictions(classes []string) (metrics.Predictions, error) {
	p := metrics.Predictions{Labels: codes(classes, f.labels)}
	if len(f.probs) == 0 {
		return p, nil
	}
	k := len(classes)
	p.Probs = make([]float64, len(f.labels)*k)
	for _, col := range f.probs {
		c := slices.Index(classes, col.Name)
		if c < 0 {
			return p, fmt.Errorf("%s: column \"p:%s\" is for a class that no file has; the classes are %q", f.name, col.Name, classes)
		}
		for r, v := range col.Floats {
			p.Probs[r*k+c] = v
		}
	}
	if len(f.probs) != k {
		if len(f.probs) != 1 || k != 2 {
			return p, fmt.Errorf("%s: %d columns of probabilities for %d classes", f.name, len(f.probs), k)
		}
		one := slices.Index(classes, f.probs[0].Name) // of two classes one is enough
		for r := range f.labels {
			p.Probs[r*k+1-one] = 1 - p.Probs[r*k+one]
		}
	}
	for r := range f.labels {
		if !checkSum(p.Probs[r*k : r*k+k]) {
			return p, fmt.Errorf("%s: the probabilities of id %.80q are not probabilities that sum to 1", f.name, f.ids[r])
		}
	}
	return p, nil
}

// A caseFile is a suite whose examples are rows of the prediction files.
type caseFile struct {
	suite *regress.Suite
	ids   []string // in the order of the suite's examples
}

// readCases reads behavioural cases: columns test, id and expect (the class that
// the case must get), and if wanted capability and critical ("true").
func readCases(t *rows.Table, scored []string) (caseFile, error) {
	if t == nil {
		return caseFile{}, nil
	}
	get := func(name string) ([]string, error) {
		c, ok := t.Column(name)
		if !ok {
			return nil, fmt.Errorf("cases: there is no column %q", name)
		}
		return text(c), nil
	}
	var cols [3][]string
	for i, name := range []string{"test", "id", "expect"} {
		var err error
		if cols[i], err = get(name); err != nil {
			return caseFile{}, err
		}
	}
	if _, err := match("cases", cols[1], cols[1]); err != nil {
		return caseFile{}, err
	}
	known := make(map[string]bool, len(scored))
	for _, id := range scored {
		known[id] = true
	}
	for _, id := range cols[1] {
		if known[id] {
			return caseFile{}, fmt.Errorf("cases: id %q is a scored row too", id)
		}
	}
	capability, _ := get("capability")
	critical, _ := get("critical")
	return suiteOf(cols[0], cols[1], cols[2], capability, critical)
}

func suiteOf(test, id, expect, capability, critical []string) (caseFile, error) {
	var f caseFile
	at := map[string]int{}
	var tests []regress.Test
	members := [][]int{}
	for r, name := range test {
		i, ok := at[name]
		if !ok {
			i = len(tests)
			at[name] = i
			tests, members = append(tests, regress.Test{Name: name, Kind: regress.MFT}), append(members, nil)
			if capability != nil {
				tests[i].Capability = capability[r]
			}
		}
		tests[i].Expected = append(tests[i].Expected, expect[r])
		tests[i].Critical = tests[i].Critical || critical != nil && critical[r] == "true"
		members[i] = append(members[i], r)
	}
	for i, list := range members {
		ids := make([]string, len(list))
		for k, r := range list {
			ids[k] = id[r]
		}
		var err error
		if tests[i].Examples, err = rows.New(rows.Column{Name: "id", Strings: ids}); err != nil {
			return f, fmt.Errorf("cases: %w", err)
		}
		f.ids = append(f.ids, ids...)
	}
	var err error
	if f.suite, err = regress.New("cases", "", tests); err != nil {
		return f, fmt.Errorf("cases: %w", err)
	}
	return f, nil
}

// classes returns the classes that cases expect.
func (f caseFile) classes() []string {
	if f.suite == nil {
		return nil
	}
	var out []string
	for _, t := range f.suite.Tests {
		out = append(out, t.Expected...)
	}
	return out
}
