package telemetry

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"proctor/harness"
	"proctor/web/api"
)

const rules = "../../docs/alerts.yaml"

type source struct {
	v      harness.Vitals
	events []api.Event
	err    error
}

func (s *source) Vitals(context.Context) (harness.Vitals, error) { return s.v, s.err }

func (s *source) Follow(_ context.Context, from int64, limit int) (list []api.Event, err error) {
	for _, e := range s.events {
		if e.Index >= from && len(list) < limit {
			list = append(list, e)
		}
	}
	return list, s.err
}

func begin() (*source, *Telemetry, *bytes.Buffer) {
	s := &source{v: harness.Vitals{
		Runs:   map[harness.Outcome]int64{{State: "queued"}: 2, {State: "done", Result: "PASS"}: 3, {State: "aborted", Reason: "service.error"}: 1},
		Oldest: 90 * time.Second, Log: 12, Head: 12, Cosigned: 10, Witnesses: 1, Proposed: 1, Unread: 2,
		Budgets: []harness.BudgetLeft{{Lineage: "income", Left: 4}},
	}}
	var log bytes.Buffer
	return s, New(s, "sha256:ab", slog.New(slog.NewTextHandler(&log, nil))), &log
}

func scrape(t *testing.T, h http.Handler) string {
	t.Helper()
	r := httptest.NewRecorder()
	h.ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if r.Code != 200 {
		t.Fatalf("%d %s", r.Code, r.Body)
	}
	return r.Body.String()
}

// Every number is there, under its name, and nothing of one moment is left in the next.
func TestNumbers(t *testing.T) {
	s, tel, _ := begin()
	text := scrape(t, tel.Handler())
	for _, line := range []string{
		`proctor_up 1`,
		`proctor_build_info{digest="sha256:ab"} 1`,
		`proctor_runs{reason="",result="",state="queued"} 2`,
		`proctor_runs{reason="",result="PASS",state="done"} 3`,
		`proctor_runs{reason="service.error",result="",state="aborted"} 1`,
		`proctor_queue_oldest_seconds 90`,
		`proctor_log_entries 12`, `proctor_log_head_entries 12`, `proctor_log_cosigned_entries 10`, `proctor_log_witnesses 1`,
		`proctor_changes_proposed 1`, `proctor_reviews_awaited 2`,
		`proctor_budget_runs_left{lineage="income"} 4`,
		`proctor_alerts_total{kind="plan"} 0`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
	s.v.Runs, s.v.Budgets = nil, nil
	if text := scrape(t, tel.Handler()); strings.Contains(text, "proctor_runs{") || strings.Contains(text, "income") {
		t.Errorf("numbers of before are left:\n%s", text)
	}
}

// Alerts of what was recorded before the process started are not new; those that come
// are counted once.
func TestAlerts(t *testing.T) {
	s, tel, _ := begin()
	s.events = []api.Event{{Index: 3, Kind: "plan", Alerts: []string{"old"}}}
	scrape(t, tel.Handler())
	s.v.Head = 15
	s.events = append(s.events, api.Event{Index: 12, Kind: "plan", Alerts: []string{"a", "b"}}, api.Event{Index: 13, Kind: "change"}, api.Event{Index: 14, Kind: "change", Alerts: []string{"c"}})
	for range 2 {
		text := scrape(t, tel.Handler())
		for _, line := range []string{`proctor_alerts_total{kind="plan"} 1`, `proctor_alerts_total{kind="change"} 1`, `proctor_alerts_total{kind="verdict"} 0`} {
			if !strings.Contains(text, line+"\n") {
				t.Errorf("no line %s in\n%s", line, text)
			}
		}
	}
}

// A database that cannot be read shows as that, and not as numbers of before.
func TestUnreadable(t *testing.T) {
	s, tel, log := begin()
	s.err = errors.New("disk on fire")
	text := scrape(t, tel.Handler())
	if !strings.Contains(text, "proctor_up 0\n") || strings.Contains(text, "proctor_runs{") {
		t.Errorf("%s", text)
	}
	if !strings.Contains(log.String(), "disk on fire") {
		t.Errorf("the log does not say why: %s", log)
	}
}

// What is answered is counted by its status, errors too.
func TestCount(t *testing.T) {
	_, tel, _ := begin()
	h := tel.Count(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/v1/x", nil))
	text := scrape(t, tel.Handler())
	if !strings.Contains(text, `proctor_http_requests_total{code="403",method="post"} 1`) || !strings.Contains(text, `proctor_http_request_seconds_count{method="post"} 1`) {
		t.Errorf("%s", text)
	}
}

// An alert over a number that nobody shows would never come.
func TestRulesUseWhatIsShown(t *testing.T) {
	_, tel, _ := begin()
	text := scrape(t, tel.Handler())
	b, err := os.ReadFile(rules)
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`proctor_\w+`).FindAllString(string(b), -1)
	if len(names) < 10 {
		t.Fatalf("only %d names in %s", len(names), rules)
	}
	for _, n := range names {
		if !strings.Contains(text, "\n# TYPE "+n+" ") {
			t.Errorf("%s uses %s, which is not shown", rules, n)
		}
	}
}

// Prometheus's own tool finds the rules right, and firing when they should.
func TestRulesFire(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed")
	}
	for _, args := range [][]string{{"check", "rules", rules}, {"test", "rules", "testdata/alerts_test.yaml"}} {
		if out, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
