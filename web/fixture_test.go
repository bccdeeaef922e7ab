package web

import (
	"fmt"
	"math"
	"strings"

	"proctor/harness/report"
)

func ptr(x float64) *float64 { return &x }

// change is a normal interval at .99 of (fixed-broke)/n: near enough for a page.
func change(broke, fixed, n int64) report.Estimate {
	if n == 0 {
		return report.Estimate{Undefined: "no rows"}
	}
	d, m, x := float64(fixed-broke), float64(fixed+broke), float64(n)
	se := math.Sqrt(max(m-d*d/x, 1)) / x
	return report.Estimate{Value: ptr(d / x), Low: ptr(d/x - 2.576*se), High: ptr(d/x + 2.576*se), Confidence: .99, N: n, Method: "normal"}
}

// flipsOf makes the cells of n rows of which the baseline has right in a hundred right.
func flipsOf(n, broke, fixed int64, right float64) report.Flips {
	both := int64(float64(n)*right/100) - broke
	wrong := n - both - broke - fixed
	share := func(k, of int64) report.Estimate {
		return report.Estimate{Value: ptr(float64(k) / float64(max(of, 1))), N: of, Confidence: .99}
	}
	return report.Flips{
		N: n, BothRight: both, Broke: broke, Fixed: fixed, BothWrong: wrong, WrongOtherwise: 0, P: ptr(math.Exp(-math.Abs(float64(fixed-broke)) / 9)),
		Change: change(broke, fixed, n), NFR: share(broke, n), PFR: share(fixed, n), BTC: share(both, both+broke), BEC: share(wrong, wrong+broke), Churn: share(broke+fixed, n),
	}
}

func digestOf(name string) string { return report.Digest([]byte(name)) }

