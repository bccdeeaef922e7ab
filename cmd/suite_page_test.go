package cmd_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFirstSuitePage does what docs/first-suite.md tells a new user to do: it writes the
// files, types the commands and compares what they print. "..." stands for any lines.
func TestFirstSuitePage(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("python3 is not installed")
	}
	page, err := os.ReadFile("../docs/first-suite.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	commands := 0
	for _, m := range regexp.MustCompile("(?ms)^```(\\w+)(?: file=(\\S+))?\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		kind, file, text := m[1], m[2], m[3]
		switch {
		case file != "":
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		case kind == "console":
			for _, session := range strings.Split(strings.TrimPrefix(text, "$ "), "\n$ ") {
				line, want, _ := strings.Cut(session, "\n")
				commands++
				if got := typed(t, dir, line); !printed(got, want) {
					t.Errorf("$ %s\nprints\n%s\nthe page says\n%s", line, got, want)
				}
			}
		}
	}
	if commands < 5 {
		t.Errorf("the page types only %d commands", commands)
	}
}

// typed runs a command line of the page. A result other than PASS is no fault.
func typed(t *testing.T, dir, line string) string {
	t.Helper()
	words := regexp.MustCompile(`\s+`).Split(line, -1)
	cmd := exec.Command(words[0], words[1:]...)
	if words[0] == "proctor" {
		cmd = exec.Command(filepath.Join(bin, "proctor"), words[1:]...)
	}
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 10) {
		t.Fatalf("$ %s: %v\n%s", line, err, out)
	}
	return strings.ReplaceAll(string(out), dir+"/", "")
}

// printed compares, with any digest for DIGEST and any lines for "...".
func printed(got, want string) bool {
	pattern := regexp.QuoteMeta(strings.TrimSpace(want))
	pattern = strings.ReplaceAll(pattern, "DIGEST", "[0-9a-f]{64}")
	pattern = strings.ReplaceAll(pattern, "\n\\.\\.\\.", "(?s:.*)")
	return regexp.MustCompile(`^` + pattern + `$`).MatchString(strings.TrimSpace(got))
}
