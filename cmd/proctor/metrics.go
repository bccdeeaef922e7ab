package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"proctor/harness/spell"
	"proctor/metrics"
)

// metricsCmd prints the catalogue of metrics: what each id stands for.
type metricsCmd struct {
	ID       string `arg:"" optional:"" help:"Explain one definition: its id, or its name without the version."`
	JSON     bool   `name:"json" xor:"form" help:"Print the definitions as JSON."`
	Markdown bool   `xor:"form" help:"Print them as the tables of docs/metrics.md."`
}

func (c *metricsCmd) Run(o console) error {
	defs := metrics.Catalogue()
	if c.ID != "" {
		d, err := definition(defs, c.ID)
		if err != nil {
			return err
		}
		defs = []metrics.Definition{d}
	}
	switch {
	case c.JSON:
		e := json.NewEncoder(o.Out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(defs)
	case c.Markdown:
		_, err := io.WriteString(o.Out, markdown(defs))
		return err
	case c.ID != "":
		return describe(o.Out, defs[0])
	}
	return listDefinitions(o.Out, defs)
}

// definition finds one by its id or its name.
func definition(defs []metrics.Definition, id string) (metrics.Definition, error) {
	var names []string
	for _, d := range defs {
		name, _, _ := strings.Cut(d.ID, "@")
		if id == d.ID || id == name {
			return d, nil
		}
		names = append(names, name)
	}
	name, version, _ := strings.Cut(id, "@")
	if version != "" && slices.Contains(names, name) {
		return metrics.Definition{}, usagef("there is no version %s of %s; see proctor metrics %s", version, name, name)
	}
	return metrics.Definition{}, usagef("no metric %q%s; proctor metrics lists them", id, spell.Suggest(name, names))
}

func listDefinitions(w io.Writer, defs []metrics.Definition) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	family := ""
	for _, d := range defs {
		if d.Family != family {
			family = d.Family
			fmt.Fprintf(t, "\n%s\t\t\t\n", strings.ToUpper(family))
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", d.ID, d.Range, d.Better, d.Needs)
	}
	fmt.Fprint(t, "\nBetter: higher, lower, or the best value. `proctor metrics ID` explains one.\n")
	return t.Flush()
}

// describe prints what there is to say, a line each.
func describe(w io.Writer, d metrics.Definition) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"id", d.ID}, {"family", d.Family}, {"definition", d.Says}, {"needs", d.Needs}, {"range", d.Range}, {"better", d.Better},
		{"edges", d.Edge}, {"elsewhere", d.Differs}, {"source", d.Source}, {"in Go", d.Call}, {"interval", d.Interval}, {"parts add up as", d.Parts},
	} {
		if line[1] != "" {
			fmt.Fprintf(t, "%s\t%s\n", line[0], line[1])
		}
	}
	return t.Flush()
}

// markdown is the tables of docs/metrics.md.
func markdown(defs []metrics.Definition) string {
	var b strings.Builder
	family := ""
	for _, d := range defs {
		if d.Family != family {
			family = d.Family
			fmt.Fprintf(&b, "\n### %s%s\n| id | definition | needs | range | better | edges | other libraries | source | interval | Go | parts add up as |\n|---|---|---|---|---|---|---|---|---|---|---|\n",
				strings.ToUpper(family[:1]), family[1:])
		}
		b.WriteString("|")
		for _, cell := range []string{"`" + d.ID + "`", d.Says, d.Needs, d.Range, d.Better, d.Edge, d.Differs, d.Source, d.Interval, quoted(d.Call), quoted(d.Parts)} {
			fmt.Fprintf(&b, " %s |", strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(cell))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}
