package regress

import (
	"strings"

	"proctor/regress/score"
)

// Question returns what an example asks, for a reader: the turns of a conversation, else
// the text columns, one a line.
func (t *Test) Question(example int) string {
	var out []string
	for _, c := range t.Examples.Columns() {
		if !c.IsNumber() && t.Turns == nil {
			out = append(out, c.Strings[example])
		}
	}
	for _, name := range t.Turns {
		c, _ := t.Examples.Column(name)
		out = append(out, c.Strings[example])
	}
	return strings.Join(out, "\n")
}

// Shown returns the part of an answer that a text check looks at: in a conversation the
// text of its turn, "" where the answer is of no form.
func (t *Test) Shown(answer string, c score.Check) string {
	n := t.Conversation()
	if n == 0 {
		return answer
	}
	said, err := score.ParseSaid(answer, n)
	if err != nil {
		return ""
	}
	if c.Turn > 0 {
		n = c.Turn
	}
	return said.Turns[n-1].Text
}
