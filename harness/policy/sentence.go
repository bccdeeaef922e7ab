package policy

import (
	"fmt"
	"math"
	"strings"

	"proctor/harness/report"
	"proctor/regress"
)

const times = " × " // joins the values of a pair of dimensions

// sentence says the verdict in one line.
func sentence(r *Resolved, e Evidence, d report.Decision) string {
	if d.Decided >= 0 {
		text := strings.TrimSuffix(d.Findings[d.Decided].Sentence, ".")
		if d.Findings[d.Decided].Claim == findMemorisation && d.Result == report.Fail {
			text = "the model knows the exam: " + lower(text)
		}
		if n := others(d); n > 0 {
			text += fmt.Sprintf(" (and %d more %s)", n, plural(n, "finding"))
		}
		return d.Result + ": " + lower(text) + firstNote(e) + "."
	}
	if d.Result != report.Pass {
		return d.Result + ": nothing was decided."
	}
	return "PASS: " + passText(r, e, d) + firstNote(e) + "."
}

func firstNote(e Evidence) string {
	if e.Diff == nil {
		return "; this is a first model, nothing was compared"
	}
	return ""
}

// others counts the findings with the outcome of the one that decided.
func others(d report.Decision) int {
	n := -1
	for _, f := range d.Findings {
		if f.Outcome == d.Findings[d.Decided].Outcome {
			n++
		}
	}
	return n
}

// passText names the first result on all rows and what could have been seen.
func passText(r *Resolved, e Evidence, d report.Decision) string {
	n, head := 0, ""
	low, high := math.Inf(1), 0.0 // visible harm in slices, points
	for _, f := range d.Findings {
		if f.Outcome == report.Holds {
			n++
		}
		if head == "" && f.List == report.Prove && f.Value != nil {
			head = lower(strings.TrimSuffix(f.Sentence, "."))
		}
		if f.List == report.Watch && strings.Contains(f.Subject, "=") && f.Unit == unitPP && f.Visible != nil {
			low, high = min(low, *f.Visible), max(high, *f.Visible)
		}
	}
	if head == "" {
		head = "nothing that the policy asks for is violated"
	}
	text := fmt.Sprintf("%s; all %d findings hold", head, n)
	if e.Binding == BindingNone {
		text = fmt.Sprintf("%s; %d of %d findings hold, the others could not be checked", head, n, len(d.Findings))
	}
	if high > 0 {
		text += fmt.Sprintf("; losses from %.1f pp (largest slice) to %.1f pp (smallest) would have been seen", low, high)
	}
	return text
}

// sentenceOf says one hypothesis in plain words with its numbers. upper is the upper
// limit of the loss.
func (r *Resolved) sentenceOf(h Hypothesis, e effect, f report.Finding, upper float64) string {
	c := r.claim(h.Claim)
	b := r.bounds(h)
	what := r.changed(h, e)
	shown := quantity(upper/c.scale(), c.Unit)
	switch {
	case b.harmForm && f.Outcome == report.Violated:
		return fmt.Sprintf("%s (p = %s after Holm over %d; more than %s is harm).", what, pText(*f.Adjusted), r.watched(), asked(*c.Harm, c.Unit))
	case b.harmForm && f.Outcome == report.Holds:
		if upper <= 0 {
			return fmt.Sprintf("%s; any loss is excluded.", what)
		}
		return fmt.Sprintf("%s; a loss of %s or more is excluded (%s is asked).", what, shown, asked(*c.Detect, c.Unit))
	case b.harmForm:
		return fmt.Sprintf("%s; a loss of up to %s is not excluded, and less than %s must be shown.", what, shown, asked(*c.Detect, c.Unit))
	}
	bound := "at least " + asked(r.oneBound(c), c.Unit)
	if c.AtMost != nil {
		bound = "at most " + asked(r.oneBound(c), c.Unit)
	}
	limit := "at least " + signed(-upper/c.scale(), c.Unit)
	if b.sign > 0 {
		limit = "at most " + signed(upper/c.scale(), c.Unit)
	}
	switch f.Outcome {
	case report.Holds:
		return fmt.Sprintf("%s, %s with confidence (%s is asked).", what, limit, bound)
	case report.Violated:
		return fmt.Sprintf("%s, where %s is asked%s.", what, bound, tooGood(h, c))
	}
	return fmt.Sprintf("%s, which shows %s; %s must be shown.", what, limit, bound)
}

// tooGood says what an improvement beyond belief may mean.
func tooGood(h Hypothesis, c Claim) string {
	if h.List == report.Watch {
		return "; too good may mean that the set is known"
	}
	return ""
}

func (r *Resolved) oneBound(c Claim) float64 {
	if c.AtLeast != nil {
		return *c.AtLeast
	}
	if c.AtMost != nil {
		return *c.AtMost
	}
	return 0
}

