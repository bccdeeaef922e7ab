package metrics

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fused matches a line of the compiler's listing for arm64 with an instruction that
// multiplies and adds in one rounding: FMADD, FMSUB, FNMADD or FNMSUB.
var fused = regexp.MustCompile(`\(([^()\s]+\.go:\d+)\)\s+(FN?M(?:ADD|SUB)[DS])\s`)

// fusedIn compiles packages for arm64 and lists where the compiler fused. It skips where
// the toolchain cannot.
func fusedIn(t *testing.T, dir string, packages ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"build", "-gcflags=-S", "-o", os.DevNull}, packages...)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0", "GOFLAGS=")
	listing, err := cmd.CombinedOutput()
	if err != nil {
		t.Skipf("the toolchain does not compile for arm64: %v: %.300s", err, listing)
	}
	if !strings.Contains(string(listing), "STEXT") {
		t.Fatalf("go build -gcflags=-S lists no functions: %.300s", listing)
	}
	var out []string
	for _, m := range fused.FindAllStringSubmatch(string(listing), -1) {
		out = append(out, m[1]+": "+m[2])
	}
	return out
}

// TestNothingIsFused: no function whose number reaches a verdict has a product and a sum
// rounded together on arm64, where the number would be another one than on amd64. Write
// float64(x*y) + z: the conversion rounds, says the language.
func TestNothingIsFused(t *testing.T) {
	for _, at := range fusedIn(t, "..", "./metrics", "./regress", "./harness/policy", "./holdout") {
		t.Errorf("%s: on arm64 this has another last bit than elsewhere; round the product: float64(x*y)", at)
	}
}

// TestFusedIsFound: the control.
func TestFusedIsFound(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module fixture\n\ngo 1.24\n",
		"f.go": `package fixture

func Sum(x, y, z float64) float64 { return x*y + z }

func Left(x, y, z float64) float64 { return z - x*y }

func Halves(x, z float64) float64 {
	half := x / 2
	return half + z
}

func Rounded(x, y, z float64) float64 { return float64(x*y) + z }
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found := strings.Join(fusedIn(t, dir, "."), "\n")
	for _, line := range []string{"f.go:3: FMADDD", "f.go:5: FMSUBD", "f.go:9: FMADDD"} {
		if !strings.Contains(found, line) {
			t.Errorf("%s is not among\n%s", line, found)
		}
	}
	if strings.Contains(found, "f.go:12") || strings.Count(found, "\n") != 2 {
		t.Errorf("a product that is rounded is found:\n%s", found)
	}
}
