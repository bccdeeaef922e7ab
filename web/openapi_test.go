package web

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"proctor/harness"
	"proctor/harness/policy"
	"proctor/harness/report"
	"proctor/holdout"
	"proctor/web/api"
)

func init() {
	openapi3filter.RegisterBodyDecoder("application/x-tar", openapi3filter.FileBodyDecoder)
	openapi3filter.RegisterBodyDecoder("application/jsonl", openapi3filter.FileBodyDecoder)
	openapi3filter.RegisterBodyDecoder("application/yaml", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("application/vnd.dev.sigstore.bundle.v0.3+json", openapi3filter.JSONBodyDecoder)
}

func loadDocument(t *testing.T) (*openapi3.T, routers.Router) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openapi)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return doc, router
}

// apiCall is one request; who may make it is what [TestWhoMay] is about.
type apiCall struct {
	operation   string
	method      string
	path        string
	contentType string
	body        string
	status      int
	may         string // accounts that get this status
}

const anybody = "sam-bot sue cleo carl pia rae rob olga abe"

func multipartBody(parts ...string) (contentType, body string) {
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	_ = m.SetBoundary("boundary-of-the-test")
	for i := 0; i < len(parts); i += 2 {
		w, _ := m.CreateFormFile(parts[i], parts[i])
		_, _ = io.WriteString(w, parts[i+1])
	}
	_ = m.Close()
	return m.FormDataContentType(), b.String()
}

