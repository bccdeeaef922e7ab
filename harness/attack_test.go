package harness

import (
	"flag"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"testing"

	"gonum.org/v1/gonum/mathext"

	"proctor/harness/report"
	"proctor/metrics"
)

// attackSeeds makes TestAttacks run each attack so often, each time on a set of its own:
//
//	go test ./harness -run TestAttacks -attacks 30 -timeout 60m
var attackSeeds = flag.Int("attacks", 0, "how often TestAttacks runs each attack on 20,000 rows; 0: once, on fewer rows")

const (
	attackRuns   = 6  // that the budget leaves an attacker
	unboundRuns  = 20 // of the control without a budget
	mostGain     = 0.5
	controlGains = 3.0
)

// An attack uses the runs of a lineage, with the scores of a reviewer or without, and
// gives the model that it learned.
type attack func(a *attacked, lineage string, runs int, scores bool) *attackModel

// T41, T42: a submitter's whole budget, used against the sealed rows through the
// interface, makes no model that is half a point better on them than it is. Of the
// control, who reads scores and has no budget, it makes one that is 3 points better.
func TestAttacks(t *testing.T) {
	attacks := []struct {
		name string
		attack
		control int // runs
	}{{"boosting", boosting, unboundRuns}, {"log-loss", oracle, 75}, {"straddling", straddling, 30}}
	n, seeds := 20_000, *attackSeeds
	if seeds == 0 {
		n, seeds, attacks = 2000, 1, attacks[1:]
		for i := range attacks {
			attacks[i].control = 3
		}
	}
	gains := map[string][]float64{}
	for seed := range seeds {
		a := newAttacked(t, uint64(seed), n)
		for _, x := range attacks {
			a.lineage(x.name)
			m := x.attack(a, x.name, attackRuns, false)
			gains[x.name] = append(gains[x.name], a.gain(m))
			if _, err := a.as("sub1").Submit(t.Context(), x.name, "more", packed(m)); err == nil {
				t.Errorf("%s: a run more than the budget has", x.name)
			}
		}
		a.unbound = true
		for _, x := range attacks {
			if seed > 0 {
				break
			}
			got := a.gain(x.attack(a, x.name, x.control, true))
			t.Logf("%s, control: %+.2f points with scores and %d runs on %d rows", x.name, got, x.control, n)
			if *attackSeeds > 0 && got <= controlGains || got <= 0 {
				t.Errorf("%s: negative control gains %.2f points only", x.name, got)
			}
		}
		a.close()
	}
	for _, x := range attacks {
		mean, most := 0.0, math.Inf(-1)
		for _, g := range gains[x.name] {
			mean, most = mean+g/float64(seeds), max(most, g)
		}
		t.Logf("%s: %+.3f points on average of %d seeds of %d rows, at most %+.3f", x.name, mean, seeds, n, most)
		// On one small set, chance alone is worth a point either way.
		if *attackSeeds > 0 && mean >= mostGain || mean >= 4 {
			t.Errorf("%s gains %.3f points", x.name, mean)
		}
	}
}

// boosting is Blum and Hardt's: random models, of which those that are better than
// chance vote. Who sees results only hears the same of all of them.
func boosting(a *attacked, lineage string, runs int, scores bool) *attackModel {
	learned, heard := &attackModel{Everywhere: true}, []map[string]int64{}
	for k := range runs {
		v := vote{Salt: fmt.Sprint("boost", k, scores), Share: 1, Sign: signs(1)}
		run := a.enter(lineage, &attackModel{Everywhere: true, Votes: []vote{v}})
		if run.Result != report.Fail {
			a.t.Errorf("a random model is %s", run.Result)
		}
		if scores {
			heard = append(heard, rightBySlice(a.scores(run.ID)))
		}
		learned.Votes = append(learned.Votes, v)
	}
	learned.hear(heard)
	return learned
}

// straddling changes the deployed model on so many unsure rows that PASS is a throw of
// a coin, and keeps the changes that passed, and the contrary of those that did not.
func straddling(a *attacked, lineage string, runs int, scores bool) *attackModel {
	learned, heard := &attackModel{}, []map[string]int64{}
	for k := range runs {
		level, err := metrics.TranscriptLevel(0.01, 3, min(k+2, attackRuns+1))
		if err != nil {
			a.t.Fatal(err)
		}
		z := mathext.NormalQuantile(1 - level)
		share := min(1, 4*float64(len(a.x))*a.margin()*a.margin()/(z*z))
		if scores {
			share = 1
		}
		v := vote{Salt: fmt.Sprint("straddle", k, scores), Share: share, Sign: signs(1)}
		run := a.enter(lineage, &attackModel{Votes: []vote{v}})
		if scores {
			heard = append(heard, rightBySlice(a.scores(run.ID)))
		} else if run.Result != report.Pass {
			v.Sign = signs(-1)
		}
		learned.Votes = append(learned.Votes, v)
	}
	learned.hear(heard)
	return learned
}

