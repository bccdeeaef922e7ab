package harness

import (
	"strings"
	"testing"
)

// A program that counts one thing otherwise does not serve: each known number is moved
// once, as a patched metric would move what is counted. Left as they are, it serves.
func TestSelfTest(t *testing.T) {
	if err := selfTest(); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.close()
	for what, v := range selfTestKnown {
		selfTestKnown[what] = v + .02
		if err := selfTest(); err == nil || !strings.Contains(err.Error(), "counts "+what) {
			t.Errorf("%s: %v", what, err)
		}
		if err := w.tryOpen(); err == nil || !strings.Contains(err.Error(), "self-test") {
			t.Errorf("%s: the service starts: %v", what, err)
		}
		selfTestKnown[what] = v
	}
	w.open()
}
