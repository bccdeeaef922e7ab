package candidate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"proctor/harness/intake"
	"proctor/harness/jail"
	"proctor/harness/runner"
	"proctor/harness/runner/onnx"
	"proctor/holdout/rows"
)

// ExampleFile is a file of a package with a few rows in the form that the model takes,
// one JSON object a line. The service does not read it.
const ExampleFile = "example.jsonl"

// What a trial asks for.
const (
	firstRows  = 32   // rows of the first process
	manyRows   = 2000 // of the second, which tells the speed
	shownRows  = 5
	slowStart  = 5 * time.Second // a model that needs longer for the first rows is not asked for many
	tolerance  = 1e-5            // of probabilities, as in the service
	mostStderr = 2000            // bytes shown
)

// Smoke is how the model answered a few rows, in two processes.
type Smoke struct {
	From       string   `json:"from"` // where the rows came from
	Rows       int      `json:"rows"`
	Shown      []Shown  `json:"shown"`
	Tier       string   `json:"tier"`
	Start      float64  `json:"start_seconds"` // from the start of the process to its end, over the first rows
	Rate       float64  `json:"rows_per_second"`
	PeakMemory int64    `json:"peak_memory_bytes"`
	Accuracy   *float64 `json:"accuracy,omitempty"` // where a practice set has answers, over Rows of it
	Failed     string   `json:"failed,omitempty"`   // reason, as a submitter would see it
	Stderr     string   `json:"stderr,omitempty"`
}

// Shown is one row and what the model made of it.
type Shown struct {
	Row    string    `json:"row"`
	Answer string    `json:"answer"`
	Probs  []float64 `json:"p,omitempty"`
}

// smoke runs the model twice over the same rows: a few in uneven batches, then many in
// another order.
func (r *Report) smoke(ctx context.Context, dir string, p *runner.Package, model *onnx.Model, o Options) error {
	t, from, err := trialRows(ctx, dir, p, model, o.Practice)
	if err != nil {
		r.problem("%v", err)
		return nil
	}
	staged, remove, err := runner.StageTemp(p, dir)
	if err != nil {
		return err
	}
	defer remove()
	r.Smoke = &Smoke{From: from, Rows: t.Len()}
	few := t.Slice(0, min(firstRows, t.Len()))
	run := o.Runner
	run.MinTier = jail.None // the owner's own model on the owner's own machine
	first, facts, err := run.Run(ctx, staged, p, runner.Sheet{Rows: few, Batches: uneven(few.Len(), p.Manifest.BatchMax)}, o.Limits)
	r.Smoke.note(facts)
	if err != nil {
		return r.failed(err)
	}
	r.Smoke.show(few, first, p.Manifest.Classes)
	r.Smoke.Start = facts.Wall.Seconds()
	r.tier(facts, p)
	index := manyOf(t.Len(), facts.Wall)
	many := t.Take(index)
	second, again, err := run.Run(ctx, staged, p, runner.Sheet{Rows: many, Batches: even(many.Len(), p.Manifest.BatchMax)}, o.Limits)
	r.Smoke.note(again)
	if err != nil {
		return r.failed(err)
	}
	r.Smoke.rate(facts.Wall, again.Wall, few.Len(), many.Len())
	r.repeats(first, second, index, len(p.Manifest.Classes))
	r.accuracy(o.Practice, second, index, p.Manifest.Classes)
	return nil
}

// uneven cuts n rows into batches of 1, 2, 4, ... so that a model which only knows one
// size shows it.
func uneven(n, most int) (batches []int) {
	for b := 1; n > 0; b *= 2 {
		batches = append(batches, min(b, n, most))
		n -= min(b, n, most)
	}
	return batches
}

func even(n, most int) (batches []int) {
	for n > 0 {
		batches = append(batches, min(256, n, most))
		n -= min(256, n, most)
	}
	return batches
}