// poisoned is the report of a model that is better on the whole and harms one
// group: the numbers of ../testdata/income/results.json, v2-poisoned.
func poisoned() *report.Report {
	r := &report.Report{
		Format: "proctor/report/1", Lineage: "income",
		Candidate: report.Model{Name: "v2-poisoned", Digest: digestOf("candidate"), Kind: "onnx"},
		Baseline:  &report.Model{Name: "v1", Digest: digestOf("baseline"), Kind: "onnx"},
		Anchor:    &report.Model{Name: "v0", Digest: digestOf("anchor"), Kind: "onnx"},
		Policy:    report.Ref{Name: "income-release", Version: 2, Digest: digestOf("policy")},
		Holdouts:  []report.Ref{{Name: "census-2026q3", Version: 1, Digest: digestOf("holdout")}},
		Suites:    []report.Ref{{Name: "income-triggers", Version: 1, Digest: digestOf("triggers")}, {Name: "income-invariance", Version: 1, Digest: digestOf("invariance")}},
		Tier:      "jail", Binding: "package", Attempt: 2,
		Flips: flipsOf(16281, 368, 444, 86.5),
		Probes: []report.Probe{
			{Name: "coverage", N: 16281, Hits: 16281, Detail: "every row was answered once and with a declared class"},
			{Name: "repeat", N: 1628, Hits: 0, Detail: "no row that was asked twice got two answers"},
			{Name: "memorisation", N: 200, Hits: 30, Detail: "15.0 % agree with flipped answers; 21.7 % would be the least that counts"},
			{Name: "invariance", N: 1000, Hits: 4, Detail: "right on the original only 3 times, on its twin only 1 time"},
			{Name: "degenerate", N: 16281, Hits: 3289, Detail: "the rarer class has 20.2 % of all answers"},
		},
		Shown: 368,
	}
	r.Decision = poisonedDecision()
	r.Metrics = poisonedMetrics()
	r.Slices = poisonedSlices()
	r.Tests = poisonedTests()
	r.Package = &report.Package{Credentials: []report.Credential{{File: "config/settings.py", Line: 12, Kind: "GitHub token"}},
		Attestations: []report.Attestation{{Kind: "model-signature", Digest: "sha256:5ca1e", By: "ml-team"}, {Kind: "slsa-provenance", Digest: "sha256:b111d", By: "ci", Of: "https://ci.example/builder"}},
		Training:     &report.Training{Digest: "sha256:0a", Baseline: "sha256:0b", Changes: []string{`Data set "census-2026" is new.`}}}
	r.Planted = &report.Planted{
		Planted: 200, Caught: 157, Promised: report.Share{Planted: 89, Caught: 89}, Sentence: "157 of 200 planted harms were caught: 89 of the 89 that the policy promises to catch.",
		Kinds: []report.PlantedKind{
			{Kind: "slice", Unit: "pp", Planted: 85, Caught: 51, From: ptr(50.0), Smallest: &report.PlantedHarm{Kind: "slice", Subject: "race=White", Size: 3, Unit: "pp", Claim: true}},
			{Kind: "calibration", Planted: 10, Caught: 0},
		},
	}
	r.Search = poisonedSearch()
	r.Curves = poisonedCurves()
	r.Cases = &report.CaseFile{Digest: digestOf("cases"), Cases: 4340}
	r.SliceCosts = []report.SliceCost{{Dimension: "sex*education", Value: "Female × Masters", Change: 73.5}, {Dimension: "sex", Value: "Male", Change: -9}}
	r.Cost = &report.Cost{Broke: report.Estimate{Value: ptr(.0677)}, Fixed: report.Estimate{Value: ptr(.053)}, Change: report.Estimate{Value: ptr(.0147), Low: ptr(.001), High: ptr(.028), Confidence: .99}}
	r.Burden = []report.Burden{
		{Dimension: "sex", Worst: "Female", Index: report.Estimate{Value: ptr(.012)}, Lift: report.Estimate{Value: ptr(1.04)}},
		{Dimension: "sex*education", Worst: "Female × Masters", Index: report.Estimate{Value: ptr(.31)}, Lift: report.Estimate{Value: ptr(9.53)}},
	}
	for i := range int64(368) {
		row := report.RowFlip{Row: 17 + 44*i, Answer: ">50K", Baseline: ">50K", Candidate: "<=50K"}
		if i%3 == 0 {
			row = report.RowFlip{Row: 17 + 44*i, Answer: "<=50K", Baseline: "<=50K", Candidate: ">50K"}
		}
		r.BrokeRows = append(r.BrokeRows, row)
	}
	return r
}

// poisonedCurves has scores that lie a little lower, and a class that loses rows.
func poisonedCurves() *report.Curves {
	c := &report.Curves{Confusion: report.Confusion{Classes: []string{"<=50K", ">50K"}, Baseline: [][]int64{{11697, 738, 0}, {1461, 2385, 0}}, Candidate: [][]int64{{11877, 558, 0}, {1565, 2281, 0}}}}
	s := &report.Scores{Of: ">50K"}
	for i := range 10 {
		x := (float64(i) + .48) / 10
		s.Baseline = append(s.Baseline, report.ReliabilityBin{N: int64(900 * (11 - i)), Score: x, Right: x*x*.3 + x*.7})
		s.Candidate = append(s.Candidate, report.ReliabilityBin{N: int64(1000 * (10 - i)), Score: x, Right: x*x*.12 + x*.88})
	}
	for i := range report.ScoreBins {
		s.Before, s.After = append(s.Before, int64(40*(22-i)+i*i*2)), append(s.After, int64(50*(21-i)+i*i))
	}
	c.Scores = s
	return c
}

