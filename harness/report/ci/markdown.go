package ci

import (
	"fmt"
	"io"
	"strings"
)

// MaxSummary is what GitHub takes as a step summary, in bytes.
const MaxSummary = 1 << 20

// Markdown writes the sentence, then a table: what is not ok first. At most most bytes
// are written; rows that do not fit are counted in a last line.
func (r Run) Markdown(w io.Writer, most int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n**%s**\n\n", markdown(r.Title), markdown(r.Sentence))
	head := append([]string{"state", "group", "what", "says"}, r.Columns...)
	fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat(" --- |", len(head)))
	const reserve = 200 // for the last line
	left := 0
	for _, bad := range []bool{true, false} {
		for _, e := range r.Entries {
			if (e.State != OK) != bad {
				continue
			}
			if row := r.row(e); b.Len()+len(row)+reserve <= most {
				b.WriteString(row)
			} else {
				left++
			}
		}
	}
	if left > 0 {
		fmt.Fprintf(&b, "\n%d more entries are not shown here.\n", left)
	}
	for _, n := range r.Notes {
		if line := "\n- " + markdown(n); b.Len()+len(line)+reserve <= most {
			b.WriteString(line)
		}
	}
	_, err := io.WriteString(w, b.String()+"\n")
	return err
}

func (r Run) row(e Entry) string {
	cells := []string{map[string]string{OK: "ok", Failed: "**FAILED**", NotRun: "not run"}[e.State], markdown(e.Group), markdown(e.Name), markdown(e.Says)}
	if cells[0] == "" {
		cells[0] = "**undecided**"
	}
	for i := range r.Columns {
		v := ""
		if i < len(e.Values) {
			v = markdown(e.Values[i])
		}
		cells = append(cells, v)
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

// markdown writes text so that it means itself: no markup, link, mention, tag or new cell.
func markdown(s string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\ufffd") {
		switch {
		case r < 0x20 || r == 0x7f:
			b.WriteByte(' ')
		case strings.ContainsRune("\\`*_[]()#!|~<>&@:$", r):
			fmt.Fprintf(&b, "&#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
