package web

import "strings"

// A piece is part of two texts laid over each other.
type piece struct{ Kind, Text string } // "same", "gone", "new"

// maxWords bounds the texts that are compared word by word; longer ones are shown one
// after the other.
const maxWords = 400

// wordDiff lays two texts over each other by their longest common sequence of words.
func wordDiff(a, b string) []piece {
	x, y := strings.SplitAfter(a, " "), strings.SplitAfter(b, " ")
	if len(x) > maxWords || len(y) > maxWords {
		return []piece{{"gone", a}, {"new", b}}
	}
	same := make([][]int, len(x)+1) // length of the longest common sequence from i, j on
	for i := range same {
		same[i] = make([]int, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if same[i][j] = max(same[i+1][j], same[i][j+1]); word(x[i]) == word(y[j]) {
				same[i][j] = same[i+1][j+1] + 1
			}
		}
	}
	var out []piece
	add := func(kind, text string) {
		if n := len(out); n > 0 && out[n-1].Kind == kind {
			out[n-1].Text += text
		} else if text != "" {
			out = append(out, piece{kind, text})
		}
	}
	i, j := 0, 0
	for i < len(x) || j < len(y) {
		switch {
		case i < len(x) && j < len(y) && word(x[i]) == word(y[j]):
			add("same", y[j])
			i, j = i+1, j+1
		case i < len(x) && (j == len(y) || same[i+1][j] >= same[i][j+1]):
			add("gone", x[i])
			i++
		default:
			add("new", y[j])
			j++
		}
	}
	return out
}

func word(s string) string { return strings.TrimSuffix(s, " ") }
