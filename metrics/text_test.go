package metrics

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// slowEdits is the textbook table of Levenshtein's distance.
func slowEdits(a, b []int32) int64 {
	row := make([]int64, len(b)+1)
	for j := range row {
		row[j] = int64(j)
	}
	for i, x := range a {
		last := row[0]
		row[0] = int64(i + 1)
		for j, y := range b {
			cost := last + int64(oneIf(x != y))
			last = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func slowCommon(a, b []int32) int {
	t := make([][]int, len(a)+1)
	for i := range t {
		t[i] = make([]int, len(b)+1)
		for j := range t[i] {
			switch {
			case i == 0 || j == 0:
			case a[i-1] == b[j-1]:
				t[i][j] = t[i-1][j-1] + 1
			default:
				t[i][j] = max(t[i-1][j], t[i][j-1])
			}
		}
	}
	return t[len(a)][len(b)]
}

// TestStripsAgainstTables around the ends of the 64-bit strips.
func TestStripsAgainstTables(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(9, seed))
		symbols := 1 + rnd.IntN(5)
		draw := func() []int32 {
			s := make([]int32, []int{0, 1, 5, 63, 64, 65, 127, 128, 129, 200}[rnd.IntN(10)])
			for i := range s {
				s[i] = int32(rnd.IntN(symbols))
			}
			return s
		}
		a, b := draw(), draw()
		if got, want := editDistance(a, b, symbols), slowEdits(a, b); got != want {
			t.Fatalf("seed %d: %d edits of %d and %d symbols, want %d", seed, got, len(a), len(b), want)
		}
		if got, want := longestCommon(a, b, symbols), slowCommon(a, b); got != want {
			t.Fatalf("seed %d: %d symbols in common of %d and %d, want %d", seed, got, len(a), len(b), want)
		}
	}
}

// TestTokens13a: what each rule does, and in which order.
func TestTokens13a(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"It wasn't surprising.", "It wasn't surprising ."},
		{"1,000.50 €, 3.5%", "1,000.50 € , 3.5 %"},
		{"10-12 e-mail", "10 - 12 e-mail"},
		{"(a) [b] {c} a/b", "( a ) [ b ] { c } a / b"},
		{"&quot;x&quot; &amp;lt; &gt;", `" x " < >`},
		{"a-\nb c\nd<skipped>", "ab c d"},
		{"U.S. A..", "U . S . A . ."},
		{"a\u00a0b\x1cc ", "a b c"},
		{"", ""},
	} {
		if got := strings.Join(Tokens13a(c.text), " "); got != c.want {
			t.Errorf("%q is cut into %q, want %q", c.text, got, c.want)
		}
	}
}

// TestPublishedTexts: numbers printed by the libraries' own documentation.
func TestPublishedTexts(t *testing.T) {
	// sacreBLEU README and its test_bleu.py: 29.44 where a segment has one reference only.
	refs := [][]string{{"The dog bit the man.", "The dog had bit the man."}, {"It was not unexpected.", "No one was surprised."}, {"The man bit him first.", "The man had bitten the dog."}}
	var bleu BLEU
	var chrf ChrF
	for i, s := range []string{"The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."} {
		if err := bleu.Add(s, refs[i]); err != nil {
			t.Fatal(err)
		}
		if err := chrf.Add(s, refs[i]); err != nil {
			t.Fatal(err)
		}
	}
	near(t, "BLEU", bleu.Score(SmoothExp).Value, 48.530827, 1e-6)
	near(t, "chrF2", chrf.Score().Value, 59.73, 5e-3)
	// rouge_score README (target first there).
	r, err := ROUGE("The quick brown dog jumps on the log.", "The quick brown fox jumps over the lazy dog")
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ROUGE-1 P", r.One.Precision, .75, 1e-4)
	near(t, "ROUGE-1 R", r.One.Recall, .6667, 1e-4)
	near(t, "ROUGE-L P", r.L.Precision, .625, 1e-4)
	near(t, "ROUGE-L R", r.L.Recall, .5556, 1e-4)
	// torchmetrics docstrings.
	for unit, want := range map[Unit]float64{Words: .5, Characters: .3415} {
		e := ErrorRate{Unit: unit}
		for _, p := range [][2]string{{"this is the prediction", "this is the reference"}, {"there is an other sample", "there is another one"}} {
			if err := e.Add(p[0], p[1]); err != nil {
				t.Fatal(err)
			}
		}
		near(t, e.Rate().Method, e.Rate().Value, want, 5e-5)
	}
}

