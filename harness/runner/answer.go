package runner

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/bits"
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

// A violation is what is wrong with an answer: the canned reason and, for operators,
// the particulars. They go into a log, and a model could say rows: numbers and places,
// none of its words.
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

// probRow reads the k probabilities of a row. Nearly all of a run's bytes are read
// here, so it goes the short way wherever there is one.
func (s *scanner) probRow(a *answer, k int) error {
	row := len(a.probs)/k + 1
	if err := s.want('['); err != nil {
		return err
	}
	got := 0
	for more := !s.take(']'); more; got++ {
		if got == k {
			return violationf(AnswerCount, "row %d of the batch has more than %d probabilities", row, k)
		}
		v, err := s.probability(row)
		if err != nil {
			return err
		}
		a.probs = append(a.probs, v)
		if more = s.take(','); more {
			continue
		}
		if err := s.want(']'); err != nil {
			return err
		}
	}
	if got < k {
		return violationf(AnswerCount, "row %d of the batch has %d probabilities for %d classes", row, got, k)
	}
	return nil
}

// probability reads a number from 0 to 1 and keeps six significant digits of it.
func (s *scanner) probability(row int) (float64, error) {
	v, significant, ok := s.plain()
	if !ok {
		var err error
		if v, err = s.number(); err != nil {
			return 0, err
		}
	}
	if !(v >= 0 && v <= 1) {
		return 0, violationf(AnswerNumber, "row %d of the batch: %g is not a probability", row, v)
	}
	if !ok || significant > 6 {
		v = round6(v)
	}
	return v, nil
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
	b := s.b[s.i:]
	whole, n := digits(b, 0)
	if n == 0 || n > 1 && b[0] == '0' {
		return 0, 0, false // .5, 01, 00.5: for token to refuse
	}
	after := 0
	end := n
	if end < len(b) && b[end] == '.' {
		whole, after = digits(b[end+1:], whole)
		if end += 1 + after; after == 0 {
			return 0, 0, false
		}
	}
	if n+after > 15 || end == len(b) || b[end] == 'e' || b[end] == 'E' || b[end] == '.' {
		return 0, 0, false
	}
	s.i += end
	return float64(whole) / tens[after], decimals(whole), true
}

// digits reads decimal digits to the right of whole, at most 16 of them.
func digits(b []byte, whole uint64) (uint64, int) {
	for i := range min(len(b), 16) {
		d := b[i] - '0'
		if d > 9 {
			return whole, i
		}
		whole = 10*whole + uint64(d)
	}
	return whole, min(len(b), 16)
}

// decimals is how many decimal digits v has, 0 for 0; v is below 10^16. 1233/4096 is
// a little more than log10(2).
func decimals(v uint64) int {
	n := bits.Len64(v) * 1233 >> 12
	if float64(v) >= tens[n] {
		n++
	}
	return n
}

// token takes a number in JSON's grammar. NaN and Infinity, which Python's json
// prints, are named as such.
func (s *scanner) token() ([]byte, error) {
	s.space()
	start := s.i
	if s.i < len(s.b) && s.b[s.i] == '-' {
		s.i++
	}
	whole := s.digits()
	if whole == 0 {
		return nil, notANumber(s.b[start:])
	}
	if whole > 1 && s.b[s.i-whole] == '0' {
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

func notANumber(b []byte) error {
	for _, word := range []string{"NaN", "Infinity", "-Infinity", "null"} {
		if bytes.HasPrefix(b, []byte(word)) {
			return violationf(AnswerNumber, "%s in place of a number", word)
		}
	}
	return errors.New("want a number")
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
