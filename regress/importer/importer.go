package importer

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// MaxBytes bounds a file to import.
const MaxBytes = 1 << 28

// A Suite is what an import made.
type Suite struct {
	Files map[string][]byte // suite.yaml, case tables, predictions/<model>.csv
	Tests int
	Cases int
	Notes []string // what was left out, and why
}

// Formats lists the formats in alphabetical order.
func Formats() []string {
	return []string{"checklist", "checklist-text", "hatecheck", "lm-eval", "promptfoo"}
}

// Import reads a file of the given format. The name is that of the suite.
func Import(format, name string, b []byte) (*Suite, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("the file has more than %d bytes", MaxBytes)
	}
	if pickled(b) {
		return nil, errors.New("the file is a pickle or an archive; loading one runs what it says. Export the cases as JSONL or text")
	}
	w := &writer{name: name, at: map[string]int{}}
	var err error
	switch format {
	case "checklist":
		err = checklist(w, b)
	case "checklist-text":
		err = checklistText(w, b)
	case "hatecheck":
		err = hatecheck(w, b)
	case "promptfoo":
		err = promptfoo(w, b)
	case "lm-eval":
		err = lmEval(w, b)
	default:
		return nil, fmt.Errorf("format %.40q is not known; there are %s", format, strings.Join(Formats(), ", "))
	}
	if err != nil {
		return nil, err
	}
	return w.suite()
}

// pickled knows pickles of protocol 2 and later, and the archives that carry them.
func pickled(b []byte) bool {
	for _, magic := range []string{"\x80\x02", "\x80\x03", "\x80\x04", "\x80\x05", "PK\x03\x04", "\x1f\x8b"} {
		if bytes.HasPrefix(b, []byte(magic)) {
			return true
		}
	}
	return false
}

// A writer collects tests and writes them as a suite.
type writer struct {
	name  string
	tests []*test
	at    map[string]int
	notes []string
	preds []*prediction

	schemas []string // JSON Schemas that checks name
}

// schema returns the name of the file that will hold a JSON Schema.
func (w *writer) schema(text string) string {
	i := slices.Index(w.schemas, text)
	if i < 0 {
		i = len(w.schemas)
		w.schemas = append(w.schemas, text)
	}
	return fmt.Sprintf("schema-%03d.json", i+1)
}

// A test with its rows. Columns are the keys of the first row.
type test struct {
	name, capability, kind string
	checks                 []string // lines of YAML
	head                   []string // further keys of the test, lines of YAML
	rows                   []map[string]any
	cases                  int
}

// A prediction file of one model.
type prediction struct {
	model, column string
	answers       [][2]string          // id and answer
	probs         []map[string]float64 // of each answer by class; nil: none has any
}

func (w *writer) note(format string, a ...any) { w.notes = append(w.notes, fmt.Sprintf(format, a...)) }

// get returns the test of that name, made at first sight.
func (w *writer) get(name, capability, kind string) *test {
	name = testName(name)
	if i, ok := w.at[name]; ok {
		return w.tests[i]
	}
	t := &test{name: name, capability: capability, kind: kind}
	w.at[name] = len(w.tests)
	w.tests = append(w.tests, t)
	return t
}

// testName makes a name that a suite takes: no slash, visible characters, 100 bytes.
func testName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '/' {
			return '-'
		}
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	s = strings.TrimSpace(s)
	for len(s) > 100 {
		s = strings.TrimSpace(s[:strings.LastIndexAny(s[:len(s)-1], " ")+1])
		if s == "" {
			return "long name"
		}
	}
	return s
}

// add appends a case of one example and returns its id.
func (t *test) add(row map[string]any) string {
	t.rows = append(t.rows, row)
	t.cases++
	return fmt.Sprintf("%s/%d", t.name, t.cases)
}

// answer notes what a model said to an example.
func (w *writer) answer(model, column, id, text string) {
	p := w.prediction(model, column)
	p.answers = append(p.answers, [2]string{id, text})
}

// probabilities notes those of a model for an example; the label is the likeliest class.
func (w *writer) probabilities(model, id string, by map[string]float64) {
	best := ""
	for _, class := range sortedKeys(by) {
		if best == "" || by[class] > by[best] {
			best = class
		}
	}
	p := w.prediction(model+"-probabilities", "label") // apart: other answers have none
	p.answers, p.probs = append(p.answers, [2]string{id, best}), append(p.probs, by)
}

func (w *writer) prediction(model, column string) *prediction {
	i := slices.IndexFunc(w.preds, func(p *prediction) bool { return p.model == model })
	if i < 0 {
		i = len(w.preds)
		w.preds = append(w.preds, &prediction{model: model, column: column})
	}
	return w.preds[i]
}

// suite writes the files.
func (w *writer) suite() (*Suite, error) {
	if len(w.tests) == 0 {
		return nil, errors.New("the file holds no test that a suite can express")
	}
	out := &Suite{Files: map[string][]byte{}, Tests: len(w.tests), Notes: w.notes}
	var y bytes.Buffer
	fmt.Fprintf(&y, "suite: %s\nabout: Imported; read it before you rely on it.\ntests:\n", quote(w.name))
	for i, t := range w.tests {
		table := fmt.Sprintf("cases-%03d.jsonl", i+1)
		fmt.Fprintf(&y, "  - name: %s\n    capability: %s\n    kind: %s\n    cases: %s\n", quote(t.name), quote(t.capability), t.kind, table)
		for _, line := range t.head {
			fmt.Fprintf(&y, "    %s\n", line)
		}
		if t.checks != nil {
			fmt.Fprintf(&y, "    checks:\n      - %s\n", strings.Join(t.checks, "\n      - "))
		}
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		for _, r := range t.rows {
			if err := e.Encode(r); err != nil {
				return nil, fmt.Errorf("test %s: %w", t.name, err)
			}
		}
		out.Files[table] = b.Bytes()
		out.Cases += t.cases
	}
	out.Files["suite.yaml"] = y.Bytes()
	for _, text := range w.schemas {
		out.Files[w.schema(text)] = []byte(text + "\n")
	}
	for _, p := range w.preds {
		b, err := p.csv()
		if err != nil {
			return nil, err
		}
		out.Files["predictions/"+fileName(p.model)+".csv"] = b
	}
	return out, nil
}

func (p *prediction) csv() ([]byte, error) {
	classes := map[string]bool{}
	for _, by := range p.probs {
		for class := range by {
			classes[class] = true
		}
	}
	head := []string{"id", p.column}
	for _, class := range sortedKeys(classes) {
		head = append(head, "p:"+class)
	}
	var b bytes.Buffer
	c := csv.NewWriter(&b)
	c.Write(head)
	for i, a := range p.answers {
		rec := []string{a[0], a[1]}
		for _, class := range head[2:] {
			rec = append(rec, strconv.FormatFloat(p.probs[i][class[len("p:"):]], 'g', -1, 64))
		}
		c.Write(rec)
	}
	c.Flush()
	return b.Bytes(), c.Error()
}

// quote writes a string that YAML reads as the same string: JSON's form is YAML's.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string always encodes
	}
	return strings.TrimSpace(b.String())
}

// fileName keeps what is harmless in a file name.
func fileName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, s)
	return s[:min(len(s), 80)]
}

// lines calls f with each line that is not blank.
func lines(b []byte, f func(no int, line []byte) error) error {
	for no := 1; len(b) > 0; no++ {
		var line []byte
		line, b, _ = bytes.Cut(b, []byte("\n"))
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := f(no, line); err != nil {
			return fmt.Errorf("line %d: %w", no, err)
		}
	}
	return nil
}
