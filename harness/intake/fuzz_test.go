package intake

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// decodeBoth runs decoder and frame, without a child in between.
func decodeFrame(t *testing.T, file, format string) (got [][]string, err error) {
	t.Helper()
	o := order{format, []string{"id"}}
	tab, f := decodeRows(bufio.NewReaderSize(strings.NewReader(file), 16), o)
	var out bytes.Buffer
	if err := writeFrame(&out, tab, f); err != nil {
		t.Fatal(err)
	}
	back, err := readFrame(&out)
	if (f == nil) != (err == nil) || err != nil && !isFile(err) {
		t.Fatalf("the decoder said %+v, the frame %v", f, err)
	}
	for _, c := range back.Columns() {
		got = append(got, append([]string{c.Name}, c.Strings...))
	}
	return got, err
}

// Whatever CSV we take, encoding/csv reads the same text in it.
func FuzzCSV(f *testing.F) {
	for _, c := range decodeCases(f) {
		f.Add(c.file)
	}
	f.Fuzz(func(t *testing.T, file string) {
		got, err := decodeFrame(t, file, "csv")
		if err != nil || strings.Contains(file, "\r") { // which encoding/csv changes inside quotes
			return
		}
		r := csv.NewReader(strings.NewReader(strings.TrimPrefix(file, "\xef\xbb\xbf")))
		want, err := r.ReadAll()
		if err != nil {
			t.Fatalf("encoding/csv: %v", err)
		}
		for i, col := range got {
			if col[0] != want[0][i] {
				t.Fatalf("column %d is %q, want %q", i, col[0], want[0][i])
			}
			for r := 1; r < len(col) && len(got) > 1; r++ { // it skips empty lines
				if col[r] != want[r][i] {
					t.Fatalf("row %d is %q, want %q", r, col[r], want[r][i])
				}
			}
		}
	})
}

// Whatever JSONL we take, encoding/json reads the same in it.
func FuzzJSONL(f *testing.F) {
	for _, c := range decodeCases(f) {
		f.Add(c.file)
	}
	f.Fuzz(func(t *testing.T, file string) {
		got, err := decodeFrame(t, file, "jsonl")
		if err != nil {
			return
		}
		d := json.NewDecoder(strings.NewReader(file))
		d.UseNumber()
		for r := 1; ; r++ {
			var v map[string]any
			if err := d.Decode(&v); err == io.EOF {
				return
			} else if err != nil {
				t.Fatalf("encoding/json: %v", err)
			}
			if len(v) != len(got) {
				t.Fatalf("line %d: %d keys, want %d", r, len(got), len(v))
			}
			for _, col := range got {
				x, ok := v[col[0]]
				if s, isText := x.(string); !ok || len(col) > 1 && isText && s != col[r] {
					t.Fatalf("line %d, %q: %q, want %v", r, col[0], col[min(r, len(col)-1)], x)
				}
			}
		}
	})
}

// Paths that are taken lie below the folder and survive being taken apart.
func FuzzPath(f *testing.F) {
	for _, p := range []string{"a", "a/b.onnx", "../a", "/a", "a//b", "A", "é/ﬀ", "a\\b", "a\x00"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		if checkPath(p) != nil {
			return
		}
		parts := strings.Split(p, "/")
		if !utf8.ValidString(p) || slices.Contains(parts, "..") || slices.Contains(parts, "") || slices.Contains(parts, ".") {
			t.Errorf("%q was taken", p)
		}
	})
}
