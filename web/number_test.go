package web

import (
	"math"
	"strings"
	"testing"

	"proctor/harness/report"
	"proctor/metrics"
)

func TestNumbers(t *testing.T) {
	p := func(x float64) *float64 { return &x }
	for _, c := range []struct{ got, want string }{
		{points.signed(p(.0047)), "+0.47 pp"},
		{points.signed(p(-.1756)), "−17.56 pp"},
		{points.signed(p(0)), "0.00 pp"},
		{points.signed(p(-.00001)), "0.00 pp"},
		{points.signed(p(.00001)), "0.00 pp"},
		{points.signed(nil), "–"},
		{points.signed(p(math.NaN())), "–"},
		{points.signed(p(math.Inf(1))), "–"},
		{percent.write(p(.8697)), "86.97 %"},
		{percent.write(p(1)), "100.00 %"},
		{ppUnit.signed(p(-17.56)), "−17.56 pp"},
		{number.signed(p(-.0022)), "−0.0022"},
		{quantityOf("%", p(80)).value(p(80)), "80.00 %"},
		{quantityOf("", p(3)).value(p(3)), "3"},
		{quantityOf("", p(.0031)).value(p(.0031)), "+0.0031"},
		{quantityOf("pp", p(3)).value(p(3)), "+3.00 pp"},
		{quantityOf("pp", p(3)).write(p(5)), "5.00 pp"},
		{quantityOf("", nil).value(nil), "–"},
		{points.interval(p(.0014), p(.008)), "[+0.14, +0.80]"},
		{points.interval(p(-.1), p(0)), "[−10.00, 0.00]"},
		{points.interval(nil, p(1)), ""},
		{count(0), "0"}, {count(999), "999"}, {count(1000), "1,000"}, {count(16281), "16,281"}, {count(1234567), "1,234,567"}, {count(-1234), "−1,234"},
		{count(math.MinInt64), "−9,223,372,036,854,775,808"},
		{share(368, 16281), "2.26 %"}, {share(1, 0), "–"}, {share(0, 5), "0.00 %"},
		{probability(p(1)), "1"}, {probability(p(.0085)), "0.0085"}, {probability(p(.5)), "0.5000"}, {probability(p(7.24e-8)), "7.2×10⁻⁸"}, {probability(p(2.87e-135)), "2.9×10⁻¹³⁵"},
		{probability(p(0)), "0"}, {probability(p(9.99e-5)), "1.0×10⁻⁴"}, {probability(p(1.1)), "–"}, {probability(p(-1)), "–"}, {probability(nil), "–"}, {probability(p(math.NaN())), "–"},
		{level(.99), "99 %"}, {level(.999), "99.9 %"}, {level(.95), "95 %"}, {level(1 - .99), "1 %"},
		{plural(1, "row"), "1 row"}, {plural(2000, "row"), "2,000 rows"}, {plural(0, "review"), "0 reviews"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// A change is called worse or better only if its interval leaves out zero.
func TestDirection(t *testing.T) {
	e := func(low, high float64) report.Estimate { return report.Estimate{Low: &low, High: &high} }
	for _, c := range []struct {
		e              report.Estimate
		higher, lower_ direction
	}{
		{e(-2, -1), worse, better},
		{e(1, 2), better, worse},
		{e(-1, 1), unclear, unclear},
		{e(0, 1), unclear, unclear},
		{e(-1, 0), unclear, unclear},
		{e(math.NaN(), -1), unclear, unclear},
		{e(math.Inf(-1), -1), unclear, unclear},
		{report.Estimate{}, unclear, unclear},
	} {
		if a, b := directionOf(c.e, true), directionOf(c.e, false); a != c.higher || b != c.lower_ {
			t.Errorf("[%v, %v]: %s %s, want %s %s", c.e.Low, c.e.High, a, b, c.higher, c.lower_)
		}
	}
}

// A mark stands where its number is, on the right side of zero and on the paper.
func TestBars(t *testing.T) {
	if b := newBar(change(60, 11, 279), true, 25); b.Direction != worse || b.X != "36.8" || b.Mark == "" || b.CutLow || b.CutHigh {
		t.Errorf("%+v", b)
	}
	if b := newBar(change(11, 60, 279), true, 25); b.Direction != better || b.X != "163.2" {
		t.Errorf("%+v", b)
	}
	if b := newBar(change(60, 11, 279), true, 5); !b.CutLow || !b.CutHigh == false || b.X1 != "10" || b.X2 != "10" {
		t.Errorf("beyond the scale: %+v", b)
	}
	if b := newBar(report.Estimate{Undefined: "no rows"}, true, 25); b.Drawn {
		t.Errorf("drawn from nothing: %+v", b)
	}
	if b := newBar(change(0, 0, 100), true, 25); b.Direction != unclear || b.Mark != "" || b.X != "100" {
		t.Errorf("no change: %+v", b)
	}
	for most, want := range map[float64]float64{0: 1, .005: 1, .02: 2, .021: 5, .24: 25, .99: 100, 1: 100} {
		s := []report.Slice{{Covered: true, Flips: report.Flips{Change: report.Estimate{Low: ptr(-most), High: ptr(0)}}}, {Flips: report.Flips{Change: report.Estimate{Low: ptr(-1), High: ptr(1)}}}}
		if got := scaleOf(s); got != want {
			t.Errorf("a scale for %v is %v, want %v", most, got, want)
		}
	}
}

// The most certain harm stands first: a wild small slice does not hide a sure one.
func TestSlicesByHarm(t *testing.T) {
	slice := func(value string, broke, fixed, n int64) report.Slice {
		return report.Slice{Dimension: "d", Value: value, Covered: true, Flips: report.Flips{N: n, Change: change(broke, fixed, n)}}
	}
	r := &report.Report{Slices: []report.Slice{slice("same", 10, 10, 1000), slice("wild", 2, 0, 5), slice("better", 1, 90, 1000), slice("harmed", 60, 11, 279), {Dimension: "d", Value: "none", Covered: true}, {Dimension: "d", Value: "pooled"}}}
	table := slicesOf(r)
	var order []string
	for _, s := range table.Covered {
		order = append(order, s.Value)
	}
	if got := strings.Join(order, " "); got != "harmed same better wild none" {
		t.Errorf("order %s", got)
	}
	if len(table.Pooled) != 1 || table.Worse != 1 || table.Better != 1 || table.Unclear != 3 {
		t.Errorf("%+v", table)
	}
}

// The finding that decided stands first, then what is broken; an outcome that the
// page does not know is not taken for a good one.
func TestFindingsOrder(t *testing.T) {
	r := &report.Report{Decision: report.Decision{Result: report.Fail, Decided: 3, Findings: []report.Finding{
		{Claim: "a", Outcome: report.Holds}, {Claim: "b", Outcome: report.Undecided}, {Claim: "c", Outcome: report.Violated}, {Claim: "d", Outcome: report.Violated}, {Claim: "e", Outcome: "NEW"}, {Claim: "f", Outcome: report.NotApplicable}}}}
	got := ""
	for _, f := range findings(r).Open {
		got += f.Claim
	}
	if got += findings(r).Held[0].Findings[0].Claim; got != "dcebfa" {
		t.Errorf("order %s", got)
	}
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"plain × text":     "plain × text",
		"a\u202Eb":         "a⟨U+202E⟩b",
		"a\u200Bb":         "a⟨U+200B⟩b",
		"a\u00A0b":         "a⟨U+00A0⟩b",
		"a\x00\x1bb":       "a⟨U+0000⟩⟨U+001B⟩b",
		"a\xffb":           "a⟨0xFF⟩b",
		"a\uFFFDb":         "a\uFFFDb",
		"\U000E0041":       "⟨U+E0041⟩",
		"x\uFE0F":          "x⟨U+FE0F⟩",
		"\u3164":           "⟨U+3164⟩",
		"two\nlines":       "two\nlines",
		"tab\tcr\r":        "tab⟨U+0009⟩cr⟨U+000D⟩",
		"日本 مرحبا":         "日本 مرحبا",
		"":                 "",
		"\u2066x\u2069\n":  "⟨U+2066⟩x⟨U+2069⟩\n",
		"soft\u00ADhyphen": "soft⟨U+00AD⟩hyphen",
	} {
		if got := visible(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
	if got := visible(strings.Repeat("é", maxText+7)); !strings.HasSuffix(got, "é … (7 more characters)") {
		t.Errorf("cut: %.20q…%q", got, got[len(got)-40:])
	}
	if once := visible("a\u202Eb\xff"); visible(once) != once {
		t.Error("showing twice differs from showing once")
	}
}

// shown reaches every string of a page and changes nothing of the page it copies.
func TestShown(t *testing.T) {
	type inner struct {
		S    string
		List []string
		P    *string
		Any  any
	}
	s := "p\u202E"
	in := struct {
		Inner  inner
		List   []inner
		Number int
		D      direction
	}{inner{s, []string{s}, &s, s}, []inner{{S: s}}, 7, direction(s)}
	out := shown(in)
	const want = "p⟨U+202E⟩"
	if out.Inner.S != want || out.Inner.List[0] != want || *out.Inner.P != want || out.Inner.Any != want || out.List[0].S != want || out.Number != 7 || out.D != want {
		t.Errorf("%+v", out)
	}
	if s != "p\u202E" || in.Inner.List[0] != s {
		t.Error("the original was changed")
	}
}

// Every metric has a name for people.
func TestTitles(t *testing.T) {
	for _, def := range metrics.All() {
		if titles[def.Name] == "" {
			t.Errorf("%s has no title", def.Name)
		}
		if value, _ := unitOf(def.ID); (value == percent) != def.Share {
			t.Errorf("%s is written as %+v", def.ID, value)
		}
	}
	if len(titles) != len(metrics.All()) {
		t.Error("a title has no metric")
	}
}

// A command on the page is the command that it looks like, whatever the words.
func TestCommandLine(t *testing.T) {
	for in, want := range map[string]string{"a-b_c/d.e:f=1": "a-b_c/d.e:f=1", "": "''", "a b": "'a b'", "$(rm)": "'$(rm)'", "it's": `'it'\''s'`, "a\nb": "'a\nb'", "é": "'é'"} {
		if got := commandLine(in); got != want {
			t.Errorf("%q is %s, want %s", in, got, want)
		}
	}
}
