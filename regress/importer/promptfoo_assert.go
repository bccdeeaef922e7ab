package importer

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// An assertion as a check of ours. value is compared with, "" where there is nothing.
type assertion struct {
	score, value, options, words string
	schema                       string // JSON Schema, "" where there is none
}

// direct pairs the types of assertions that are one check.
var direct = map[string]struct{ score, options string }{
	"equals":      {"exact", ""},
	"contains":    {"contains", ""},
	"icontains":   {"contains", ", fold: true"},
	"starts-with": {"starts_with", ""},
	"regex":       {"regex", ""},
	"is-refusal":  {"refusal", ""},
	"is-json":     {"json", ""},

	"contains-json": {"contains_json", ""},
	"levenshtein":   {"edit_distance", ""},
	"rouge-n":       {"rouge1", ""},
}

// assertionOf returns the checks of an assertion, or why it has none.
func assertionOf(v any) ([]assertion, string) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, "an assertion is no map"
	}
	kind := fmt.Sprint(m["type"])
	base, not := strings.CutPrefix(kind, "not-")
	options, words := "", base
	if not {
		options, words = ", not: true", "not "+base
	}
	switch base {
	case "contains-any", "icontains-any", "contains-all", "icontains-all":
		return several(base, not, options, words, m["value"])
	case "word-count":
		return counted(m["value"], options, words)
	}
	d, ok := direct[base]
	if !ok {
		return nil, fmt.Sprintf("an assertion of type %.40q has no check here: it needs a judge, a program, a measurement or a parser that is not here", kind)
	}
	if a, ok := structured(base, m["value"], options, words); ok {
		return []assertion{a}, ""
	}
	value := ""
	switch s := m["value"].(type) {
	case string:
		value = s
	case float64, bool:
		value = fmt.Sprint(s)
	case nil:
	default:
		return nil, fmt.Sprintf("an assertion of type %.40q compares with something that is no text", kind)
	}
	switch {
	case base == "rouge-n":
		least := 0.75 // what the tool takes where nothing is said
		if f, ok := m["threshold"].(float64); ok {
			least = f
		}
		options += fmt.Sprintf(", at_least: %v", least)
	case base == "contains-json" && m["value"] != nil:
		return nil, "an assertion of type contains-json with a schema has no check here"
	case base == "levenshtein":
		most := 5.0 // what the tool takes where nothing is said
		if f, ok := number(m["threshold"]); ok {
			most = f
		}
		options += fmt.Sprintf(", tolerance: %v", most)
	}
	switch {
	case value == "" && d.score != "refusal" && d.score != "json" && d.score != "contains_json":
		return nil, fmt.Sprintf("an assertion of type %.40q compares with nothing", kind)
	}
	if strings.HasPrefix(value, "file://") {
		return nil, "an assertion refers to a file"
	}
	return []assertion{{score: d.score, value: value, options: d.options + options, words: words}}, ""
}

// counted turns a number of words, or {min, max}, into a pattern.
func counted(v any, options, words string) ([]assertion, string) {
	least, hasLeast := number(v)
	most, hasMost := least, hasLeast
	if m, ok := v.(map[string]any); ok {
		least, hasLeast = number(m["min"])
		most, hasMost = number(m["max"])
	}
	if !hasLeast && !hasMost || hasMost && (most < 1 || most < least) || least < 0 || max(least, most) > maxWords {
		return nil, fmt.Sprintf("an assertion of type word-count counts from 1 to %d words here", maxWords)
	}
	upper := ""
	if hasMost {
		upper = fmt.Sprintf("%.0f", most-1)
	}
	pattern := fmt.Sprintf(`(\S+\s+){%.0f,%s}\S+`, max(least-1, 0), upper)
	if least == 0 { // none is few enough
		pattern = "(" + pattern + ")?"
	}
	return []assertion{{score: "regex", value: `^\s*` + pattern + `\s*$`, options: options, words: words}}, ""
}

const maxWords = 1000 // a repetition of RE2

// number reads a number as YAML gives it.
func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case uint64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// structured reads the assertions on JSON: is-json with a schema, as a map or as text, and
// equals with a value that is no text, which the answer must be when it is parsed.
func structured(base string, v any, options, words string) (assertion, bool) {
	a := assertion{score: "json_schema", options: options, words: words}
	_, isMap := v.(map[string]any)
	_, isList := v.([]any)
	text, isText := v.(string)
	switch {
	case base == "is-json" && isMap:
	case base == "is-json" && isText && strings.HasPrefix(strings.TrimSpace(text), "{"):
		a.schema = strings.TrimSpace(text)
		return a, true
	case base == "equals" && (isMap || isList):
		v = map[string]any{"const": v}
	default:
		return a, false
	}
	b, err := json.Marshal(v)
	a.schema = string(b)
	return a, err == nil
}

// several turns lists into a pattern (any) or into a check each (all).
func several(base string, not bool, options, words string, v any) ([]assertion, string) {
	list, ok := v.([]any)
	if s, isText := v.(string); isText {
		for _, p := range strings.Split(s, ",") {
			list = append(list, strings.TrimSpace(p))
		}
		ok = true
	}
	if !ok || len(list) == 0 {
		return nil, fmt.Sprintf("an assertion of type %.40q has no list", base)
	}
	fold := strings.HasPrefix(base, "icontains")
	if strings.HasSuffix(base, "-any") {
		var quoted []string
		for _, x := range list {
			quoted = append(quoted, regexp.QuoteMeta(fmt.Sprint(x)))
		}
		pattern := strings.Join(quoted, "|")
		if fold {
			pattern = "(?i)" + pattern
		}
		return []assertion{{score: "regex", value: pattern, options: options, words: words}}, ""
	}
	if not {
		return nil, fmt.Sprintf("an assertion of type not-%s is fulfilled by several checks or none; write it by hand", base)
	}
	var out []assertion
	for _, x := range list {
		o := options
		if fold {
			o = ", fold: true" + o
		}
		out = append(out, assertion{score: "contains", value: fmt.Sprint(x), options: o, words: words})
	}
	return out, ""
}
