// Command model stands for your model. Build it into the package with
//
//	GOOS=wasip1 GOARCH=wasm go build -o model.wasm main.go
//
// It reads a batch a line and writes an answer a line; standard error is for people.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

type batch struct {
	B    int `json:"b"`
	Rows []struct {
		X float64 `json:"x"`
	} `json:"rows"`
}

type answer struct {
	B int          `json:"b"`
	P [][2]float64 `json:"p"`
}

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	in, out := json.NewDecoder(bufio.NewReader(os.Stdin)), json.NewEncoder(os.Stdout)
	total := 0
	for {
		var b batch
		if err := in.Decode(&b); errors.Is(err, io.EOF) {
			return out.Encode(map[string]int{"end": total})
		} else if err != nil {
			return err
		}
		a := answer{B: b.B}
		for _, r := range b.Rows {
			a.P = append(a.P, [2]float64{1 - r.X, r.X})
		}
		if err := out.Encode(a); err != nil {
			return err
		}
		total += len(b.Rows)
	}
}
