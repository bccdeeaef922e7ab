package metrics

import (
	"fmt"
	"slices"
)

// A rowSpan is the rows from one number on and below another.
type rowSpan struct{ from, to int64 }

// joinRows are the rows of both, in order, neighbouring spans as one. It is an error if
// a row is in both.
func joinRows(a, b []rowSpan) ([]rowSpan, error) {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y rowSpan) int { return int(x.from - y.from) })
	var out []rowSpan
	for _, r := range all {
		last := len(out) - 1
		switch {
		case last >= 0 && r.from < out[last].to:
			return nil, fmt.Errorf("rows %d to %d are there twice", r.from, min(r.to, out[last].to))
		case last >= 0 && r.from == out[last].to:
			out[last].to = r.to
		default:
			out = append(out, r)
		}
	}
	return out, nil
}
