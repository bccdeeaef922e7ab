package metrics

import (
	"errors"
	"fmt"
	"strings"
)

// A CoverageError counts how predictions fail to cover the answers one to one.
// It names no row: a model that knew which of its answers were bad would learn
// where the rows lie.
type CoverageError struct {
	Missing   int64 // rows without a label
	Extra     int64 // labels without a row
	BadLabels int64 // labels that are neither a class nor -1
	Scores    int64 // probabilities given
	Wanted    int64 // probabilities that the rows and classes ask for
	BadScores int64 // probabilities that are NaN or outside [0, 1]
}

func (e *CoverageError) Error() string {
	s := fmt.Sprintf("predictions do not cover the rows: %d missing, %d extra, %d of an unknown class", e.Missing, e.Extra, e.BadLabels)
	if e.Scores != e.Wanted {
		s += fmt.Sprintf(", %d probabilities where %d are needed", e.Scores, e.Wanted)
	}
	if e.BadScores > 0 {
		s += fmt.Sprintf(", %d not a probability", e.BadScores)
	}
	return s
}

// check refuses predictions that are not exactly one label, and one probability
// a class or none at all, for each of n rows.
func (p Predictions) check(n, classes int) error {
	bad := CoverageError{
		Missing: int64(max(0, n-len(p.Labels))),
		Extra:   int64(max(0, len(p.Labels)-n)),
	}
	for _, h := range p.Labels {
		if h < -1 || int(h) >= classes {
			bad.BadLabels++
		}
	}
	if p.Probs != nil {
		bad.Scores, bad.Wanted = int64(len(p.Probs)), int64(n)*int64(classes)
	}
	for _, q := range p.Probs {
		if !(q >= 0 && q <= 1) { // so put that NaN is caught
			bad.BadScores++
		}
	}
	if bad != (CoverageError{Scores: bad.Wanted, Wanted: bad.Wanted}) {
		return &bad
	}
	return nil
}

// check refuses answers that could not be scored against.
func (a Answers) check() error {
	if len(a.Labels) == 0 {
		return errors.New("answers: no rows")
	}
	if len(a.Classes) < 2 {
		return fmt.Errorf("answers: %d classes, need at least 2", len(a.Classes))
	}
	if err := distinct(a.Classes); err != nil {
		return fmt.Errorf("answers: classes: %w", err)
	}
	if a.Positive < -1 || a.Positive >= len(a.Classes) {
		return fmt.Errorf("answers: positive class %d of %d classes", a.Positive, len(a.Classes))
	}
	if n := outside(a.Labels, len(a.Classes)); n > 0 {
		return fmt.Errorf("answers: %d labels are no class", n)
	}
	names := make([]string, 0, len(a.Dimensions))
	for _, d := range a.Dimensions {
		if err := d.check(len(a.Labels)); err != nil {
			return fmt.Errorf("answers: dimension %q: %w", d.Name, err)
		}
		names = append(names, d.Name)
	}
	if err := distinct(names); err != nil {
		return fmt.Errorf("answers: dimensions: %w", err)
	}
	return nil
}

func (d Dimension) check(n int) error {
	if d.Name == ByClass || strings.Contains(d.Name, "*") {
		return fmt.Errorf("a name cannot be %q or contain *", ByClass)
	}
	if len(d.Codes) != n {
		return fmt.Errorf("%d rows, the answers have %d", len(d.Codes), n)
	}
	if bad := outside(d.Codes, len(d.Values)); bad > 0 {
		return fmt.Errorf("%d codes have no value", bad)
	}
	seen := make(map[string]bool, len(d.Values))
	for _, v := range d.Values {
		if seen[v] {
			return fmt.Errorf("value %q is there twice", v)
		}
		seen[v] = true
	}
	return nil
}

// distinct refuses an empty or repeated name.
func distinct(names []string) error {
	seen := make(map[string]bool, len(names))
	for _, s := range names {
		if s == "" {
			return errors.New("an empty name")
		}
		if seen[s] {
			return fmt.Errorf("%q is there twice", s)
		}
		seen[s] = true
	}
	return nil
}

// outside counts the codes that are not in [0, n).
func outside(codes []int32, n int) int {
	bad := 0
	for _, c := range codes {
		if c < 0 || int(c) >= n {
			bad++
		}
	}
	return bad
}
