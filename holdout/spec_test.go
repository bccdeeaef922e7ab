package holdout

import (
	"reflect"
	"strings"
	"testing"
)

func TestSpec(t *testing.T) {
	s, err := ParseSpec([]byte(peopleSpec + "text: [zip]\ncanaries: 50\npractice: 300\nretain_until: 2027-12-31\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := Spec{"people", "income", []string{"low", "high"}, "high", []string{"age", "sex", "school", "hours", "gain", "weight"},
		[]string{"sex", "school", "region"}, "person", []string{"zip"}, "", "", 50, 0, DefaultDuplicates, 300, "2027-12-31"}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
	if got := s.TextColumns(); !reflect.DeepEqual(got, []string{"income", "person", "zip"}) {
		t.Errorf("text columns %v", got)
	}
}

// Classes that look like numbers or truth values are the words as they are written.
func TestSpecClassWords(t *testing.T) {
	for _, list := range []string{"0, 1", "yes, no", "true, false"} {
		s, err := ParseSpec([]byte("holdout: x\nanswer: y\nclasses: [" + list + "]\nfeatures: [a]\n"))
		if err != nil || strings.Join(s.Classes, ", ") != list {
			t.Errorf("[%s] was read as %q, %v", list, s.Classes, err)
		}
	}
}

// Each line replaces one line of the specimen, or adds one, and says what comes of it.
const badSpecs = `
feature: [age]              => unknown key "feature"; did you mean "features"?
canarys: 3                  => unknown key "canarys"; did you mean "canaries"?
costs: [age] => unknown key "costs"; there are holdout, answer
clusters: age                      => no model sees it
weights: region                    => no model sees it
holdout: ../x               => holdout: "../x" is not a name
holdout: ""                 => holdout: "" is not a name
answer: ""                  => answer: name the column
classes: [low]              => classes: 1 are declared
classes: [low, low]         => classes: "low" is empty or there twice
positive: hihg              => positive: "hihg" is not one of the classes; did you mean "high"?
features: [age, income]     => features: "income" is the answer; a model must not see it
features: []                => features: 0 are listed
features: [age, person]     => id: "person" is the answer or a feature
features: ["proctor:x"]     => names that begin with proctor: are taken
slices: [income]            => slices: "income" cannot be one
slices: [class]             => slices: "class" cannot be one
slices: ["a*b"]             => slices: "a*b" cannot be one
canaries: 0                 => canaries: 0 is not within 10 to 100000
twins: -4                   => twins: -4 is not within
canaries: many              => cannot unmarshal
duplicates_at_most_pct: .nan => duplicates_at_most_pct: NaN is not within
duplicates_at_most_pct: 99  => duplicates_at_most_pct: 99 is not within
features: &a [age]          => anchors, aliases and tags are not used here
features: *a                => 
answer: [income]            => cannot unmarshal
classes: [low, high         => 
`

func TestSpecRefuses(t *testing.T) {
	for _, line := range strings.Split(strings.TrimSpace(badSpecs), "\n") {
		bad, want, _ := strings.Cut(line, "=>")
		bad, want = strings.TrimSpace(bad), strings.TrimSpace(want)
		key, _, _ := strings.Cut(bad, ":")
		var text []string
		for _, l := range strings.Split(peopleSpec, "\n") {
			if !strings.HasPrefix(l, key+":") {
				text = append(text, l)
			}
		}
		s, err := ParseSpec([]byte(strings.Join(append(text, bad), "\n")))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot  %v, %+v\nwant %s", bad, err, s, want)
		}
	}
	for _, text := range []string{"", "just words", "[1, 2]", peopleSpec + "---\n" + peopleSpec, peopleSpec + "answer: income\n", "\xff", strings.Repeat(" ", maxSpec+1)} {
		if s, err := ParseSpec([]byte(text)); err == nil {
			t.Errorf("%.40q was read as %+v", text, s)
		}
	}
}

// Whatever is read is sound, and reading never ends the program.
func FuzzSpec(f *testing.F) {
	f.Add([]byte(peopleSpec))
	for _, line := range strings.Split(badSpecs, "\n") {
		bad, _, _ := strings.Cut(line, "=>")
		f.Add([]byte(bad))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if s, err := ParseSpec(text); err == nil && s.check() != nil {
			t.Errorf("%+v: %v", s, s.check())
		}
	})
}
