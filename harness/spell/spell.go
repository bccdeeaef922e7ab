// Package spell names the known word that an unknown one was meant to be, for
// messages about what people wrote. It trusts nobody: words are of any length.
package spell

import (
	"fmt"
	"strings"
)

// Suggest returns `; did you mean "x"?` for the nearest of the known words, or
// lists them when none is near. Ties go to the first in the list.
func Suggest(word string, known []string) string {
	best, at := "", len(word)/2+1
	for _, k := range known {
		if d := distance(fold(word), fold(k)); d < at {
			best, at = k, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("; did you mean %q?", best)
	case len(known) > 0 && len(known) <= 30:
		return "; there are " + strings.Join(known, ", ")
	}
	return ""
}

// fold makes the words alike that people mix up most: case, dash and underscore.
func fold(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "-", " ", "-").Replace(s))
}

// distance is Levenshtein's, over bytes of at most 64.
func distance(a, b string) int {
	a, b = a[:min(len(a), 64)], b[:min(len(b), 64)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost++
			}
			last = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
