package metrics

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// A Correlation is a coefficient in [-1, 1] and the two-sided p-value of "there
// is none". P is 1 and PMethod "" where the rows are too few for a test.
type Correlation struct {
	Estimate
	P       float64
	PMethod string
}

const constantColumn = "one of the columns is constant"

func noCorrelation(why string, n int) Correlation {
	return Correlation{Estimate: undefined(why, int64(n)), P: 1}
}

// Pearson is the product-moment correlation of two columns of n rows
// ("pearson@1"), with the t test of n-2 degrees of freedom. It is undefined with
// fewer than 2 rows or where a column is constant. It is an error if the columns
// differ in length, have no rows or hold NaN or an infinity.
func Pearson(x, y []float64) (Correlation, error) {
	if err := checkColumns("the first column", x, "the second", y); err != nil {
		return Correlation{}, err
	}
	n := len(x)
	if n < 2 {
		return noCorrelation("need at least 2 rows", n), nil
	}
	if constant(x) || constant(y) {
		return noCorrelation(constantColumn, n), nil
	}
	u, v := unit(x), unit(y)
	return tested("pearson@1", blockSum(n, func(i int) float64 { return float64(u[i] * v[i]) }), n), nil
}

// Spearman is the Pearson correlation of the midranks ("spearman@1"), with the t
// test of n-2 degrees of freedom. Edges and errors as [Pearson]. O(n log n).
func Spearman(x, y []float64) (Correlation, error) {
	if err := checkColumns("the first column", x, "the second", y); err != nil {
		return Correlation{}, err
	}
	n := len(x)
	rx, tx := midranks(x)
	ry, ty := midranks(y)
	switch {
	case n < 2:
		return noCorrelation("need at least 2 rows", n), nil
	case tx.groups < 2 || ty.groups < 2:
		return noCorrelation(constantColumn, n), nil
	}
	mid := float64(float64(n+1) / 2) // of ranks: what is left are halves, and exact
	sxy := blockSum(n, func(i int) float64 { return float64((rx[i] - mid) * (ry[i] - mid)) })
	sxx := blockSum(n, func(i int) float64 { return float64((rx[i] - mid) * (rx[i] - mid)) })
	syy := blockSum(n, func(i int) float64 { return float64((ry[i] - mid) * (ry[i] - mid)) })
	return tested("spearman@1", sxy/math.Sqrt(sxx*syy), n), nil
}

// tested adds the t test to a coefficient.
func tested(id string, r float64, n int) Correlation {
	c := Correlation{Estimate: number(id, math.Max(-1, math.Min(1, r)), n), P: 1}
	if c.Undefined == "" && n > 2 {
		c.P, c.PMethod = correlationP(c.Value, n), "Student t"
	}
	return c
}

// correlationP is P(|T| > t) of Student's t for t^2 = r^2 (n-2)/(1-r^2), as an
// incomplete beta function of 1-r^2.
func correlationP(r float64, n int) float64 {
	rest := (1 - math.Abs(r)) * (1 + math.Abs(r))
	if rest <= 0 {
		return 0
	}
	return mathext.RegIncBeta(float64(n-2)/2, 0.5, rest)
}

func constant(x []float64) bool {
	for _, v := range x {
		if v != x[0] {
			return false
		}
	}
	return true
}

// unit is x less its mean, at length 1, so that no product overflows or vanishes.
// x is not constant. Where its mean overflows the result is NaN, which makes the
// coefficient undefined.
func unit(x []float64) []float64 {
	n := len(x)
	mean, most := sum(x)/float64(n), 0.0
	out := make([]float64, n)
	for i, v := range x {
		out[i] = v - mean
		most = math.Max(most, math.Abs(out[i]))
	}
	_, exponent := math.Frexp(most)
	for i, v := range out {
		out[i] = math.Ldexp(v, -exponent)
	}
	length := math.Sqrt(sumSquares(out, nil))
	for i := range out {
		out[i] /= length
	}
	return out
}

// Concordance counts the n(n-1)/2 pairs of rows by whether two columns put them
// in the same order.
type Concordance struct {
	Concordant, Discordant int64
	TiedFirst, TiedSecond  int64 // pairs tied in a column, whatever the other says
	TiedBoth               int64
	first, second          tieCount
	rows                   int
}

// CountPairs counts by Knight's method (Knight 1966): sort by the first column,
// then the second, and count the inversions of the second in a merge sort.
// O(n log n). Errors as [Pearson].
func CountPairs(x, y []float64) (Concordance, error) {
	if err := checkColumns("the first column", x, "the second", y); err != nil {
		return Concordance{}, err
	}
	c := Concordance{rows: len(x)}
	keys, rows := sortByKey(sortKeys(y), allRows(len(y)))
	place := make([]int32, len(y)) // place of each row's y among the different ones
	runs(keys, func(from, to int) {
		for _, r := range rows[from:to] {
			place[r] = int32(c.second.groups)
		}
		c.second.add(to - from)
	})
	for i, r := range rows { // in order of y, so that rows of equal x stay in it
		keys[i] = sortKey(x[r])
	}
	keys, rows = sortByKey(keys, rows)
	seq := make([]int32, len(x))
	for i, r := range rows {
		seq[i] = place[r]
	}
	runs(keys, func(from, to int) {
		c.first.add(to - from)
		c.TiedBoth += tiedPairs(seq[from:to])
	})
	c.TiedFirst, c.TiedSecond = c.first.pairs, c.second.pairs
	c.Discordant = inversions(seq)
	c.Concordant = c.Pairs() - c.TiedFirst - c.TiedSecond + c.TiedBoth - c.Discordant
	return c, nil
}

