package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A checklistCase is one line:
//
//	{"test":"Q & A: yes","capability":"SRL","type":"MFT","case":0,"expect":"is:2","texts":["Do I think that flight is good? Yes"],"preds":{"v1":[2]}}
//
// expect is "is:CLASS", "not:CLASS" or, for INV, "same": the first text is the carrier. For
// DIR it names the class whose probability is watched, "not_decrease:2" or "not_increase:2",
// and tolerance how far it may move all the same; one test has one of each. preds of a DIR
// test are the probabilities of every text, by class:
//
//	{"test":"more praise","type":"DIR","expect":"not_decrease:2","tolerance":0.1,"texts":["ok","ok. I love it"],"probs":{"v1":[{"0":0.3,"2":0.7},{"0":0.1,"2":0.9}]}}
type checklistCase struct {
	Test       string           `json:"test"`
	Capability string           `json:"capability"`
	Type       string           `json:"type"`
	Expect     string           `json:"expect"`
	Texts      []string         `json:"texts"`
	Preds      map[string][]any `json:"preds"`
	Tolerance  *float64         `json:"tolerance"`

	Probs map[string][]map[string]float64 `json:"probs"`
}

func checklist(w *writer, b []byte) error {
	return lines(b, func(no int, line []byte) error {
		var c checklistCase
		if err := json.Unmarshal(line, &c); err != nil {
			return fmt.Errorf("no case of the shape that is imported: %w", err)
		}
		switch {
		case c.Test == "" || len(c.Texts) == 0:
			return errors.New("a case has a test and texts")
		case c.Type == "MFT" && len(c.Texts) == 1:
			return checklistMFT(w, c)
		case c.Type == "INV" && c.Expect == "same":
			checklistForms(w, c, w.get(c.Test, c.Capability, "INV"))
			return nil
		case c.Type == "DIR" && c.Expect != "":
			return checklistDIR(w, c)
		}
		return fmt.Errorf("type %.20q with expect %.40q and %d texts is not imported; known are MFT with is:CLASS or not:CLASS, INV with same and DIR with not_decrease:CLASS or not_increase:CLASS", c.Type, c.Expect, len(c.Texts))
	})
}

func checklistMFT(w *writer, c checklistCase) error {
	how, class, ok := strings.Cut(c.Expect, ":")
	if !ok || class == "" || how != "is" && how != "not" {
		return fmt.Errorf("expect %.40q is not is:CLASS or not:CLASS", c.Expect)
	}
	row := map[string]any{"text": c.Texts[0], "expect": "", "expect_not": ""}
	row[map[string]string{"is": "expect", "not": "expect_not"}[how]] = class
	w.answers(c, []string{w.get(c.Test, c.Capability, "MFT").add(row)}, []int{0})
	return nil
}

// checklistDIR writes the direction into the test, which all its cases share.
func checklistDIR(w *writer, c checklistCase) error {
	how, class, ok := strings.Cut(c.Expect, ":")
	if !ok || class == "" || how != "not_decrease" && how != "not_increase" {
		return fmt.Errorf("expect %.40q is not not_decrease:CLASS or not_increase:CLASS", c.Expect)
	}
	head := []string{"class: " + quote(class), "expect: " + how}
	if c.Tolerance != nil {
		head = append(head, fmt.Sprintf("tolerance: %v", *c.Tolerance))
	}
	t := w.get(c.Test, c.Capability, "DIR")
	if t.head != nil && !slices.Equal(t.head, head) {
		return fmt.Errorf("test %.60q has cases with another direction or tolerance; name them apart", c.Test)
	}
	t.head = head
	checklistForms(w, c, t)
	return nil
}

// checklistForms leaves out forms that equal the carrier: they could only pass.
func checklistForms(w *writer, c checklistCase, t *test) {
	id := t.add(map[string]any{"case": fmt.Sprint(t.cases + 1), "text": c.Texts[0]})
	ids, from := []string{id}, []int{0}
	for i, text := range c.Texts[1:] {
		if text == c.Texts[0] {
			w.note("test %s, case %d: form %d equals the carrier and was left out", t.name, t.cases, i+1)
			continue
		}
		t.rows = append(t.rows, map[string]any{"case": fmt.Sprint(t.cases), "text": text})
		ids, from = append(ids, fmt.Sprintf("%s.%d", id, len(ids))), append(from, i+1)
	}
	w.answers(c, ids, from)
}

// answers notes the answers of the models to the texts that were kept.
func (w *writer) answers(c checklistCase, ids []string, from []int) {
	for _, model := range sortedKeys(c.Probs) {
		for k, id := range ids {
			if from[k] < len(c.Probs[model]) {
				w.probabilities(model, id, c.Probs[model][from[k]])
			}
		}
	}
	for _, model := range sortedKeys(c.Preds) {
		if c.Type == "DIR" {
			w.note("test %s, case %s: labels of %s were left out, a direction is judged by probabilities", c.Test, ids[0], model)
			continue
		}
		for k, id := range ids {
			if from[k] < len(c.Preds[model]) {
				w.answer(model, "label", id, fmt.Sprint(c.Preds[model][from[k]]))
			}
		}
	}
}

// checklistText reads a released file of texts, one example a line. Expectations are not
// in it: the cases become a stress test, to be split and completed.
func checklistText(w *writer, b []byte) error {
	t := w.get("texts", "", "stress")
	w.note("a file of texts holds no expectations: they are a stress test, which asks for an answer only. Split it and write what you expect")
	return lines(b, func(no int, line []byte) error {
		t.add(map[string]any{"text": strings.ToValidUTF8(strings.TrimRight(string(line), "\r"), "\ufffd")})
		return nil
	})
}
