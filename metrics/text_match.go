package metrics

import (
	"strings"
	"unicode"
)

// An Overlap is precision, recall and their harmonic mean of what two texts have
// in common, each in [0, 1], 0 where there is nothing to divide by.
type Overlap struct{ Precision, Recall, F1 float64 }

func overlap(common, predicted, reference int) Overlap {
	if common == 0 {
		return Overlap{}
	}
	p, r := float64(common)/float64(predicted), float64(common)/float64(reference)
	return Overlap{p, r, 2 * p * r / (p + r)}
}

// ExactMatch is whether two texts have the same bytes ("exact_match@1").
func ExactMatch(predicted, reference string) bool { return predicted == reference }

// SQuAD compares answers as the evaluation script of SQuAD 2.0 does (Rajpurkar
// 2018): in lower case, without ASCII punctuation, then without the words a, an
// and the. Exact ("squad_em@1") is whether the rest is the same, F1 ("squad_f1@1")
// the overlap of its words with multiplicity; where either has no word left, F1
// is 1 if both have none, else 0. It is an error if a text is longer than 64 KiB
// or no UTF-8. With several references take the best.
func SQuAD(predicted, reference string) (exact bool, f1 float64, err error) {
	if err := checkSegment(predicted, []string{reference}); err != nil {
		return false, 0, err
	}
	p, r := squadWords(predicted), squadWords(reference)
	exact = strings.Join(p, " ") == strings.Join(r, " ")
	if len(p) == 0 || len(r) == 0 {
		return exact, float64(oneIf(exact)), nil
	}
	return exact, overlap(common(p, r), len(p), len(r)).F1, nil
}

const asciiPunctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

func squadWords(s string) []string {
	s = strings.Map(func(r rune) rune {
		if r < 0x80 && strings.ContainsRune(asciiPunctuation, r) {
			return -1
		}
		return r
	}, strings.ToLower(s))
	var kept strings.Builder
	for len(s) > 0 { // a run of letters and digits, or one other code point
		end := strings.IndexFunc(s, func(r rune) bool { return !isWordRune(r) })
		if end < 0 {
			end = len(s)
		}
		if run := s[:end]; run == "a" || run == "an" || run == "the" {
			kept.WriteByte(' ')
		} else {
			kept.WriteString(run)
		}
		s = s[end:]
		if end = strings.IndexFunc(s, isWordRune); end < 0 {
			end = len(s)
		}
		kept.WriteString(s[:end])
		s = s[end:]
	}
	return words(kept.String())
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || r == '_' }

// common counts what two lists share, with multiplicity.
func common[T comparable](a, b []T) int {
	left := make(map[T]int, len(a))
	for _, x := range a {
		left[x]++
	}
	n := 0
	for _, x := range b {
		if left[x] > 0 {
			left[x]--
			n++
		}
	}
	return n
}

// Rouge holds ROUGE-1, ROUGE-2 and ROUGE-L of a pair ("rouge1@1", "rouge2@1",
// "rougeL@1").
type Rouge struct{ One, Two, L Overlap }

// ROUGE compares words, pairs of words and the longest common subsequence of
// words (Lin 2004), as Google's rouge_score without its stemmer: in lower case,
// words are runs of a-z and 0-9. Other scripts have no words: use another metric
// for them. Errors as [SQuAD].
func ROUGE(predicted, reference string) (Rouge, error) {
	if err := checkSegment(predicted, []string{reference}); err != nil {
		return Rouge{}, err
	}
	d := dictionary[string]{}
	p, r := d.codes(rougeWords(predicted)), d.codes(rougeWords(reference))
	p2, r2 := pairsOf(p), pairsOf(r)
	return Rouge{
		One: overlap(common(p, r), len(p), len(r)),
		Two: overlap(common(p2, r2), len(p2), len(r2)),
		L:   overlap(longestCommon(p, r, len(d)), len(p), len(r)),
	}, nil
}

func rougeWords(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') })
}

func pairsOf(s []int32) [][2]int32 {
	var out [][2]int32
	for i := 1; i < len(s); i++ {
		out = append(out, [2]int32{s[i-1], s[i]})
	}
	return out
}
