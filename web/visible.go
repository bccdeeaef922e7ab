package web

import (
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is the most characters of one text that a page shows; a code counts as
// the characters that it takes.
const (
	maxText   = 1000
	codeWidth = 8
)

// visible returns s as a reader can be trusted with it: characters that hide,
// reorder or pretend (controls, bidi marks, zero-width, private use, invalid
// bytes) stand as codes like ⟨U+202E⟩, and what is cut off is counted.
func visible(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	n := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if n >= maxText {
			fmt.Fprintf(&b, " … (%d more characters)", utf8.RuneCountInString(s[i:]))
			break
		}
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, "⟨0x%02X⟩", s[i])
			n += codeWidth
		case deceptive(r):
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
			n += codeWidth
		default:
			b.WriteRune(r)
			n++
		}
		i += size
	}
	return b.String()
}

func plain(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxText && !strings.ContainsFunc(s, deceptive)
}

// deceptive says whether r is anything but a mark, a letter, a sign or a plain space.
func deceptive(r rune) bool {
	if r == '\n' || r == ' ' {
		return false
	}
	return !unicode.IsPrint(r) || unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// shown returns a copy of v in which every string that a reader gets to see is
// [visible]. Pages are rendered from such copies only, so that no template can
// forget it. Text that html/template already trusts keeps its type and is left alone.
func shown[T any](v T) T {
	return copyShown(reflect.ValueOf(&v).Elem()).Interface().(T)
}

func copyShown(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.String:
		if v.Type().PkgPath() == "html/template" {
			return v
		}
		out.SetString(visible(v.String()))
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			out.Set(pointTo(v))
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		}
		for i := range v.Len() {
			out.Index(i).Set(copyShown(v.Index(i)))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() { // no template reaches the others
				out.Field(i).Set(copyShown(v.Field(i)))
			}
		}
	case reflect.Map:
		panic("a page is made of structs and lists: map order must not reach it")
	default:
		out.Set(v)
	}
	return out
}

func pointTo(v reflect.Value) reflect.Value {
	inner := copyShown(v.Elem())
	if v.Kind() == reflect.Interface {
		return inner
	}
	p := reflect.New(v.Type().Elem())
	p.Elem().Set(inner)
	return p
}
