package web

import (
	"math"
	"strconv"
	"strings"

	"proctor/harness/report"
	"proctor/metrics"
)

// Numbers on pages: a real minus sign, thousands with commas, percent and
// percentage points with two decimals, "–" for what does not exist. A number that
// is not finite cannot come from a report; if one comes it is "–" as well.

const (
	none  = "–"
	minus = "−"
)

// unit is how a kind of number is written.
type unit struct {
	factor   float64 // of the stored value
	decimals int
	suffix   string
}

var (
	percent = unit{100, 2, " %"}  // a share
	points  = unit{100, 2, " pp"} // a change of a share
	ppUnit  = unit{1, 2, " pp"}   // already in percentage points
	number  = unit{1, 4, ""}      // any other value
)

func finite(x *float64) bool { return x != nil && !math.IsNaN(*x) && !math.IsInf(*x, 0) }

func (u unit) write(x *float64) string {
	if !finite(x) {
		return none
	}
	s := strconv.FormatFloat(math.Abs(*x*u.factor), 'f', u.decimals, 64)
	if *x < 0 && strings.Trim(s, "0.") != "" {
		s = minus + s
	}
	return s + u.suffix
}

// signed writes a change: with its sign, zero without one.
func (u unit) signed(x *float64) string {
	s := u.write(x)
	if finite(x) && *x > 0 && strings.Trim(strings.TrimSuffix(s, u.suffix), "0.") != "" {
		return "+" + s
	}
	return s
}

// interval writes "[+0.14, +0.80]", without the unit; "" if there is none.
func (u unit) interval(low, high *float64) string {
	if !finite(low) || !finite(high) {
		return ""
	}
	bare := unit{u.factor, u.decimals, ""}
	return "[" + bare.signed(low) + ", " + bare.signed(high) + "]"
}

func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	digits := strings.TrimPrefix(s, "-")
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if n < 0 {
		return minus + digits
	}
	return digits
}

// share writes k of n as a percentage; nothing of nothing is "–".
func share(k, n int64) string {
	if n <= 0 {
		return none
	}
	x := float64(k) / float64(n)
	return percent.write(&x)
}

// probability writes a p-value: "0.0085", "7.2×10⁻⁸".
func probability(p *float64) string {
	switch {
	case !finite(p) || *p < 0 || *p > 1:
		return none
	case *p == 0:
		return "0"
	case *p >= 0.0001:
		s := strconv.FormatFloat(*p, 'f', 4, 64)
		return strings.TrimSuffix(s, ".0000")
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(*p, 'e', 1, 64), "e-")
	return mantissa + "×10⁻" + superscript(strings.TrimLeft(exponent, "0"))
}

func superscript(digits string) string {
	var b strings.Builder
	for _, d := range digits {
		b.WriteRune([]rune("⁰¹²³⁴⁵⁶⁷⁸⁹")[d-'0'])
	}
	return b.String()
}

// level writes a confidence: "95 %", "99.9 %".
func level(confidence float64) string {
	return strconv.FormatFloat(math.Round(confidence*1e6)/1e4, 'f', -1, 64) + " %"
}

// plural writes "1 row", "2 rows".
func plural(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + one + "s"
}

// A direction is what a change means for those it touches. It is unclear when the
// interval holds zero or does not exist: no change was shown, nor its absence.
type direction string

const (
	worse   direction = "worse"
	better  direction = "better"
	unclear direction = "unclear"
)

func directionOf(e report.Estimate, higherBetter bool) direction {
	if !finite(e.Low) || !finite(e.High) {
		return unclear
	}
	switch {
	case *e.High < 0 && higherBetter, *e.Low > 0 && !higherBetter:
		return worse
	case *e.Low > 0 && higherBetter, *e.High < 0 && !higherBetter:
		return better
	}
	return unclear
}

// titles are the names of metrics as people write them.
var titles = map[string]string{
	"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "precision": "precision", "recall": "recall", "f1": "F1",
	"mcc": "Matthews correlation", "kappa": "Cohen's kappa", "roc_auc": "ROC AUC", "average_precision": "average precision", "log_loss": "log loss", "brier": "Brier score", "ece": "expected calibration error",
}

// unitOf returns how the values of a metric are written, and how its changes are.
func unitOf(id string) (value, change unit) {
	name, _, _ := strings.Cut(id, "@")
	if def, ok := metrics.Lookup(name); ok && def.Share {
		return percent, points
	}
	return number, number
}

// A quantity is a number of a finding, in the finding's unit. Points are changes
// and carry their sign; percentages and counts are not and do not.
type quantity struct {
	unit
	isChange bool
}

func quantityOf(name string, value *float64) quantity {
	switch {
	case name == "pp":
		return quantity{ppUnit, true}
	case name == "" && finite(value) && *value == math.Trunc(*value):
		return quantity{unit{1, 0, ""}, false}
	case name == "":
		return quantity{number, true}
	}
	return quantity{unit{1, 2, " " + name}, false}
}

func (q quantity) value(x *float64) string {
	if q.isChange {
		return q.signed(x)
	}
	return q.write(x)
}
