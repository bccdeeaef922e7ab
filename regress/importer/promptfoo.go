package importer

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"proctor/regress"
)

// maxYAML bounds a configuration, maxCombinations what its lists of variables unfold to.
const (
	maxYAML         = 1 << 20
	maxCombinations = 10_000
)

// promptfoo reads prompts, tests and the assertions that need no judge. A case is a
// prompt with the variables of a test; tests whose assertions have one form are one test,
// with what they compare to in columns.
func promptfoo(w *writer, b []byte) error {
	v, err := regress.PlainYAML(b, maxYAML)
	if err != nil {
		return err
	}
	doc, ok := v.(map[string]any)
	if !ok {
		return errors.New("the file is no configuration")
	}
	prompts, err := promptsOf(doc["prompts"])
	if err != nil {
		return err
	}
	tests, ok := doc["tests"].([]any)
	if !ok {
		return errors.New("tests are not written in the file itself; files beside it are not followed")
	}
	standard, _ := doc["defaultTest"].(map[string]any)
	for i, t := range tests {
		m, ok := t.(map[string]any)
		if !ok {
			return fmt.Errorf("test %d is not written in the file itself", i+1)
		}
		if err := promptfooTest(w, fmt.Sprintf("test %d", i+1), prompts, standard, m); err != nil {
			return fmt.Errorf("test %d: %w", i+1, err)
		}
	}
	return nil
}

func promptsOf(v any) ([]string, error) {
	list, _ := v.([]any)
	if s, ok := v.(string); ok {
		list = []any{s}
	}
	var out []string
	for _, p := range list {
		if m, ok := p.(map[string]any); ok {
			p = m["raw"]
		}
		s, ok := p.(string)
		if !ok || strings.HasPrefix(s, "file://") {
			return nil, errors.New("a prompt is not written in the file itself; files beside it are not followed")
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, errors.New("there are no prompts")
	}
	return out, nil
}

func promptfooTest(w *writer, name string, prompts []string, standard, t map[string]any) error {
	vars := map[string]any{}
	for _, m := range []map[string]any{standard, t} {
		if v, ok := m["vars"].(map[string]any); ok {
			for k, x := range v {
				vars[k] = x
			}
		}
	}
	var as []assertion
	for _, m := range []map[string]any{standard, t} {
		list, _ := m["assert"].([]any)
		for _, a := range list {
			x, why := assertionOf(a)
			if why != "" {
				w.note("%s: %s; it was left out", name, why)
				continue
			}
			as = append(as, x...)
		}
	}
	if len(as) == 0 {
		w.note("%s has no assertion that needs no judge; it was left out", name)
		return nil
	}
	combos, err := combinations(vars)
	if err != nil {
		return err
	}
	for _, p := range prompts {
		for _, c := range combos {
			text, err := render(p, c)
			if err != nil {
				return err
			}
			if err := addCase(w, text, as, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// addCase puts a case under the test of its form.
func addCase(w *writer, prompt string, as []assertion, vars map[string]string) error {
	var words, checks []string
	row := map[string]any{"prompt": prompt}
	for i, a := range as {
		value, err := render(a.value, vars)
		if err != nil {
			return err
		}
		check := "{score: " + a.score
		if a.value != "" {
			column := fmt.Sprintf("check_%d", i+1)
			row[column] = value
			check += ", column: " + column
		}
		if a.schema != "" {
			file := w.schema(a.schema)
			check += ", schema: " + file
			a.words += " " + file
		}
		check += a.options + "}"
		words, checks = append(words, a.words), append(checks, check)
	}
	t := w.get(strings.Join(words, ", "), "", "MFT")
	t.checks = checks
	t.add(row)
	return nil
}

var place = regexp.MustCompile(`\{\{\s*([A-Za-z_][A-Za-z0-9_.]*)\s*\}\}`)

// render fills {{name}}. Anything else between braces is a program and is refused.
func render(text string, vars map[string]string) (string, error) {
	var missing string
	out := place.ReplaceAllStringFunc(text, func(m string) string {
		name := place.FindStringSubmatch(m)[1]
		v, ok := vars[name]
		if !ok {
			missing = name
		}
		return v
	})
	rest := place.ReplaceAllString(text, "")
	switch {
	case missing != "":
		return "", fmt.Errorf("variable %.40q has no value", missing)
	case strings.Contains(rest, "{%") || strings.Contains(rest, "{{"):
		return "", fmt.Errorf("template %.60q does more than name variables; it is not run", text)
	}
	return out, nil
}

// combinations unfolds variables that are lists.
func combinations(vars map[string]any) ([]map[string]string, error) {
	out := []map[string]string{{}}
	for _, k := range sortedKeys(vars) {
		list, ok := vars[k].([]any)
		if !ok {
			list = []any{vars[k]}
		}
		if len(out)*len(list) > maxCombinations {
			return nil, fmt.Errorf("its variables have more than %d combinations", maxCombinations)
		}
		var next []map[string]string
		for _, m := range out {
			for _, v := range list {
				s := fmt.Sprint(v)
				if _, isMap := v.(map[string]any); isMap || v == nil || strings.HasPrefix(s, "file://") {
					return nil, fmt.Errorf("variable %.40q is no text", k)
				}
				c := map[string]string{k: s}
				for a, b := range m {
					c[a] = b
				}
				next = append(next, c)
			}
		}
		out = next
	}
	return out, nil
}
