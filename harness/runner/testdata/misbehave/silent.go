package main

import (
	"bufio"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// silent answers as the rule does, but for rows that are nearer to its border than the
// mode says, "silent-0.01": it answers those with none of the classes.
func silent(w *bufio.Writer, mode string, b batch) {
	near, _ := strconv.ParseFloat(strings.TrimPrefix(mode, "silent-"), 64)
	y := make([]string, len(b.Rows))
	for i, r := range b.Rows {
		x, _ := r["x"].(float64)
		switch {
		case math.Abs(x-0.5) < near:
			y[i] = "-1"
		case x > 0.5:
			y[i] = "1"
		default:
			y[i] = "0"
		}
	}
	fmt.Fprintf(w, "{\"b\":%d,\"y\":[%s]}\n", b.B, strings.Join(y, ","))
}
