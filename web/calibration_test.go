package web

import (
	"bytes"
	"strings"
	"testing"

	"proctor/harness/report"
)

// TestCalibrationIsShown in one sentence, as text, and nothing of it where it is not known.
func TestCalibrationIsShown(t *testing.T) {
	for _, c := range []struct {
		c    *report.Calibration
		want string
	}{{&report.Calibration{Sentence: "Calibration is worse: +0.0310 <b>"}, `<p>Calibration is worse: &#43;0.0310 &lt;b&gt;</p>`}, {nil, ""}} {
		r := poisoned()
		r.Calibration = c.c
		_, digest, err := report.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		var page bytes.Buffer
		if err := RenderReport(&page, r, digest); err != nil || !strings.Contains(page.String(), c.want) || strings.Contains(page.String(), `id="calibration"`) != (c.c != nil) {
			t.Errorf("%+v: %v", c.c, err)
		}
	}
}