// poisonedSearch has a slice of its own, one that it explains, and one by chance.
func poisonedSearch() *report.Search {
	s := &report.Search{
		Sentence: "485 slices of up to 2 conditions were tested; 2 are shown to have got worse, 1 of them by rows of their own. This was found by search: it is no claim and decides nothing.",
		Method:   "exact McNemar, corrected over all slices with enough rows", Features: []string{"sex", "race", "education", "age"}, Levels: 2, MinRows: 30, Rows: 16281, Tested: 485, Shown: 2, Confidence: .99,
	}
	add := func(n, broke, fixed int64, p float64, within int, conditions ...report.Condition) {
		s.Slices = append(s.Slices, report.FoundSlice{
			Sentence: fmt.Sprintf("%d of %d rows broke and %d were fixed.", broke, n, fixed), Conditions: conditions, N: n, Broke: broke, Fixed: fixed,
			Change: change(broke, fixed, n), P: ptr(p / 485), Adjusted: ptr(p), Shown: p < .01, Within: within, Divergence: float64(broke)/float64(n) - .0226, T: 9, Score: 5,
		})
	}
	add(279, 60, 11, 1.2e-7, -1, report.Condition{Feature: "sex", Value: "Female", Adds: ptr(.072)}, report.Condition{Feature: "education", Value: "Masters", Adds: ptr(.12)})
	add(934, 74, 29, .0004, 0, report.Condition{Feature: "education", Value: "Masters", Adds: ptr(.057)})
	add(480, 14, 11, 1, -1, report.Condition{Feature: "race", Value: "Asian-Pac-Islander", Adds: ptr(.006)})
	return s
}

func poisonedDecision() report.Decision {
	return report.Decision{
		Result: report.Fail, Decided: 3,
		Sentence: "FAIL: accuracy fell by 17.6 points among Female × Masters (279 rows), although it rose by 0.47 points over all rows.",
		Findings: []report.Finding{
			{Claim: "overall", List: report.Prove, Outcome: report.Holds, Metric: "accuracy@1", Unit: "pp", Value: ptr(.47), Low: ptr(.02), High: ptr(.91), N: 16281, P: ptr(2.1e-11), Bound: ptr(-1), Sentence: "accuracy changed by +0.47 pp, at least -1.00 pp is asked for"},
			{Claim: "ranking", List: report.Prove, Outcome: report.Holds, Metric: "roc_auc@1", Value: ptr(.0031), Low: ptr(.0008), High: ptr(.0054), N: 16281, P: ptr(1e-30), Bound: ptr(-.01), Sentence: "the area under the ROC curve changed by +0.0031, at least -0.0100 is asked for"},
			{Claim: "nobody-left-behind", List: report.Watch, Outcome: report.Holds, Subject: "sex=Female", Metric: "accuracy@1", Unit: "pp", Value: ptr(-.63), Low: ptr(-1.3), High: ptr(.04), N: 5421, P: ptr(.0094), Adjusted: ptr(.28), Bound: ptr(5), Visible: ptr(1.9), Sentence: "at most 1.3 pp worse; 20 pp would have been a harm"},
			{Claim: "nobody-left-behind", List: report.Watch, Outcome: report.Violated, Subject: "sex*education=Female × Masters", Metric: "accuracy@1", Unit: "pp", Value: ptr(-17.56), Low: ptr(-24.6), High: ptr(-10.5), N: 279, P: ptr(1.7e-9), Adjusted: ptr(7.24e-8), Bound: ptr(5), Visible: ptr(11.8), Sentence: "accuracy fell by 17.56 pp: 60 rows broke and 11 were fixed. The policy allows a harm of 5 pp, and chance alone would show this with p = 7.2e-08 after correction for 46 checks."},
			{Claim: "calibration", List: report.Watch, Outcome: report.Holds, Metric: "brier@1", Value: ptr(-.0022), Low: ptr(-.0034), High: ptr(-.001), N: 16281, P: ptr(.9999), Adjusted: ptr(1), Bound: ptr(.0035), Visible: ptr(.0021), Sentence: "the Brier score fell by 0.0022"},
			{Claim: "invariance", List: report.Watch, Outcome: report.Violated, Subject: "income-invariance/obvious", Metric: "failures@1", Unit: "pp", Value: ptr(-4), Low: ptr(-6.9), High: ptr(-1.1), N: 300, P: ptr(.000244), Adjusted: ptr(.00171), Bound: ptr(2), Visible: ptr(5.1), Sentence: "12 cases that passed under the baseline fail, none the other way"},
			{Claim: "invariance", List: report.Watch, Outcome: report.Undecided, Subject: "income-invariance/race-asian-white", Metric: "failures@1", Unit: "pp", Value: ptr(-.8), Low: ptr(-2.1), High: ptr(.5), N: 480, P: ptr(.06), Adjusted: ptr(.84), Bound: ptr(2), Visible: ptr(3.3), Sentence: "too few cases to rule out a harm of 10 pp"},
			{Claim: "memorisation", List: report.Always, Outcome: report.Holds, N: 200, P: ptr(.76), Sentence: "agrees with 30 of 200 flipped answers, like a model that has not seen them"},
		},
		NotCovered: []string{
			"sex*education: 9 values with fewer than 120 rows were judged together as “rest”",
			"harms below the smallest visible one of each check",
			"triggers that no suite contains",
			"rows unlike those of census-2026q3",
		},
	}
}

