package holdout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"proctor/holdout/rows"
)

// Shares of each class that a feature must tell to be taken for the answer; less is
// enough where its name says that it is one.
const (
	proxyShare   = .995
	tellingShare = .9
)

var telling = []string{"label", "labels", "target", "targets", "y", "y_true", "class", "answer", "gold", "ground_truth", "groundtruth", "outcome"}

// checkProxies refuses a feature that gives the answer away: by few values that stand
// for the classes, by numbers whose ranges do, or by texts that name them.
func checkProxies(features rows.Table, labels []int32, classes []string) error {
	for _, c := range features.Columns() {
		share := proxyShare
		if slices.Contains(telling, strings.ToLower(strings.TrimSpace(c.Name))) {
			share = tellingShare
		}
		why := ""
		switch {
		case givesAway(c, labels, len(classes), share):
			why = "its few values stand for the classes one to one"
		case c.IsNumber() && rangesApart(c.Floats, labels, len(classes), share):
			why = "each class has a range of its numbers to itself"
		case !c.IsNumber() && namesClass(c.Strings, labels, classes, share):
			why = "its texts name the class"
		default:
			continue
		}
		return fmt.Errorf("feature %q gives the answer away: %s; take it out of the features", c.Name, why)
	}
	return nil
}

// rangesApart says whether the middle share of each class lies in a range of its
// own. A class of fewer than 20 rows may do so by chance.
func rangesApart(values []float64, labels []int32, classes int, share float64) bool {
	of := make([][]float64, classes)
	for r, k := range labels {
		of[k] = append(of[k], values[r])
	}
	type span struct{ low, high float64 }
	var spans []span
	for _, v := range of {
		if len(v) < 20 {
			return false
		}
		slices.Sort(v)
		out := int((1 - share) / 2 * float64(len(v)))
		spans = append(spans, span{v[out], v[len(v)-1-out]})
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.low, b.low) })
	for i := range spans[1:] {
		if spans[i].high >= spans[i+1].low {
			return false
		}
	}
	return true
}

// namesClass says whether the texts of each class have its name in them, and no
// other's. Names of one character are in too many texts.
func namesClass(texts []string, labels []int32, classes []string, share float64) bool {
	var names []string
	for _, c := range classes {
		if len(c) < 2 {
			return false
		}
		names = append(names, strings.ToLower(c))
	}
	named, all := make([]int, len(classes)), make([]int, len(classes))
	for r, k := range labels {
		all[k]++
		text, best := strings.ToLower(texts[r]), -1
		for i, name := range names { // of names within names, the longest counts
			if strings.Contains(text, name) && (best < 0 || len(name) > len(names[best])) {
				best = i
			}
		}
		if best == int(k) {
			named[k]++
		}
	}
	for k := range all {
		if float64(named[k]) < share*float64(all[k]) {
			return false
		}
	}
	return true
}
