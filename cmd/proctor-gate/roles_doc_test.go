package main

import (
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The page for who runs a gate names no flag that the gate has not.
func TestRolesPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/roles/gate.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^\$ proctor-gate (.*)$`).FindAllStringSubmatch(string(page), -1)
	if len(lines) < 3 {
		t.Fatalf("the page shows %d calls of the gate", len(lines))
	}
	for _, m := range lines {
		args := strings.Fields(strings.ReplaceAll(m[1], " ...", "")) // what stood there before
		if c, err := parse(args, io.Discard); err != nil || len(c.files) > 0 {
			t.Errorf("%s: %v, files %q", m[1], err, c.files)
		}
	}
}
