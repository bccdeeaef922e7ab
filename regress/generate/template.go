package generate

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"proctor/harness/spell"
)

// A template is text with places for words: "The {thing} was {bad}." {thing2} is
// another word of the list thing than {thing}; {{ and }} stand for { and }.
type template struct {
	parts []string // text, place, text, place, ..., text
}

var place = regexp.MustCompile(`^[a-z][a-z_]*[0-9]?$`)

func parse(text string) (template, error) {
	var t template
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], "{{"), strings.HasPrefix(text[i:], "}}"):
			b.WriteByte(text[i])
			i++
		case text[i] == '}':
			return t, fmt.Errorf("template %.60q: a } without {; write }} for the character", text)
		case text[i] == '{':
			end := strings.IndexByte(text[i:], '}')
			if end < 0 || !place.MatchString(text[i+1:i+end]) {
				return t, fmt.Errorf("template %.60q: a { begins the name of a list of words, such as {city}; write {{ for the character", text)
			}
			t.parts = append(t.parts, b.String(), text[i+1:i+end])
			b.Reset()
			i += end
		default:
			b.WriteByte(text[i])
		}
	}
	t.parts = append(t.parts, b.String())
	return t, nil
}

// places returns the names in the order of their first use.
func (t template) places() []string {
	var out []string
	for i := 1; i < len(t.parts); i += 2 {
		out = append(out, t.parts[i])
	}
	return out
}

// size returns how many bytes fill will write.
func (t template) size(word map[string]string) int {
	n := 0
	for i, p := range t.parts {
		if i%2 == 1 {
			p = word[p]
		}
		n += len(p)
	}
	return n
}

// fill writes the template with one word for each place.
func (t template) fill(word map[string]string) string {
	if len(t.parts) == 1 {
		return t.parts[0]
	}
	var b strings.Builder
	b.Grow(t.size(word))
	for i, p := range t.parts {
		if i%2 == 1 {
			p = word[p]
		}
		b.WriteString(p)
	}
	return b.String()
}

// list finds the words of a place: what the suite declares, else what is built in.
func list(words map[string][]string, name string) ([]string, error) {
	base := base(name)
	for _, n := range []string{name, base} {
		if w, ok := words[n]; ok {
			if len(w) == 0 {
				return nil, fmt.Errorf("the list of words %q is empty", n)
			}
			return w, nil
		}
	}
	if w, ok := builtin[base]; ok {
		return w, nil
	}
	known := make([]string, 0, len(words)+len(builtin))
	for n := range words {
		known = append(known, n)
	}
	for n := range builtin {
		known = append(known, n)
	}
	return nil, fmt.Errorf("there is no list of words %q%s", base, spell.Suggest(base, slices.Sorted(slices.Values(known))))
}

// base is the list of a place: {city2} is of the list city. A hidden place of a column
// is its own list.
func base(name string) string {
	if strings.HasPrefix(name, "=") {
		return name
	}
	return strings.TrimRight(name, "0123456789")
}

var errTooMany = errors.New("the product of its lists has more than 2^60 combinations")
