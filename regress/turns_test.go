package regress

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"
)

const bookings = `suite: desk
about: What the assistant of our desk must do.
tests:
  - name: books
    capability: tools
    kind: MFT
    cases: c.jsonl
    turns: [first, then]
    checks:
      - {score: contains, text: how many, turn: 1}
      - {score: calls, tool: book, column: args, turn: 2}
      - {score: calls, tool: cancel, not: true}
      - {score: retrieves, column: docs}
`

const bookingCases = `{"first":"A table, please.","then":"For two.","args":"{\"people\":2}","docs":"[\"faq-7\"]"}
{"first":"Can I get a table?","then":"We are three.","args":"{\"people\":3}","docs":"faq-7"}
`

func desk(t *testing.T, yaml string) (*Suite, error) {
	t.Helper()
	return Load(fstest.MapFS{"s.yaml": {Data: []byte(yaml)}, "c.jsonl": {Data: []byte(bookingCases)}}, "s.yaml")
}

// A conversation is judged turn by turn; what is not of the form, or silent, fails.
func TestConversations(t *testing.T) {
	s, err := desk(t, bookings)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(s.Encode())
	if err != nil || !bytes.Equal(again.Encode(), s.Encode()) {
		t.Fatalf("it does not survive its byte form: %v", err)
	}
	const good = `{"turns":[{"text":"For how many?"},{"text":"Done.","calls":[{"name":"book","arguments":{"people":2}}],"retrieved":["faq-7"]}]}`
	for _, c := range []struct {
		name, answer string
		want         Outcome
	}{
		{"as it should be", good, Passed},
		{"other arguments", strings.Replace(good, `"people":2`, `"people":4`, 1), Failed},
		{"called too early", `{"turns":[{"text":"For how many?","calls":[{"name":"book","arguments":{"people":2}}]},{"text":"Done.","retrieved":["faq-7"]}]}`, Failed},
		{"a tool that it must not call", strings.Replace(good, `"calls":[`, `"calls":[{"name":"cancel","arguments":{}},`, 1), Failed},
		{"not retrieved", strings.Replace(good, "faq-7", "faq-8", 1), Failed},
		{"it only says so", `{"turns":[{"text":"For how many?"},{"text":"I called book with people 2 and retrieved faq-7."}]}`, Failed},
		{"a text", "For how many? Done.", Failed},
		{"a silent turn", strings.Replace(good, "For how many?", " ", 1), Failed},
		{"nothing", "", Failed},
	} {
		j, err := s.JudgeTexts(nil, []string{c.answer, good})
		if err != nil {
			t.Fatal(err)
		}
		if got := j.Outcomes(0); got[0] != c.want || got[1] != Failed { // the second case asks for three
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// A must-not-do alone is not met by an answer that says nothing.
func TestSilenceMeetsNothing(t *testing.T) {
	s, err := desk(t, strings.Replace(bookings, `      - {score: contains, text: how many, turn: 1}
      - {score: calls, tool: book, column: args, turn: 2}
`, "", 1))
	if err != nil {
		t.Fatal(err)
	}
	judge := func(first string) Outcome {
		j, err := s.JudgeTexts(nil, []string{`{"turns":[{"text":"` + first + `"},{"text":"b","retrieved":["faq-7"]}]}`, "x"})
		if err != nil {
			t.Fatal(err)
		}
		return j.Outcomes(0)[0]
	}
	if judge("a") != Passed || judge("") != Failed {
		t.Error("silence passes, or words do not")
	}
}

func TestTurnsAreStrict(t *testing.T) {
	for _, c := range []struct{ name, from, to, want string }{
		{"no such column", "[first, then]", "[first, last]", `there is no column "last"`},
		{"one twice", "[first, then]", "[first, first]", "is a turn already"},
		{"a turn that is not there", "turn: 2", "turn: 3", "looks at turn 3; there are 2"},
		{"half a turn", "turn: 2", "turn: 1.5", "turns are counted from 1"},
		{"arguments that are none", `column: args`, `text: "[1]"`, "no JSON object"},
		{"a tool for a text", "{score: contains, ", "{score: contains, tool: book, ", "does not use a tool"},
		{"a typo", "turns:", "turn:", `did you mean "turns"?`},
		{"no checks", bookings[strings.Index(bookings, "    checks:"):], "", "the test has no checks"},
	} {
		text := strings.Replace(bookings, c.from, c.to, 1)
		if c.name == "no checks" {
			text = strings.Replace(text, "kind: MFT", "kind: stress", 1)
		}
		if _, err := desk(t, text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

// To lose a turn is a change of the test, and of its digest.
func TestTurnsAreRevised(t *testing.T) {
	was, err := desk(t, bookings)
	if err != nil {
		t.Fatal(err)
	}
	now, err := desk(t, strings.NewReplacer("[first, then]", "[first]", ", turn: 2", "", ", turn: 1", "").Replace(bookings))
	if err != nil {
		t.Fatal(err)
	}
	r := Revise(was, now)
	if s := r.Summary(); r.From == r.To || !strings.Contains(s, "books: turns: first, then -> first") {
		t.Error(s)
	}
}
