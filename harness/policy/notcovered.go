package policy

import (
	"fmt"

	"proctor/harness/report"
)

// never lists what no verdict speaks about, from the threat model's N1 to N11.
var never = []string{
	"Triggers that the suites do not hold: a backdoor can be made that nobody finds by asking.",
	"A model that behaves otherwise in service because it can tell service from this run.",
	"Approving people who work together against the rule of two.",
	"A host, signing key and witness that are all in one hand.",
	"Right answers that are wrong in the set, and a world that has changed since it was sealed.",
	"Where the training data came from: what is said about it is recorded, not checked.",
	"A release that never asks the gate, and a network that is cut off.",
	"Whether the model is safe, fair or free of backdoors as such.",
}

// notCovered lists in plain words what the verdict does not speak about, the
// nearest to this run first.
func notCovered(r *Resolved, e Evidence, fs, quiet []report.Finding) []string {
	out := []string{}
	if r == nil {
		return append(out, never...)
	}
	if e.Diff == nil {
		out = append(out, "Any change: there was no baseline to compare with.")
	} else {
		out = append(out, pooledLines(r)...)
		for _, f := range quiet {
			out = append(out, quietLine(f))
		}
		if s := visibleLine(fs); s != "" {
			out = append(out, s)
		}
	}
	if r.Holdout.dependent() {
		out = append(out, dependentLine(r.Holdout))
	}
	out = append(out, bindingLines(e)...)
	return append(out, never...)
}

func pooledLines(r *Resolved) []string {
	var out []string
	for _, h := range r.Hypotheses {
		if h.Pooled == nil {
			continue
		}
		names := make([]string, len(h.Pooled))
		for i, v := range h.Pooled {
			names[i] = plain(v)
		}
		out = append(out, fmt.Sprintf("Single values of %s with too few rows, tested together only (%d rows): %s.", plain(h.Dimension), h.Rows, some(names, 12)))
	}
	return out
}

func quietLine(f report.Finding) string {
	p := "nothing could be tested"
	if f.P != nil {
		p = "a test for harm found none, p = " + pText(*f.P)
	}
	return fmt.Sprintf("%s: %d rows or cases are too few to show that nothing is lost (%s).", plain(f.Subject), f.N, p)
}

// visibleLine names the smallest harms that would have been seen.
func visibleLine(fs []report.Finding) string {
	var low, high *report.Finding
	for i, f := range fs {
		if f.Visible == nil || f.Unit != unitPP || f.List == report.Always {
			continue
		}
		if low == nil || *f.Visible < *low.Visible {
			low = &fs[i]
		}
		if high == nil || *f.Visible > *high.Visible {
			high = &fs[i]
		}
	}
	if low == nil {
		return ""
	}
	return fmt.Sprintf("Harm smaller than what each finding calls visible: from %.1f pp (%s) to %.1f pp (%s).", *low.Visible, subjectOf(*low), *high.Visible, subjectOf(*high))
}

func subjectOf(f report.Finding) string {
	if f.Subject == "" {
		return "all rows"
	}
	return plain(f.Subject)
}

func bindingLines(e Evidence) []string {
	var out []string
	if e.Tier == "remote" {
		out = append(out, "What became of the rows that were sent to the model's endpoint: nobody here confines it, and they count as burnt.")
	}
	if s := clockLine(e.Probes); e.Code && s != "" {
		out = append(out, s)
	}
	if e.Code && e.Tier != "remote" {
		out = append(out, fmt.Sprintf("What the package's code can tell from timing: it ran confined (tier %s), but it ran.", plain(e.Tier)))
	}
	switch e.Binding {
	case BindingPackage:
	case BindingConfig:
		out = append(out, "The weights behind a hosted model: only prompts, tools, index and model id are bound.")
	default:
		out = append(out, "Which model gave these answers: nothing binds them to one.")
	}
	return out
}