// Pairs is n(n-1)/2.
func (c Concordance) Pairs() int64 { return int64(c.rows) * int64(c.rows-1) / 2 }

// Tied is the number of pairs tied in either column.
func (c Concordance) Tied() int64 { return c.TiedFirst + c.TiedSecond - c.TiedBoth }

// tiedPairs counts pairs of equals in an ascending sequence.
func tiedPairs(s []int32) int64 {
	total := int64(0)
	for from := 0; from < len(s); {
		to := from + 1
		for to < len(s) && s[to] == s[from] {
			to++
		}
		total += int64(to-from) * int64(to-from-1) / 2
		from = to
	}
	return total
}

// inversions counts the pairs i < j with s[i] > s[j]. It sorts s.
func inversions(s []int32) int64 {
	const few = 16
	total := int64(0)
	for from := 0; from < len(s); from += few {
		total += insertionInversions(s[from:min(from+few, len(s))])
	}
	from, to := s, make([]int32, len(s))
	for width := few; width < len(s); width *= 2 {
		for lo := 0; lo < len(s); lo += 2 * width {
			mid, hi := min(lo+width, len(s)), min(lo+2*width, len(s))
			total += mergeInversions(to[lo:hi], from[lo:mid], from[mid:hi])
		}
		from, to = to, from
	}
	return total
}

func insertionInversions(s []int32) int64 {
	moved := 0
	for i := 1; i < len(s); i++ {
		x, j := s[i], i
		for ; j > 0 && s[j-1] > x; j-- {
			s[j] = s[j-1]
		}
		s[j] = x
		moved += i - j
	}
	return int64(moved)
}

// mergeInversions merges a and b into out and counts the pairs of an a with a
// smaller b.
func mergeInversions(out, a, b []int32) int64 {
	total := int64(0)
	for k := range out {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0] <= b[0]:
			out[k], a = a[0], a[1:]
		default:
			out[k], b = b[0], b[1:]
			total += int64(len(a))
		}
	}
	return total
}

// KendallB is tau-b ("kendall_b@1"): concordant less discordant pairs over the
// geometric mean of the pairs that are untied in each column. The p-value is
// exact without ties up to 33 rows or with at most one pair out of order, else
// normal with the variance for ties. Undefined where a column is constant.
func (c Concordance) KendallB() Correlation {
	if why := c.without(); why != "" {
		return noCorrelation(why, c.rows)
	}
	d := float64(c.Concordant - c.Discordant)
	v := d / math.Sqrt(float64(c.Pairs()-c.TiedFirst)) / math.Sqrt(float64(c.Pairs()-c.TiedSecond))
	out := Correlation{Estimate: number("kendall_b@1", math.Max(-1, math.Min(1, v)), c.rows)}
	out.P, out.PMethod = c.kendallP()
	return out
}

// KendallC is Stuart's tau-c ("kendall_c@1"): 2 (concordant - discordant) m /
// (n^2 (m-1)), m the smaller number of different values in a column; for tables
// that are not square. Its test is that of [Concordance.KendallB].
func (c Concordance) KendallC() Correlation {
	if why := c.without(); why != "" {
		return noCorrelation(why, c.rows)
	}
	n, m := float64(c.rows), float64(min(c.first.groups, c.second.groups))
	out := Correlation{Estimate: number("kendall_c@1", 2*float64(c.Concordant-c.Discordant)/(n*n*(m-1)/m), c.rows)}
	out.P, out.PMethod = c.kendallP()
	return out
}

func (c Concordance) without() string {
	if c.rows < 2 {
		return "need at least 2 rows"
	}
	if c.first.groups < 2 || c.second.groups < 2 {
		return constantColumn
	}
	return ""
}

// exactKendallRows is up to where the exact distribution is enumerated.
const exactKendallRows = 33

func (c Concordance) kendallP() (float64, string) {
	n := float64(c.rows)
	few := min(c.Discordant, c.Pairs()-c.Discordant)
	if c.Tied() == 0 && (c.rows <= exactKendallRows || few <= 1) {
		return exactKendall(c.rows, int(few)), "exact"
	}
	m := n * (n - 1)
	v := (float64(m*(float64(2*n)+5))-c.first.x1-c.second.x1)/18 + float64(2*float64(c.TiedFirst)*float64(c.TiedSecond))/m
	if c.rows > 2 {
		v += c.first.x0 * c.second.x0 / (9 * m * (n - 2))
	}
	return math.Min(1, 2*normalUpper(math.Abs(float64(c.Concordant-c.Discordant))/math.Sqrt(v))), "normal"
}

// exactKendall is twice the share of the permutations of n rows that have at
// most few inversions, at most 1. Row j adds 0 to j-1 of them, all as likely
// (Kendall 1938).
func exactKendall(n, few int) float64 {
	p := make([]float64, few+1)
	p[0] = 1
	for j := 2; j <= n; j++ {
		next := make([]float64, few+1)
		for k := range p {
			for i := max(0, k-j+1); i <= k; i++ {
				next[k] += p[i] / float64(j)
			}
		}
		p = next
	}
	return math.Min(1, 2*sum(p))
}
