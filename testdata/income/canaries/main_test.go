package main

import (
	"bytes"
	"os"
	"testing"
)

// v2-leaked was trained on canaries.csv. Were other canaries sealed now, it would
// know none of them and the demo would show nothing.
func TestCanariesAreThoseOfTraining(t *testing.T) {
	var got bytes.Buffer
	if err := run("../sealed.csv.gz", &got); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("canaries.csv")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("holdout.Canaries gives other rows than canaries.csv; rebuild as README.md says, from canaries on")
	}
}
