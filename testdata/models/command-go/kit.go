package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// This file serves a model to Proctor, with nothing but the standard library: put it
// beside your program. Standard output belongs to the protocol; print to os.Stderr.

// A Row is one example by column name. Values are float64 or string.
type Row map[string]any

// A Model answers with one list of probabilities a row, in the order of the
// manifest's classes.
type Model interface {
	PredictProba(rows []Row) ([][]float64, error)
}

// Wrap answers batches on standard input until they end. An answer that is no
// answer (too few rows, NaN, a sum other than 1) ends the program with a sentence on
// standard error that says which batch and row.
func Wrap(m Model) {
	if err := serve(m, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(m Model, in io.Reader, out io.Writer) error {
	classes, err := readClasses("proctor-model.json")
	if err != nil {
		return err
	}
	d, w := json.NewDecoder(bufio.NewReaderSize(in, 1<<16)), bufio.NewWriterSize(out, 1<<16)
	e := json.NewEncoder(w)
	total := 0
	for {
		var batch struct {
			B    int   `json:"b"`
			Rows []Row `json:"rows"`
		}
		if err := d.Decode(&batch); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("read batch: %w", err)
		}
		p, err := m.PredictProba(batch.Rows)
		if err == nil {
			err = check(p, len(batch.Rows), classes)
		}
		if err != nil {
			return fmt.Errorf("batch %d of %d rows: %w", batch.B, len(batch.Rows), err)
		}
		if err := errors.Join(e.Encode(map[string]any{"b": batch.B, "p": p}), w.Flush()); err != nil {
			return err
		}
		total += len(batch.Rows)
	}
	return errors.Join(e.Encode(map[string]int{"end": total}), w.Flush())
}

// readClasses returns how many classes the manifest names.
func readClasses(manifest string) (int, error) {
	data, err := os.ReadFile(manifest)
	if err != nil {
		return 0, err
	}
	var m struct {
		Classes []string `json:"classes"`
	}
	err = json.Unmarshal(data, &m)
	return len(m.Classes), err
}

func check(p [][]float64, n, classes int) error {
	if len(p) != n {
		return fmt.Errorf("PredictProba gave %d rows for %d", len(p), n)
	}
	for i, row := range p {
		sum := 0.0
		for _, v := range row {
			if !(v >= 0 && v <= 1) {
				return fmt.Errorf("row %d: %v is not a probability", i+1, v)
			}
			sum += v
		}
		if len(row) != classes || math.Abs(sum-1) > 1e-3 {
			return fmt.Errorf("row %d: %v are not %d probabilities that sum to 1", i+1, row, classes)
		}
	}
	return nil
}
