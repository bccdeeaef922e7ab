package runner

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// An answer is one line of a model, taken apart but not yet believed.
type answer struct {
	batch  int
	probs  []float64 // n×K, of six significant digits, or nil
	labels []int32   // or nil
	end    int       // rows that the model says it answered
	isEnd  bool
}

// A violation is what is wrong with an answer: the canned reason and, for
// reviewers, the particulars.
type violation struct{ reason, detail string }

func (v *violation) Error() string { return v.reason + ": " + v.detail }

func violationf(reason, format string, a ...any) *violation {
	return &violation{reason, fmt.Sprintf(format, a...)}
}

// maxLine is the longest answer to a batch of n rows and k classes: generous for
// honest printers, small enough that no line is worth hoarding.
func maxLine(n, k int) int { return 1024 + n*(32*k+32) }

// parseAnswer reads one line:
//
//	{"b":17,"p":[[0.2,0.8],[0.9,0.1]],"y":[1,0]}    or    {"end":4096}
//
// It takes what any JSON printer may write (spaces, keys in any order) and no
// more: no other key, no key twice, nothing after the brace, at most n rows, k
// numbers in each.
func parseAnswer(line []byte, n, k int) (answer, *violation) {
	s := scanner{b: line}
	a, err := s.answer(n, k)
	if err == nil {
		return a, nil
	}
	var v *violation
	if errors.As(err, &v) {
		return answer{}, v
	}
	return answer{}, violationf(AnswerMalformed, "byte %d: %v", s.i+1, err)
}

type scanner struct {
	b []byte
	i int
}

func (s *scanner) space() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\t' || s.b[s.i] == '\r') {
		s.i++
	}
}

// take skips spaces and then c, if c is next.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

func (s *scanner) want(c byte) error {
	if !s.take(c) {
		return fmt.Errorf("want %q", c)
	}
	return nil
}

func (s *scanner) answer(n, k int) (a answer, err error) {
	if err = s.want('{'); err != nil {
		return a, err
	}
	var seen [4]bool
	for first := true; !s.take('}'); first = false {
		if !first {
			if err = s.want(','); err != nil {
				return a, err
			}
		}
		key, err := s.key()
		if err != nil {
			return a, err
		}
		if seen[key] {
			return a, errors.New("a key appears twice")
		}
		seen[key] = true
		if err := s.value(&a, key, n, k); err != nil {
			return a, err
		}
	}
	s.space()
	if s.i != len(s.b) {
		return a, errors.New("text after the closing brace")
	}
	a.isEnd = seen[keyEnd]
	switch {
	case a.isEnd && (seen[keyB] || seen[keyP] || seen[keyY]):
		return a, errors.New(`"end" stands alone`)
	case !a.isEnd && !seen[keyB]:
		return a, errors.New(`"b" is missing`)
	case !a.isEnd && !seen[keyP] && !seen[keyY]:
		return a, errors.New(`"p" and "y" are both missing`)
	}
	return a, nil
}

const (
	keyB = iota
	keyP
	keyY
	keyEnd
)

func (s *scanner) key() (int, error) {
	s.space()
	for key, text := range []string{`"b"`, `"p"`, `"y"`, `"end"`} {
		if bytes.HasPrefix(s.b[s.i:], []byte(text)) {
			s.i += len(text)
			return key, s.want(':')
		}
	}
	return 0, errors.New(`want one of the keys "b", "p", "y", "end"`)
}

func (s *scanner) value(a *answer, key, n, k int) (err error) {
	switch key {
	case keyB:
		a.batch, err = s.integer()
	case keyEnd:
		a.end, err = s.integer()
	case keyP:
		a.probs = make([]float64, 0, n*k)
		err = s.list(n, "rows", func(int) error { return s.probRow(a, k) })
	case keyY:
		a.labels = make([]int32, 0, n)
		err = s.list(n, "answers", func(int) error {
			y, err := s.integer()
			if err == nil && (y < -1 || y >= k) {
				err = violationf(AnswerClass, "class index %d of %d classes", y, k)
			}
			a.labels = append(a.labels, int32(y))
			return err
		})
	}
	return err
}

func (s *scanner) probRow(a *answer, k int) error {
	start := len(a.probs)
	err := s.list(k, "probabilities", func(int) error {
		v, digits, ok := s.plain()
		var err error
		if !ok {
			v, err = s.number()
		}
		if err == nil && !(v >= 0 && v <= 1) {
			err = violationf(AnswerNumber, "row %d of the batch: %g is not a probability", start/k+1, v)
		}
		if digits > 6 || !ok {
			v = round6(v)
		}
		a.probs = append(a.probs, v)
		return err
	})
	if got := len(a.probs) - start; err == nil && got != k {
		err = violationf(AnswerCount, "row %d of the batch has %d probabilities for %d classes", start/k+1, got, k)
	}
	return err
}

