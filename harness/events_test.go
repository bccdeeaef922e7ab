package harness

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"proctor/web/api"
)

// Every entry of the log is an event in words; what is unusual is said; and no
// event holds a number of a report, a seed or a token.
func TestEvents(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t).begin()
	token := must1[string](w)(w.enroll("rae", "rae", "reviewer"))
	first := w.deploy("v1", model(0, ""))
	w.s.Harness = "sha256:" + strings.Repeat("b", 64)
	w.run("v2", model(0.4, "s"))
	w.run("v3", model(0.01, "s"))

	list := must1[[]api.Event](w)(w.s.Events(ctx, person("aud1"), 0, 1000))
	_, head := w.s.Head.Checkpoint()
	if int64(len(list)) != head.N {
		t.Fatalf("%d events of %d entries", len(list), head.N)
	}
	var kinds, alerts []string
	for i, e := range list {
		if e.Index != int64(i) || e.Sentence == "" || e.Kind == "other" || e.At == "" {
			t.Errorf("%+v", e)
		}
		kinds = append(kinds, e.Kind)
		alerts = append(alerts, e.Alerts...)
	}
	for _, k := range []string{"plan", "exposure", "verdict", "review", "approval", "change"} {
		if !slices.Contains(kinds, k) {
			t.Errorf("no event of kind %s among %q", k, kinds)
		}
	}
	for _, want := range []string{"at the console", "lineage line has 1 of 3 runs left", "another one than at the run before", "the budget of exam is spent"} {
		if !strings.Contains(strings.Join(alerts, "\n"), want) {
			t.Errorf("no alert %q among %q", want, alerts)
		}
	}
	if n := strings.Count(strings.Join(alerts, "\n"), "another one than"); n != 1 {
		t.Errorf("%d alerts for one change of the program", n)
	}
	whole := fmt.Sprintf("%+v", list)
	if strings.Contains(whole, token) || strings.Contains(whole, hashOf(token)) || !strings.Contains(whole, first.ID) {
		t.Error("an event holds a token, or no run")
	}

	part := must1[[]api.Event](w)(w.s.Events(ctx, person("aud1"), 3, 2))
	if len(part) != 2 || part[0].Index != 3 || fmt.Sprint(part) != fmt.Sprint(list[3:5]) {
		t.Errorf("from 3, two: %+v", part)
	}
	_, err := w.s.Events(ctx, person("sub1"), 0, 1)
	w.refused("needs one of the roles", err)
}

// A receiver of events starts at the end of the log and never goes back.
func TestReceiver(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	must1[string](w)(w.enroll("rae", "rae", "reviewer"))
	if next := must1[int64](w)(w.s.Receiver(ctx, "r")); next != 1 {
		t.Errorf("a new receiver starts at %d", next)
	}
	must1[string](w)(w.enroll("rob", "rob", "reviewer"))
	if err := w.s.Told(ctx, "r", 2); err != nil {
		t.Error(err)
	}
	w.restart()
	if next := must1[int64](w)(w.s.Receiver(ctx, "r")); next != 2 {
		t.Errorf("after a restart it goes on at %d", next)
	}
	if err := w.s.Told(ctx, "r", 1); err == nil {
		t.Error("a receiver went back")
	}
}
