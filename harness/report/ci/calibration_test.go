package ci

import (
	"bytes"
	"strings"
	"testing"

	"proctor/harness/report"
)

// TestMarkdownTellsOfCalibration where the report does.
func TestMarkdownTellsOfCalibration(t *testing.T) {
	for _, c := range []*report.Calibration{nil, {Sentence: "Calibration is worse than the baseline's: smooth calibration error +0.0310"}} {
		var b bytes.Buffer
		if err := FromReport(&report.Report{Calibration: c}).Markdown(&b, MaxSummary); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.String(), "smooth calibration error +0.0310"); got != (c != nil) {
			t.Errorf("%s", b.String())
		}
	}
}
