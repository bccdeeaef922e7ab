package metrics

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText bounds each text, in bytes, so that time and memory have a bound too:
// longer ones are an error. Texts that are no UTF-8 are one as well.
const maxText = 1 << 16

func checkText(what, s string) error {
	if len(s) > maxText {
		return fmt.Errorf("%s: %d bytes, at most %d are scored", what, len(s), maxText)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s: not UTF-8", what)
	}
	return nil
}

// maxReferences bounds the references of a segment.
const maxReferences = 16

// checkSegment refuses a segment whose texts are not to be scored or that has no
// reference.
func checkSegment(hypothesis string, references []string) error {
	if len(references) == 0 || len(references) > maxReferences {
		return fmt.Errorf("%d references, need 1 to %d", len(references), maxReferences)
	}
	if err := checkText("hypothesis", hypothesis); err != nil {
		return err
	}
	for _, r := range references {
		if err := checkText("reference", r); err != nil {
			return err
		}
	}
	return nil
}

// isSpace is Unicode white space and the four ASCII separators.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// words splits at white space.
func words(s string) []string { return strings.FieldsFunc(s, isSpace) }

// Tokens13a are the words of mteval-v13a, the script of the NIST evaluations, as
// sacreBLEU reads it ("13a"; Post 2018). Lines are joined, four entities of SGML
// are resolved, and then, each once from left to right: ASCII symbols but
// ' , - . stand alone; a period or comma is cut off from what is no digit before
// it, then from what is no digit after it; a dash is cut off from a digit before it.
func Tokens13a(s string) []string {
	s = strings.TrimRightFunc(s, isSpace)
	for _, e := range plain13a { // one after the other: "&amp;lt;" becomes "<"
		s = strings.ReplaceAll(s, e[0], e[1])
	}
	s = " " + s + " "
	for _, r := range rules13a {
		s = r.pattern.ReplaceAllString(s, r.with)
	}
	return words(s)
}

var (
	plain13a = [][2]string{{"<skipped>", ""}, {"-\n", ""}, {"\n", " "}, {"&quot;", `"`}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}}
	rules13a = []rule13a{
		{regexp.MustCompile("([!-&(-+:-@/\\[-`{-~])"), " $1 "},
		{regexp.MustCompile(`([^0-9])([.,])`), "$1 $2 "},
		{regexp.MustCompile(`([.,])([^0-9])`), " $1 $2"},
		{regexp.MustCompile(`([0-9])(-)`), "$1 $2 "},
	}
)

type rule13a struct {
	pattern *regexp.Regexp
	with    string
}

// Tokenization names how texts are cut into words.
type Tokenization uint8

const (
	Cut13a    Tokenization = iota // as [Tokens13a]
	CutSpaces                     // at white space
)

func (c Tokenization) String() string {
	if c == CutSpaces {
		return "none"
	}
	return "13a"
}

// tokens cuts s, in lower case if lower: Unicode's mapping of one letter to one.
func (c Tokenization) tokens(s string, lower bool) []string {
	if lower {
		s = strings.ToLower(s)
	}
	if c == CutSpaces {
		return words(s)
	}
	return Tokens13a(s)
}
