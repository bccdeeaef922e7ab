package harness

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"proctor/web/api"
)

// Whoever floods the queue waits behind himself: another's submission is next, whoever
// came first, and each job ends one run whatever its own was.
func TestFairQueue(t *testing.T) {
	w := newWorld(t).begin()
	ctx := context.Background()
	var flood []string
	for i := range 4 {
		flood = append(flood, must1[api.Submission](w)(w.submit("sub1", "m", model(0, fmt.Sprint("flood", i)))).ID)
	}
	if err := w.s.workNext(ctx); err != nil {
		t.Fatal(err)
	}
	if v := w.see(flood[0]); v.State != "done" {
		t.Errorf("the first to come is the first to be judged: %+v", v)
	}
	late := must1[api.Submission](w)(w.submit("sub2", "m", model(0, "late"))).ID
	if v := w.see(late); v.Place != 1 {
		t.Errorf("another's submission is number %d in the queue", v.Place)
	}
	if v := w.see(flood[3]); v.Place != 4 {
		t.Errorf("the last of the flood is number %d", v.Place)
	}
	if err := w.s.workNext(ctx); err != nil {
		t.Fatal(err)
	}
	if v := w.see(late); v.State != "done" || v.Place != 0 {
		t.Errorf("another's submission still waits: %+v", v)
	}
	if v := w.see(flood[1]); v.State != "queued" || v.Place != 1 {
		t.Errorf("%+v", v)
	}
}

// A run that another worker ended while this one chose does not use up its turn: there
// is a job for each run, and none may be lost.
func TestNoTurnIsLost(t *testing.T) {
	w := newWorld(t).begin()
	a := must1[api.Submission](w)(w.submit("sub1", "a", model(0, "a"))).ID
	b := must1[api.Submission](w)(w.submit("sub1", "b", model(0, "b"))).ID
	w.s.busy.Store(a, true) // in another worker's hands
	if err := w.s.workNext(context.Background()); err != nil {
		t.Fatal(err)
	}
	if v := w.see(b); v.State != "done" {
		t.Errorf("the worker did not take what was free: %+v", v)
	}
	if v := w.see(a); v.State != "queued" {
		t.Errorf("two workers had one run: %+v", v)
	}
}

// What waits can be taken back at no cost, by its submitter or an operator; what has
// begun cannot, and costs what it costs.
func TestCancel(t *testing.T) {
	w := newWorld(t).begin()
	ctx := context.Background()
	a := must1[api.Submission](w)(w.submit("sub1", "a", model(0, "a")))
	b := must1[api.Submission](w)(w.submit("sub1", "b", model(0, "b")))
	_, err := w.s.Cancel(ctx, person("sub2"), a.ID)
	w.refused("there is no submission", err)
	_, err = w.s.Cancel(ctx, person("rev1"), a.ID)
	if err == nil || !strings.Contains(err.Error(), "not allowed") {
		t.Errorf("a reviewer took back somebody's submission: %v", err)
	}
	v := must1[api.Submission](w)(w.s.Cancel(ctx, person("sub1"), a.ID))
	if v.State != "aborted" || v.Reason != "canceled" || v.BudgetLeft != 3 {
		t.Errorf("%+v", v)
	}
	must1[api.Submission](w)(w.s.Cancel(ctx, person("op1"), b.ID))
	if err := w.s.workNext(ctx); err != nil { // its job finds nothing to do
		t.Fatal(err)
	}
	if n := w.charges(); n != 0 {
		t.Errorf("%d charges", n)
	}
	// The same question can be asked again, and is answered.
	again := must1[api.Submission](w)(w.submit("sub1", "a", model(0, "a")))
	if again.Repeated || w.work(again.ID).State != "done" {
		t.Errorf("asked again: %+v", again)
	}
	_, err = w.s.Cancel(ctx, person("sub1"), again.ID)
	w.refused("does not wait any more", err)
	w.clean()
}

// Pages of a list cover it once, in order, and a filter passes what it says.
func TestFindRuns(t *testing.T) {
	w := newWorld(t).begin()
	ctx := context.Background()
	var ids []string
	for i := range 5 {
		ids = append(ids, must1[api.Submission](w)(w.submit(fmt.Sprint("sub", 1+i%2), fmt.Sprintf("M_%d%%", i), model(0, fmt.Sprint(i)))).ID)
	}
	find := func(who string, q api.Search) (got []string) {
		t.Helper()
		for {
			page := must1[[]api.Submission](w)(w.s.Submissions(ctx, person(who), q))
			for _, s := range page {
				got = append(got, s.ID)
			}
			if len(page) < q.Limit {
				return got
			}
			q.Before = page[len(page)-1].ID
		}
	}
	all := []string{ids[4], ids[3], ids[2], ids[1], ids[0]}
	for _, c := range []struct {
		name, who string
		q         api.Search
		want      []string
	}{
		{"pages of two", "aud", api.Search{Limit: 2}, all},
		{"pages of five", "aud", api.Search{Limit: 5}, all},
		{"only one's own", "sub2", api.Search{Limit: 1}, []string{ids[3], ids[1]}},
		{"by name, whatever its case", "aud", api.Search{Text: "m_3", Limit: 9}, []string{ids[3]}},
		{"a sign of patterns is a sign", "aud", api.Search{Text: "%", Limit: 9}, all},
		{"and matches nothing else", "aud", api.Search{Text: "M%3", Limit: 9}, nil},
		{"by id", "aud", api.Search{Text: ids[2][:13], Limit: 9}, []string{ids[2]}},
		{"by state", "aud", api.Search{State: "done", Limit: 9}, nil},
		{"another lineage", "aud", api.Search{Lineage: "x", Limit: 9}, nil},
	} {
		if got := find(c.who, c.q); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	_, err := w.s.Submissions(ctx, person("sub2"), api.Search{Before: ids[0], Limit: 1})
	w.refused("there is no submission", err)
}
