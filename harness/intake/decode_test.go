package intake

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"proctor/harness/jail"
	"proctor/holdout/rows"
)

func TestMain(m *testing.M) {
	roles := Roles()
	for name, f := range hostile {
		roles[name] = f
	}
	jail.Main(roles)
	os.Exit(m.Run())
}

// A decodeCase is one of testdata/decode.txt.
type decodeCase struct{ line, format, file, want string }

func (c decodeCase) options() Options {
	words := strings.Fields(c.format)
	return Options{Text: words[1:]}
}

var unescape = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r", `\t`, "\t", `\0`, "\x00",
	`\xef`, "\xef", `\xbb`, "\xbb", `\xbf`, "\xbf", `\xe9`, "\xe9", `\xff`, "\xff", "\\\n", "")

func decodeCases(t testing.TB) (cases []decodeCase) {
	t.Helper()
	data, err := os.ReadFile("testdata/decode.txt")
	if err != nil {
		t.Fatal(err)
	}
	var c *decodeCase
	part := 0 // dashes seen
	for i, line := range strings.SplitAfter(string(data), "\n") {
		switch {
		case part == 0 && (strings.HasPrefix(line, "#") || line == "\n" || line == ""):
		case part == 0 && c == nil:
			c = &decodeCase{line: strconv.Itoa(i + 1), format: strings.TrimSpace(line)}
		case line == "---\n":
			part++
		case part == 1:
			c.file += line
		case line == "\n" || line == "":
			c.file = unescape.Replace(c.file)
			cases = append(cases, *c)
			c, part = nil, 0
		default:
			c.want += line
		}
	}
	return cases
}

// show gives a table as the cases write it.
func show(tab rows.Table) string {
	var b strings.Builder
	for _, c := range tab.Columns() {
		if b.WriteString(c.Name); c.IsNumber() {
			b.WriteString(" n")
			for _, v := range c.Floats {
				fmt.Fprintf(&b, " %v", v)
			}
		} else {
			b.WriteString(" s")
			for _, v := range c.Strings {
				fmt.Fprintf(&b, " %q", v)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// Every file gives its table or its error, word for word; no error holds a value.
func TestDecode(t *testing.T) {
	cases := decodeCases(t)
	if len(cases) < 45 {
		t.Fatalf("only %d cases were read", len(cases))
	}
	for _, c := range cases {
		tab, err := Decode(t.Context(), strings.Fields(c.format)[0], strings.NewReader(c.file), c.options())
		got := show(tab)
		if err != nil {
			got = "error " + err.Error() + "\n"
			var file *FileError
			if !errors.As(err, &file) || tab.Len() != 0 {
				t.Errorf("line %s: %T, %d rows", c.line, err, tab.Len())
			}
			if strings.Contains(got, "secret") {
				t.Errorf("line %s: %s", c.line, got)
			}
		}
		if got != c.want {
			t.Errorf("line %s\ngot  %swant %s", c.line, got, c.want)
		}
	}
}

// What is too much, at the limit and one above. The decoder runs in the test
// itself here; the jail is not what is tried.
func TestLimits(t *testing.T) {
	wide := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "c%d,", i)
		}
		return strings.TrimSuffix(b.String(), ",") + "\n" + strings.Repeat("1,", n-1) + "1\n"
	}
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct{ name, format, file, want string }{
		{"columns", "csv", wide(MaxColumns), ""},
		{"columns", "csv", wide(MaxColumns + 1), "line 1: there are more than 10000 columns"},
		{"value", "csv", "a\n" + long(MaxValue) + "\n", ""},
		{"value", "csv", "a\n" + long(MaxValue+1) + "\n", `line 2, column 1 ("a"): the value is longer than 1048576 bytes`},
		{"quoted value", "csv", "a\n\"" + long(MaxValue+1) + "\"\n", `line 2, column 1 ("a"): the value is longer than 1048576 bytes`},
		{"name", "csv", long(MaxName) + "\n1\n", ""},
		{"name", "csv", long(MaxName+1) + "\n1\n", "line 1, column 1: the column's name is longer than 256 bytes"},
		{"rows", "csv", "a\n" + strings.Repeat("1\n", MaxRows), ""},
		{"rows", "csv", "a\n" + strings.Repeat("1\n", MaxRows+1), "line 5000002: there are more than 5000000 rows"},
		{"JSON value", "jsonl", `{"a":"` + long(MaxValue) + `"}`, ""},
		{"JSON value", "jsonl", `{"a":"` + long(MaxValue+1) + `"}`, `line 1, column 1 ("a"): the value is longer than 1048576 bytes`},
		{"JSON number", "jsonl", `{"id":` + strings.Repeat("1", MaxValue+1) + `}`, `line 1, column 1 ("id"): the value is longer than 1048576 bytes`},
		{"JSON key", "jsonl", `{"` + long(MaxName+1) + `":1}`, "line 1, column 1: the column's name is longer than 256 bytes"},
		{"JSON line", "jsonl", strings.Repeat(" ", maxLine+1) + `{"a":1}`, "line 1: the line is longer than 16777216 bytes"},
		{"JSON depth", "jsonl", strings.Repeat("[", 1_000_000), `line 1: not a JSON object; every line is one, like {"age":38,"sex":"Male"}`},
	} {
		var out bytes.Buffer
		order := fmt.Sprintf(`{"format":%q,"text":["id"]}`+"\n", c.format)
		if err := serve(strings.NewReader(order+c.file), &out); err != nil {
			t.Fatal(err)
		}
		_, err := readFrame(&out)
		if got := fmt.Sprint(err); got != c.want && !(c.want == "" && err == nil) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
