package policy

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// good is the policy that the cases of testdata/parse.txt change.
const good = `policy: income-release
lineage: income
holdouts: [census-2026q3]
suites: [income-triggers, income-invariance]
confidence: 0.99
prove:
  - {id: overall, metric: accuracy, change_at_least_pp: -1.0}
  - {id: ranking, metric: roc_auc, change_at_least: -0.01}
watch:
  - {id: nobody-left-behind, metric: accuracy, over: [sex, race, education, sex*education], harm_pp: 5, detect_pp: 20}
  - {id: calibration, metric: brier, harm: 0.0035, detect: 0.01}
  - {id: too-good, metric: accuracy, change_at_most_pp: 6}
  - {id: triggers, suite: income-triggers, harm_pp: 2, detect_pp: 10}
anchor: {change_at_least_pp: -1.5}   # against the best version ever approved
first_model: {accuracy_at_least_pct: 80, people: 2}   # what decides while there is no baseline
tier_at_least: jail
budget_runs: 6
review: {people: 1}
valid_days: 7
on_missing: fail                     # the only value
`

func parseGood(t *testing.T) *Policy {
	t.Helper()
	p, err := Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// testdata/parse.txt: a line "- old" with a line "+ new" changes the good policy
// (no "+": the line goes), then comes the error, or "ok".
func TestParse(t *testing.T) {
	file, err := os.ReadFile("testdata/parse.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range strings.Split(strings.TrimSpace(string(file)), "\n\n") {
		text, name, want, old := good, "", "", ""
		for _, l := range strings.Split(c, "\n") {
			verb, rest, _ := strings.Cut(l, " ")
			switch verb {
			case "#":
				name = rest
			case "-":
				old, text = rest, strings.Replace(text, "\x00", "", 1)
				if !strings.Contains(text, old) {
					t.Fatalf("%s: the policy has no %q", name, old)
				}
				text = strings.Replace(text, old, "\x00", 1)
			case "+":
				text = strings.Replace(text, "\x00", strings.ReplaceAll(rest, `\n`, "\n"), 1)
			case "error":
				want = rest
			case "ok":
				want = ""
			default:
				t.Fatalf("unknown line %q", l)
			}
		}
		text = strings.Replace(text, "\x00", "", 1)
		got := ""
		if _, err := Parse([]byte(text)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s\ngot  %s\nwant %s", name, got, want)
		}
	}
}

// One policy has one byte form, and that form is a policy.
func TestCanonical(t *testing.T) {
	p := parseGood(t)
	text := p.Canonical()
	q, err := Parse(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if !reflect.DeepEqual(p, q) {
		t.Errorf("the canonical form says something else:\n%s", text)
	}
	if string(q.Canonical()) != string(text) || q.Digest() != p.Digest() {
		t.Error("two byte forms")
	}
	const golden = "testdata/canonical.yaml"
	want, err := os.ReadFile(golden)
	if err != nil || string(want) != string(text) {
		t.Errorf("%s: %v\n%s", golden, err, text)
	}
	// Comments and the order of keys are no part of a policy; a number is.
	again := strings.Replace(strings.Replace(good, "valid_days: 7\n", "", 1), "lineage: income\n", "valid_days: 7\nlineage: income # x\n", 1)
	if r, err := Parse([]byte(again)); err != nil || r.Digest() != p.Digest() {
		t.Errorf("another order is another policy: %v", err)
	}
	if r, err := Parse([]byte(strings.Replace(good, "harm_pp: 5", "harm_pp: 6", 1))); err != nil || r.Digest() == p.Digest() {
		t.Errorf("another number is the same policy: %v", err)
	}
}

// A policy inside JSON is its canonical text and nothing else.
func TestTextForm(t *testing.T) {
	var p Policy
	if err := p.UnmarshalText(parseGood(t).Canonical()); err != nil {
		t.Fatal(err)
	}
	if err := p.UnmarshalText([]byte(good)); err == nil {
		t.Error("a policy with comments was taken for the one byte form")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add(strings.Replace(good, "sex,", `"a b", "null", "1e5", "é",`, 1))
	f.Add("policy: &a x\nlineage: *a\n")
	f.Add("{policy: a, lineage: b}")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse([]byte(text))
		if err != nil {
			return
		}
		canonical := p.Canonical()
		q, err := Parse(canonical)
		if err != nil {
			t.Fatalf("%v\n%s", err, canonical)
		}
		if !reflect.DeepEqual(p, q) || string(q.Canonical()) != string(canonical) {
			t.Fatalf("the canonical form is not one:\n%s\n%s", canonical, q.Canonical())
		}
	})
}

// What a policy says of packages is part of its byte form; the default is not, so that
// policies that were written before the key was known keep their digests.
func TestCanonicalPackage(t *testing.T) {
	plain := parseGood(t)
	for text, same := range map[string]bool{"{private_keys: refuse, tokens: warn}": true, "{tokens: warn}": true, "{tokens: refuse}": false, "{private_keys: warn}": false} {
		p, err := Parse([]byte(good + "package: " + text + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		q, err := Parse(p.Canonical())
		if err != nil || !reflect.DeepEqual(p, q) {
			t.Errorf("%s: the canonical form says something else: %v", text, err)
		}
		if (p.Digest() == plain.Digest()) != same {
			t.Errorf("%s: same policy as without the key: want %v", text, same)
		}
	}
}
