package score

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"proctor/metrics"
)

// A Scorer judges answers by one check. It may be used by several goroutines.
type Scorer struct {
	check  Check
	regex  *regexp.Regexp
	schema *jsonschema.Schema
	set    []string // one_of, folded where asked for
}

// Compile prepares a check. It is an error when the check is not in order, a
// pattern is no regular expression or a schema is no JSON Schema of its own: one
// that refers to other documents is refused, nothing is ever fetched.
func (c Check) Compile() (*Scorer, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	s := &Scorer{check: c}
	var err error
	switch c.Score {
	case "regex":
		if c.Text != "" {
			s.regex, err = compile(c.Text)
		}
	case "json_schema":
		s.schema, err = compileSchema(c.Schema)
	case "calls":
		if c.Schema != "" {
			s.schema, err = compileSchema(c.Schema)
		}
	case "one_of":
		for _, t := range c.Texts {
			s.set = append(s.set, c.folded(t))
		}
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// CheckReference says what is wrong with a case's own reference.
func (s *Scorer) CheckReference(text string) error {
	switch {
	case text == "":
		return fmt.Errorf("score %s has nothing to compare with", s.check.Score)
	case len(text) > MaxText:
		return fmt.Errorf("score %s: more than %d bytes of text", s.check.Score, MaxText)
	}
	if forms[s.check.Score].action {
		return s.check.checkAction(text)
	}
	switch s.check.Score {
	case "regex":
		_, err := compile(text)
		return err
	case "numeric":
		if _, ok := number(text); !ok {
			return fmt.Errorf("score numeric: %.40q is not a number", text)
		}
	}
	return nil
}

// Holds says whether an answer meets the check. The reference is the case's own
// and ignored where the check has a text.
func (s *Scorer) Holds(answer, reference string) bool {
	switch {
	case forms[s.check.Score].action:
		return false // a text does nothing
	case s.check.Score == Judge:
		return true // see regress.Opinions
	}
	if len(answer) > MaxAnswer || !utf8.ValidString(answer) {
		return false
	}
	if s.check.Text != "" {
		reference = s.check.Text
	}
	met, scored := s.meets(answer, reference)
	return scored && met != s.check.Not
}

// meets says whether the answer has the property, and whether that could be told.
func (s *Scorer) meets(answer, reference string) (met, scored bool) {
	c := s.check
	switch c.Score {
	case "exact":
		return c.folded(answer) == c.folded(reference), true
	case "normalised":
		return normalise(answer) == normalise(reference), true
	case "contains":
		return strings.Contains(c.folded(answer), c.folded(reference)), true
	case "starts_with":
		return strings.HasPrefix(c.folded(answer), c.folded(reference)), true
	case "one_of":
		return slices.Contains(s.set, c.folded(answer)), true
	case "regex":
		return s.matches(answer, reference)
	case "numeric":
		return s.near(answer, reference)
	case "edit_distance":
		n, err := metrics.EditDistance(answer, reference)
		return float64(n) <= s.allowed(), err == nil
	case "contains_json":
		return containsJSON(answer), true
	case "json":
		return json.Valid([]byte(answer)), true
	case "json_schema":
		return s.conforms(answer), true
	case "refusal":
		return refuses(answer), true
	}
	v, ok := graded(c.Score, answer, reference)
	return ok && v >= *c.AtLeast, ok
}

func (s *Scorer) matches(answer, reference string) (met, scored bool) {
	re := s.regex
	if re == nil {
		var err error
		if re, err = compile(reference); err != nil {
			return false, false
		}
	}
	return re.MatchString(answer), true
}

// near compares numbers. An answer that is none has no distance.
func (s *Scorer) near(answer, reference string) (met, scored bool) {
	a, okA := number(strings.TrimSpace(answer))
	r, okR := number(strings.TrimSpace(reference))
	return math.Abs(a-r) <= s.allowed(), okA && okR
}

func (s *Scorer) allowed() float64 {
	if s.check.Tolerance == nil {
		return 0
	}
	return *s.check.Tolerance
}

// maxStarts bounds the places of a text at which an object or a list of JSON is tried.
const maxStarts = 64

// containsJSON says whether an object or a list of JSON is somewhere in a text: begun
// at one of its first braces and brackets, and whole.
func containsJSON(text string) bool {
	for range maxStarts {
		i := strings.IndexAny(text, "{[")
		if i < 0 {
			return false
		}
		text = text[i:]
		var v json.RawMessage
		if json.NewDecoder(strings.NewReader(text)).Decode(&v) == nil {
			return true
		}
		text = text[1:]
	}
	return false
}

func (s *Scorer) conforms(answer string) bool {
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(answer))
	return err == nil && s.schema.Validate(v) == nil
}

// graded scores a pair. Words as in metrics.SQuAD and metrics.ROUGE.
func graded(name, answer, reference string) (float64, bool) {
	switch name {
	case "f1":
		_, f1, err := metrics.SQuAD(answer, reference)
		return f1, err == nil
	case "chrf":
		var c metrics.ChrF
		err := c.Add(answer, []string{reference})
		return c.Score().Value, err == nil && c.Score().Undefined == ""
	}
	r, err := metrics.ROUGE(answer, reference)
	return map[string]float64{"rouge1": r.One.F1, "rouge2": r.Two.F1, "rouge_l": r.L.F1}[name], err == nil
}

// number reads a finite decimal number.
func number(s string) (float64, bool) {
	if s == "" || strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// normalise drops case, punctuation and repeated space.
func normalise(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r) && r < 0x80
	}), " ")
}

func (c Check) folded(s string) string {
	if c.Fold {
		return strings.ToLower(s)
	}
	return s
}

const maxPattern = 2000

// compile reads an RE2 pattern, which matches in time linear in the answer.
func compile(pattern string) (*regexp.Regexp, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("a pattern has at most %d bytes", maxPattern)
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("pattern %.60q: %w", pattern, err)
	}
	return re, nil
}