// successes is one call of each operation that succeeds.
func successes() []apiCall {
	form, table := multipartBody("spec", "name: census", "table", "a,b\n1,2\n")
	_, digest, _ := report.Encode(passed())
	const j, y, tar = "application/json", "application/yaml", "application/x-tar"
	return []apiCall{
		{"health", "GET", "/healthz", "", "", 200, "nobody " + anybody},
		{"openapi", "GET", "/v1/openapi.yaml", "", "", 200, "nobody " + anybody},
		{"ready", "GET", "/readyz", "", "", 200, "nobody " + anybody},
		{"submit", "POST", "/v1/lineages/income/submissions?candidate=v9", tar, "bytes", 202, "sam-bot sue"},
		{"submissions", "GET", "/v1/submissions?lineage=&limit=3", "", "", 200, anybody},
		{"submission", "GET", "/v1/submissions/run-pass", "", "", 200, "sam-bot cleo carl pia rae rob olga abe"},
		{"cancel", "POST", "/v1/submissions/run-wait/cancellation", "", "", 200, "sam-bot olga"},
		{"evidence", "GET", "/v1/submissions/run-pass/evidence", "", "", 200, "rae rob abe"},
		{"approval", "GET", "/v1/submissions/run-first/approval", "", "", 200, "sam-bot cleo carl pia rae rob olga abe"},
		{"report", "GET", "/v1/submissions/run-fail/report", "", "", 200, "rae rob abe"},
		{"review", "POST", "/v1/submissions/run-pass/reviews", j, `{"approve":true,"reason":"read it","report":"` + digest + `"}`, 200, "rae rob"},
		{"proposeHoldout", "POST", "/v1/holdouts?format=csv", form, table, 201, "cleo carl"},
		{"previewHoldout", "POST", "/v1/holdouts/preview?format=csv", form, table, 200, "cleo carl"},
		{"holdout", "GET", "/v1/holdouts/census-2026q3", "", "", 200, "cleo carl pia rae rob olga abe"},
		{"budget", "GET", "/v1/lineages/income/budget", "", "", 200, anybody},
		{"showRows", "POST", "/v1/submissions/run-pass/rows", j, `{"rows":[3,17]}`, 200, "rae rob"},
		{"practice", "GET", "/v1/holdouts/census-2026q3/practice", "", "", 200, anybody},
		{"proveRow", "POST", "/v1/holdouts/census-2026q3/proofs", j, `{"row":17,"values":{"age":38}}`, 200, "cleo carl"},
		{"auditHoldout", "POST", "/v1/holdouts/census-2026q3/audit", "", "", 200, "olga abe"},
		{"rotate", "POST", "/v1/holdouts/census-2026q3/rotation?format=csv", "application/octet-stream", "a,b\n1,2\n", 201, "cleo carl"},
		{"amend", "POST", "/v1/holdouts/census-2026q3/amendments", "application/jsonl", `{"row":3,"erase":true}`, 201, "cleo carl"},
		{"destroy", "POST", "/v1/holdouts/census-2026q3/destructions", j, `{"version":1}`, 201, "cleo carl"},
		{"proposeSuite", "POST", "/v1/suites", tar, "bytes", 201, "cleo carl"},
		{"proposePolicy", "POST", "/v1/policies", y, "policy: p", 201, "pia"},
		{"checkPolicy", "POST", "/v1/policies/check", y, "policy: p", 200, "pia"},
		{"backtestPolicy", "POST", "/v1/policies/backtest", y, "policy: p", 200, "pia"},
		{"backtestSuite", "POST", "/v1/suites/backtest", tar, "bytes", 200, "cleo carl"},
		{"backtestChange", "GET", "/v1/changes/change-suite/backtest", "", "", 200, "cleo carl"},
		{"initPolicy", "GET", "/v1/policies/init?holdout=h&lineage=l&suite=a&suite=b", "", "", 200, "pia"},
		{"proposeBaseline", "POST", "/v1/baselines", j, `{"lineage":"income","run":"run-first"}`, 201, "rae rob olga"},
		{"proposeAccount", "POST", "/v1/accounts", j, `{"name":"eve","person":"Eve","robot":false,"roles":["auditor"],"identities":[{"issuer":"https://id.example","claims":{"sub":"1"}}],"tokens":[]}`, 201, "olga"},
		{"accounts", "GET", "/v1/accounts?at=2026-11-25T07:00:00Z", "", "", 200, "cleo carl pia rae rob olga abe"},
		{"proposeRevocation", "POST", "/v1/revocations", j, `{"kind":"package","digest":"` + digest + `","from_log_index":0,"reason":"it was trained on the test set"}`, 201, "cleo carl pia rae rob olga abe"},
		{"impact", "GET", "/v1/impact?of=" + digest, "", "", 200, "cleo carl pia rae rob olga abe"},
		{"proposeWaiver", "POST", "/v1/waivers", j, `{"run":"run-fail","environment":"prod","admission":"CHG-1","hours":4,"reason":"the old one is on fire"}`, 201, "pia rae rob"},
		{"waiver", "GET", "/v1/waivers/change-waiver", "", "", 200, anybody},
		{"revocations", "GET", "/log/revocations", "", "", 200, "nobody " + anybody},
		{"signedTrust", "GET", "/log/trust", "", "", 200, "nobody " + anybody},
		{"changes", "GET", "/v1/changes", "", "", 200, "cleo carl pia rae rob olga abe"},
		{"events", "GET", "/v1/events?from=0&limit=3", "", "", 200, "cleo carl pia rae rob olga abe"},
		{"decide", "POST", "/v1/changes/change-suite/decision", j, `{"activate":true}`, 200, "carl"},
		{"trust", "GET", "/v1/trust", "", "", 200, anybody},
		{"audit", "POST", "/v1/audit", "", "", 200, "olga abe"},
		{"logEntries", "GET", "/v1/log/entries?from=0&limit=2", "", "", 200, "rae rob abe"},
		{"logCheckpoint", "GET", "/log/checkpoint", "", "", 200, "nobody " + anybody},
	}
}

func (a apiCall) request(account string) *http.Request {
	r := httptest.NewRequest(a.method, a.path, strings.NewReader(a.body))
	if a.contentType != "" {
		r.Header.Set("Content-Type", a.contentType)
	}
	if account != "nobody" {
		r.Header.Set("Authorization", "Bearer "+token(account))
	}
	return r
}

