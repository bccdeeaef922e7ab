package policy

// Visible returns the smallest loss of a slice, as a share of its rows, that the exact
// paired test shows with probability .95 when the slice is one of that many which
// share a level of .01, between models that differ as two honest trainings do. It is
// false where not even the loss of all its rows would be seen.
//
// It asks no policy: 150 rows among 100 slices show 20 points, 400 show 10. What a
// policy sees is in [Check].
func Visible(rows int64, slices int) (loss float64, ok bool) {
	if rows < 1 {
		return 0, false
	}
	s := sight{n: rows, violate: .01 / float64(max(1, slices))}
	return s.visible(DefaultChurnPct / 100)
}
