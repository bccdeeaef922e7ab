package cmd_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "proctor"

// layers lists the packages from the ground up. A package may import only
// packages of lower layers, so this table is the architecture diagram.
var layers = [][]string{
	{"harness/secret", "harness/spell", "harness/cosig", "harness/intake/credential"},
	{"holdout/blob", "holdout/rows", "metrics", "harness/jail", "harness/report", "harness/access", "harness/verdict", "harness/tlog", "web/api"},
	{"harness/watch", "harness/witness"},
	{"regress/generate", "regress/score"},
	{"harness/report/ci", "holdout", "regress", "harness/intake", "harness/provenance", "harness/gate", "metrics/metricstest", "harness/notify", "harness/identity", "harness/identity/identitytest", "holdout/blob/blobtest", "harness/verdict/verdicttest", "web/client"},
	{"regress/importer", "regress/practice", "harness/runner", "harness/policy", "harness/store"},
	{"harness", "harness/store/sqlite", "harness/store/postgres", "harness/store/storetest", "harness/store/postgres/postgrestest", "harness/runner/onnx", "harness/runner/wasm", "harness/runner/served", "harness/runner/onnxruntime"},
	{"harness/runner/remote"},
	{"web", "harness/candidate", "harness/telemetry"},
	{"cmd/proctor", "cmd/proctor-gate", "cmd/proctor-witness"},
}

// stdOnly lists the packages that a release gate may link. They use nothing but
// the standard library and golang.org/x/mod, so that a reader can check all of
// what decides a release.
var stdOnly = []string{"harness/secret", "harness/cosig", "harness/verdict", "harness/provenance", "harness/tlog", "harness/gate", "harness/report", "harness/access", "web/api", "cmd/proctor-gate", "harness/watch", "harness/witness", "cmd/proctor-witness"}

// only lists who may import a module.
var only = map[string][]string{
	"filippo.io/age":                                       {"cmd/proctor"},
	"github.com/jackc/pgx/v5/pgxpool":                      {"harness/store/postgres"},
	"github.com/mattn/go-sqlite3":                          {"harness/store/sqlite"},
	"github.com/labstack/echo/v4":                          {"web"},
	"github.com/labstack/echo/v4/middleware":               {"web"},
	"github.com/landlock-lsm/go-landlock/landlock":         {"harness/jail"},
	"github.com/yalue/onnxruntime_go":                      {"harness/runner/onnxruntime"},
	"github.com/santhosh-tekuri/jsonschema/v6":             {"regress/score"},
	"github.com/tetratelabs/wazero":                        {"harness/runner/wasm"},
	"github.com/prometheus/client_golang/prometheus":       {"harness/telemetry"},
	"github.com/coreos/go-oidc/v3/oidc":                    {"harness/identity"},
	"golang.org/x/oauth2":                                  {"harness/identity"},
	"proctor/testdata/income":                              {"cmd/proctor"}, // the demo's data, inside the program
	"proctor/testdata/models":                              {"cmd/proctor"}, // what package init writes
	"github.com/google/go-containerregistry/pkg/v1/remote": {"cmd/proctor"}, // the submitter's client; the service dials no registry
}

func TestImports(t *testing.T) {
	level := map[string]int{}
	for i, l := range layers {
		for _, p := range l {
			level[p] = i
		}
	}
	imports := readImports(t, "..") // not "go list": a cached test must notice a changed import
	for from := range level {
		if imports[from] == nil {
			t.Errorf("package %s is in the table but not in the tree", from)
		}
	}
	for from, imps := range imports {
		lf, ok := level[from]
		if !ok {
			t.Errorf("package %s has no layer", from)
		}
		for _, imp := range imps {
			if who, ok := only[imp]; ok {
				if !slices.Contains(who, from) {
					t.Errorf("%s imports %s; only %v may", from, imp, who)
				}
				if strings.HasPrefix(imp, module+"/") {
					continue
				}
			}
			if to, ok := strings.CutPrefix(imp, module+"/"); ok {
				if lt, ok := level[to]; !ok || lt >= lf {
					t.Errorf("%s imports %s, which is not in a lower layer", from, to)
				}
				continue
			}
			foreign := strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") && !strings.HasPrefix(imp, "golang.org/x/mod/")
			if foreign && slices.Contains(stdOnly, from) {
				t.Errorf("%s imports %s; it may use only the standard library and golang.org/x/mod", from, imp)
			}
		}
	}
}

// readImports returns the imports of the non-test files of each package under root.
func readImports(t *testing.T, root string) map[string][]string {
	t.Helper()
	pkgs := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && path != root) {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, filepath.Dir(path))
		pkg := filepath.ToSlash(rel)
		if pkgs[pkg] == nil {
			pkgs[pkg] = []string{}
		}
		for _, i := range f.Imports {
			p, _ := strconv.Unquote(i.Path.Value)
			pkgs[pkg] = append(pkgs[pkg], p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return pkgs
}