// check sends a call and holds the answer, and the request if it is meant to be
// right, against the document. It returns the answer.
func check(t *testing.T, h http.Handler, router routers.Router, a apiCall, account string) *httptest.ResponseRecorder {
	t.Helper()
	r := a.request(account)
	route, path, err := router.FindRoute(r)
	if err != nil {
		t.Fatalf("%s %s is not in the document: %v", a.method, a.path, err)
	}
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: path, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
	if a.status < 300 {
		if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
			t.Errorf("%s: the document does not allow the request: %v", a.operation, err)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, a.request(account))
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: w.Code, Header: w.Header(), Body: io.NopCloser(bytes.NewReader(w.Body.Bytes())),
		Options: &openapi3filter.Options{IncludeResponseStatus: true}}
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		t.Errorf("%s: the document does not allow the answer %d %s: %v", a.operation, w.Code, w.Body, err)
	}
	return w
}

// The document and the router name the same calls, and every call of the list
// succeeds in the form that the document promises.
func TestDocumentIsTrue(t *testing.T) {
	doc, router := loadDocument(t)
	var routes, documented, called []string
	parameter := regexp.MustCompile(`:(\w+)`)
	for _, r := range server(newFake(t), false).echo.Routes() {
		if (strings.HasPrefix(r.Path, "/v1/") || strings.HasPrefix(r.Path, "/log/")) && !strings.HasSuffix(r.Path, "/*") || r.Path == "/healthz" || r.Path == "/readyz" {
			routes = append(routes, r.Method+" "+parameter.ReplaceAllString(r.Path, "{$1}"))
		}
	}
	operations := map[string]string{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			documented = append(documented, method+" "+path)
			operations[op.OperationID] = method + " " + path
		}
	}
	for _, a := range successes() {
		called = append(called, operations[a.operation])
		account := strings.Fields(strings.TrimPrefix(a.may, "nobody "))[0]
		if w := check(t, newServer(newFake(t)), router, a, account); w.Code != a.status {
			t.Errorf("%s as %s: %d %s", a.operation, account, w.Code, w.Body)
		}
	}
	slices.Sort(routes)
	slices.Sort(documented)
	slices.Sort(called)
	if !slices.Equal(routes, documented) {
		t.Errorf("routes   %q\ndocument %q", routes, documented)
	}
	if !slices.Equal(called, documented) {
		t.Errorf("called   %q\ndocument %q", called, documented)
	}
}

// Each call is tried by each account and by nobody. Whoever is not listed is
// refused, in the form of the document, and nothing was written.
func TestWhoMay(t *testing.T) {
	_, router := loadDocument(t)
	for _, a := range successes() {
		for _, account := range append(strings.Fields(anybody), "nobody", "stranger") {
			f := newFake(t)
			w := check(t, newServer(f), router, a, account)
			may := slices.Contains(strings.Fields(a.may), account) || strings.HasPrefix(a.may, "nobody") && account == "stranger"
			switch {
			case may && w.Code != a.status:
				t.Errorf("%s as %s: %d %s, want %d", a.operation, account, w.Code, w.Body, a.status)
			case may:
			case account == "nobody" || account == "stranger":
				if w.Code != 401 {
					t.Errorf("%s as %s: %d", a.operation, account, w.Code)
				}
			case w.Code != 403 && w.Code != 404:
				t.Errorf("%s as %s: %d, want a refusal", a.operation, account, w.Code)
			}
			if done := f.done(); !may && done != nil {
				t.Errorf("%s as %s: refused and done: %q", a.operation, account, done)
			}
		}
	}
}

// The document's checker notices an answer that is not what it promises: without
// this the tests above could not fail.
func TestDocumentNotices(t *testing.T) {
	_, router := loadDocument(t)
	calls := successes()
	a := calls[slices.IndexFunc(calls, func(c apiCall) bool { return c.operation == "submission" })]
	r := a.request("sam-bot")
	route, path, err := router.FindRoute(r)
	if err != nil {
		t.Fatal(err)
	}
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: path, Route: route}
	for _, body := range []string{`{"id":"x"}`, `[]`, `{`, `{"score":0.5}`} {
		out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
		if openapi3filter.ValidateResponse(context.Background(), out) == nil {
			t.Errorf("%s is taken for a submission", body)
		}
	}
}

