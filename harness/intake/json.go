package intake

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// A jsonLine scans flat JSON (RFC 8259) strictly. The line is valid UTF-8.
type jsonLine struct {
	b []byte
	i int
}

func (s *jsonLine) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\r', '\n':
			s.i++
		default:
			return
		}
	}
}

// take steps over c, if it is next.
func (s *jsonLine) take(c byte) bool {
	s.space()
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

// str appends the string that is next to dst. On a fault i is where it was found.
func (s *jsonLine) str(dst []byte, most int) (_ []byte, code byte) {
	if !s.take('"') {
		return dst, faultJSON
	}
	for s.i < len(s.b) {
		b := s.b[s.i]
		switch {
		case b == '"':
			s.i++
			return dst, 0
		case b < ' ':
			return dst, faultJSON
		case b == '\\':
			if dst, code = s.escape(dst); code != 0 {
				return dst, code
			}
		default:
			dst = append(dst, b)
			s.i++
		}
		if len(dst) > most {
			return dst, faultLongValue
		}
	}
	return dst, faultJSON
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (s *jsonLine) escape(dst []byte) (_ []byte, code byte) {
	if s.i+1 == len(s.b) {
		return dst, faultJSON
	}
	if c, ok := escapes[s.b[s.i+1]]; ok {
		s.i += 2
		return append(dst, c), 0
	}
	r, ok := s.unit()
	if !ok {
		return dst, faultJSON
	}
	if utf16.IsSurrogate(r) {
		low, ok := s.unit()
		if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
			return dst, faultSurrogate
		}
	}
	if r == 0 {
		return dst, faultNUL
	}
	return utf8.AppendRune(dst, r), 0
}

// unit reads \uXXXX.
func (s *jsonLine) unit() (rune, bool) {
	if s.i+6 > len(s.b) || s.b[s.i] != '\\' || s.b[s.i+1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(s.b[s.i+2:s.i+6]), 16, 16)
	if err != nil {
		return 0, false
	}
	s.i += 6
	return rune(v), true
}

// literal reads a number as JSON spells it, or gives nil.
func (s *jsonLine) literal() []byte {
	start := s.i
	s.skip("-", 1)
	if !s.skip("0", 1) && !s.skip(digits, len(s.b)) {
		return nil
	}
	if s.skip(".", 1) && !s.skip(digits, len(s.b)) {
		return nil
	}
	if s.skip("eE", 1) {
		s.skip("+-", 1)
		if !s.skip(digits, len(s.b)) {
			return nil
		}
	}
	return s.b[start:s.i]
}

const digits = "0123456789"

// skip steps over up to most bytes out of set, and says whether there was one.
func (s *jsonLine) skip(set string, most int) bool {
	start := s.i
	for s.i < len(s.b) && s.i-start < most && contains(set, s.b[s.i]) {
		s.i++
	}
	return s.i > start
}

func contains(set string, c byte) bool {
	for i := range len(set) {
		if set[i] == c {
			return true
		}
	}
	return false
}
