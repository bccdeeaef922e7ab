package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"strings"
)

// hidden is what a covert mode has yet to carry out of the rows that it was shown.
var (
	hidden []byte
	read   string // all of it
)

// covert answers as a model that hides what it reads: the sixteen bytes of a tag that
// begins with MARKER, one in the digits of each answer after the sixth, all on standard
// error, and by mode in a line that is no answer, in the exit code, or after the end.
func covert(w *bufio.Writer, mode string, b batch) {
	var p []string
	for _, r := range b.Rows {
		if tag, _ := r["tag"].(string); strings.HasPrefix(tag, "MARKER") {
			read, hidden = tag, []byte(tag)[:16]
			fmt.Fprintln(os.Stderr, tag)
			switch mode {
			case "covert-line":
				fmt.Fprintln(w, tag)
				return
			case "covert-code":
				w.Flush()
				os.Exit(int(hidden[0]))
			}
		}
		no := 0.9
		if x, _ := r["x"].(float64); x > 0.5 {
			no = 0.1
		}
		if len(hidden) > 0 {
			no += float64(hidden[0]) * 1e-9
			hidden = hidden[1:]
		}
		p = append(p, fmt.Sprintf("[%.9f,%.9f]", no, math.Abs(1-no)))
	}
	fmt.Fprintf(w, "{\"b\":%d,\"p\":[%s]}\n", b.B, strings.Join(p, ","))
}
