package runner

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"proctor/holdout/rows"
)

// A Prompt is what a text model is asked about a row: text in which a column's name
// in braces stands for its value. "{{" and "}}" are braces.
//
//	Is this review good or bad? Answer with one word.\n\n{review}
//
// Only ParsePrompt makes one.
type Prompt struct {
	texts   []string // one more than columns
	columns []string
}

const maxPrompt = 64 << 10 // bytes

// ParsePrompt reads a prompt. It must name a column: else every row is the same question.
func ParsePrompt(text string) (Prompt, error) {
	if len(text) > maxPrompt {
		return Prompt{}, fmt.Errorf("longer than %d bytes", maxPrompt)
	}
	var p Prompt
	var now strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case (c == '{' || c == '}') && i+1 < len(text) && text[i+1] == c:
			now.WriteByte(c)
			i++
		case c == '}':
			return Prompt{}, fmt.Errorf("byte %d: a closing brace without an opening one; write }} for a brace", i+1)
		case c == '{':
			name, _, ok := strings.Cut(text[i+1:], "}")
			if !ok || name == "" || strings.ContainsAny(name, "{\n") {
				return Prompt{}, fmt.Errorf("byte %d: after an opening brace comes the name of a column and a closing brace; write {{ for a brace", i+1)
			}
			p.texts, p.columns = append(p.texts, now.String()), append(p.columns, name)
			now.Reset()
			i += len(name) + 1
		default:
			now.WriteByte(c)
		}
	}
	if p.columns == nil {
		return Prompt{}, errors.New("no column in braces, such as {text}: every row would be the same question")
	}
	p.texts = append(p.texts, now.String())
	return p, nil
}

// ColumnPrompt asks with the value of a column and nothing else.
func ColumnPrompt(name string) Prompt {
	return Prompt{texts: []string{"", ""}, columns: []string{name}}
}

// Check says whether rows with these columns can be asked.
func (p Prompt) Check(fields []rows.Field) error {
	var names []string
	for _, f := range fields {
		names = append(names, f.Name)
	}
	for _, c := range p.columns {
		if !slices.Contains(names, c) {
			return fmt.Errorf("the prompt names the column %q; the rows have %s", c, strings.Join(names, ", "))
		}
	}
	return nil
}

// Fill gives the question about row r of a table that Check let pass. Numbers are
// written in their shortest form.
func (p Prompt) Fill(t rows.Table, r int) string {
	var b strings.Builder
	for i, name := range p.columns {
		b.WriteString(p.texts[i])
		c, _ := t.Column(name)
		if c.IsNumber() {
			b.WriteString(strconv.FormatFloat(c.Floats[r], 'f', -1, 64))
		} else {
			b.WriteString(c.Strings[r])
		}
	}
	b.WriteString(p.texts[len(p.columns)])
	return b.String()
}

// FoldAnswer is what two answers of a text model have in common when they mean the
// same class: their letters, without regard to case, to white space around them and
// to a full stop at their end.
func FoldAnswer(s string) string {
	return strings.ToLower(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), ".")))
}
