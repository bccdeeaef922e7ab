package metrics

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"testing"
)

// notFuzzed are the exported functions that no fuzz target calls, and why.
var notFuzzed = map[string]string{
	"Catalogue": "takes nothing, and has a test of its own",
}

// TestEveryFunctionIsFuzzed: each exported function and method of the package is named in
// a fuzz target, or in a function of the tests that one calls.
func TestEveryFunctionIsFuzzed(t *testing.T) {
	calls, exported := packageCalls(t)
	reached, todo := map[string]bool{}, []string{}
	for name := range calls {
		if strings.HasPrefix(name, "Fuzz") {
			todo = append(todo, name)
		}
	}
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		if !reached[name] {
			reached[name] = true
			todo = append(todo, calls[name]...)
		}
	}
	for _, name := range exported {
		switch why, excused := notFuzzed[name]; {
		case reached[name] && excused:
			t.Errorf("%s is fuzzed and excused", name)
		case !reached[name] && why == "":
			t.Errorf("no fuzz target calls %s", name)
		}
		delete(notFuzzed, name)
	}
	for name := range notFuzzed {
		t.Errorf("there is no %s", name)
	}
}

// packageCalls lists what each function of the tests names of this package, and what the
// package exports. Other packages are not read: the types of this one need none of theirs.
func packageCalls(t *testing.T) (calls map[string][]string, exported []string) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	set, files := token.NewFileSet(), []*ast.File{}
	for _, name := range names {
		f, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name.Name == "metrics" {
			files = append(files, f)
		}
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: noImports{}, Error: func(error) {}}
	_, _ = config.Check("metrics", set, files, info)
	calls = map[string][]string{}
	for _, f := range files {
		test := strings.HasSuffix(set.Position(f.Pos()).Filename, "_test.go")
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := fullName(info.Defs[fn.Name])
			switch {
			case test:
				calls[name] = named(fn, info)
			case fn.Name.IsExported():
				exported = append(exported, name)
			}
		}
	}
	return calls, exported
}

func named(fn *ast.FuncDecl, info *types.Info) (out []string) {
	ast.Inspect(fn, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if f, ok := info.Uses[id].(*types.Func); ok && f.Pkg() != nil && f.Pkg().Name() == "metrics" {
				out = append(out, fullName(f))
			}
		}
		return true
	})
	return out
}

// fullName is a function's name, after its receiver's type if it has one.
func fullName(o types.Object) string {
	f := o.(*types.Func).Origin()
	if r := f.Signature().Recv(); r != nil {
		return types.TypeString(r.Type(), func(*types.Package) string { return "" }) + "." + f.Name()
	}
	return f.Name()
}

type noImports struct{}

func (noImports) Import(string) (*types.Package, error) { return nil, errors.New("not read") }
