package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"proctor/harness/report"
)

var export = template.Must(template.ParseFS(templateFiles, "templates/parts.html", "templates/report.html", "templates/calibration.html", "templates/export.html"))

type exportPage struct {
	Policy string
	Style  template.CSS
	Report reportView
}

// RenderReport writes a report as one HTML file that loads nothing and runs
// nothing. digest names the report's bytes. The file is not a verdict and says so.
func RenderReport(w io.Writer, r *report.Report, digest string) error {
	sum := sha256.Sum256([]byte(styleSheet))
	v := exportPage{
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
		Style:  template.CSS(styleSheet),
		Report: newReportView(r, digest, ""),
	}
	var b bytes.Buffer
	if err := export.ExecuteTemplate(&b, "export", shown(v)); err != nil {
		return fmt.Errorf("render report: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}
