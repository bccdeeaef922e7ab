package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var (
	shown  = regexp.MustCompile(`(?m)^\$ (proctor .*)$`)    // in a listing: a whole command line
	inline = regexp.MustCompile("`(proctor [a-z][^`\n]*)`") // in a sentence: may lack what the sentence does not need
)

// TestDocsHaveCommands: every command line that the pages of the roles show is one that
// the program takes, and every command that their sentences name exists with its flags.
func TestDocsHaveCommands(t *testing.T) {
	t.Setenv("PROCTOR_TOKEN", "a-token")
	pages, err := filepath.Glob("../../docs/roles/*.md")
	if err != nil || len(pages) != 7 {
		t.Fatalf("%d pages of roles, %v", len(pages), err)
	}
	for _, page := range pages {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		wrong, found := wrongCommands(string(b))
		if found < 3 {
			t.Errorf("%s shows %d commands", page, found)
		}
		for _, w := range wrong {
			t.Errorf("%s: %s", page, w)
		}
	}
}

// TestWrongCommandsAreSeen holds the check above to lines that are wrong.
func TestWrongCommandsAreSeen(t *testing.T) {
	t.Setenv("PROCTOR_TOKEN", "a-token")
	for _, page := range []string{"$ proctor nothing\n", "$ proctor runs --colour red\n", "$ proctor verdict\n", "`proctor suite fly`", "`proctor trust --rot`", "`proctor cancel RUN --now`"} {
		if wrong, _ := wrongCommands(page); len(wrong) != 1 {
			t.Errorf("%q passes: %v", page, wrong)
		}
	}
	if wrong, found := wrongCommands("$ proctor runs --state done  # a comment\n`proctor trust --dir x` and `proctor verdict`"); len(wrong) != 0 || found != 3 {
		t.Errorf("%d found, refused %v", found, wrong)
	}
}

// wrongCommands reads a page and says which of its commands the program does not know.
func wrongCommands(page string) (wrong []string, found int) {
	for _, m := range shown.FindAllStringSubmatch(page, -1) {
		found++
		if _, err := commandLine().Parse(words(m[1])[1:]); err != nil && !errors.Is(err, fs.ErrNotExist) { // the page's folders are not here
			wrong = append(wrong, fmt.Sprintf("%s: %v", m[1], err))
		}
	}
	for _, m := range inline.FindAllStringSubmatch(page, -1) {
		found++
		if err := follow(words(m[1])[1:]); err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %v", m[1], err))
		}
	}
	return wrong, found
}

func commandLine() *kong.Kong {
	return kong.Must(&cli{}, kong.Name("proctor"), kong.Vars{"platform": platform}, kong.DefaultEnvars("PROCTOR"))
}

// follow goes by the words of a line down the tree of commands, and looks for its flags.
func follow(line []string) error {
	at := commandLine().Model.Node
	for len(line) > 0 && len(at.Children) > 0 && !strings.HasPrefix(line[0], "-") {
		i := slices.IndexFunc(at.Children, func(n *kong.Node) bool { return n.Name == line[0] })
		if i < 0 {
			return fmt.Errorf("there is no command %q", line[0])
		}
		at, line = at.Children[i], line[1:]
	}
	if at.DefaultCmd != nil {
		at = at.DefaultCmd
	}
	for _, w := range line {
		name, _, _ := strings.Cut(strings.TrimPrefix(w, "--"), "=")
		if strings.HasPrefix(w, "--") && !hasFlag(at, name) {
			return fmt.Errorf("there is no flag --%s", name)
		}
	}
	return nil
}

func hasFlag(n *kong.Node, name string) bool {
	return slices.ContainsFunc(slices.Concat(n.AllFlags(false)...), func(f *kong.Flag) bool { return f.Name == name })
}

var word = regexp.MustCompile(`"[^"]*"|'[^']*'|\S+`)

// words splits a line as a shell does, as far as these pages go: to a comment, a pipe, a
// redirection or the end of the command.
func words(line string) (list []string) {
	for _, w := range word.FindAllString(line, -1) {
		if w == "|" || w == "&" || w == "||" || strings.HasPrefix(w, ">") || strings.HasPrefix(w, "#") {
			break
		}
		list = append(list, strings.Trim(w, `"'`))
	}
	return list
}
