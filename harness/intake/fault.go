package intake

import (
	"fmt"
	"strings"
)

// A fault is a FileError as the child gives it: a sentence's number and what goes
// into its %d, in order.
type fault struct {
	code   byte
	line   int
	column int // from 1; 0: none
	name   string
	a, b   int
}

// Numbers of sentences.
const (
	faultEmpty byte = iota
	faultNoRows
	faultNoName
	faultRepeatedName
	faultLongName
	faultColumns
	faultRows
	faultCells
	faultRagged
	faultLongValue
	faultLongLine
	faultUTF8
	faultNUL
	faultQuote
	faultQuoteEnd
	faultAfterQuote
	faultMissing
	faultInfinite
	faultSpaces
	faultBlank
	faultJSON
	faultNotObject
	faultNested
	faultNull
	faultBool
	faultKeyTwice
	faultKeyMissing
	faultKeyNew
	faultWantText
	faultWantNumber
	faultSurrogate
	faultDamaged
	faultType
	faultLargeInt
	faultCount
)

var sentences = [faultCount]string{
	faultEmpty:        "the file is empty",
	faultNoRows:       "the file has a header and no rows",
	faultNoName:       "the column has no name; the first line of a file names every column",
	faultRepeatedName: "the column has the same name as column %d",
	faultLongName:     "the column's name is longer than %d bytes",
	faultColumns:      "there are more than %d columns",
	faultRows:         "there are more than %d rows",
	faultCells:        "there are more than %d values in the file",
	faultRagged:       "the line has %d fields, the header has %d",
	faultLongValue:    "the value is longer than %d bytes",
	faultLongLine:     "the line is longer than %d bytes",
	faultUTF8:         "not valid UTF-8; save the file as UTF-8 text",
	faultNUL:          "there is a NUL byte; save the file as UTF-8 text",
	faultQuote:        "there is a quote inside a field that does not begin with one; put the field in quotes and double those inside",
	faultQuoteEnd:     "the quote that begins here is never closed",
	faultAfterQuote:   "there is something between the closing quote and the next comma; double quotes inside a field",
	faultMissing:      "the value is missing, and every other value of the column is a number; fill it in, or declare the column as text",
	faultInfinite:     "not a finite number, and every other value of the column is a number; repair it, or declare the column as text",
	faultSpaces:       "there are spaces around a number; remove them, or declare the column as text",
	faultBlank:        "the line is empty",
	faultJSON:         "not valid JSON, at byte %d of the line",
	faultNotObject:    "not a JSON object; every line is one, like {\"age\":38,\"sex\":\"Male\"}",
	faultNested:       "the value is a list or an object; only numbers and strings are taken",
	faultNull:         "the value is null; every value must be there",
	faultBool:         "the value is true or false; only numbers and strings are taken",
	faultKeyTwice:     "the key is there twice",
	faultKeyMissing:   "the key is missing; every line has the keys of the first",
	faultKeyNew:       "there is a key that the first line does not have; every line has the keys of the first",
	faultWantText:     "a number, where the first line has text",
	faultWantNumber:   "text, where the first line has a number",
	faultDamaged:      "the file is damaged, or not of the format that its name says",
	faultType:         "the column has a type that is not taken; take whole numbers, floats or UTF-8 text",
	faultLargeInt:     "a whole number beyond 2^53 is not exact as a number; declare the column as text",
	faultSurrogate:    "the value has an escape that is half a character",
}

// sentence words a fault; ok is false if the child made it up.
func (f fault) sentence() (_ *FileError, ok bool) {
	if f.code >= faultCount {
		return nil, false
	}
	text, args := sentences[f.code], []any{f.a, f.b}
	what := fmt.Sprintf(text, args[:strings.Count(text, "%d")]...)
	return &FileError{f.line, f.column, f.name, what}, true
}
