package score

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// TestScores runs testdata/scores.txt: a check as JSON, then lines of "yes" or "no",
// an answer and, where the case brings its own, " <- " and a reference.
func TestScores(t *testing.T) {
	file, err := os.ReadFile("testdata/scores.txt")
	if err != nil {
		t.Fatal(err)
	}
	var s *Scorer
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "{"):
			var c Check
			if err := json.Unmarshal([]byte(line), &c); err != nil {
				t.Fatal(err)
			}
			if s, err = c.Compile(); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		default:
			want, rest, _ := strings.Cut(line, " ")
			answer, reference, _ := strings.Cut(rest, " <- ")
			if got := s.Holds(strings.ReplaceAll(answer, `\n`, "\n"), reference); got != (want == "yes") {
				t.Errorf("%v: %q holds: %v", s.check, rest, got)
			}
		}
	}
}

// What cannot be looked at meets no check, not even a negated one. The control shows
// that the negated check passes what can be looked at.
func TestUnscorable(t *testing.T) {
	one := 1.0
	for _, c := range []Check{
		{Score: "contains", Text: "secret", Not: true},
		{Score: "numeric", Text: "5", Not: true},
		{Score: "f1", Text: "secret", AtLeast: &one, Not: true},
	} {
		s, err := c.Compile()
		if err != nil {
			t.Fatal(err)
		}
		for name, answer := range map[string]string{"too long": strings.Repeat("a", MaxAnswer+1), "not UTF-8": "a\xff"} {
			if s.Holds(answer, "") {
				t.Errorf("%v holds for an answer that is %s", c, name)
			}
		}
		if !s.Holds("7", "") {
			t.Errorf("%v does not hold for 7", c)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, c := range []struct{ check, want string }{
		{`{"score":"exact","at_least":0.5,"text":"a"}`, "score exact does not use at_least"},
		{`{"score":"json","text":"a"}`, "score json does not use a text"},
		{`{"score":"one_of"}`, "score one_of needs texts: the set that is allowed"},
		{`{"score":"one_of","texts":[""]}`, "texts holds an empty text"},
		{`{"score":"f1","text":"a","at_least":0}`, "at_least is 0; the score f1 lies above 0 and is at most 1"},
		{`{"score":"f1","text":"a","at_least":60}`, "at_least is 60; the score f1 lies above 0 and is at most 1"},
		{`{"score":"numeric","text":"1","tolerance":-1}`, "tolerance is -1; it is a distance"},
		{`{"score":"json_schema"}`, "score json_schema needs a schema"},
		{`{"score":"json_schema","schema":"{"}`, "schema: unexpected EOF"},
	} {
		var check Check
		if err := json.Unmarshal([]byte(c.check), &check); err != nil {
			t.Fatal(err)
		}
		if _, err := check.Compile(); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.check, err, c.want)
		}
	}
}

// A schema in which each definition asks twice for the next would double the work of a
// validation with every level.
func TestSchemaBomb(t *testing.T) {
	start := time.Now()
	bomb := `{"$ref":"#/$defs/d0","$defs":{`
	for i := range 40 {
		next := string(rune('a' + i%26))
		bomb += `"` + next + `":{"allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/b"}]},`
	}
	bomb += `"d0":{}}}`
	_, err := Check{Score: "json_schema", Schema: bomb}.Compile()
	if err == nil || !strings.Contains(err.Error(), "at most 16 are possible") {
		t.Errorf("%v", err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("it took %v", d)
	}
}

func FuzzHolds(f *testing.F) {
	f.Add("contains", "a", "b")
	f.Add("regex", "a.*", "ab")
	f.Add("json_schema", `{"type":"object"}`, "{}")
	f.Fuzz(func(t *testing.T, name, text, answer string) {
		least := .5
		for _, c := range []Check{{Score: name, Text: text}, {Score: name, Schema: text}, {Score: name, Text: text, AtLeast: &least}, {Score: name}} {
			s, err := c.Compile()
			if err != nil {
				continue
			}
			if s.Holds(answer, text) != s.Holds(answer, text) {
				t.Error("two answers")
			}
			c.Not = true
			if n, err := c.Compile(); err != nil || n.Holds(answer, text) && s.Holds(answer, text) {
				t.Errorf("%v: a check and its opposite both hold", c)
			}
		}
	})
}
