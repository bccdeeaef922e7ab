package ci

import (
	"fmt"
	"io"
	"strings"
)

// MaxAnnotations is how many of each level GitHub shows for a step.
const MaxAnnotations = 10

// Annotations writes workflow commands: the decision and the first failures as errors,
// what is undecided as warnings, as many as are shown. The rest belongs into the summary.
func (r Run) Annotations(w io.Writer) error {
	written := map[string]int{}
	for _, e := range r.all() {
		level := "warning"
		if e.State == Failed || e.Rule == "decision" { // a step that is not a PASS is not neutral
			level = "error"
		}
		if e.State == NotRun || e.State == OK || written[level] == MaxAnnotations {
			continue
		}
		written[level]++
		where := ""
		if r.File != "" {
			where = "file=" + property(r.File) + ",line=1,"
		}
		if _, err := fmt.Fprintf(w, "::%s %stitle=%s::%s\n", level, where, property(e.Group+"/"+e.Name), data(e.Says)); err != nil {
			return err
		}
	}
	return nil
}

// data and property escape as the runner unescapes.
func data(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(legal(s))
}

func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(legal(s))
}
