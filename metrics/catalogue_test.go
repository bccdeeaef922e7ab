package metrics

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// sources parses the package's files but for its tests.
func sources(t *testing.T) []*ast.File {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "catalogue") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

// called lists the package's functions and methods as the catalogue writes them.
func called(files []*ast.File) map[string]bool {
	out := map[string]bool{}
	for _, f := range files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := fn.Name.Name
			if fn.Recv != nil {
				typ := fn.Recv.List[0].Type
				if star, ok := typ.(*ast.StarExpr); ok {
					typ = star.X
				}
				if id, ok := typ.(*ast.Ident); ok { // not that of a generic type
					name = id.Name + "." + name
				}
			}
			out[name] = true
		}
	}
	return out
}

// pattern matches the ids that an entry stands for: words in capitals are parameters.
func pattern(id string) *regexp.Regexp {
	var out strings.Builder
	for i, part := range strings.Split(strings.TrimSuffix(id, "@1"), "_") {
		if i > 0 {
			out.WriteByte('_')
		}
		switch {
		case part == "emptyE":
			out.WriteString(`empty[0-9.]+`)
		case part == strings.ToUpper(part) && part != strings.ToLower(part):
			out.WriteString(`[a-z0-9_.]+`)
		default:
			out.WriteString(regexp.QuoteMeta(part))
		}
	}
	return regexp.MustCompile("^" + out.String() + "@1$")
}

// TestCatalogueIsWhole: every id that the package's code or comments name has one
// entry with words for all that there is to say, and names a function that exists;
// the named metrics have their direction.
func TestCatalogueIsWhole(t *testing.T) {
	files := sources(t)
	functions, seen := called(files), map[string]bool{}
	var patterns []*regexp.Regexp
	for _, d := range Catalogue() {
		if seen[d.ID] || !strings.HasSuffix(d.ID, "@1") || d.Needs == "" || d.Range == "" || d.Says == "" || d.Source == "" || d.Interval == "" {
			t.Errorf("%+v", d)
		}
		seen[d.ID] = true
		if d.Call != "" && !functions[d.Call] {
			t.Errorf("%s: there is no %s", d.ID, d.Call)
		}
		if d.Parts != "" && !functions[d.Parts+".Add"] && !functions[d.Parts+".Merge"] {
			t.Errorf("%s: parts of %s do not add up", d.ID, d.Parts)
		}
		patterns = append(patterns, pattern(d.ID))
	}
	for _, d := range All() {
		entry := Definition{}
		for _, e := range Catalogue() {
			if e.ID == d.ID {
				entry = e
			}
		}
		if entry.Call != "" || (entry.Better == higher) != d.HigherBetter || (entry.Better == lower) == d.HigherBetter || strings.Contains(entry.Needs, "probabilities") != d.NeedsProbs {
			t.Errorf("%+v, the catalogue has %+v", d, entry)
		}
	}
	ids := regexp.MustCompile(`"([a-z][a-zA-Z0-9_+.]*@[0-9]+)"`)
	for _, id := range literals(files, ids) {
		known := false
		for _, p := range patterns {
			known = known || p.MatchString(id)
		}
		if !known {
			t.Errorf("%s is in no catalogue", id)
		}
	}
}

// TestCatalogueSaysWhatAddsUp: every metric by name, every one of regression but the
// median, and none that has no such state.
func TestCatalogueSaysWhatAddsUp(t *testing.T) {
	parts := map[string]string{}
	for _, d := range Catalogue() {
		parts[d.ID] = d.Parts
		_, sums := reflect.TypeFor[*RegressionTally]().MethodByName(strings.TrimPrefix(d.Call, "Regression."))
		if strings.HasPrefix(d.Call, "Regression.") && sums != (d.Parts == "RegressionTally") {
			t.Errorf("%s is read from %q", d.ID, d.Parts)
		}
	}
	for id, want := range map[string]string{"brier@1": "Tally", "nfr@1": "Cells", "wer@1": "ErrorRate", "mae@1": "RegressionTally", "median_ae@1": "", "spearman@1": "", "smece@1": ""} {
		if parts[id] != want {
			t.Errorf("%s adds up as %q, want %q", id, parts[id], want)
		}
	}
}

// TestCatalogueHasNoMoreThanItLists: sources and differences are of ids that there are.
func TestCatalogueHasNoMoreThanItLists(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range Catalogue() {
		seen[d.ID] = true
	}
	for id := range definedBy {
		if !seen[id] {
			t.Errorf("%s has a source and no definition", id)
		}
	}
	for id := range otherwise {
		if !seen[id] {
			t.Errorf("%s differs and has no definition", id)
		}
	}
	for _, id := range []string{"bec@1", "psi@1", "ece@1", "average_precision@1"} {
		if otherwise[id] == "" {
			t.Errorf("%s: libraries differ, and nothing says so", id)
		}
	}
}

func literals(files []*ast.File, like *regexp.Regexp) []string {
	var out []string
	add := func(s string) {
		for _, m := range like.FindAllStringSubmatch(s, -1) {
			out = append(out, m[1])
		}
	}
	for _, f := range files {
		for _, c := range f.Comments {
			add(c.Text())
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				add(lit.Value)
			}
			return true
		})
	}
	return out
}
