package policy

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"proctor/metrics"
)

// The table of docs/holdout.md, "How many rows", is what these functions give. The
// published values beside it are those of another program.
func TestSizesOfHoldouts(t *testing.T) {
	doc, err := os.ReadFile("../../docs/holdout.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range sizes() {
		if !strings.Contains(string(doc), line) {
			t.Errorf("docs/holdout.md lacks the line\n%s", line)
		}
	}
	for _, c := range []struct {
		what      string
		got, want int64
		within    float64
	}{
		{"equal model, 3 %, 1 pp", metrics.RowsToHold(0.03, 0.01, 0.01, 0.99), 6495, 0.06},
		{"equal model, 6 %, 1 pp", metrics.RowsToHold(0.06, 0.01, 0.01, 0.99), 12989, 0.06},
		{"equal model, 10 %, .5 pp", metrics.RowsToHold(0.10, 0.005, 0.01, 0.99), 86591, 0.06},
		{"slice, -20 pp, 3 %", sliceRows(0.20, 0.03), 135, 0.12},
		{"slice, -10 pp, 6 %", sliceRows(0.10, 0.06), 435, 0.06},
		{"slice, -5 pp, 6 %", sliceRows(0.05, 0.06), 1245, 0.06},
		{"carriers, 30 %", askedRows(0.30, 0.01), 35, 0.1},
		{"carriers, 5 %", askedRows(0.05, 0.01), 556, 0.1},
		{"canaries, a fifth", askedRows(leaked(0.20, 0.03), 0.03), 85, 0.1},
		{"canaries, a tenth", askedRows(leaked(0.10, 0.10), 0.10), 538, 0.1},
		{"repeats, 1 %", repeats(0.01), 688, 0},
	} {
		if d := math.Abs(float64(c.got-c.want)) / float64(c.want); d > c.within {
			t.Errorf("%s: %d rows, published are %d", c.what, c.got, c.want)
		}
	}
}

// sizes are the lines of the table.
func sizes() (out []string) {
	line := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, pp := range []float64{2, 1, 0.5} {
		hold := func(churn float64) int64 { return metrics.RowsToHold(churn, pp/100, 0.01, 0.99) }
		line("| an equal model shows that it lost less than %g pp, at level .01, with power .99 | %d at 3 %% changed answers, %d at 6 %%, %d at 10 %% |", pp, hold(0.03), hold(0.06), hold(0.10))
	}
	for _, pp := range []float64{40, 20, 10, 5} {
		line("| a slice shows a loss of %g pp, one of 100 slices, with power .95 | %d at 3 %%, %d at 6 %% |", pp, sliceRows(pp/100, 0.03), sliceRows(pp/100, 0.06))
	}
	for _, asr := range []float64{0.9, 0.3, 0.1, 0.05} {
		line("| a trigger that works on %g %% of its carriers is seen, with power .99 | %d carriers if 1 %% fail anyway, %d if 3 %% |", 100*asr, askedRows(asr, 0.01), askedRows(asr, 0.03))
	}
	for _, leak := range []float64{1, 0.5, 0.2, 0.1, 0.05} {
		line("| canaries show that %g %% of the set leaked, with power .99 | %d if honest models agree with 3 %%, %d if with 10 %% |", 100*leak, askedRows(leaked(leak, 0.03), 0.03), askedRows(leaked(leak, 0.10), 0.10))
	}
	for _, share := range []float64{0.2, 0.05, 0.01, 0.001} {
		line("| rows asked twice show that %g %% of answers change, with power .999 | %d |", 100*share, repeats(share))
	}
	return out
}

// sliceRows is the least number of rows from which a loss is shown at a level of .0001.
func sliceRows(loss, churn float64) int64 {
	for n := int64(5); ; n += 5 {
		if s := (sight{n: n, violate: 1e-4}); s.power(churn, loss) <= 0.05 {
			return n
		}
	}
}

// askedRows is the least number of rows from which a share p of hits is told from an
// honest one at a level of .0001 with power .99.
func askedRows(p, honest float64) int64 {
	k := int64(1)
	for n := int64(1); ; n++ {
		for metrics.BinomialUpper(k, n, honest) > 1e-4 {
			k++
		}
		if k <= n && metrics.BinomialUpper(k, n, p) >= 0.99 {
			return n
		}
	}
}

// leaked is how often a model agrees with canaries that knows a share of them.
func leaked(share, honest float64) float64 { return share + (1-share)*honest }

// repeats is how many rows asked twice show at least one change with probability .999.
func repeats(share float64) int64 { return int64(math.Ceil(math.Log(0.001) / math.Log1p(-share))) }