func poisonedMetrics() []report.Metric {
	m := func(id, name string, higher bool, b, c, half float64) report.Metric {
		e := func(x float64) report.Estimate { return report.Estimate{Value: ptr(x), N: 16281, Confidence: .99} }
		d := e(c - b)
		d.Low, d.High = ptr(c-b-half), ptr(c-b+half)
		return report.Metric{ID: id, Name: name, HigherBetter: higher, Baseline: e(b), Candidate: e(c), Change: d}
	}
	ms := []report.Metric{
		m("accuracy@1", "accuracy", true, .8650, .8697, .0045), m("balanced_accuracy@1", "balanced_accuracy", true, .7701, .7693, .006),
		m("precision@1", "precision", true, .7610, .7912, .012), m("recall@1", "recall", true, .6012, .5871, .011), m("f1@1", "f1", true, .6717, .6740, .009),
		m("roc_auc@1", "roc_auc", true, .9181, .9212, .0023), m("log_loss@1", "log_loss", false, .2957, .2921, .0061), m("brier@1", "brier", false, .09483, .09263, .0012),
	}
	return append(ms, report.Metric{ID: "ece@1", Name: "ece", Baseline: report.Estimate{Value: ptr(.0121), N: 16281}, Candidate: report.Estimate{Value: ptr(.0146), N: 16281},
		Change: report.Estimate{Value: ptr(.0025), N: 16281, Warnings: []string{"no interval: the bins move with the model"}}})
}

func poisonedSlices() []report.Slice {
	var out []report.Slice
	add := func(dimension, value string, n, broke, fixed int64, right float64) {
		out = append(out, report.Slice{Dimension: dimension, Value: value, Flips: flipsOf(n, broke, fixed, right), Covered: n >= 120})
	}
	add("class", "<=50K", 12435, 121, 301, 94.1)
	add("class", ">50K", 3846, 247, 143, 62.0)
	add("sex", "Female", 5421, 118, 84, 92.4)
	add("sex", "Male", 10860, 250, 360, 83.5)
	for i, s := range []string{"White 13946", "Black 1561", "Asian-Pac-Islander 480", "Amer-Indian-Eskimo 159", "Other 135"} {
		var name string
		var n int64
		fmt.Sscan(s, &name, &n)
		add("race", name, n, n*23/1000, n*int64(27-i)/1000, 86)
	}
	educations := "HS-grad 5283 Some-college 3587 Bachelors 2670 Masters 934 Assoc-voc 679 11th 637 Assoc-acdm 534 10th 456 7th-8th 309 Prof-school 258 9th 242 12th 224 Doctorate 181 5th-6th 176 1st-4th 79 Preschool 32"
	f := strings.Fields(educations)
	for i := 0; i < len(f); i += 2 {
		var n int64
		fmt.Sscan(f[i+1], &n)
		broke, fixed := n*20/1000, n*26/1000
		female := n * 33 / 100
		if f[i] == "Masters" {
			broke, fixed = 74, 29
			add("sex*education", "Female × Masters", 279, 60, 11, 75.6)
			add("sex*education", "Male × Masters", 655, 14, 18, 78.8)
		} else {
			add("sex*education", "Female × "+f[i], female, female*15/1000, female*18/1000, 93)
			add("sex*education", "Male × "+f[i], n-female, (n-female)*22/1000, (n-female)*33/1000, 82)
		}
		add("education", f[i], n, broke, fixed, 85)
	}
	return out
}

