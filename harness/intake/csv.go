package intake

import (
	"bufio"
	"bytes"
	"unicode/utf8"
)

// A csvFile reads fields as RFC 4180 has them: commas, quotes that are doubled
// inside quotes, lines that end with LF or CRLF. Nothing is guessed.
type csvFile struct {
	in    *bufio.Reader
	line  int    // of the next byte, from 1
	at    int    // line on which the field began
	value []byte // the field; good until the next is read
}

// Ends of a field.
const (
	endField = ','
	endLine  = '\n'
	endFile  = 0
)

// decodeCSV reads a file whose first line names the columns.
func decodeCSV(in *bufio.Reader, opt Options) (*table, *fault) {
	if bom, _ := in.Peek(3); string(bom) == "\xef\xbb\xbf" {
		in.Discard(3)
	}
	f := &csvFile{in: in, line: 1}
	if f.done() {
		return nil, &fault{code: faultEmpty}
	}
	t := &table{}
	if fl := f.header(t, opt); fl != nil {
		return nil, fl
	}
	for !f.done() {
		if fl := f.row(t); fl != nil {
			return nil, fl
		}
	}
	if t.rows == 0 {
		return nil, &fault{code: faultNoRows}
	}
	return t, t.check()
}

func (f *csvFile) done() bool {
	_, err := f.in.Peek(1)
	return err != nil
}

func (f *csvFile) header(t *table, opt Options) *fault {
	seen := map[string]int{}
	for end := byte(endField); end == endField; {
		n := len(t.cols) + 1
		var code byte
		if end, code = f.field(); code != 0 {
			return f.fault(code, n, "")
		}
		name := string(f.value)
		fl := &fault{line: f.at, column: n}
		switch first := seen[name]; {
		case n > MaxColumns:
			return &fault{code: faultColumns, line: f.at, a: MaxColumns}
		case len(name) > MaxName:
			fl.code, fl.a = faultLongName, MaxName
			return fl
		case len(bytes.TrimSpace(f.value)) == 0:
			fl.code = faultNoName
			return fl
		case first > 0:
			fl.code, fl.name, fl.a = faultRepeatedName, name, first
			return fl
		}
		seen[name] = n
		t.cols = append(t.cols, newColumn(name, opt))
	}
	return nil
}

func (f *csvFile) row(t *table) *fault {
	start, n := f.line, 0
	if fl := t.fits(start); fl != nil {
		return fl
	}
	for end := byte(endField); end == endField; n++ {
		var code byte
		name := ""
		if n < len(t.cols) {
			name = t.cols[n].name
		}
		if end, code = f.field(); code != 0 {
			return f.fault(code, n+1, name)
		}
		if n < len(t.cols) {
			t.cols[n].add(f.value, f.at)
		}
	}
	if n != len(t.cols) {
		return &fault{code: faultRagged, line: start, a: n, b: len(t.cols)}
	}
	t.rows++
	return nil
}

func (f *csvFile) fault(code byte, column int, name string) *fault {
	return &fault{code: code, line: f.at, column: column, name: name, a: MaxValue}
}

// field reads one field and says what ended it.
func (f *csvFile) field() (end, code byte) {
	f.value, f.at = f.value[:0], f.line
	b, err := f.in.ReadByte()
	if err == nil && b == '"' {
		end, code = f.quoted()
	} else {
		end, code = f.plain(b, err)
	}
	if code == 0 && !utf8.Valid(f.value) {
		code = faultUTF8
	}
	return end, code
}

func (f *csvFile) plain(b byte, err error) (end, code byte) {
	for ; err == nil; b, err = f.in.ReadByte() {
		switch b {
		case ',':
			return endField, 0
		case '\n':
			f.line++
			f.value = bytes.TrimSuffix(f.value, []byte("\r"))
			return endLine, 0
		case '"':
			return 0, faultQuote
		}
		if code := f.keep(b); code != 0 {
			return 0, code
		}
	}
	return endFile, 0
}

func (f *csvFile) keep(b byte) (code byte) {
	if b == 0 {
		return faultNUL
	}
	if len(f.value) == MaxValue {
		return faultLongValue
	}
	f.value = append(f.value, b)
	return 0
}

// quoted reads on after an opening quote.
func (f *csvFile) quoted() (end, code byte) {
	for {
		b, err := f.in.ReadByte()
		if err != nil {
			return 0, faultQuoteEnd
		}
		if b == '"' {
			if next, _ := f.in.Peek(1); len(next) == 0 || next[0] != '"' {
				return f.afterQuote()
			}
			f.in.Discard(1)
		}
		if b == '\n' {
			f.line++
		}
		if code := f.keep(b); code != 0 {
			return 0, code
		}
	}
}

func (f *csvFile) afterQuote() (end, code byte) {
	b, err := f.in.ReadByte()
	if err == nil && b == '\r' {
		if b, err = f.in.ReadByte(); err != nil || b != '\n' {
			return 0, faultAfterQuote
		}
	}
	switch {
	case err != nil:
		return endFile, 0
	case b == ',':
		return endField, 0
	case b == '\n':
		f.line++
		return endLine, 0
	}
	return 0, faultAfterQuote
}
