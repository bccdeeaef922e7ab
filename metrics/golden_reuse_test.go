package metrics

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// reuse reads the promise of a case. A case without an adaptivity asks for the given one.
func (c *goldenCase) reuse(otherwise Adaptivity) Reuse {
	r := Reuse{Runs: int(c.num("steps")), Delta: 1 - c.num("reliability"), Adaptivity: otherwise}
	if s, ok := c.In["adaptivity"].(string); ok {
		r.Adaptivity = map[string]Adaptivity{"none": AdaptNone, "full": AdaptFull, "firstChange": AdaptFirstChange}[s]
	}
	return r
}

func runHoeffdingRows(_ *testing.T, c *goldenCase) map[string]any {
	n, err := c.reuse(0).HoeffdingRows(c.num("eps"), c.num("range"), int(c.num("variables")))
	if err != nil {
		return answer("", nil, err)
	}
	return map[string]any{"n": math.Ceil(n), "n_real": n}
}

// runHoeffdingTwoSided: both sides of a difference, as two variables of range 2.
func runHoeffdingTwoSided(_ *testing.T, c *goldenCase) map[string]any {
	none, err := c.reuse(AdaptNone).HoeffdingRows(c.num("eps"), 2, 2)
	if err != nil {
		return answer("", nil, err)
	}
	full, err := c.reuse(AdaptFull).HoeffdingRows(c.num("eps"), 2, 2)
	if err != nil {
		return answer("", nil, err)
	}
	return map[string]any{"none": math.Ceil(none), "full": math.Ceil(full)}
}

func runBennettRows(_ *testing.T, c *goldenCase) map[string]any {
	eps, p := c.num("eps"), c.num("p")
	none, err := c.reuse(AdaptNone).BennettRows(eps, p)
	if err != nil {
		return answer("", nil, err)
	}
	full, err := c.reuse(AdaptFull).BennettRows(eps, p)
	if err != nil {
		return answer("", nil, err)
	}
	labels, err := c.reuse(AdaptNone).ActiveLabels(eps, p)
	if err != nil {
		return answer("", nil, err)
	}
	return map[string]any{"none": math.Ceil(none), "full": math.Ceil(full), "active_labels_per_commit": math.Ceil(labels)}
}

func runCondition(t *testing.T, c *goldenCase) map[string]any {
	r, err := Within(c.num("estimate"), c.num("eps"))
	if err != nil {
		return answer("", nil, err)
	}
	var tri Tri
	switch c.In["cmp"] {
	case ">":
		tri = r.Above(c.num("const"))
	case "<":
		tri = r.Below(c.num("const"))
	default:
		t.Fatalf("comparison %v", c.In["cmp"])
	}
	return map[string]any{"tri": tri.String(), "fp_free": tri.WithoutFalsePass(), "fn_free": tri.WithoutFalseFail()}
}

// submissions are rows of 0 and 1, as lists or as text, as what they get wrong.
func (c *goldenCase) submissions() [][]bool {
	labels := c.nums("labels")
	var out [][]bool
	for _, s := range c.In["submissions"].([]any) {
		wrong := make([]bool, len(labels))
		switch s := s.(type) {
		case string:
			for i := range labels {
				wrong[i] = float64(s[i]-'0') != labels[i]
			}
		default:
			for i, x := range asNums(s) {
				wrong[i] = x != labels[i]
			}
		}
		out = append(out, wrong)
	}
	return out
}

func climb(l *Ladder, err error, submissions [][]bool) (released []float64, moved []bool, _ error) {
	if err != nil {
		return nil, nil, err
	}
	for _, wrong := range submissions {
		r, err := l.Submit(wrong)
		if err != nil {
			return nil, nil, err
		}
		released, moved = append(released, r.Released), append(moved, r.Moved)
	}
	return released, moved, nil
}

func runLadder(_ *testing.T, c *goldenCase) map[string]any {
	s := c.submissions()
	l, err := NewLadder(len(s[0]))
	released, moved, err := climb(l, err, s)
	if err != nil {
		return answer("", nil, err)
	}
	got := map[string]any{"released": released, "updated": moved, "free_released": released, "free_updated": moved}
	if _, ok := c.Params["eta"]; ok {
		l, err := NewFixedLadder(len(s[0]), c.num("eta"))
		released, _, err := climb(l, err, s)
		if err != nil {
			return answer("", nil, err)
		}
		got["fixed_released"] = released
	}
	return got
}

