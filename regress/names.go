package regress

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

func checkSuiteName(name string) error {
	ok := name != "" && len(name) <= 64
	for i, r := range name {
		ok = ok && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || i > 0 && strings.ContainsRune("-_.", r))
	}
	if !ok {
		return fmt.Errorf("suite name %q: use 1 to 64 letters, digits and - _ . and begin with a letter or digit", name)
	}
	return nil
}

func checkTestName(name string) error {
	switch {
	case name == "":
		return errors.New("it has no name")
	case len(name) > 100, strings.Contains(name, "/"), strings.TrimSpace(name) != name, !printable(name):
		return fmt.Errorf("name %q: use at most 100 bytes of visible characters without /", name)
	}
	return nil
}

func checkNote(what, text string) error {
	if len(text) > MaxNote || !printable(text) {
		return fmt.Errorf("%s: use at most %d bytes of visible characters on one line", what, MaxNote)
	}
	return nil
}

// printable refuses control and format characters, which could make a page show
// other text than the one that was reviewed.
func printable(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

// Plain makes foreign text fit one line of a sentence: no control characters, and
// at most 120 characters.
func Plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '·'
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 120 {
		s = string(r[:119]) + "…"
	}
	return s
}
