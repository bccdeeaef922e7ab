package cmd_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// floors are versions below which a module has a known weakness. The vulnerability
// database is not always reachable; this table is, and holds in every build.
var floors = map[string]struct{ version, why string }{
	"github.com/labstack/echo/v4":                         {"v4.15.4", "CVE-2026-55677: guarded groups were passed with %2F"},
	"google.golang.org/protobuf":                          {"v1.33.0", "GO-2024-2611: endless loop on JSON"},
	"github.com/klauspost/compress":                       {"v1.20.1", "GO-2026-5841"},
	"github.com/mattn/go-sqlite3":                         {"v1.14.53", "the SQLite that the crash tests ran on"},
	"golang.org/x/net":                                    {"v0.61.0", "the HTML parser that pages are tested with"},
	"github.com/google/uuid":                              {"v1.6.0", "random readers as a parameter"},
	"github.com/apache/arrow/go/v15":                      {"v15.0.2", "the last of its line; parses only bytes of our own"},
	"github.com/riverqueue/river":                         {"v0.49.0", "the whole family is of one version"},
	"github.com/riverqueue/river/riverdriver/riversqlite": {"v0.49.0", "the whole family is of one version"},
}

// banned are modules that must not come in, even indirectly.
var banned = map[string]string{
	"google.golang.org/grpc": "pqarrow and flight bring it; the server must not parse Parquet or serve RPC",
}

func TestVersions(t *testing.T) {
	b, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	f, err := modfile.Parse("go.mod", b, nil)
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]string{}
	for _, r := range f.Require {
		have[r.Mod.Path] = r.Mod.Version
		if why, ok := banned[r.Mod.Path]; ok {
			t.Errorf("%s is in go.mod: %s", r.Mod.Path, why)
		}
		if strings.Contains(r.Mod.Version, "-0.") && !r.Indirect {
			t.Errorf("%s %s is no released version", r.Mod.Path, r.Mod.Version)
		}
	}
	for path, floor := range floors {
		switch v, ok := have[path]; {
		case !ok:
			t.Errorf("%s is in the table and not in go.mod", path)
		case semver.Compare(v, floor.version) < 0:
			t.Errorf("%s is %s, below %s: %s", path, v, floor.version, floor.why)
		}
	}
	if len(f.Replace) > 0 {
		t.Errorf("go.mod replaces %d modules: what runs must be what is named", len(f.Replace))
	}
}
