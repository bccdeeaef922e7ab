package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"proctor/harness/jail"
)

// faketime finds the library where Debian puts it.
func faketime(t *testing.T) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/*/faketime/libfaketime.so.1")
	if len(found) == 0 {
		t.Skip("libfaketime is not installed")
	}
	return found[0]
}

const rule = `{"protocol":"proctor/1","kind":"command","command":["%s","m"],"task":"classification","classes":["no","yes"]}`

// What can be said of a package's clock is found out by trying.
func TestClock(t *testing.T) {
	for _, c := range []struct {
		word, lib, want string
	}{
		{"./misbehave", "x", ClockRuntime},
		{"sh", "x", ClockRuntime},
		{"python3", "", ClockNoLib},
		{"python3", "/usr/bin/env", ClockRefuses}, // no library at all
	} {
		if c.word == "python3" && look(c.word, filepath.SplitList(os.Getenv("PATH"))) == "" {
			t.Log("python3 is not installed")
			continue
		}
		_, p := stage(t, map[string]string{"misbehave": "x", ManifestFile: fmt.Sprintf(rule, c.word)})
		if got, err := (Runner{MinTier: jail.None, Faketime: c.lib}).Clock(t.Context(), p); err != nil || got != c.want {
			t.Errorf("%s with %q: %s, %v", c.word, c.lib, got, err)
		}
	}
	_, p := stage(t, map[string]string{"m.onnx": "-", ManifestFile: `{"protocol":"proctor/1","kind":"onnx","model":"m.onnx","task":"classification","classes":["no","yes"]}`})
	if got, err := (Runner{}).Clock(t.Context(), p); err != nil || got != ClockNone {
		t.Error(got, err)
	}
}

// Python and Node are shown another date. (Without namespaces the library finds no
// memory to share, and the trial says that it cannot be done.)
func TestClockMoves(t *testing.T) {
	lib := faketime(t)
	have, _ := jail.Probe()
	for _, word := range []string{"python3", "node"} {
		if look(word, filepath.SplitList(os.Getenv("PATH"))) == "" {
			t.Log(word, "is not installed")
			continue
		}
		_, p := stage(t, map[string]string{ManifestFile: fmt.Sprintf(rule, word)})
		for _, tier := range []jail.Tier{jail.None, jail.NoCgroup, jail.Jail} {
			if !have.AtLeast(tier) {
				continue
			}
			if got, err := (Runner{MinTier: tier, MaxTier: tier, Faketime: lib}).Clock(t.Context(), p); err != nil || got != ClockMoves {
				t.Errorf("%s at %s: %s, %v", word, tier, got, err)
			}
		}
	}
}
