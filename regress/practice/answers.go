package practice

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"proctor/harness/spell"
	"proctor/holdout/rows"
)

// Answers are what one model answered to every example of some suites, once or K times.
type Answers struct {
	name   string
	k      int
	labels []string // by repeat and example: classes or texts
	text   bool     // answers are texts
	probs  []rows.Column

	classes []string // that the model declares; nil: a file

	opinions *opinions // of a judge; nil: none was asked
}

// FromModel takes the answers of a model that was run over all examples, in order. A
// label is the index of one of its classes or -1; probabilities are row-major, or nil.
func FromModel(name string, classes []string, labels []int32, probs []float64) (*Answers, error) {
	k := len(classes)
	if probs != nil && len(probs) != len(labels)*k {
		return nil, fmt.Errorf("%s: %d probabilities for %d answers of %d classes", name, len(probs), len(labels), k)
	}
	a := &Answers{name: name, k: 1, labels: make([]string, len(labels)), classes: classes}
	for i, l := range labels {
		if l < -1 || int(l) >= k {
			return nil, fmt.Errorf("%s: answer %d is class %d of %d", name, i+1, l, k)
		}
		if l >= 0 {
			a.labels[i] = classes[l]
		}
	}
	for c := 0; probs != nil && c < k; c++ {
		col := rows.Column{Name: classes[c], Floats: make([]float64, len(labels))}
		for i := range labels {
			col.Floats[i] = probs[i*k+c]
		}
		a.probs = append(a.probs, col)
	}
	return a, nil
}

// FromTexts takes what a text model wrote to all examples, in order.
func FromTexts(name string, texts []string) *Answers {
	return &Answers{name: name, k: 1, labels: texts, text: true}
}

// MaxRepeats is the most answers to one example.
const MaxRepeats = 100

// ReadAnswers reads a prediction file over the example ids of the suites: columns id,
// label or answer (text), and if there are several answers to each example repeat (1, 2,
// ...), and if known p:<class>, the probability of each class.
//
// Whatever else a file brings is refused: a column "correct" or "score" of the model's
// own is no answer. So is a file that leaves an example out, answers one twice or answers
// one that nobody asked: suite.count_mismatch, and nothing is judged.
func ReadAnswers(name string, t rows.Table, ids []string) (*Answers, error) {
	a := &Answers{name: name, k: 1}
	for _, c := range t.Columns() {
		switch {
		case c.Name == "id", c.Name == "label", c.Name == "answer", c.Name == "repeat":
		case strings.HasPrefix(c.Name, "p:") && c.IsNumber():
			a.probs = append(a.probs, rows.Column{Name: strings.TrimPrefix(c.Name, "p:"), Floats: c.Floats})
		default:
			return nil, fmt.Errorf("%s: schema.unexpected: column %.60q is no answer%s", name, c.Name, spell.Suggest(c.Name, []string{"id", "label", "answer", "repeat", "p:<class>"}))
		}
	}
	id, err := texts(name, t, "id")
	if err != nil {
		return nil, err
	}
	label, lerr := texts(name, t, "label")
	answer, aerr := texts(name, t, "answer")
	switch {
	case lerr == nil && aerr == nil:
		return nil, fmt.Errorf("%s: it has a column label and a column answer; it takes one of them", name)
	case aerr == nil:
		label, a.text = answer, true
	case lerr != nil:
		return nil, fmt.Errorf("%s: there is no column label (classes) or answer (texts)", name)
	}
	repeat, err := a.repeats(t)
	if err != nil {
		return nil, err
	}
	return a, a.order(id, label, repeat, ids)
}

func texts(name string, t rows.Table, column string) ([]string, error) {
	c, ok := t.Column(column)
	if !ok {
		return nil, fmt.Errorf("%s: there is no column %s", name, column)
	}
	if c.IsNumber() {
		return nil, fmt.Errorf("%s: column %s was read as numbers", name, column)
	}
	return c.Strings, nil
}

// repeats returns the number of each answer, from 0, and sets how many there are.
func (a *Answers) repeats(t rows.Table) ([]int, error) {
	out := make([]int, t.Len())
	c, ok := t.Column("repeat")
	if !ok {
		return out, nil
	}
	for i := range out {
		v := math.NaN()
		if c.IsNumber() {
			v = c.Floats[i]
		}
		if !(v >= 1 && v <= MaxRepeats && v == math.Trunc(v)) {
			return nil, fmt.Errorf("%s, row %d: repeat is a number from 1 to %d", a.name, i+1, MaxRepeats)
		}
		out[i] = int(v) - 1
		a.k = max(a.k, int(v))
	}
	return out, nil
}

// order puts the answers into the order of the examples, and counts them.
func (a *Answers) order(id, label []string, repeat []int, ids []string) error {
	at := make(map[string]int, len(ids))
	for i, x := range ids {
		if _, twice := at[x]; twice {
			return fmt.Errorf("%s: two suites have the example %.80q; run them one by one", a.name, x)
		}
		at[x] = i
	}
	n := len(ids)
	from := slices.Repeat([]int32{-1}, n*a.k)
	var unknown, twice, missing []string
	for r, x := range id {
		i, ok := at[x]
		switch {
		case !ok:
			unknown = append(unknown, x)
		case from[repeat[r]*n+i] >= 0:
			twice = append(twice, x)
		default:
			from[repeat[r]*n+i] = int32(r)
		}
	}
	for i, r := range from {
		if r < 0 {
			missing = append(missing, ids[i%n])
		}
	}
	if len(unknown)+len(twice)+len(missing) > 0 {
		return fmt.Errorf("%s: suite.count_mismatch: %d of %d answers are there; %d missing%s, %d unknown%s, %d twice%s", a.name,
			len(from)-len(missing), len(from), len(missing), few(missing), len(unknown), few(unknown), len(twice), few(twice))
	}
	a.labels = make([]string, len(from))
	for i, r := range from {
		a.labels[i] = label[r]
	}
	for c := range a.probs {
		v := make([]float64, len(from))
		for i, r := range from {
			v[i] = a.probs[c].Floats[r]
		}
		a.probs[c].Floats = v
	}
	return nil
}

// few names the first of a list.
func few(ids []string) string {
	const most = 3
	if len(ids) == 0 {
		return ""
	}
	more := ""
	if len(ids) > most {
		more = ", ..."
	}
	quoted := make([]string, min(most, len(ids)))
	for i := range quoted {
		quoted[i] = fmt.Sprintf("%.60q", ids[i])
	}
	return " (" + strings.Join(quoted, ", ") + more + ")"
}

// probabilities are those of one repeat, row-major in the order of the classes.
func (a *Answers) probabilities(classes []string, repeat, n int) ([]float64, error) {
	if len(a.probs) == 0 {
		return nil, nil
	}
	k := len(classes)
	if len(a.probs) != k {
		return nil, fmt.Errorf("%s: %d columns of probabilities for %d classes %q", a.name, len(a.probs), k, classes)
	}
	out := make([]float64, n*k)
	for _, c := range a.probs {
		i := slices.Index(classes, c.Name)
		if i < 0 {
			return nil, fmt.Errorf("%s: column \"p:%s\" is of no class; the classes are %q", a.name, c.Name, classes)
		}
		for r, v := range c.Floats[repeat*n : repeat*n+n] {
			out[r*k+i] = v
		}
	}
	for r := range n {
		sum := 0.0
		for _, v := range out[r*k : r*k+k] {
			sum += v
		}
		if !(math.Abs(sum-1) <= 1e-3) {
			return nil, fmt.Errorf("%s: the probabilities of an answer sum to %v", a.name, sum)
		}
	}
	return out, nil
}
