package harness

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"proctor/harness/report"
	"proctor/holdout/rows"
	"proctor/web/api"
	"proctor/web/client"
)

// OverHTTP serves a service's interface. It is set by this package's outer tests,
// since web imports harness.
var OverHTTP func(*Service) http.Handler

// An attackModel answers by x, and among the rows that nobody can know (x from a
// quarter to three quarters, labels thrown by a coin) by hashes of the row: what an
// attacker builds who can tell a model which rows to answer how, and hears of them
// only what the service says.
type attackModel struct {
	Everywhere bool                  // votes decide all rows, and what x says is not known
	Votes      []vote                // of the unsure rows, the majority; x decides a tie
	Half       bool                  // one half for every row, but for Probs
	Probs      map[string][2]float64 // by tag: probabilities of no and yes
}

// A vote says yes for a random half of the rows.
type vote struct {
	Salt  string
	Share float64 // of the rows it speaks of; of the others it is silent
	Sign  []int   // +1 or -1, by group; 0: not heard
}

func (v vote) of(tag string, group int) int {
	h := sha256.Sum256([]byte(v.Salt + tag))
	if float64(h[1]) >= 256*v.Share {
		return 0
	}
	return v.Sign[group] * (1 - 2*int(h[0]&1))
}

func unsure(x float64) bool { return x >= 0.25 && x < 0.75 }

func (m *attackModel) sum(x float64, tag string, group int) int {
	sum := 0
	if m.Everywhere || unsure(x) {
		for _, v := range m.Votes {
			sum += v.of(tag, group)
		}
	}
	return sum
}

// heard says whether the votes decide a row.
func (m *attackModel) heard(x float64, tag string, group int) bool {
	return m.Everywhere || m.sum(x, tag, group) != 0
}

func (m *attackModel) yes(x float64, tag string, group int) bool {
	switch sum := m.sum(x, tag, group); {
	case sum != 0:
		return sum > 0
	case m.Everywhere: // as the first says
		return m.Votes[0].of(tag, group) > 0
	}
	return x > 0.5
}

func (m *attackModel) predict(t rows.Table) ([]int32, []float64, error) {
	x, _ := t.Column("x")
	tag, _ := t.Column("tag")
	group, _ := t.Column("group")
	p := make([]float64, 0, 2*t.Len())
	for i, v := range x.Floats {
		pair, named := m.Probs[tag.Strings[i]]
		switch {
		case named:
		case m.Half:
			pair = [2]float64{0.5, 0.5}
		case m.yes(v, tag.Strings[i], int(group.Floats[i])):
			pair = [2]float64{0.1, 0.9}
		default:
			pair = [2]float64{0.9, 0.1}
		}
		p = append(p, pair[0], pair[1])
	}
	return nil, p, nil
}

const attackGroups = 40

// An attacked is a service with one sealed set of half coin flips, and what the
// test knows of it and the attacker does not.
type attacked struct {
	*world
	url     string
	tokens  map[string]string
	unbound bool // control: the ledger forgets what was used
	x       []float64
	tag     []string
	group   []int
	yes     []bool
}

