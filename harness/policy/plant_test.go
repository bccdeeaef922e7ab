package policy

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"proctor/harness/report"
	"proctor/holdout"
	"proctor/metrics"
	"proctor/regress"
)

// garden is a set with two slice columns and the claims of a policy on it.
func garden(t *testing.T, claims string) *world {
	w := newWorld(t)
	w.policy, w.probs = claims, true
	w.rows(0, 0, 400, 10, 10, 50)
	w.rows(0, 1, 2600, 40, 50, 250)
	w.rows(1, 0, 1500, 30, 30, 200)
	w.rows(1, 1, 3000, 50, 60, 300)
	return w
}

const (
	onAllRows = "prove:\n  - {id: overall, metric: accuracy, change_at_least_pp: -2}\n  - {id: f, metric: f1, change_at_least_pp: -4}\n"
	onSlices  = "watch:\n  - {id: slices, metric: accuracy, over: [sex, age, age*sex], harm_pp: 5, detect_pp: 15}\n"
	onBrier   = "  - {id: calibration, metric: brier, harm: 0.004, detect: 0.01}\n"
)

func plantIn(t *testing.T, r *Resolved, e Evidence, n int) *report.Planted {
	t.Helper()
	got, err := Plant(r, e, [32]byte{1}, n)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// kind finds the sums of a kind; none planted: zero.
func kind(p *report.Planted, name string) report.PlantedKind {
	for _, k := range p.Kinds {
		if k.Kind == name {
			return k
		}
	}
	return report.PlantedKind{}
}

// All that the policy promises to catch is caught, and the sums agree.
func TestPlant(t *testing.T) {
	w := garden(t, onAllRows+onSlices+onBrier)
	r, e := w.resolve(), w.evidence()
	before, _ := json.Marshal(Judge(r, e))
	got := plantIn(t, r, e, 200)
	if after, _ := json.Marshal(Judge(r, e)); string(before) != string(after) || !strings.Contains(string(before), `"PASS"`) {
		t.Errorf("planting changed the decision, or it is no PASS:\n%s\n%s", before, after)
	}
	t.Log(got.Sentence)
	if got.Promised.Planted < 20 || got.Promised.Caught != got.Promised.Planted || got.Smaller.Planted < 10 || got.Smaller.Caught == got.Smaller.Planted {
		t.Errorf("promised %+v, smaller %+v", got.Promised, got.Smaller)
	}
	if got.Promised.Planted+got.Smaller.Planted+got.NoClaim.Planted != got.Planted || got.Promised.Caught+got.Smaller.Caught+got.NoClaim.Caught != got.Caught || got.Violated > got.Caught {
		t.Errorf("sums: %+v", got)
	}
	if int64(len(got.Missed)) != min(report.MaxMissed, got.Planted-got.Caught) {
		t.Errorf("%d misses listed of %d", len(got.Missed), got.Planted-got.Caught)
	}
	sum := int64(0)
	for _, k := range got.Kinds {
		sum += k.Planted
		if k.Smallest == nil || k.From == nil || k.Smallest.Size > *k.From {
			t.Errorf("%+v", k)
		}
	}
	if sum != got.Planted || len(got.Kinds) != 4 {
		t.Errorf("kinds: %+v", got.Kinds)
	}
	again := plantIn(t, r, e, 200)
	if !reflect.DeepEqual(got, again) {
		t.Error("the same seed gave another result")
	}
	other, err := Plant(r, e, [32]byte{2}, 30)
	if err != nil || reflect.DeepEqual(other, plantIn(t, r, e, 30)) {
		t.Errorf("another seed drew the same: %v", err)
	}
	if _, _, err := report.Encode(&report.Report{Planted: got}); err != nil {
		t.Error(err)
	}
}

// Negative control: a policy that does not watch slices misses the harm in small
// ones, and the sentence says so.
func TestPlantUnwatched(t *testing.T) {
	watching, blind := garden(t, onAllRows+onSlices), garden(t, onAllRows)
	r, e := watching.resolve(), watching.evidence()
	saw := plantIn(t, r, e, 1000)
	did := plantIn(t, blind.resolve(), blind.evidence(), 1000)
	if k := kind(saw, plantSlice); k.Caught*10 < k.Planted*6 || k.From == nil || *k.From > 15 {
		t.Errorf("watching: %+v", k)
	}
	small := func(p *report.Planted) (missed int) {
		for _, h := range p.Missed {
			if h.Subject == "age*sex=old × F" || h.Subject == "sex*age=F × old" {
				missed++
			}
		}
		return missed
	}
	if k := kind(did, plantSlice); small(did) < 3 || k.From != nil && *k.From <= 15 || did.Promised.Caught != did.Promised.Planted {
		t.Errorf("blind: %d misses in the small slice; %+v", small(did), k)
	}
	for _, h := range saw.Missed {
		if h.Kind == plantSlice && h.Size >= 15 {
			t.Errorf("watching, missed %+v", h)
		}
	}
	if !strings.Contains(did.Sentence, "where no claim judges the subject on its own") || did.NoClaim.Caught >= did.NoClaim.Planted {
		t.Error(did.Sentence)
	}
	t.Log(saw.Sentence)
	t.Log(did.Sentence)
}

// What a planter finds is what Judge finds when the harm is really there: in the
// rows of a frame, and in the outcomes of cases.
func TestPlantIsJudge(t *testing.T) {
	w := garden(t, onAllRows+onSlices+onBrier+"  - {id: ranking, metric: roc_auc, change_at_most: 0.2}\n  - {id: too-good, metric: accuracy, change_at_most_pp: 6}\n")
	w.extra = "anchor: {change_at_least_pp: -2.5}\n"
	samePlants(t, w.resolve(), w.evidence(), 1, func() metrics.Answers { return w.answers })

	// Slices too few to judge, which are tested for harm all the same, and many claims
	// that share a level.
	small := newWorld(t)
	small.policy, small.probs = onAllRows+"watch:\n  - {id: slices, metric: accuracy, over: [sex, age, age*sex, class], harm_pp: 3, detect_pp: 35}\n"+onBrier, true
	small.rows(0, 0, 34, 1, 0, 4)
	small.rows(0, 1, 300, 9, 9, 30)
	small.rows(1, 0, 300, 9, 9, 30)
	small.rows(1, 1, 2500, 60, 60, 250)
	r := small.resolve()
	if r.Covered("age*sex", "old × F") || !r.Covered("age*sex", "old × M") {
		t.Error("the slice is not small, or all are")
	}
	samePlants(t, r, small.evidence(), 1, func() metrics.Answers { return small.answers })
}

// samePlants plants every so many harms twice: on counts, and in a frame that Judge sees.
func samePlants(t *testing.T, r *Resolved, e Evidence, every int, answers func() metrics.Answers) {
	t.Helper()
	p := newPlanter(r, e, [32]byte{3})
	sameRanks(t, "the real run", p, p.before, e)
	kinds, worse := map[string]int{}, 0 // so that the test is known to say something
	for n, h := range p.draw(maxPlants) {
		if n%every != 0 {
			continue
		}
		q := metrics.Predictions{Labels: append([]int32(nil), e.Candidate.Labels()...), Probs: e.Candidate.Probs()}
		var got ranks
		switch h.at.kind {
		case plantSuite:
			continue // held in TestPlantedCases
		case plantCalibration:
			q.Probs = p.brier.harmed(h)
			effects, release, err := p.recalibrated(h)
			if err != nil {
				t.Fatal(err)
			}
			got = p.judge(effects, e.Diff.Pair.Cells(), false)
			release()
		default:
			rows := p.drawRows(h)
			for _, row := range rows {
				q.Labels[row] = (q.Labels[row] + 1) % int32(len(e.Candidate.Classes()))
			}
			effects, release, err := p.withWrong(rows)
			if err != nil {
				t.Fatal(err)
			}
			got = p.judge(effects, p.lost(e.Diff.Pair.Cells(), rows), false)
			release()
		}
		real := e
		real.Candidate = join(t, answers(), q)
		pair, err := e.Diff.Against(real.Candidate)
		if err != nil {
			t.Fatal(err)
		}
		real.Diff, real.Anchor = &regress.Diff{Pair: pair, Tests: e.Diff.Tests}, nil
		sameRanks(t, h.at.kind+" "+h.at.subject(), p, got, real)
		checkSize(t, h, pair)
		kinds[h.at.kind]++
		for i := range got {
			if got[i] > p.before[i] {
				worse++
			}
		}
	}
	if every > 1 {
		return
	}
	if kinds[plantSlice] < 10 || kinds[plantOverall] < 2 || kinds[plantClass] < 2 || kinds[plantCalibration] < 2 || worse < 30 {
		t.Errorf("too few to say much: %v, %d findings worse", kinds, worse)
	}
}

// sameRanks holds a planter's outcomes against those of Judge.
func sameRanks(t *testing.T, name string, p *planter, got ranks, e Evidence) {
	t.Helper()
	d := Judge(p.r, e)
	want := map[string]int{}
	for _, f := range d.Findings {
		want[f.Claim+" "+f.Subject] = rankOf(f.Outcome) // quiet ones are absent: they hold
	}
	for i, h := range p.r.Hypotheses {
		if w := want[h.Claim+" "+h.subject()]; got[i] != w {
			t.Errorf("%s: %s %s is %d, Judge says %d", name, h.Claim, h.subject(), got[i], w)
		}
	}
	if w := want[findCritical+" "]; got[len(got)-2] != w {
		t.Errorf("%s: critical is %d, Judge says %d", name, got[len(got)-2], w)
	}
	if w := want[findAnchor+" "]; got[len(got)-1] != w {
		t.Errorf("%s: anchor is %d, Judge says %d", name, got[len(got)-1], w)
	}
}

// checkSize holds the size of a harm against the loss that is really there.
func checkSize(t *testing.T, h harm, pair *metrics.Pair) {
	t.Helper()
	c := pair.Cells()
	switch {
	case h.at.kind == plantCalibration:
		l, err := pair.Limits("brier", .05)
		if err != nil || l.Change < h.size-1e-12 || l.Change > h.size+1e-6 {
			t.Errorf("%s: Brier score lost %v, planted %v: %v", h.at.value, l.Change, h.size, err)
		}
		return
	case h.at.dimension != "":
		groups, err := pair.By(h.at.dimension)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range groups {
			if g.Value == h.at.value {
				c = g.Cells
			}
		}
	}
	if lost := float64(c.Broke-c.Fixed) / float64(c.N()); lost < h.size-1e-9 || lost >= h.size+1/float64(c.N()) {
		t.Errorf("%s %s: lost %v, planted %v", h.at.kind, h.at.subject(), lost, h.size)
	}
}

// Broken cases are caught as Judge catches them; one critical case is enough.
func TestPlantedCases(t *testing.T) {
	for _, critical := range []bool{false, true} {
		w := newWorld(t)
		w.rows(0, 0, 2000, 20, 20, 100)
		s := suiteOf(t, "s", 400, critical)
		p, err := Parse([]byte("policy: p\nlineage: l\nholdouts: [s]\nsuites: [s]\nconfidence: 0.99\nprove:\n  - {id: overall, metric: accuracy, change_at_least_pp: -3}\n" +
			"watch:\n  - {id: checks, suite: s, harm_pp: 2, detect_pp: 10}\n" +
			"tier_at_least: jail\nbudget_runs: 6\nreview: {people: 1}\nvalid_days: 7\non_missing: fail\n"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Resolve(p, []holdout.Commitment{commitment("s", w.answers)}, []*regress.Suite{s})
		if err != nil {
			t.Fatal(err)
		}
		base, failed := join(t, w.answers, metrics.Predictions{Labels: w.base}), 5
		if critical {
			failed = 0
		}
		run := func(cand int) Evidence {
			e := w.evidence()
			e.Judged = []*regress.Judged{judged(t, s, 0, cand)}
			if e.Diff, err = regress.Compare(base, e.Candidate, []*regress.Judged{judged(t, s, 0, failed)}, e.Judged); err != nil {
				t.Fatal(err)
			}
			return e
		}
		e := run(failed)
		pl := newPlanter(r, e, [32]byte{})
		sameRanks(t, "the real run", pl, pl.before, e)
		n := 0
		for _, h := range pl.draw(1000) {
			if h.at.kind == plantSuite {
				n++
				got := pl.judge(pl.withFailed(h), e.Diff.Pair.Cells(), critical)
				real := run(failed + int(h.k))
				d := Judge(r, real)
				if want := map[bool]int{true: rankViolated, false: rankHolds}[critical]; got[len(got)-2] != want || d.Result == report.Pass != (got[1] == rankHolds && want == rankHolds) {
					t.Errorf("critical %v, %v: %v, Judge says %s", critical, h.size, got, d.Sentence)
				}
			}
		}
		got := plantIn(t, r, e, 1000)
		if k := kind(got, plantSuite); n != len(shareSizes) || int(k.Planted) != n || k.From == nil || *k.From > 10 || critical && *k.From > 3 {
			t.Errorf("critical %v: %d, %+v", critical, n, k)
		}
	}
}

// A policy that cannot see a harm catches none of its kind.
func TestPlantSeesNothing(t *testing.T) {
	w := garden(t, "watch:\n  - {id: calibration, metric: brier, harm: 0.004, detect: 0.01}\n")
	got := plantIn(t, w.resolve(), w.evidence(), 300)
	for _, k := range got.Kinds {
		if (k.Kind == plantCalibration) != (k.Caught > 0) {
			t.Errorf("%+v", k)
		}
	}
	if !strings.Contains(got.Sentence, "Slices: 0 of ") || !strings.Contains(got.Sentence, "not even all of the largest size") {
		t.Error(got.Sentence)
	}
}

func TestPlantRefuses(t *testing.T) {
	w := garden(t, onAllRows)
	r, e := w.resolve(), w.evidence()
	if _, err := Plant(nil, e, [32]byte{}, 1); err == nil {
		t.Error("no policy")
	}
	for _, n := range []int{0, -1, maxPlants + 1} {
		if _, err := Plant(r, e, [32]byte{}, n); err == nil {
			t.Errorf("%d harms", n)
		}
	}
	for name, change := range map[string]func(*Evidence){
		"first model":  func(e *Evidence) { e.Diff = nil },
		"empty diff":   func(e *Evidence) { e.Diff = &regress.Diff{} },
		"no candidate": func(e *Evidence) { e.Candidate = nil },
		"nothing":      func(e *Evidence) { *e = Evidence{} },
	} {
		x := e
		change(&x)
		got, err := Plant(r, x, [32]byte{}, 10)
		if err != nil || got.Planted != 0 || !strings.HasPrefix(got.Sentence, "No harm was planted: ") {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	blind := garden(t, onAllRows)
	blind.probs = false
	if got := plantIn(t, blind.resolve(), blind.evidence(), 50); kind(got, plantCalibration).Planted != 0 || got.Planted != 50 {
		t.Errorf("without probabilities: %+v", got)
	}
}

// Probabilities to a power: certain ones stay, nothing becomes NaN, the sum is 1.
func TestPower(t *testing.T) {
	s := brierScale{}
	w := newWorld(t)
	w.rows(0, 0, 4, 0, 0, 0)
	in := []float64{.5, .5, 1, 0, 0, 0, .9, .1}
	s.frame = join(t, w.answers, metrics.Predictions{Labels: w.cand, Probs: in})
	for _, p := range in {
		s.logs = append(s.logs, math.Log(p))
	}
	out := make([]float64, len(in))
	for _, c := range []struct {
		t    float64
		want []float64
	}{{1, in}, {2, []float64{.5, .5, 1, 0, 0, 0, .81 / .82, .01 / .82}}, {.5, []float64{.5, .5, 1, 0, 0, 0, .75, .25}}} {
		s.power(out, c.t)
		for i := range out {
			if math.Abs(out[i]-c.want[i]) > 1e-12 {
				t.Errorf("power %v: %v, want %v", c.t, out, c.want)
			}
		}
	}
}

// On the demo's rows 200 harms take less than 2 s, are judged as Judge judges, and
// the poisoned slice is among those that the policy sees and a blind one does not.
func TestIncomePlant(t *testing.T) {
	x := readExam(t)
	r := x.resolve(t)
	v1 := x.ask(t, "v1")
	for _, model := range []string{"v2", "v2-poisoned"} {
		e := x.evidence(t, &v1, x.ask(t, model))
		start := time.Now()
		got := plantIn(t, r, e, 200)
		t.Logf("%s, %v: %s", model, time.Since(start).Round(time.Millisecond), got.Sentence)
		if got.Planted != 200 || got.Promised.Planted < 40 || got.Promised.Caught != got.Promised.Planted || got.Caught == 200 {
			t.Errorf("%s: %+v", model, got)
		}
		if model == "v2" {
			samePlants(t, r, e, 40, func() metrics.Answers { return x.answers })
		}
	}
	e := x.evidence(t, &v1, x.ask(t, "v2"))
	caught := func(r *Resolved) bool {
		p := newPlanter(r, e, [32]byte{})
		for _, a := range p.places() {
			if a.kind == plantSlice && a.subject() == "sex*education=Female × Masters" {
				for _, h := range p.sizes(a) {
					if h.size == .2 {
						got, err := p.plant(h)
						return err == nil && got.caught
					}
				}
			}
		}
		t.Fatal("nothing was planted in the slice")
		return false
	}
	blind := *r
	blind.Hypotheses = nil
	for _, h := range r.Hypotheses {
		if h.Claim != "nobody-left-behind" {
			blind.Hypotheses = append(blind.Hypotheses, h)
		}
	}
	if !caught(r) || caught(&blind) {
		t.Errorf("20 pp in women with a Masters: caught %v, without the claim on slices %v", caught(r), caught(&blind))
	}
}
