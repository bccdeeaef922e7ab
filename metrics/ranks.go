package metrics

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// number is an estimate without an interval. Its method is the id of the
// definition. A value that is not finite is undefined: the inputs are finite, so
// it overflowed.
func number(id string, value float64, n int) Estimate {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return undefined(id+": the numbers are too large to compute with", int64(n))
	}
	return Estimate{Value: value, N: int64(n), Method: id}
}

// infinite starts the reason of an estimate that other tools give as +Inf.
const infinite = "infinite: "

// maxRows bounds the rows of one computation on ranks: row numbers are int32 and
// pairs of rows are counted in int64.
const maxRows = math.MaxInt32

// checkNumbers refuses an empty, over-long or not finite column.
func checkNumbers(what string, x []float64) error {
	if len(x) == 0 {
		return fmt.Errorf("%s: no rows", what)
	}
	if len(x) > maxRows {
		return fmt.Errorf("%s: %d rows, at most %d are computed with", what, len(x), maxRows)
	}
	bad := 0
	for _, v := range x {
		if v-v != 0 { // NaN or infinite
			bad++
		}
	}
	if bad > 0 {
		return fmt.Errorf("%s: %d numbers are NaN or infinite", what, bad)
	}
	return nil
}

// checkColumns refuses two columns that are not numbers of the same rows.
func checkColumns(first string, x []float64, second string, y []float64) error {
	if len(x) != len(y) {
		return fmt.Errorf("%d rows of %s, %d of %s", len(x), first, len(y), second)
	}
	return errors.Join(checkNumbers(first, x), checkNumbers(second, y))
}

// blockSum adds term(0) to term(n-1) in the blocks of [sum].
func blockSum(n int, term func(i int) float64) float64 {
	total := 0.0
	for from := 0; from < n; from += block {
		part := 0.0
		for i := from; i < min(from+block, n); i++ {
			part += term(i)
		}
		total += part
	}
	return total
}

// sortKey maps finite numbers to integers in the same order; -0 and 0 are equal.
func sortKey(x float64) uint64 {
	b := math.Float64bits(x + 0)
	if b>>63 == 1 {
		return ^b
	}
	return b | 1<<63
}

func unsortKey(k uint64) float64 {
	if k>>63 == 1 {
		return math.Float64frombits(k &^ (1 << 63))
	}
	return math.Float64frombits(^k)
}

func sortKeys(x []float64) []uint64 {
	keys := make([]uint64, len(x))
	for i, v := range x {
		keys[i] = sortKey(v)
	}
	return keys
}

// sorted returns the numbers in ascending order.
func sorted(x []float64) []float64 {
	keys, _ := sortByKey(sortKeys(x), nil)
	out := make([]float64, len(x))
	for i, k := range keys {
		out[i] = unsortKey(k)
	}
	return out
}

// allRows returns 0 to n-1.
func allRows(n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

// radixBits is the width of a digit: six passes over a float64.
const radixBits = 11

// sortByKey sorts keys in ascending order and carries rows along unless they are
// nil; rows of equal keys keep their order. It overwrites both. Least significant
// digit first, and a digit that all keys share costs no pass.
func sortByKey(keys []uint64, rows []int32) ([]uint64, []int32) {
	if len(keys) < 1<<radixBits {
		return sortFew(keys, rows)
	}
	const passes, mask = (64 + radixBits - 1) / radixBits, 1<<radixBits - 1
	var counts [passes][1 << radixBits]int32
	for _, k := range keys {
		for d := range passes {
			counts[d][k>>(d*radixBits)&mask]++
		}
	}
	keys2, rows2 := make([]uint64, len(keys)), make([]int32, len(rows))
	for d := range passes {
		shift, at := d*radixBits, &counts[d]
		if int(at[keys[0]>>shift&mask]) == len(keys) {
			continue
		}
		next := int32(0)
		for b, c := range at {
			at[b] = next
			next += c
		}
		scatter(keys, keys2, rows, rows2, shift, at)
		keys, keys2, rows, rows2 = keys2, keys, rows2, rows
	}
	return keys, rows
}

// scatter moves each key to the next place of its digit.
func scatter(keys, keys2 []uint64, rows, rows2 []int32, shift int, at *[1 << radixBits]int32) {
	if len(rows) == 0 {
		for _, k := range keys {
			b := k >> shift & (1<<radixBits - 1)
			keys2[at[b]] = k
			at[b]++
		}
		return
	}
	for i, k := range keys {
		b := k >> shift & (1<<radixBits - 1)
		to := at[b]
		keys2[to], rows2[to] = k, rows[i]
		at[b]++
	}
}

func sortFew(keys []uint64, rows []int32) ([]uint64, []int32) {
	if len(rows) == 0 {
		slices.Sort(keys)
		return keys, rows
	}
	type pair struct {
		key uint64
		row int32
	}
	pairs := make([]pair, len(keys))
	for i, k := range keys {
		pairs[i] = pair{k, rows[i]}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(a.key, b.key) })
	for i, p := range pairs {
		keys[i], rows[i] = p.key, p.row
	}
	return keys, rows
}

// A tieCount sums over the groups of t equal numbers in a column.
type tieCount struct {
	groups int     // different numbers
	pairs  int64   // t(t-1)/2
	cubes  float64 // t^3 - t
	x0, x1 float64 // t(t-1)(t-2) and t(t-1)(2t+5), of Kendall's variance
}

func (c *tieCount) add(t int) {
	f := float64(t)
	c.groups++
	c.pairs += int64(t) * int64(t-1) / 2
	c.cubes += float64(f * (f - 1) * (f + 1))
	c.x0 += float64(f * (f - 1) * (f - 2))
	c.x1 += float64(f * (f - 1) * (float64(2*f) + 5))
}

// runs calls f for each run [from, to) of equal keys.
func runs(keys []uint64, f func(from, to int)) {
	for from := 0; from < len(keys); {
		to := from + 1
		for to < len(keys) && keys[to] == keys[from] {
			to++
		}
		f(from, to)
		from = to
	}
}

// midranks returns the ascending ranks from 1 on, equal numbers sharing the mean
// of their places.
func midranks(x []float64) ([]float64, tieCount) {
	keys, rows := sortByKey(sortKeys(x), allRows(len(x)))
	ranks := make([]float64, len(x))
	var ties tieCount
	runs(keys, func(from, to int) {
		ties.add(to - from)
		r := float64(from+to+1) / 2
		for _, row := range rows[from:to] {
			ranks[row] = r
		}
	})
	return ranks, ties
}