// TestTERShifts: a run of words that moved is one edit, whatever its length.
func TestTERShifts(t *testing.T) {
	for _, c := range []struct {
		hypothesis, reference string
		edits                 int64
	}{
		{"a b c d e f", "a b c d e f", 0},
		{"d e f a b c", "a b c d e f", 1},
		{"a B c", "a b C", 0}, // lower case
		{"b a c x", "a b c d", 2},
		{"x y z", "a b", 3},
		{"", "a b", 2},
		{"a b", "", 2},
		// Snover 2006, figure 1: a shift, two replacements and an insertion.
		{"THIS WEEK THE SAUDIS denied information published in the new york times", "SAUDI ARABIA denied THIS WEEK information published in the AMERICAN new york times", 4},
	} {
		var ter TER
		if err := ter.Add(c.hypothesis, []string{c.reference}); err != nil || ter.Edits != c.edits {
			t.Errorf("%q to %q: %d edits, want %d (%v)", c.hypothesis, c.reference, ter.Edits, c.edits, err)
		}
	}
}

// TestTextPartsAddUp: the counts of two shards merged are those of the whole.
func TestTextPartsAddUp(t *testing.T) {
	hyp := []string{"the cat sat", "a dog, a log.", "", "one two three four five"}
	ref := []string{"the cat sat down", "the dog on a log.", "x", "two one three five four"}
	var bleu [3]BLEU
	var chrf [3]ChrF
	var ter [3]TER
	var rate [3]ErrorRate
	for i, h := range hyp {
		for _, part := range []int{0, 1 + i%2} {
			for _, err := range []error{bleu[part].Add(h, ref[i:i+1]), chrf[part].Add(h, ref[i:i+1]), ter[part].Add(h, ref[i:i+1]), rate[part].Add(h, ref[i])} {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for _, err := range []error{bleu[2].Merge(bleu[1]), chrf[2].Merge(chrf[1]), ter[2].Merge(ter[1]), rate[2].Merge(rate[1])} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if bleu[2] != bleu[0] || chrf[2] != chrf[0] || ter[2] != ter[0] || rate[2] != rate[0] {
		t.Errorf("merged %+v %+v %+v %+v", bleu[2], chrf[2], ter[2], rate[2])
	}
	for i, err := range []error{bleu[0].Merge(BLEU{Lower: true}), chrf[0].Merge(ChrF{Words: true}), ter[0].Merge(TER{Segments: 1, References: 2}), rate[0].Merge(ErrorRate{Unit: Words})} {
		if err == nil {
			t.Errorf("metric %d adds counts of other settings", i)
		}
	}
}

func TestTextEdges(t *testing.T) {
	for i, e := range []Estimate{BLEU{}.Score(SmoothExp), ChrF{}.Score(), TER{}.Score(), ErrorRate{}.Rate(), ErrorRate{Pairs: 1, Edits: 2}.Rate()} {
		if e.Undefined == "" || e.Value != 0 {
			t.Errorf("metric %d without texts: %+v", i, e)
		}
	}
	good, long, bad := "a", strings.Repeat("a", maxText+1), "\xff"
	many := slices.Repeat([]string{"a"}, maxReferences+1)
	for _, c := range []struct {
		hypothesis string
		references []string
	}{{long, []string{good}}, {good, []string{long}}, {bad, []string{good}}, {good, []string{bad}}, {good, nil}, {good, many}} {
		var bleu BLEU
		var chrf ChrF
		var ter TER
		for i, err := range []error{bleu.Add(c.hypothesis, c.references), chrf.Add(c.hypothesis, c.references), ter.Add(c.hypothesis, c.references)} {
			if err == nil {
				t.Errorf("metric %d took %d bytes and %d references", i, len(c.hypothesis), len(c.references))
			}
		}
		if bleu != (BLEU{}) || chrf != (ChrF{}) || ter != (TER{}) {
			t.Error("a refused segment was counted")
		}
	}
	for _, c := range [][2]string{{long, good}, {good, long}, {bad, good}, {good, bad}} {
		var e ErrorRate
		_, e1 := EditDistance(c[0], c[1])
		_, _, e2 := SQuAD(c[0], c[1])
		_, e3 := ROUGE(c[0], c[1])
		for i, err := range []error{e1, e2, e3, e.Add(c[0], c[1])} {
			if err == nil {
				t.Errorf("function %d took %d and %d bytes", i, len(c[0]), len(c[1]))
			}
		}
	}
	var ter TER
	if err := ter.Add(strings.Repeat("a ", maxTERWords+1), []string{"a"}); err == nil {
		t.Error("TER of too many words")
	}
	if err := ter.Add("a", []string{"a"}); err != nil || ter.Add("a", []string{"a", "b"}) == nil {
		t.Errorf("another number of references: %v", err)
	}
}

// TestLongestTexts: the longest texts that are taken end within the time of a
// test. Words that repeat give TER the most shifts to try.
func TestLongestTexts(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds")
	}
	rnd := rand.New(rand.NewPCG(10, 10))
	var h, r, hw, rw strings.Builder
	for range maxText / 4 { // a word and a mark each
		fmt.Fprintf(&h, "%c%c. ", 'a'+rnd.IntN(26), 'a'+rnd.IntN(26))
		fmt.Fprintf(&r, "%c%c, ", 'a'+rnd.IntN(26), 'a'+rnd.IntN(26))
	}
	for range maxTERWords {
		fmt.Fprintf(&hw, "%c ", 'a'+rnd.IntN(3))
		fmt.Fprintf(&rw, "%c ", 'a'+rnd.IntN(3))
	}
	var bleu BLEU
	chrf := ChrF{Words: true}
	var ter TER
	_, edits := EditDistance(h.String(), r.String())
	_, rouge := ROUGE(h.String(), r.String())
	for i, err := range []error{bleu.Add(h.String(), []string{r.String()}), chrf.Add(h.String(), []string{r.String()}), ter.Add(hw.String(), []string{rw.String()}), edits, rouge} {
		if err != nil {
			t.Errorf("metric %d: %v", i, err)
		}
	}
}

func FuzzTexts(f *testing.F) {
	f.Add("The dog bit the man.", "It wasn't 1,000.5-", "the man bit the dog the")
	f.Add("", "\x1c-\n<skipped>&amp;lt;", "İ ǅ ß")
	f.Fuzz(func(t *testing.T, h, a, b string) {
		var bleu BLEU
		var ter TER
		var all []Estimate
		refs := []string{a, b}
		if bleu.Add(h, refs) == nil {
			for s := range SmoothAddK + 1 {
				all = append(all, bleu.Score(s))
			}
			e, err := SentenceBLEU(h, refs)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, e)
		}
		for _, c := range []ChrF{{}, {Words: true}, {Floor: true, Whitespace: true}} {
			if c.Add(h, refs) == nil {
				all = append(all, c.Score())
			}
		}
		for _, e := range all {
			if !(e.Value >= 0 && e.Value <= 100+1e-9) || e.Undefined != "" {
				t.Fatalf("%+v", e)
			}
		}
		if ter.Add(h, refs) == nil && !(ter.Score().Value >= 0) {
			t.Fatalf("%+v", ter)
		}
		checkMerges(t, h, refs)
		if d, ok := Lookup(h); ok && d.Name != h {
			t.Fatalf("%q is %+v", h, d)
		}
		if exact, _, err := SQuAD(h, a); err == nil && ExactMatch(h, a) && !exact {
			t.Fatal("the same and not the same")
		}
		if r, err := ROUGE(h, a); err == nil && !(r.L.F1 <= r.One.F1+1e-12 && r.One.F1 <= 1) {
			t.Fatalf("%+v", r)
		}
		exact, f1, err := SQuAD(h, a)
		if err == nil && (!(f1 >= 0 && f1 <= 1) || exact && f1 != 1) {
			t.Fatalf("%v %v", exact, f1)
		}
		x, errX := EditDistance(h, a)
		y, errY := EditDistance(a, h)
		if errX == nil && (errY != nil || x != y || x == 0 != (h == a)) {
			t.Fatalf("%d and %d edits", x, y)
		}
	})
}

// checkMerges: a segment merged with itself is the segment counted twice.
func checkMerges(t *testing.T, h string, refs []string) {
	t.Helper()
	var bleu [2]BLEU
	var chrf [2]ChrF
	var ter [2]TER
	rates := [2]ErrorRate{{Unit: Words}, {Unit: Words}}
	for _, i := range []int{0, 1, 1} {
		if bleu[i].Add(h, refs) != nil || chrf[i].Add(h, refs) != nil || ter[i].Add(h, refs) != nil || rates[i].Add(h, refs[0]) != nil {
			return
		}
	}
	if err := errors.Join(bleu[0].Merge(bleu[0]), chrf[0].Merge(chrf[0]), ter[0].Merge(ter[0]), rates[0].Merge(rates[0])); err != nil {
		t.Fatal(err)
	}
	if bleu[0] != bleu[1] || chrf[0] != chrf[1] || ter[0] != ter[1] || rates[0] != rates[1] {
		t.Fatalf("merged %+v %+v %+v %+v, counted %+v %+v %+v %+v", bleu[0], chrf[0], ter[0], rates[0], bleu[1], chrf[1], ter[1], rates[1])
	}
	if b := bleu[0].Brevity(); !(b >= 0 && b <= 1) {
		t.Fatalf("brevity %v", b)
	}
	if e := rates[0].Rate(); e.Undefined == "" && !(e.Value >= 0) {
		t.Fatalf("%+v", e)
	}
	if got, want := len(Tokens13a(h)), int(bleu[0].Length)/2; got != want {
		t.Fatalf("%d words, counted %d", got, want)
	}
	if err := bleu[0].Merge(BLEU{Cut: CutSpaces}); err == nil || Tokenization(len(h)).String() == "" || Smoothing(len(h)).String() == "" {
		t.Fatal("differently cut words add up, or a way to cut has no name")
	}
}

// TestDrawnCorpora: eleven scores of each of 72 corpora of drawn words, with odd
// spaces, entities, marks, several references and empty lines, as sacreBLEU 2.6.0
// gives them. The long ones reach the limits of Tercom's search.
func TestDrawnCorpora(t *testing.T) {
	for _, c := range readGolden(t, "testdata/corpora.json") {
		t.Run(c.ID, func(t *testing.T) { c.check(t, runCorpus) })
	}
}
