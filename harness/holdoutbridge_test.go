package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"proctor/harness/verdict"
	"proctor/holdout"
)

// guesses asks twice about each of six rows: how the deployed model, which says yes at
// x > 0.5, does if the row is yes, and if it is as it is. It returns how many labels
// the two answers tell.
func (w *world) guesses(ask func(text string) string) int {
	w.t.Helper()
	right := 0
	for line := 1; line <= 6; line++ {
		var row struct{ Label string }
		if err := json.Unmarshal(ownersRow(w, "exam", line), &row); err != nil {
			w.t.Fatal(err)
		}
		yes := ask(fmt.Sprintf(`{"row":%d,"set":{"label":"yes","x":0.9}}`, line))
		is := ask(fmt.Sprintf(`{"row":%d,"set":{"x":0.9}}`, line))
		if row.Label == "yes" && yes == is || row.Label == "no" && yes != is {
			right++
		}
	}
	return right
}

// A curator who proposes amendments that nobody activates learns no label by their
// notes, and each row that he asks about counts as seen.
func TestAmendmentTellsNothing(t *testing.T) {
	w := equipped(t)
	told := map[string]bool{}
	w.guesses(func(text string) string {
		_, bridge, _ := strings.Cut(w.amend(text).Note, "bridge:")
		told[bridge] = true
		return bridge
	})
	if len(told) != 1 || !told[" no jump in difficulty for the deployed model of line"] {
		t.Errorf("the notes differ: %v", told)
	}
	if b := w.budget("own1"); b.Sets[0].Seen != 6 || b.Sets[0].Version != 1 {
		t.Errorf("%+v", b.Sets)
	}
	w.clean()
	ctx := context.Background()
	erase := func(first, n int) error {
		var text strings.Builder
		for _, line := range lines(first, n) {
			fmt.Fprintf(&text, "{\"row\":%d,\"erase\":true}\n", line)
		}
		_, err := w.s.AmendHoldout(ctx, person("cur2"), "exam", strings.NewReader(text.String()))
		return err
	}
	w.refused("at most 20 at once", erase(1, 21))
	w.refused("at most 20 before it rotates", erase(10, 15))
	if b := w.budget("own1"); b.Sets[0].Seen != 6 {
		t.Errorf("what was refused was counted: %+v", b.Sets)
	}
	w.clean()
}

// Negative control: with figures, two amendments tell a label.
func TestFiguresTell(t *testing.T) {
	w := equipped(t)
	ctx := context.Background()
	set := must1[sealedSet](w)(w.s.mustActive(ctx, "exam"))
	if right := w.guesses(func(text string) string {
		c := must1[*holdout.Custodian](w)(w.s.custody(ctx, person("cur1"), verdict.CustodyAmend, "", set, nil))
		defer c.Close()
		in := must1[holdout.SealInput](w)(c.Amend(must1[[]holdout.Correction](w)(holdout.ParseCorrections(strings.NewReader(text)))))
		in.Version, in.Now, in.Rand, in.CanarySeed = 2, w.s.Now(), w.s.Rand, [32]byte{1}
		sealed := must1[holdout.Sealed](w)(holdout.Seal(ctx, in, w.s.Blobs, w.s.Keyring, w.s.Officer))
		return strings.Join(must1[[]string](w)(w.s.bridge(ctx, person("cur1"), set, sealed, true)), "")
	}); right != 6 {
		t.Errorf("%d of 6 labels", right)
	}
}

// No amendment within the budget makes a jump, whatever the model is right on; a set
// of another difficulty does.
func TestSentence(t *testing.T) {
	const n, most = 400, 20
	for right := range n + 1 {
		for _, k := range []struct{ changed, erased, added int }{{most, 0, 0}, {0, most, 0}, {0, 0, most}, {7, 7, 6}} {
			rows := n - k.erased + k.added
			for _, now := range []int{min(right+k.changed+k.added, rows), max(right-k.changed-k.erased, 0)} {
				text := sentence("l", [2]float64{float64(right) / n, float64(now) / float64(rows)}, [2]float64{n, float64(rows)}, most)
				if strings.Contains(text, "difficulty_shift") {
					t.Fatalf("%d of %d, then %d of %d: %s", right, n, now, rows, text)
				}
			}
		}
	}
	if text := sentence("l", [2]float64{.9, 1}, [2]float64{n, n}, most); !strings.Contains(text, "difficulty_shift") {
		t.Error(text)
	}
}