// manyOf lists the rows of the second process: all of them backwards, again and again.
func manyOf(n int, wall time.Duration) []int {
	total := max(n, manyRows)
	if wall > slowStart {
		total = min(n, firstRows)
	}
	out := make([]int, min(total, 4*manyRows))
	for i := range out {
		out[i] = n - 1 - i%n
	}
	return out
}

func (s *Smoke) note(f runner.Facts) {
	s.Tier = f.Tier
	s.PeakMemory = max(s.PeakMemory, f.PeakMemory)
	if text := strings.TrimSpace(f.Stderr); text != "" {
		s.Stderr = text[max(0, len(text)-mostStderr):]
	}
}

func (s *Smoke) show(t rows.Table, out runner.Output, classes []string) {
	k := len(classes)
	for i := range min(shownRows, t.Len()) {
		x := Shown{Row: string(bytes.TrimSpace(t.AppendJSON(nil, i))), Answer: className(classes, out.Labels[i])}
		if out.Probs != nil {
			x.Probs = out.Probs[i*k : (i+1)*k]
		}
		s.Shown = append(s.Shown, x)
	}
}

func className(classes []string, label int32) string {
	if label < 0 {
		return "(none of the classes)"
	}
	return classes[label]
}

// rate takes the time for starting out, where the clock tells the two apart.
func (s *Smoke) rate(first, second time.Duration, few, many int) {
	if more := second - first; more > second/10 && many > few {
		s.Rate = float64(many-few) / more.Seconds()
		return
	}
	s.Rate = float64(many) / max(second.Seconds(), 1e-6)
}

func (r *Report) tier(f runner.Facts, p *runner.Package) {
	if p.Manifest.Code() && !jail.Tier(f.Tier).AtLeast(jail.NoCgroup) {
		r.warn("this machine confines to tier %q only, so the trial says little about what the model may not do in the service: write outside /tmp, read outside its package, use the network", f.Tier)
	}
}

// repeats compares what two processes said about the same row.
func (r *Report) repeats(first, second runner.Output, index []int, k int) {
	differ, asked := 0, 0
	for i, row := range index {
		if row >= len(first.Labels) {
			continue
		}
		asked++
		same := first.Labels[row] == second.Labels[i]
		for c := 0; same && c < k && first.Probs != nil && second.Probs != nil; c++ {
			d := first.Probs[row*k+c] - second.Probs[i*k+c]
			same = d <= tolerance && d >= -tolerance
		}
		if !same {
			differ++
		}
	}
	if differ > 0 {
		r.problem("%d of %s got another answer in a second process, in other batches and another order: an answer may depend on nothing but its row. Fix random seeds; do not use the clock, the batch or what was asked before", differ, count(asked, "row"))
	}
}

// accuracy helps to see that classes were mixed up.
func (r *Report) accuracy(p *Practice, out runner.Output, index []int, classes []string) {
	if p == nil || p.Label == "" {
		return
	}
	c, _ := p.Rows.Column(p.Label)
	right, asked := 0, 0
	counts := map[string]int{}
	for i, row := range index {
		if i >= p.Rows.Len() {
			break // from here on rows repeat
		}
		asked++
		counts[c.Strings[row]]++
		if className(classes, out.Labels[i]) == c.Strings[row] {
			right++
		}
	}
	got, commonest := float64(right)/float64(asked), 0
	for _, n := range counts {
		commonest = max(commonest, n)
	}
	r.Smoke.Accuracy = &got
	if r.Smoke.Rows = asked; right*2 < commonest {
		r.warn("only %.1f %% of the answers are right, and always saying the commonest class would give %.1f %%: are the classes in %s in the order of the model's probabilities?", 100*got, 100*float64(commonest)/float64(asked), runner.ManifestFile)
	}
}

