package generate

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// rewriters make another form of a text. They return the text itself where nothing in
// it can be changed that way.
var rewriters = map[string]func(draw, string) string{
	"typo":            typo,
	"two_typos":       func(d draw, s string) string { return typo(d, typo(d, s)) },
	"contract":        func(_ draw, s string) string { return swapPhrases(s, contractions, 1, 0) },
	"expand":          func(_ draw, s string) string { return swapPhrases(s, contractions, 0, 1) },
	"add_negation":    func(_ draw, s string) string { return negate(s) },
	"remove_negation": func(_ draw, s string) string { return affirm(s) },
	"name":            func(d draw, s string) string { return swapWord(d, s, "first_name") },
	"place":           func(d draw, s string) string { return swapWord(d, swapWord(d, s, "city"), "country") },
	"number":          changeNumber,
	"no_punctuation":  func(_ draw, s string) string { return strings.TrimRight(s, ".!?;, ") },
	"full_stop":       func(_ draw, s string) string { return strings.TrimRight(s, ".!?;, ") + "." },
	"upper":           func(_ draw, s string) string { return strings.ToUpper(s) },
	"lower":           func(_ draw, s string) string { return strings.ToLower(s) },
	"double_space":    func(_ draw, s string) string { return strings.ReplaceAll(s, " ", "  ") },
}

// Rewriters names what [Rewrite] knows, in alphabetical order.
func Rewriters() []string { return slices.Sorted(maps.Keys(rewriters)) }

// Rewrite returns another form of a text, the same for the same seed and text, or the
// text itself. It is false when the name is not known.
func Rewrite(name string, seed Seed, text string) (string, bool) {
	f, ok := rewriters[name]
	if !ok {
		return text, false
	}
	return f(seed.With(name, text).draw(), text), true
}

// typo swaps two neighbouring letters that differ, inside one word.
func typo(d draw, s string) string {
	r := []rune(s)
	var at []int
	for i := 0; i+1 < len(r); i++ {
		if unicode.IsLetter(r[i]) && unicode.IsLetter(r[i+1]) && unicode.ToLower(r[i]) != unicode.ToLower(r[i+1]) {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return s
	}
	i := at[d.below(len(at))]
	r[i], r[i+1] = r[i+1], r[i]
	return string(r)
}

// contractions pairs long and short forms that mean the same wherever they stand.
var contractions = [][2]string{
	{"cannot", "can't"}, {"do not", "don't"}, {"does not", "doesn't"}, {"did not", "didn't"}, {"is not", "isn't"}, {"are not", "aren't"},
	{"was not", "wasn't"}, {"were not", "weren't"}, {"will not", "won't"}, {"would not", "wouldn't"}, {"could not", "couldn't"},
	{"should not", "shouldn't"}, {"has not", "hasn't"}, {"have not", "haven't"}, {"had not", "hadn't"},
	{"it is", "it's"}, {"that is", "that's"}, {"there is", "there's"}, {"i am", "I'm"}, {"you are", "you're"}, {"we are", "we're"}, {"they are", "they're"},
}

// swapPhrases puts the side to in the place of the side from of each pair. Pairs are
// stored as long and short; sides count from 0.
func swapPhrases(s string, pairs [][2]string, to, from int) string {
	words := make(map[string]string, len(pairs))
	for _, p := range pairs {
		words[p[from]] = p[to]
	}
	return ReplaceWords(s, words)
}

// ReplaceWords puts the value in the place of each key wherever the key stands as whole
// words, in any case; a first letter that was upper case stays so. All are replaced at
// once, longer keys first, so that he and she can change places.
func ReplaceWords(s string, words map[string]string) string {
	keys := slices.DeleteFunc(slices.Collect(maps.Keys(words)), func(k string) bool { return k == "" })
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	var b strings.Builder
	kept := 0 // s up to here is written
	for i := 0; i < len(s); i++ {
		for _, k := range keys {
			if end := i + len(k); end <= len(s) && strings.EqualFold(s[i:end], k) && wordAt(s, i, end) {
				b.WriteString(s[kept:i] + likeFirst(s[i:end], words[k]))
				kept, i = end, end-1
				break
			}
		}
	}
	b.WriteString(s[kept:])
	return b.String()
}

// wordAt says whether s[i:end] stands between characters that are not letters or digits.
func wordAt(s string, i, end int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	after, _ := utf8.DecodeRuneInString(s[end:])
	return !isWord(before) && !isWord(after)
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '\'' }

func likeFirst(old, text string) string {
	o, t := []rune(old), []rune(text)
	if len(o) > 0 && len(t) > 0 && unicode.IsUpper(o[0]) {
		t[0] = unicode.ToUpper(t[0])
	}
	return string(t)
}

var negatable = regexp.MustCompile(`(?i)\b(is|are|was|were|will|would|could|should|can)\b( not\b|n't\b)?`)

// negate puts "not" behind the first auxiliary verb that has none.
func negate(s string) string {
	m := negatable.FindStringSubmatchIndex(s)
	if m == nil || m[4] >= 0 {
		return s
	}
	return s[:m[3]] + " not" + s[m[3]:]
}

var negation = regexp.MustCompile(`(?i)\b(is|are|was|were|will|would|could|should|can|do|does|did|has|have|had)( not\b|n't\b)`)

// affirm takes the first negation out.
func affirm(s string) string {
	m := negation.FindStringSubmatchIndex(s)
	if m == nil {
		return s
	}
	return s[:m[4]] + s[m[5]:]
}

// swapWord puts another word of a list in the place of the first one that stands in the text.
func swapWord(d draw, s, listName string) string {
	words := builtin[listName]
	at, found := len(s), ""
	for _, w := range words {
		if i := strings.Index(s, w); i >= 0 && i < at && wordAt(s, i, i+len(w)) {
			at, found = i, w
		}
	}
	if found == "" {
		return s
	}
	for {
		if w := words[d.below(len(words))]; w != found {
			return s[:at] + w + s[at+len(found):]
		}
	}
}

var digits = regexp.MustCompile(`\b[0-9]{1,6}\b`)

// changeNumber puts another number of the same length in the place of the first one.
func changeNumber(d draw, s string) string {
	m := digits.FindStringIndex(s)
	if m == nil {
		return s
	}
	old := s[m[0]:m[1]]
	for {
		b := []byte(old)
		for i := range b {
			low := 0
			if i == 0 && len(b) > 1 {
				low = 1
			}
			b[i] = byte('0' + low + d.below(10-low))
		}
		if string(b) != old {
			return s[:m[0]] + string(b) + s[m[1]:]
		}
	}
}