// hear turns votes into their contrary where reports say that they were right less
// often than the votes were on average. A report is more than one score: every slice
// has its own.
func (m *attackModel) hear(right []map[string]int64) {
	for k := range right {
		for g := range attackGroups {
			sum := int64(0)
			for _, r := range right {
				sum += r[strconv.Itoa(g)]
			}
			if right[k][strconv.Itoa(g)]*int64(len(right)) < sum {
				m.Votes[k].Sign[g] = -1
			}
		}
	}
}

// rightBySlice counts the rows of each group that the candidate had right.
func rightBySlice(r *report.Report) map[string]int64 {
	out := map[string]int64{}
	for _, s := range r.Slices {
		if s.Dimension == "group" {
			out[s.Value] = s.Flips.BothRight + s.Flips.Fixed
		}
	}
	return out
}

func signs(s int) []int {
	out := make([]int, attackGroups)
	for g := range out {
		out[g] = s
	}
	return out
}

// oracle encodes labels in the log loss: row i of those that are asked for has a
// logit that is larger than all before it together, every other row one half. The
// attacker is given what it needs to know of the rows, their features.
func oracle(a *attacked, lineage string, runs int, scores bool) *attackModel {
	learned := &attackModel{Probs: map[string][2]float64{}}
	code := oracleCode()
	var ids []string
	next := 0
	if scores { // what was asked before would be answered from the record
		next = len(a.x) / 4
	}
	for range runs {
		var of []string
		asked := map[string][2]float64{}
		for len(of) < len(code) && next < len(a.x) {
			if unsure(a.x[next]) {
				asked[a.tag[next]] = code[len(of)]
				of = append(of, a.tag[next])
			}
			next++
		}
		run := a.enter(lineage, &attackModel{Half: true, Probs: asked})
		ids = append(ids, run.ID)
		if scores {
			learned.learn(of, readLabels(code, len(a.x), logLoss(a.scores(run.ID))))
			continue
		}
		// Of all numbers that a submitter has, the one that could best be the loss.
		best := math.Inf(1)
		for _, x := range numbersIn(a.seen(lineage, ids)) {
			if math.Abs(x-math.Ln2) < math.Abs(best-math.Ln2) {
				best = x
			}
		}
		learned.learn(of, readLabels(code, len(a.x), best))
	}
	return learned
}

func (m *attackModel) learn(tags []string, yes []bool) {
	for i, y := range yes {
		m.Probs[tags[i]] = [2]float64{0.9, 0.1}
		if y {
			m.Probs[tags[i]] = [2]float64{0.1, 0.9}
		}
	}
}

// oracleCode gives pairs of probabilities whose losses tell the labels apart however
// the others fell, within the six digits that a model's answers keep.
func oracleCode() (code [][2]float64) {
	sum := 0.0
	for {
		want := 1.05*sum + 6e-6
		if want > 30 {
			return code
		}
		p := [2]float64{six(1 / (1 + math.Exp(want))), six(1 / (1 + math.Exp(-want)))}
		sum += math.Log(p[1] / p[0])
		code = append(code, p)
	}
}

func six(p float64) float64 {
	v, err := strconv.ParseFloat(strconv.FormatFloat(p, 'e', 5, 64), 64)
	if err != nil {
		panic(err)
	}
	return v
}

// readLabels reads the labels out of a mean log loss.
func readLabels(code [][2]float64, n int, loss float64) []bool {
	rest := loss*float64(n) - float64(n-len(code))*math.Ln2
	for _, p := range code { // as if all were yes
		rest += math.Log(p[1] / (p[0] + p[1]))
	}
	out := make([]bool, len(code))
	for i := len(code) - 1; i >= 0; i-- {
		more := math.Log(code[i][1] / code[i][0])
		if out[i] = rest < 0.98*more; !out[i] {
			rest -= more
		}
	}
	return out
}

func logLoss(r *report.Report) float64 {
	for _, m := range r.Metrics {
		if m.Name == "log_loss" && m.Candidate.Value != nil {
			return *m.Candidate.Value
		}
	}
	return math.NaN()
}

var number = regexp.MustCompile(`-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?`)

// numbersIn lists every number in a text, in whatever word it stands.
func numbersIn(text []byte) (out []float64) {
	for _, m := range number.FindAll(text, -1) {
		if v, err := strconv.ParseFloat(string(m), 64); err == nil {
			out = append(out, v)
		}
	}
	return out
}