func newAttacked(t *testing.T, seed uint64, n int) *attacked {
	a := &attacked{world: newWorld(t), tokens: map[string]string{}}
	rng := rand.New(rand.NewPCG(seed, 5))
	var b strings.Builder
	b.WriteString("x,tag,group,label\n")
	for i := range n {
		x := float64(rng.IntN(1e6)) / 1e6
		yes := x > 0.5 != (rng.Float64() < 0.02)
		if unsure(x) {
			yes = rng.IntN(2) == 0
		}
		a.x, a.tag, a.group, a.yes = append(a.x, x), append(a.tag, fmt.Sprintf("r%d", i)), append(a.group, i%attackGroups), append(a.yes, yes)
		fmt.Fprintf(&b, "%.6f,r%d,%d,%s\n", x, i, i%attackGroups, map[bool]string{true: "yes", false: "no"}[yes])
	}
	spec := strings.NewReplacer("[x, tag]", "[x, tag, group]").Replace(testSpec)
	c, err := a.propose(spec, b.String(), "")
	a.activate(c, err, "cur2")
	web := httptest.NewServer(OverHTTP(a.s))
	t.Cleanup(web.Close)
	a.url = web.URL
	for _, who := range []string{"sub1", "rev1"} {
		token, err := a.s.AddAccount(context.Background(), person(who), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		a.tokens[who] = token
	}
	return a
}

// as is a person at the interface: no more than the token gives.
func (a *attacked) as(who string) *client.Client {
	return &client.Client{Base: a.url, Token: a.tokens[who]}
}

// attackPolicy allows the deployed model's own run and six of an attacker. On 20,000
// rows its margin is a point; on fewer it is as many standard errors.
const attackPolicy = `policy: rule-LINE
lineage: LINE
holdouts: [exam]
confidence: 0.99
churn_pct: 5
prove:
  - {id: overall, metric: accuracy, change_at_least_pp: -MARGIN}
watch:
  - {id: groups, metric: accuracy, over: [group], harm_pp: 5, detect_pp: DETECT}
first_model: {accuracy_at_least_pct: 60, people: 2}
tier_at_least: none
budget_runs: 7
review: {people: 1}
valid_days: 7
on_missing: fail
`

func (a *attacked) margin() float64 { return 0.01 * math.Sqrt(20_000/float64(len(a.x))) }

// lineage brings a policy in force, and an honest model into service.
func (a *attacked) lineage(name string) {
	a.t.Helper()
	detect := 25
	if len(a.x) < 20_000 {
		detect = 60
	}
	a.rule(strings.NewReplacer("LINE", name, "MARGIN", fmt.Sprintf("%.2f", 100*a.margin()), "DETECT", fmt.Sprint(detect)).Replace(attackPolicy))
	v := a.enter(name, &attackModel{})
	for _, who := range []string{"rev1", "rev2"} {
		if _, err := a.review(who, v.ID, true); err != nil {
			a.t.Fatal(err)
		}
	}
	c, err := a.s.ProposeBaseline(context.Background(), person("rev1"), api.Baseline{Lineage: name, Run: v.ID})
	a.activate(c, err, "rev2")
}

// enter submits a model over HTTP, works the run off, and returns what its submitter sees.
func (a *attacked) enter(lineage string, m *attackModel) api.Submission {
	a.t.Helper()
	if a.unbound {
		a.sql(`DELETE FROM exposures`)
	}
	sub := a.as("sub1")
	v, err := sub.Submit(context.Background(), lineage, "m", packed(m))
	if err != nil {
		a.t.Fatal(err)
	}
	if err := a.s.evaluate(context.Background(), v.ID); err != nil {
		a.t.Fatal(err)
	}
	if v, err = sub.Submission(context.Background(), v.ID); err != nil || v.State != "done" {
		a.t.Fatalf("%+v %v\n%s", v, err, a.log)
	}
	return v
}

// scores is what a reviewer reads; a submitter is refused it.
func (a *attacked) scores(id string) *report.Report {
	a.t.Helper()
	if _, _, err := a.as("sub1").Report(context.Background(), id); err == nil {
		a.t.Error("a submitter reads reports")
	}
	b, digest, err := a.as("rev1").Report(context.Background(), id)
	if err != nil {
		a.t.Fatal(err)
	}
	r, err := report.Decode(b, digest)
	if err != nil {
		a.t.Fatal(err)
	}
	return r
}

// gain is by how many points a model is better on the sealed rows than it can be on
// fresh ones, where votes and names are right for half of the rows that they decide.
func (a *attacked) gain(m *attackModel) float64 {
	gained := 0.0
	for i, x := range a.x {
		yes, decided := m.yes(x, a.tag[i], a.group[i]), m.heard(x, a.tag[i], a.group[i])
		if p, ok := m.Probs[a.tag[i]]; ok {
			yes, decided = p[1] > p[0], true
		}
		switch {
		case decided && yes == a.yes[i]:
			gained += 0.5
		case decided:
			gained -= 0.5
		}
	}
	return 100 * gained / float64(len(a.x))
}

// seen is everything that the interface tells a submitter of his runs, in its own words.
func (a *attacked) seen(lineage string, ids []string) []byte {
	a.t.Helper()
	var out []any
	for _, id := range ids {
		v, err := a.as("sub1").Submission(context.Background(), id)
		if err != nil {
			a.t.Fatal(err)
		}
		out = append(out, v)
	}
	list, err := a.as("sub1").Submissions(context.Background(), api.Search{Lineage: lineage})
	if err != nil {
		a.t.Fatal(err)
	}
	budget, err := a.as("sub1").Budget(context.Background(), lineage)
	if err != nil {
		a.t.Fatal(err)
	}
	b, err := json.Marshal(append(out, list, budget))
	if err != nil {
		a.t.Fatal(err)
	}
	return b
}

func packed(m *attackModel) *bytes.Reader {
	return bytes.NewReader(toyPackage(toyModel{Attack: m}))
}
