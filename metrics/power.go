package metrics

import "math"

// exactRows is up to where HoldPower enumerates. Beyond, the normal
// approximation differs from the exact power by less than .005.
const exactRows = 200_000

// HoldPower is the probability that a model as good as its baseline shows so on
// n rows: that Tango's one-sided upper limit of the harm, at level alpha, is
// below margin. Of the rows a share churn is discordant, broken and fixed with
// the same probability. Up to 200,000 rows it is exact, by enumeration of the
// discordant rows; beyond, a normal approximation. What cannot be is 0: a margin
// outside (0, 1], a churn outside [0, 1], a level outside (0, 1), rows that are none or
// above 2^40.
func HoldPower(n int64, churn, margin, alpha float64) float64 {
	if n <= 0 || n > mostCount || !(margin > 0 && margin <= 1) || !(churn >= 0 && churn <= 1) || !(alpha > 0 && alpha < 1) {
		return 0
	}
	z := upperZ(alpha)
	if n > exactRows {
		return holdNormal(float64(n), churn, margin, z)
	}
	mean, sd := float64(float64(n)*churn), math.Sqrt(float64(n)*churn*(1-churn))
	from := max(0, int64(mean-float64(10*sd)-10))
	to := min(n, int64(mean+float64(10*sd)+10))
	power, most := 0.0, int64(0)
	for m := from; m <= to; m++ {
		pm := math.Exp(lnBinomial(m, n, churn, 1-churn))
		most = mostBroke(m, n, margin, z, most)
		if pm > 0 && most >= 0 {
			power += float64(pm * (1 - BinomialUpper(most+1, m, 0.5)))
		}
	}
	return math.Min(1, power)
}

// mostBroke is the largest number of broken among m discordant rows with which
// the limit is still below margin, or -1. It changes by little from one m to the
// next, so the search starts at the last one's.
func mostBroke(m, n int64, margin, z float64, start int64) int64 {
	holds := func(b int64) bool { return tangoZ(b, m-b, n, -margin) > z }
	b := min(max(start, 0), m)
	for b < m && holds(b+1) {
		b++
	}
	for b >= 0 && !holds(b) {
		b--
	}
	return b
}

// holdNormal takes the discordant rows at their mean: fixed-broke is normal with
// variance n*churn, and the statistic has its variance at the margin.
func holdNormal(n, churn, margin, z float64) float64 {
	half := n * churn / 2
	num := float64(n * margin)
	sd0 := num / tangoZ(int64(math.Round(half)), int64(math.Round(half)), int64(n), -margin)
	if churn == 0 {
		if num/sd0 > z {
			return 1
		}
		return 0
	}
	return normalUpper((float64(z*sd0) - num) / math.Sqrt(n*churn))
}

// RowsToHold is the least number of rows on which [HoldPower] reaches power, or
// math.MaxInt64 where no number up to 10^12 does. Because rows come whole, the
// power dips by a little behind each step; the answer is where bisection meets it.
func RowsToHold(churn, margin, alpha, power float64) int64 {
	const limit = int64(1e12)
	reaches := func(n int64) bool { return HoldPower(n, churn, margin, alpha) >= power }
	lo, hi := int64(0), int64(1)
	for !reaches(hi) {
		if hi >= limit {
			return math.MaxInt64
		}
		lo, hi = hi, hi*2
	}
	for hi-lo > 1 {
		if mid := lo + (hi-lo)/2; reaches(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// McNemarRows is the number of rows on which the two-sided McNemar test at level
// alpha finds a change of accuracy with the given power, where a share discordant
// of the rows differs (Connor 1987). It is +Inf where no number is enough: where the
// change is 0 or larger than discordant allows, discordant is above 1, or alpha or power
// is outside (0, 1).
func McNemarRows(discordant, change, alpha, power float64) float64 {
	if change == 0 || !(math.Abs(change) <= discordant && discordant <= 1) || !(alpha > 0 && alpha < 1 && power > 0 && power < 1) {
		return math.Inf(1)
	}
	rest := discordant - float64(change*change)
	root := (float64(upperZ(alpha/2)*math.Sqrt(discordant)) + float64(upperZ(1-power)*math.Sqrt(rest))) / change
	return root * root
}
