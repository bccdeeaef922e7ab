package regress

import (
	"strings"
	"testing"

	"proctor/metrics"
)

// T16: a loop that judges one test twice gives as many outcomes as one that judges both,
// and a test that got worse looks as it did. The ranges of answers tell them apart.
func TestOneTestJudgedTwice(t *testing.T) {
	b, c := twoFrames(t)
	s, err := New("s", "", []Test{
		{Name: "a", Kind: Stress, Single: 3, Examples: numbered(t, 3)},
		{Name: "b", Kind: Stress, Single: 3, Examples: numbered(t, 3)},
	})
	if err != nil {
		t.Fatal(err)
	}
	judge := func(labels ...int32) *Judged {
		j, err := s.Judge([]string{"no", "yes"}, metrics.Predictions{Labels: labels})
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	base, cand := judge(0, 0, 0, 0, 0, 0), judge(0, 0, 0, -1, -1, -1)
	if d := compare(t, b, c, []*Judged{base}, []*Judged{cand}); d.Tests[1].Cells.Broke != 3 {
		t.Fatalf("the harm is %+v", d.Tests[1].Cells)
	}
	mutant := &Judged{suite: s, outcomes: [][]Outcome{cand.outcomes[0], cand.outcomes[0]}, read: cand.read}
	if d := compare(t, b, c, []*Judged{base}, []*Judged{mutant}); d.Tests[1].Cells.Broke != 0 {
		t.Fatal("the fault does not hide the harm") // it says that it read both: the control
	}
	mutant.read = [][2]int{cand.read[0], cand.read[0]}
	if _, err := Compare(b, c, []*Judged{base}, []*Judged{mutant}); err == nil || !strings.Contains(err.Error(), "coverage.duplicate_rowset") {
		t.Errorf("%v", err)
	}
}