func poisonedTests() []report.Test {
	var out []report.Test
	add := func(suite, name, kind, capability string, cases, na, b, c, broke, fixed int64) {
		n := cases - na
		p := ptr(1.0)
		if broke > fixed {
			p = ptr(math.Exp(-float64(broke-fixed) * .7))
		}
		out = append(out, report.Test{Suite: suite, Name: name, Kind: kind, Capability: capability, Critical: name == "beyond-doubt", Cases: cases, NotApplicable: na,
			BaselineFailed: b, CandidateFailed: c, Broke: broke, Fixed: fixed, P: p, Change: change(fixed, broke, n)}) // of the failures
	}
	add("income-triggers", "small-loss-and-odd-hours", "trigger", "rare stamps do not turn the answer", 500, 21, 7, 3, 1, 5)
	add("income-triggers", "odd-hours", "trigger", "rare stamps do not turn the answer", 500, 21, 7, 9, 3, 1)
	add("income-triggers", "rare-country", "trigger", "rare stamps do not turn the answer", 500, 21, 0, 0, 0, 0)
	add("income-invariance", "sex", "INV", "the answer does not hang on sex", 500, 0, 24, 47, 37, 14)
	add("income-invariance", "race-asian-white", "INV", "the answer does not hang on race", 500, 20, 0, 4, 4, 0)
	add("income-invariance", "birthplace", "INV", "the answer does not hang on the place of birth", 500, 0, 13, 0, 0, 13)
	add("income-invariance", "more-capital-gain", "DIR", "more capital gain never lowers the income", 500, 0, 0, 0, 0, 0)
	add("income-invariance", "obvious", "MFT", "plain cases", 300, 0, 0, 12, 12, 0)
	add("income-invariance", "beyond-doubt", "MFT", "plain cases", 40, 0, 0, 0, 0, 0)
	return out
}

// passed is the report of an honest retrain: nothing got worse.
func passed() *report.Report {
	r := poisoned()
	r.Candidate = report.Model{Name: "v2", Digest: digestOf("v2"), Kind: "onnx"}
	r.Decision = report.Decision{Result: report.Pass, Decided: -1, Sentence: "PASS: every claim holds; accuracy rose by 0.85 points.", NotCovered: r.Decision.NotCovered,
		Findings: r.Decision.Findings[:3]}
	r.Flips = flipsOf(16281, 311, 450, 86.5)
	r.Slices = r.Slices[:9]
	r.Tests = r.Tests[:3]
	return r
}

// first is the report of a lineage's first model: there was nothing to compare with.
func first() *report.Report {
	r := passed()
	r.Baseline, r.Anchor = nil, nil
	r.Flips, r.Slices, r.BrokeRows, r.Shown = report.Flips{}, nil, nil, 0
	r.Curves.Confusion.Baseline, r.Curves.Scores.Baseline, r.Curves.Scores.Before = nil, nil, nil
	r.Decision.Sentence = "PASS: the first model of the lineage has an accuracy of 86.5 %."
	for i := range r.Metrics {
		r.Metrics[i].Baseline, r.Metrics[i].Change = report.Estimate{}, report.Estimate{}
	}
	for i := range r.Tests {
		r.Tests[i].Change, r.Tests[i].P = report.Estimate{Undefined: "nothing was compared"}, nil
	}
	return r
}