// failed words a run that broke off.
func (r *Report) failed(err error) error {
	var f *runner.Failure
	if !errors.As(err, &f) {
		return err
	}
	r.Smoke.Failed = f.Reason
	text := fmt.Sprintf("%s: %s (%s)", f.Reason, f.Sentence(), f.Detail)
	if hint := hints[f.Reason]; hint != "" {
		text += " " + hint
	}
	r.problem("%s", text)
	return nil
}

// trialRows finds rows to ask: a practice set's, the package's own, or made-up ones.
func trialRows(ctx context.Context, dir string, p *runner.Package, model *onnx.Model, practice *Practice) (t rows.Table, from string, err error) {
	if practice != nil {
		names, why, err := asked(ctx, dir, p, model, practice)
		if err != nil {
			return t, "", err
		}
		t, err = practice.Rows.Select(names...)
		if err != nil {
			err = fmt.Errorf("%s: %w", practice.Name, err)
		}
		return t, practice.Name + ", " + why, err
	}
	if has(p, ExampleFile) {
		t, err := example(ctx, dir)
		return t, ExampleFile, err
	}
	if model != nil && len(model.Columns()) > 0 {
		t, err := madeUp(model.Columns())
		return t, "made-up values in the columns that the model names", err
	}
	t, err = madeUp([]rows.Field{{Name: "a", Number: true}, {Name: "b", Number: true}, {Name: "c"}})
	return t, "made-up rows with columns a, b (numbers) and c (text); for real ones put a few into " + ExampleFile + ", or give --practice", err
}

// asked lists the columns of a practice set that the model is shown, and says whose list
// it is: the owner's; else the model's, if it names its columns; else the example's, if
// the set has all of those; else all but the answers.
func asked(ctx context.Context, dir string, p *runner.Package, model *onnx.Model, practice *Practice) (names []string, why string, err error) {
	if len(practice.Features) > 0 {
		return practice.Features, "its columns " + strings.Join(practice.Features, ", "), nil
	}
	if model != nil && len(model.Columns()) > 0 {
		for _, f := range model.Columns() {
			names = append(names, f.Name)
		}
		return names, "the columns that the model names", nil
	}
	if has(p, ExampleFile) {
		t, err := example(ctx, dir)
		if err != nil {
			return nil, "", err
		}
		for _, f := range t.Fields() {
			names = append(names, f.Name)
		}
		if _, err := practice.Rows.Select(names...); err == nil {
			return names, "the columns of " + ExampleFile, nil
		}
		names = nil
	}
	for _, f := range practice.Rows.Fields() {
		if f.Name != practice.Label {
			names = append(names, f.Name)
		}
	}
	return names, "all its columns but the answers (where some are for slices only, give --feature for each of the others)", nil
}

// example reads the rows that the package brings.
func example(ctx context.Context, dir string) (rows.Table, error) {
	text, err := readInside(dir, ExampleFile)
	if err != nil {
		return rows.Table{}, err
	}
	t, err := intake.Decode(ctx, "jsonl", bytes.NewReader(text), intake.Options{})
	if err != nil {
		err = fmt.Errorf("%s: %w", ExampleFile, err)
	}
	return t, err
}

// madeUp gives every column values that models stumble over: zero, negative, large,
// fractions; empty text, spaces, other scripts, quotes.
func madeUp(fields []rows.Field) (rows.Table, error) {
	numbers := []float64{0, 1, -1, 0.5, 38, 1e6, -2.25, 3}
	texts := []string{"a", "", "Private", " two words ", "ü日", `"quoted", with a comma`, "0", "A"}
	cols := make([]rows.Column, len(fields))
	for i, f := range fields {
		cols[i].Name = f.Name
		for r := range numbers {
			if f.Number {
				cols[i].Floats = append(cols[i].Floats, numbers[(r+i)%len(numbers)])
			} else {
				cols[i].Strings = append(cols[i].Strings, texts[(r+i)%len(texts)])
			}
		}
	}
	return rows.New(slices.Clip(cols)...)
}
