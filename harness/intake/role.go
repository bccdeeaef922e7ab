package intake

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

const roleDecode = "intake-decode"

// formats that Decode knows.
var formats = []string{"csv", "jsonl", "parquet", "arrow"}

// Roles are the jailed children of this package, to be given to jail.Main.
func Roles() map[string]func(args []string) int {
	return map[string]func([]string) int{roleDecode: func([]string) int {
		if err := serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}}
}

// serve is the child: one order, one file, one answer. A fault of the file is an
// answer, not an error.
func serve(in io.Reader, out io.Writer) error {
	r := bufio.NewReaderSize(in, 1<<16)
	line, err := r.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read the order: %w", err)
	}
	var o order
	if err := json.Unmarshal(line, &o); err != nil {
		return fmt.Errorf("read the order: %w", err)
	}
	t, f := decodeRows(r, o)
	return writeFrame(out, t, f)
}

func decodeRows(r *bufio.Reader, o order) (*table, *fault) {
	opt := Options{o.Text}
	switch o.Format {
	case "jsonl":
		return decodeJSONL(r, opt)
	case "parquet":
		return decodeParquet(r, opt)
	case "arrow":
		return decodeArrow(r, opt)
	}
	return decodeCSV(r, opt)
}
