package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"proctor/harness/gate"
	"proctor/harness/report"
	"proctor/harness/runner"
	"proctor/harness/runner/remote"
)

// An endpointModel answers by the Open Inference Protocol as the toy model does: yes where
// x is above a half. It counts the rows that it was sent.
type endpointModel struct {
	rows   atomic.Int64
	broken atomic.Bool
}

func (m *endpointModel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if !strings.HasSuffix(r.URL.Path, "/infer") {
		if m.broken.Load() {
			w.WriteHeader(403)
		}
		io.WriteString(w, "{}")
		return
	}
	var q struct {
		Inputs []struct {
			Name string
			Data []any
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		w.WriteHeader(400)
		return
	}
	var p []string
	for _, in := range q.Inputs {
		if in.Name != "x" {
			continue
		}
		for _, v := range in.Data {
			p = append(p, map[bool]string{true: "0.1,0.9", false: "0.9,0.1"}[v.(float64) > 0.5])
		}
	}
	m.rows.Add(int64(len(p)))
	fmt.Fprintf(w, `{"outputs":[{"name":"p","datatype":"FP64","shape":[%d,2],"data":[%s]}]}`, len(p), strings.Join(p, ","))
}

// elsewhere is a world whose operator named one endpoint, and a package that names it.
func elsewhere(t *testing.T, name string) (*world, *endpointModel, []byte) {
	t.Helper()
	m := &endpointModel{}
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	list, err := remote.NewEndpoints(remote.Endpoint{URL: s.URL, Private: true, Header: "X-Key", Value: "sk-marker-7731"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t).begin()
	w.s.Runner.Remote = list
	return w, m, remotePackage(s.URL, name)
}

func remotePackage(address, name string) []byte {
	return pack(map[string]string{runner.ManifestFile: fmt.Sprintf(`{"protocol":"proctor/1","kind":"remote","endpoint":%q,"api":"oip","model":%q,"batch_max":64,"task":"classification","classes":["no","yes"]}`, address, name)})
}

// remotePolicy lets rows leave the house.
var remotePolicy = strings.Replace(strings.Replace(testPolicy, "tier_at_least: none", "tier_at_least: remote\npackage: {remote: allow}", 1), "valid_days: 7", "valid_days: 30", 1)

// Without the policy's word no sealed row leaves the house, whoever's model is elsewhere;
// without the operator's no endpoint is asked.
func TestElsewhereRefused(t *testing.T) {
	w, m, pkg := elsewhere(t, "v1")
	_, err := w.submit("sub1", "v1", pkg)
	w.refused("lets no sealed row leave the house", err)
	_, err = w.submit("sub1", "v1", remotePackage("https://169.254.169.254", "v1"))
	w.refused("the operator does not allow this endpoint", err)
	w.s.Runner.Remote = nil
	_, err = w.submit("sub1", "v1", pkg)
	w.refused("not set up to run packages of this kind", err)
	if m.rows.Load() != 0 || w.charges() != 0 {
		t.Errorf("%d rows left, %d charges", m.rows.Load(), w.charges())
	}
	_, err = w.s.ProposePolicy(context.Background(), person("own1"), []byte(strings.Replace(remotePolicy, "tier_at_least: remote", "tier_at_least: jail", 1)))
	w.refused("must be none or remote", err)
	w.clean()
}

// Where policy and gate both say so, a model that runs elsewhere is examined: bound by its
// configuration, approved for days, and the set is burnt for everybody.
func TestElsewhere(t *testing.T) {
	w, m, pkg := elsewhere(t, "v1")
	w.rule(remotePolicy)
	m.broken.Store(true)
	v := w.run("v1", pkg)
	if v.State != "aborted" || v.Reason != runner.RemoteFailed || m.rows.Load() != 0 || w.charges() != 0 {
		t.Fatalf("an endpoint that refuses: %+v, %d rows, %d charges", v, m.rows.Load(), w.charges())
	}
	m.broken.Store(false)
	v = w.deploy("v1", pkg)
	if v.Result != report.Pass || !v.Approved || m.rows.Load() < testRows || v.BudgetLeft != 0 {
		t.Fatalf("%+v, %d rows\n%s", v, m.rows.Load(), w.log)
	}
	e := w.evidence(v.ID)
	if e.Binding != "config" || e.Tier != "remote" || e.Runtime.Name != "endpoint" ||
		!slices.ContainsFunc(e.NotCovered, func(s string) bool { return strings.HasPrefix(s, "The weights behind a hosted model") }) ||
		!slices.ContainsFunc(e.NotCovered, func(s string) bool { return strings.HasPrefix(s, "What became of the rows") }) {
		t.Errorf("%+v", e)
	}
	w.gates(v.ID)
	// Nobody's model is examined on the set any more; a new one bears one run.
	_, err := w.submit("sub1", "v2", model(0, "v2"))
	w.refused("must rotate", err)
	sent := m.rows.Load()
	w.seal(7)
	w.rule(remotePolicy)
	if v = w.run("v2", model(0, "v2")); v.Result != report.Pass || m.rows.Load() == sent || v.BudgetLeft != 0 {
		t.Errorf("beside a deployed model elsewhere: %+v, %d rows", v, m.rows.Load()-sent)
	}
	if e := w.evidence(v.ID); e.Binding != "package" {
		t.Errorf("%+v", e)
	}
	// Under a policy without the word the deployed model is not asked either.
	w.seal(8)
	w.rule(testPolicy)
	sent = m.rows.Load()
	if v = w.run("v3", model(0, "v3")); v.State != "aborted" || v.Reason != runner.ServiceError || m.rows.Load() != sent {
		t.Errorf("%+v, %d rows", v, m.rows.Load()-sent)
	}
	if strings.Contains(w.log.String(), "marker-7731") {
		t.Error("the credential is in the log")
	}
	w.clean()
}

// gates holds an approval that binds a configuration to gates: one that does not say that
// it takes such approvals refuses, whether or not it looks at the evidence.
func (w *world) gates(id string) {
	w.t.Helper()
	b, err := w.s.Bundle(context.Background(), person("aud"), id, "approval")
	if err != nil {
		w.t.Fatal(err)
	}
	evidence, err := w.s.Bundle(context.Background(), person("aud"), id, "evidence")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range []struct {
		binding string
		day     int
		ok      bool
	}{{"config", 0, true}, {"config", 6, true}, {"config", 7, false}, {"package", 0, false}, {"", 0, false}} {
		in := gate.Input{Approval: b, Trust: w.s.trust, Now: time.Now().AddDate(0, 0, c.day), Requirements: gate.Requirements{
			Format: gate.RequirementsFormat, VerifierID: w.s.Name, ResourceURI: w.s.Gate("line"), PolicyDigest: w.force().Policy, Binding: c.binding}}
		if c.binding != "" {
			in.Evidence = evidence
		}
		_, trace, err := gate.Explain(in)
		if stopped := slices.IndexFunc(trace, func(s gate.StepResult) bool { return s.Went == gate.Stopped }); (stopped < 0 || trace[stopped].Stops == "other bytes than those that were judged") != c.ok {
			w.t.Errorf("%+v: %v", c, err)
		}
	}
}
