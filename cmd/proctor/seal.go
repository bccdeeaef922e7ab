package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"proctor/harness"
)

type sealCmd struct {
	remote
	Spec     string   `arg:"" help:"Seal specification (YAML)." type:"path"`
	Table    string   `arg:"" help:"CSV, JSONL, Parquet or Arrow IPC file with features and answer." type:"path"`
	Reserve  string   `help:"Rows of the same shape, kept fresh for rotation." type:"path" placeholder:"FILE" env:"-"`
	Training []string `help:"Training fingerprints of models that will sit the exam: a table with too many of their rows is refused." type:"path" placeholder:"FILE" env:"-"`
	Preview  bool     `help:"Seal nothing; show class balance, slice sizes and the smallest harm that would show in each." env:"-"`
	JSON     bool     `help:"Print the preview as JSON." env:"-"`
}

// Run sends the tables, on a terminal with a progress bar.
func (c *sealCmd) Run(ctx context.Context, o console) error {
	if c.JSON && !c.Preview {
		return usagef("--json goes with --preview")
	}
	spec, err := os.ReadFile(c.Spec)
	if err != nil {
		return err
	}
	if err := checkTraining(ctx, o, spec, c.Table, c.Training); err != nil {
		return err
	}
	format, err := formatOf(c.Table)
	if err != nil {
		return err
	}
	files, err := openTables(c.Table, c.Reserve)
	if err != nil {
		return err
	}
	defer files.close()
	bar := newProgress(o.Err, "sending the tables", files.size)
	defer bar.end()
	table := bar.reader(files.table)
	var reserve io.Reader
	if files.reserve != nil {
		reserve = bar.reader(files.reserve)
	}
	if c.Preview {
		b, err := c.client().PreviewHoldout(ctx, format, spec, table, reserve)
		bar.end()
		if err != nil {
			return err
		}
		return showPreview(o, b, c.JSON)
	}
	change, err := c.client().ProposeHoldout(ctx, format, spec, table, reserve)
	bar.end()
	if err != nil {
		return err
	}
	return printChange(o, change)
}

// tables are the files that are sent to be sealed.
type tables struct {
	table, reserve *os.File // reserve may be nil
	size           int64    // bytes of both
}

func openTables(table, reserve string) (t tables, err error) {
	if t.table, err = os.Open(table); err == nil && reserve != "" {
		t.reserve, err = os.Open(reserve)
	}
	for _, f := range []*os.File{t.table, t.reserve} {
		if f == nil || err != nil {
			continue
		}
		var info os.FileInfo
		if info, err = f.Stat(); err == nil {
			t.size += info.Size()
		}
	}
	if err != nil {
		t.close()
	}
	return t, err
}

func (t tables) close() {
	for _, f := range []*os.File{t.table, t.reserve} {
		if f != nil {
			f.Close()
		}
	}
}

func showPreview(o console, b []byte, asJSON bool) error {
	if asJSON {
		return printJSON(o.Out, b)
	}
	var v harness.HoldoutPreview
	if err := json.Unmarshal(b, &v); err != nil {
		return fmt.Errorf("read the preview: %w", err)
	}
	fmt.Fprintf(o.Out, "%s: %d rows would be scored, %d of them repeat an earlier one; %d in reserve, %d for practice, %d canaries, %d twins\n\n",
		v.Holdout, v.Rows, v.Repeats, v.Reserve, v.Practice, v.Canaries, v.Twins)
	if err := printSlices(o.Out, v.Slices); err != nil {
		return err
	}
	for _, p := range v.Policies {
		fmt.Fprintf(o.Out, "\nIn force for lineage %s, on these rows: ", p.Lineage)
		if p.Report == nil {
			fmt.Fprintf(o.Out, "policy %s is refused: %s\n", p.Policy, p.Refused)
		} else if err := printPower(o.Out, *p.Report); err != nil {
			return err
		}
	}
	for _, n := range v.Notes {
		fmt.Fprintf(o.Out, "\n  %s\n", n)
	}
	_, err := fmt.Fprintln(o.Out, "\nNothing is sealed. The smallest visible harm is a loss of right answers that shows with .95 at level .01 over all lines of this table, between models that differ as two honest trainings do; 'proctor policy check' says it for a policy.")
	return err
}

// maxListed is how many values of a slice column are listed: the first ones and, since
// those are what is worth a look, the smallest.
const maxListed = 20

// printSlices lists classes and slices with what would show in them.
func printSlices(w io.Writer, list []harness.SlicePreview) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(t, "  \tvalue\trows\tshare\tsmallest visible harm\n")
	for len(list) > 0 {
		n := 0
		for n < len(list) && list[n].Dimension == list[0].Dimension {
			n++
		}
		printDimension(t, list[:n])
		list = list[n:]
	}
	return t.Flush()
}

func printDimension(w io.Writer, list []harness.SlicePreview) {
	skip, until := len(list), len(list)
	if len(list) > maxListed {
		skip, until = maxListed/4, len(list)-maxListed*3/4
	}
	for i, v := range list {
		if i >= skip && i < until {
			if i == skip {
				fmt.Fprintf(w, "  %s\t... %d more ...\t\t\t\n", v.Dimension, until-skip)
			}
			continue
		}
		harm := "none"
		if v.VisiblePP != nil {
			harm = fmt.Sprintf("%.1f pp", *v.VisiblePP)
		}
		fmt.Fprintf(w, "  %s\t%s\t%d\t%.1f %%\t%s\n", v.Dimension, v.Value, v.Rows, v.SharePct, harm)
	}
}

func formatOf(path string) (string, error) {
	switch ext := filepath.Ext(path); ext {
	case ".csv":
		return "csv", nil
	case ".jsonl":
		return "jsonl", nil
	case ".parquet":
		return "parquet", nil
	case ".arrow", ".feather":
		return "arrow", nil
	default:
		return "", usagef("%s: a table ends in .csv, .jsonl, .parquet or .arrow, not %q", path, ext)
	}
}
