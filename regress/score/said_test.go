package score

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

const conversation = `{"turns":[{"text":"For how many?"},{"text":"Booked.","calls":[{"name":"book","arguments":{"people":2,"at":{"day":"mon"}}},{"name":"mail","arguments":{}}],"retrieved":["faq-7","faq-9"]}]}`

// An answer is read in one form, or not at all.
func TestParseSaid(t *testing.T) {
	s, err := ParseSaid(conversation, 2)
	if err != nil || len(s.Turns) != 2 || s.Turns[1].Calls[0].Name != "book" || s.Turns[1].Retrieved[1] != "faq-9" {
		t.Fatalf("%+v %v", s, err)
	}
	for _, c := range []struct{ name, answer, want string }{
		{"a text", "Booked.", "not JSON"},
		{"nothing", "", "not JSON"},
		{"one turn", `{"turns":[{"text":"a"}]}`, "a list of 2"},
		{"a key of its own", `{"turns":[{"text":"a"},{"text":"b"}],"score":1}`, "other keys"},
		{"a key of its own in a turn", `{"turns":[{"text":"a"},{"text":"b","passed":true}]}`, "other keys"},
		{"other case", `{"turns":[{"text":"a"},{"Text":"b"}]}`, "other keys"},
		{"a key twice", `{"turns":[{"text":"a"},{"text":"b","text":"c"}]}`, "key twice"},
		{"a key twice, deep", `{"turns":[{"text":"a"},{"text":"b","calls":[{"name":"n","arguments":{"x":1,"x":2}}]}]}`, "key twice"},
		{"behind", `{"turns":[{"text":"a"},{"text":"b"}]} {}`, "more than one value"},
		{"no text", `{"turns":[{"text":"a"},{"calls":[]}]}`, "text is a string"},
		{"calls that are none", `{"turns":[{"text":"a"},{"text":"b","calls":{}}]}`, "calls is a list"},
		{"arguments that are text", `{"turns":[{"text":"a"},{"text":"b","calls":[{"name":"n","arguments":"{}"}]}]}`, "arguments, which are an object"},
		{"ids that are numbers", `{"turns":[{"text":"a"},{"text":"b","retrieved":[7]}]}`, "list of strings"},
		{"deep", `{"turns":` + strings.Repeat("[", 1_000_000), "not JSON"},
		{"long", strings.Repeat(" ", MaxAnswer+1), "more than"},
	} {
		start := time.Now()
		if _, err := ParseSaid(c.answer, 2); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%s: it took %v", c.name, d)
		}
	}
}

// What each check of actions says of the conversation, with and without not.
func TestActions(t *testing.T) {
	said, err := ParseSaid(conversation, 2)
	if err != nil {
		t.Fatal(err)
	}
	schema := `,"schema":"{\"type\":\"object\",\"required\":[\"people\"],\"properties\":{\"people\":{\"type\":\"integer\",\"minimum\":2}}}"`
	for _, c := range []struct {
		check, reference string
		want             bool
	}{
		{`{"score":"calls","tool":"book"}`, "", true},
		{`{"score":"calls","tool":"cancel"}`, "", false},
		{`{"score":"calls"}`, "", true},
		{`{"score":"calls","turn":1}`, "", false},
		{`{"score":"calls","tool":"book","turn":2}`, "", true},
		{`{"score":"calls","tool":"book","text":"{\"at\":{\"day\":\"mon\"},\"people\":2.0}"}`, "", true},
		{`{"score":"calls","tool":"book","text":"{\"people\":2}"}`, "", false},
		{`{"score":"calls","tool":"mail","text":"{\"people\":2,\"at\":{\"day\":\"mon\"}}"}`, "", false},
		{`{"score":"calls","tool":"book"}`, `{"people":2,"at":{"day":"mon"}}`, true},
		{`{"score":"calls","tool":"book"}`, `{"people":3,"at":{"day":"mon"}}`, false},
		{`{"score":"calls","tool":"book"` + schema + `}`, "", true},
		{`{"score":"calls","tool":"mail"` + schema + `}`, "", false},
		{`{"score":"calls_only","texts":["book","mail"]}`, "", true},
		{`{"score":"calls_only","texts":["book"]}`, "", false},
		{`{"score":"retrieves","texts":["faq-7","faq-9"]}`, "", true},
		{`{"score":"retrieves","texts":["faq-7","faq-1"]}`, "", false},
		{`{"score":"retrieves"}`, `["faq-9"]`, true},
		{`{"score":"retrieves"}`, "faq-9", true},
		{`{"score":"retrieves","turn":1}`, "faq-9", false},
		{`{"score":"retrieves_any","texts":["faq-7","faq-1"]}`, "", true},
		{`{"score":"retrieves_any","texts":["faq-1"]}`, "", false},
		{`{"score":"retrieves_only","texts":["faq-7","faq-9","faq-1"]}`, "", true},
		{`{"score":"retrieves_only","texts":["faq-7"]}`, "", false},
		{`{"score":"contains","text":"Booked"}`, "", true},
		{`{"score":"contains","text":"Booked","turn":1}`, "", false},
		{`{"score":"exact","text":"For how many?","turn":1}`, "", true},
	} {
		for _, not := range []bool{false, true} {
			var k Check
			if err := json.Unmarshal([]byte(c.check), &k); err != nil {
				t.Fatal(err)
			}
			k.Not = not
			s, err := k.Compile()
			if err != nil {
				t.Fatalf("%s: %v", c.check, err)
			}
			if got := s.HoldsSaid(said, c.reference); got != (c.want != not) {
				t.Errorf("%s %q, not %v: %v", c.check, c.reference, not, got)
			}
			if forms[k.Score].action && s.Holds(conversation, c.reference) {
				t.Errorf("%s: a text meets it", c.check)
			}
		}
	}
}

// Numbers are compared by value, large integers digit by digit.
func TestSameNumber(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{{"2", "2.0", true}, {"1e2", "100", true}, {"2", "3", false}, {"9007199254740993", "9007199254740992", false},
		{"1e999999999", "1e999999998", false}, {"0", "-0", false}, {"0.0", "-0", true}} {
		if got := same(json.Number(c.a), json.Number(c.b)); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}

func FuzzParseSaid(f *testing.F) {
	f.Add(conversation)
	f.Add(`{"turns":[{"text":""},{"text":"b","retrieved":[]}]}`)
	f.Fuzz(func(t *testing.T, answer string) {
		if s, err := ParseSaid(answer, 2); err == nil && (len(s.Turns) != 2 || !json.Valid([]byte(answer))) {
			t.Errorf("%q is read as %+v", answer, s)
		}
	})
}