// list reads [..] of at most most elements.
func (s *scanner) list(most int, what string, element func(i int) error) error {
	if err := s.want('['); err != nil {
		return err
	}
	if s.take(']') {
		return nil
	}
	for i := 0; ; i++ {
		if i == most {
			return violationf(AnswerCount, "more than %d %s", most, what)
		}
		if err := element(i); err != nil {
			return err
		}
		if s.take(']') {
			return nil
		}
		if err := s.want(','); err != nil {
			return err
		}
	}
}

func (s *scanner) integer() (int, error) {
	text, err := s.token()
	if err != nil {
		return 0, err
	}
	v, err := strconv.Atoi(string(text))
	if err != nil {
		return 0, errors.New("want a whole number")
	}
	return v, nil
}

func (s *scanner) number() (float64, error) {
	text, err := s.token()
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, violationf(AnswerNumber, "a number that is not finite")
	}
	return v, nil
}

// tens are powers of ten, all of them exact.
var tens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// plain takes the numbers that nearly all answers are made of: no sign, no exponent,
// at most 15 digits, of which so many are significant. Whole number and power of ten
// are then exact, so that their quotient is the float64 next to the decimal (W. D.
// Clinger, 1990), as strconv finds it more slowly. Anything else it leaves alone.
func (s *scanner) plain() (v float64, significant int, ok bool) {
	s.space()
	whole, digits, point := uint64(0), 0, -1
	i := s.i
	for ; i < len(s.b) && digits <= 15; i++ {
		if c := s.b[i]; c >= '0' && c <= '9' {
			whole = 10*whole + uint64(c-'0')
			digits++
			if whole > 0 {
				significant++
			}
		} else if c == '.' && point < 0 {
			point = digits
		} else {
			break
		}
	}
	if i == len(s.b) || digits == 0 || digits > 15 || point == 0 || point == digits || s.b[i] == 'e' || s.b[i] == 'E' || s.b[i] == '.' {
		return 0, 0, false
	}
	if before := point; s.b[s.i] == '0' && (before < 0 && digits > 1 || before > 1) {
		return 0, 0, false // 01, 00.5: for token to refuse
	}
	s.i = i
	if point < 0 {
		point = digits
	}
	return float64(whole) / tens[digits-point], significant, true
}

// token takes a number in JSON's grammar. NaN and Infinity, which Python's json
// prints, are named as such.
func (s *scanner) token() ([]byte, error) {
	s.space()
	start := s.i
	for _, word := range []string{"NaN", "Infinity", "-Infinity", "null"} {
		if bytes.HasPrefix(s.b[s.i:], []byte(word)) {
			return nil, violationf(AnswerNumber, "%s in place of a number", word)
		}
	}
	if s.i < len(s.b) && s.b[s.i] == '-' {
		s.i++
	}
	whole := s.digits()
	if whole == 0 || whole > 1 && s.b[s.i-whole] == '0' {
		return nil, errors.New("want a number")
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		s.i++
		if s.digits() == 0 {
			return nil, errors.New("want a digit")
		}
	}
	if s.i < len(s.b) && (s.b[s.i] == 'e' || s.b[s.i] == 'E') {
		s.i++
		if s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		if s.digits() == 0 {
			return nil, errors.New("want a digit")
		}
	}
	return s.b[start:s.i], nil
}

func (s *scanner) digits() int {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i - start
}

// check holds an answer against the batch that was asked.
func (a answer) check(batch, n, k int) *violation {
	if a.isEnd {
		return violationf(AnswerCount, "the end line came before the answer to batch %d", batch)
	}
	if a.batch != batch {
		return violationf(AnswerOrder, "batch %d answered where batch %d is due", a.batch, batch)
	}
	if a.labels != nil && len(a.labels) != n {
		return violationf(AnswerCount, "%d answers to the %d rows of batch %d", len(a.labels), n, batch)
	}
	if a.probs == nil {
		return nil
	}
	if len(a.probs) != n*k {
		return violationf(AnswerCount, "%d rows of probabilities to the %d rows of batch %d", len(a.probs)/k, n, batch)
	}
	for r := range n {
		sum := 0.0
		for _, p := range a.probs[r*k : (r+1)*k] {
			sum += p
		}
		if math.Abs(sum-1) > 1e-3 {
			return violationf(AnswerNumber, "row %d of batch %d: the probabilities sum to %g", r+1, batch, sum)
		}
	}
	return nil
}

// round6 keeps six significant digits, so that neither noise in the last bits nor
// a message hidden in them survives.
func round6(v float64) float64 {
	if v == 0 || v == 1 {
		return v + 0 // -0 is 0
	}
	var buf [32]byte
	r, _ := strconv.ParseFloat(string(strconv.AppendFloat(buf[:0], v, 'e', 5, 64)), 64)
	return r
}

// argmax returns the index of the greatest value, the first of equals.
func argmax(p []float64) int32 {
	best := 0
	for i, v := range p {
		if v > p[best] {
			best = i
		}
	}
	return int32(best)
}
