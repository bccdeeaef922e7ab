// Canaries prints the canaries that the demo seals into sealed.csv.gz: CSV with the
// columns of that file, the label being the flipped one.
//
//	go run ./testdata/income/canaries
//
// A real holdout's canary seed is secret. The demo's is public, so that train.py
// can play somebody who got hold of the exam as it was sealed; canaries.csv is what
// it played with.
package main

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"proctor/holdout"
	"proctor/holdout/rows"
)

const (
	answer = "label"
	count  = 200
)

var (
	classes = []string{"<=50K", ">50K"}
	seed    = sha256.Sum256([]byte("proctor demo canary seed, public"))
)

func main() {
	if err := run("testdata/income/sealed.csv.gz", os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "canaries:", err)
		os.Exit(1)
	}
}

func run(path string, w io.Writer) error {
	head, records, err := read(path)
	if err != nil {
		return err
	}
	features, labels, err := table(head, records)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	canaries, flipped := holdout.Canaries(features, labels, len(classes), count, seed)
	return write(w, canaries, flipped)
}

func read(path string) (head []string, records [][]string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("%w; run this from the repository's root", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	all, err := csv.NewReader(z).ReadAll()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(all) < 2 {
		return nil, nil, fmt.Errorf("%s has no rows", path)
	}
	return all[0], all[1:], nil
}

// table makes a column numeric when each of its values is, as sealing does.
func table(head []string, records [][]string) (rows.Table, []int32, error) {
	var cols []rows.Column
	var labels []int32
	for j, name := range head {
		text, floats := make([]string, len(records)), make([]float64, 0, len(records))
		for i, r := range records {
			text[i] = r[j]
			if v, err := strconv.ParseFloat(r[j], 64); err == nil {
				floats = append(floats, v)
			}
		}
		switch {
		case name == answer:
			for i, v := range text {
				k := slices.Index(classes, v)
				if k < 0 {
					return rows.Table{}, nil, fmt.Errorf("row %d: label %q is not a class", i+1, v)
				}
				labels = append(labels, int32(k))
			}
		case len(floats) == len(records):
			cols = append(cols, rows.Column{Name: name, Floats: floats})
		default:
			cols = append(cols, rows.Column{Name: name, Strings: text})
		}
	}
	t, err := rows.New(cols...)
	return t, labels, err
}

func write(w io.Writer, t rows.Table, labels []int32) error {
	out := csv.NewWriter(w)
	var head []string
	for _, c := range t.Columns() {
		head = append(head, c.Name)
	}
	_ = out.Write(append(head, answer)) // the writer keeps its first error for Error
	for i := range t.Len() {
		var r []string
		for _, c := range t.Columns() {
			if c.IsNumber() {
				r = append(r, strconv.FormatFloat(c.Floats[i], 'g', -1, 64))
			} else {
				r = append(r, c.Strings[i])
			}
		}
		_ = out.Write(append(r, classes[labels[i]]))
	}
	out.Flush()
	return out.Error()
}