// changed says what happened: "Accuracy fell by 17.56 pp where sex is Female: 60 of
// 279 rows broke, 11 were fixed".
func (r *Resolved) changed(h Hypothesis, e effect) string {
	c := r.claim(h.Claim)
	v := e.value / c.scale()
	if h.Suite != "" {
		return fmt.Sprintf("%s: %d of %d cases fail now that passed before, %d the other way (%s)", plain(h.subject()), e.cells.Broke, e.n, e.cells.Fixed, signed(v, c.Unit))
	}
	verb := "rose by"
	switch {
	case v < 0:
		verb = "fell by"
	case v == 0:
		verb = "changed by"
	}
	text := fmt.Sprintf("%s %s %s%s", title(h.Metric), verb, quantity(math.Abs(v), c.Unit), where(h))
	if e.cells != nil {
		text += fmt.Sprintf(": %d of %d rows broke, %d were fixed", e.cells.Broke, e.n, e.cells.Fixed)
	}
	return text
}

// where names a slice: " where sex is Female and education is Masters".
func where(h Hypothesis) string {
	if h.Dimension == "" {
		return ""
	}
	if h.Pooled != nil {
		return fmt.Sprintf(" over the %d small %s of %s", len(h.Pooled), plural(len(h.Pooled), "value"), plain(h.Dimension))
	}
	names, values := strings.Split(h.Dimension, "*"), strings.Split(h.Value, times)
	if len(names) != len(values) {
		return " where " + plain(h.Dimension) + " is " + plain(h.Value)
	}
	parts := make([]string, len(names))
	for i := range names {
		name := names[i]
		if name == "class" {
			name = "the right answer"
		}
		parts[i] = plain(name) + " is " + plain(values[i])
	}
	return " where " + strings.Join(parts, " and ")
}

func sentenceUndefined(h Hypothesis, e effect) string {
	return fmt.Sprintf("%s%s%s is undefined: %s.", title(h.Metric), where(h), ofTest(h), plain(e.undefined))
}

func ofTest(h Hypothesis) string {
	if h.Suite != "" {
		return " of " + plain(h.subject())
	}
	return ""
}

func sentenceAnchor(e Evidence, f report.Finding) string {
	who := "the best approved version"
	if e.Anchor == nil {
		who = "the baseline, which is the best approved version,"
	}
	text := fmt.Sprintf("Against %s accuracy changed by %s; at least %s is shown", who, signed(*f.Value, unitPP), signed(*f.Low, unitPP))
	if f.Outcome == report.Violated {
		text = fmt.Sprintf("Against %s accuracy changed by %s", who, signed(*f.Value, unitPP))
	}
	return fmt.Sprintf("%s (%s is asked).", text, asked(*f.Bound, unitPP))
}

func sentenceFirst(f report.Finding) string {
	text := fmt.Sprintf("Accuracy is %.2f %%, at least %.2f %% with confidence", *f.Value, *f.Low)
	if f.Outcome == report.Violated {
		text = fmt.Sprintf("Accuracy is %.2f %%, at most %.2f %% with confidence", *f.Value, *f.High)
	}
	return fmt.Sprintf("%s (%s %% is asked).", text, number(*f.Bound))
}

// quantity prints a number in its unit; signed with its sign.
func quantity(v float64, unit string) string {
	if unit == unitPP {
		return fmt.Sprintf("%.2f pp", v)
	}
	return fmt.Sprintf("%.4f", v)
}

func signed(v float64, unit string) string {
	if unit == unitPP {
		return strings.Replace(fmt.Sprintf("%+.2f pp", v), "-0.00", "+0.00", 1)
	}
	return fmt.Sprintf("%+.4f", v)
}

// asked prints a number of the policy as it is written there.
func asked(v float64, unit string) string {
	if unit == "" {
		return number(v)
	}
	return number(v) + " " + unit
}

func pText(p float64) string {
	if p < 1e-300 {
		return "0 to 300 digits"
	}
	return fmt.Sprintf("%.2g", p)
}

func pow10(x float64) float64 { return math.Pow(10, x) }

// finite returns a pointer for a report, nil for what JSON cannot hold.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	if v == 0 {
		v = 0 // not -0
	}
	return &v
}

func title(metric string) string {
	if name, ok := map[string]string{"roc_auc": "ROC AUC", "ece": "calibration error", "mcc": "Matthews' correlation", "kappa": "Cohen's kappa"}[metric]; ok {
		metric = name
	}
	s := strings.ReplaceAll(plain(metric), "_", " ")
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func lower(s string) string {
	if len(s) > 1 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'a' && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// some joins the first few names and counts the rest.
func some(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// plain makes foreign text fit one line of a sentence.
func plain(s string) string { return regress.Plain(s) }