// Every object of the document has the keys of its Go type, and requires those
// that are always there.
func TestSchemasAreTheTypes(t *testing.T) {
	doc, _ := loadDocument(t)
	types := map[string]any{
		"Problem": api.Problem{}, "Submission": api.Submission{}, "Change": api.Change{}, "Decision": api.Decision{}, "Baseline": api.Baseline{}, "Review": api.Review{}, "Trust": api.Trust{}, "Audit": api.Audit{}, "RetiredKey": api.RetiredKey{}, "Envelope": api.Envelope{}, "EnvelopeSignature": api.EnvelopeSignature{},
		"Budget": api.Budget{}, "BudgetSet": api.BudgetSet{}, "RowClaim": api.RowClaim{}, "Lines": api.Lines{}, "ShownRows": api.ShownRows{}, "ShownRow": api.ShownRow{}, "Destruction": api.Destruction{}, "RowProof": holdout.RowProof{},
		"Commitment": holdout.Commitment{}, "HoldoutPreview": harness.HoldoutPreview{}, "PolicyReport": policy.Report{}, "ClaimReport": policy.ClaimReport{},
		"Report": report.Report{}, "Model": report.Model{}, "Runtime": report.Runtime{}, "Ref": report.Ref{}, "Finding": report.Finding{}, "Estimate": report.Estimate{}, "Flips": report.Flips{}, "Metric": report.Metric{},
		"Slice": report.Slice{}, "Test": report.Test{}, "Probe": report.Probe{}, "RowFlip": report.RowFlip{},
		"Planted": report.Planted{}, "Share": report.Share{}, "PlantedKind": report.PlantedKind{}, "PlantedHarm": report.PlantedHarm{},
		"Cost": report.Cost{}, "Burden": report.Burden{}, "Search": report.Search{}, "FoundSlice": report.FoundSlice{}, "Condition": report.Condition{},
		"Revocation": api.Revocation{}, "Impact": api.Impact{}, "Waiver": api.Waiver{},
		"Backtest": api.Backtest{}, "Replay": api.Replay{}, "DeployedOn": api.DeployedOn{}, "Failed": api.Failed{},
		"Event": api.Event{}, "Identity": api.Identity{}, "Account": api.Account{}, "Standing": api.Standing{}, "Token": api.Token{},
		"Curves": report.Curves{}, "SliceCost": report.SliceCost{}, "CaseFile": report.CaseFile{}, "Calibration": report.Calibration{},
		"Package": report.Package{}, "Credential": report.Credential{}, "Attestation": report.Attestation{}, "Training": report.Training{},
	}
	for name, ref := range doc.Components.Schemas {
		if !ref.Value.Type.Is("object") {
			continue
		}
		v, ok := types[name]
		if !ok {
			t.Errorf("schema %s has no type", name)
			continue
		}
		var keys, always, properties []string
		for i := range reflect.TypeOf(v).NumField() {
			key, option, _ := strings.Cut(reflect.TypeOf(v).Field(i).Tag.Get("json"), ",")
			keys = append(keys, key)
			if option != "omitempty" {
				always = append(always, key)
			}
		}
		for key := range ref.Value.Properties {
			properties = append(properties, key)
		}
		required := slices.Sorted(slices.Values(ref.Value.Required))
		slices.Sort(keys)
		slices.Sort(always)
		slices.Sort(properties)
		if !slices.Equal(keys, properties) || !slices.Equal(always, required) {
			t.Errorf("%s\ntype   %q, always %q\nschema %q, always %q", name, keys, always, properties, required)
		}
		delete(types, name)
	}
	for name := range types {
		t.Errorf("the document has no %s", name)
	}
}

// A token counts only as it is asked for.
func TestBearer(t *testing.T) {
	for header, want := range map[string]int{"Bearer " + token("rae"): 200, token("rae"): 401, "bearer " + token("rae"): 401, "Basic " + token("rae"): 401, "Bearer ": 401, "Bearer  " + token("rae"): 401, "": 401} {
		r := httptest.NewRequest("GET", "/v1/changes", nil)
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		newServer(newFake(t)).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d, want %d", header, w.Code, want)
		}
	}
}