// runThresholdout gives the noise that the case holds: gamma by thresholds drawn, eta
// and xi by questions.
func runThresholdout(_ *testing.T, c *goldenCase) map[string]any {
	sigma, drawn, question := c.num("sigma"), 0, 0
	next := func(scale float64) float64 {
		switch scale {
		case 2 * sigma:
			drawn++
			return c.nums("gamma")[drawn-1]
		case 4 * sigma:
			return c.nums("eta")[question]
		}
		return c.nums("xi")[question]
	}
	th, err := NewThresholdout(c.num("T"), sigma, int(c.num("budget")), next)
	if err != nil {
		return answer("", nil, err)
	}
	var answers, over []any
	for i, x := range c.nums("train") {
		question = i
		a, err := th.Ask(string(rune('a'+i)), x, c.nums("holdout")[i])
		switch {
		case err == ErrReuseBudget:
			answers, over = append(answers, nil), append(over, nil)
		case err != nil:
			return answer("", nil, err)
		default:
			answers, over = append(answers, a.Value), append(over, a.Sealed)
		}
	}
	return map[string]any{"answers": answers, "over": over, "budget_left": th.Budget()}
}

func runReuseBounds(_ *testing.T, c *goldenCase) map[string]any {
	b, err := BoundReuse(int64(c.num("n")), int64(c.num("k")), c.num("delta"), int64(c.num("updates")))
	if err != nil {
		return answer("", nil, err)
	}
	return map[string]any{"nonadaptive": b.NonAdaptive, "adaptive_bits": b.AdaptiveBits, "ladder": b.Ladder}
}

// boosted is the outcome of a boosting attack: the loss on the sealed rows that the
// scoreboard shows for the vote, without protection and by a Ladder, and the loss of
// the unprotected vote on fresh rows.
type boosted struct{ naive, ladder, fresh float64 }

// boost asks k random votes on n rows of random labels and submits the majority of
// those whose released loss is at most one half (Blum and Hardt 2015, section 4).
// As every vote is random, a row's label is taken as 0: a wrong row is a 1.
func boost(t testing.TB, rnd *rand.Rand, n, k int) boosted {
	l, err := NewLadder(n)
	if err != nil {
		t.Fatal(err)
	}
	naive, guarded, fresh := make([]int, n), make([]int, n), make([]int, n)
	wrong := make([]bool, n)
	for range k {
		losses := 0
		var other []uint64
		for i := 0; i < n; i += 64 {
			word := rnd.Uint64()
			other = append(other, rnd.Uint64())
			word &= 1<<min(64, n-i) - 1 // all of it where 64 rows are left
			losses += bits.OnesCount64(word)
			for j := range min(64, n-i) {
				wrong[i+j] = word>>j&1 == 1
			}
		}
		r, err := l.Submit(wrong)
		if err != nil {
			t.Fatal(err)
		}
		if 2*losses <= n {
			tallyVotes(naive, wrong)
			for i := range fresh {
				fresh[i] += int(other[i/64]>>(i%64)&1)*2 - 1
			}
		}
		if r.Released <= 0.5 {
			tallyVotes(guarded, wrong)
		}
	}
	last, err := l.Submit(majority(guarded))
	if err != nil {
		t.Fatal(err)
	}
	share := func(votes []int) float64 { return float64(countTrue(majority(votes))) / float64(n) }
	return boosted{share(naive), last.Released, share(fresh)}
}

func tallyVotes(votes []int, wrong []bool) {
	for i, w := range wrong {
		votes[i] += 2*oneIf(w) - 1
	}
}

// majority breaks ties by the row's place, which knows nothing of the labels.
func majority(votes []int) []bool {
	wrong := make([]bool, len(votes))
	for i, v := range votes {
		wrong[i] = v > 0 || v == 0 && i%2 == 0
	}
	return wrong
}

// boostMean is the mean of some attacks with the same seed every time.
func boostMean(t testing.TB, runs, n, k int) boosted {
	rnd := rand.New(rand.NewPCG(5, uint64(n*k)))
	var m boosted
	for range runs {
		b := boost(t, rnd, n, k)
		m.naive += b.naive / float64(runs)
		m.ladder += b.ladder / float64(runs)
		m.fresh += b.fresh / float64(runs)
	}
	return m
}

func runBoosting(t *testing.T, c *goldenCase) map[string]any {
	var naive, ladder, fresh []float64
	for _, k := range c.nums("queries") {
		m := boostMean(t, 5, int(c.num("n")), int(k))
		naive, ladder, fresh = append(naive, m.naive), append(ladder, m.ladder), append(fresh, m.fresh)
	}
	return map[string]any{"naive_leaderboard_loss": naive, "ladder_loss": ladder, "fresh": fresh}
}
