package runner

import (
	"strings"
	"testing"

	"proctor/holdout/rows"
)

// A prompt, and what it asks about the row (1.5, "a {b}"), or what is wrong with it.
const prompts = `
{x} and {text}                1.5 and a {b}
{text}{text}                  a {b}a {b}
{{{x}}}                       {1.5}
no column                     error: no column in braces
{}                            error: byte 1: after an opening
{x                            error: byte 1: after an opening
x} {x}                        error: byte 2: a closing brace
{x {text}}                    error: byte 1: after an opening
{y}                           error: names the column "y"; the rows have x, text
`

func TestPrompt(t *testing.T) {
	tab, err := rows.New(rows.Column{Name: "x", Floats: []float64{1.5}}, rows.Column{Name: "text", Strings: []string{"a {b}"}})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(strings.TrimSpace(prompts)) {
		text, want := strings.TrimSpace(line[:30]), strings.TrimSpace(line[30:])
		p, err := ParsePrompt(text)
		if err == nil {
			err = p.Check(tab.Fields())
		}
		got := ""
		if err != nil {
			got = "error: " + err.Error()
		} else {
			got = p.Fill(tab, 0)
		}
		if reason, ok := strings.CutPrefix(want, "error: "); got != want && !(ok && strings.HasPrefix(got, "error: ") && strings.Contains(got, reason)) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if _, err := ParsePrompt(strings.Repeat("x", maxPrompt) + "{x}"); err == nil {
		t.Error("a prompt without end is taken")
	}
}
