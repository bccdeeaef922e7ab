package metrics

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

const methodTango = "Tango score"

// upperZ is the point that a standard normal exceeds with probability alpha.
func upperZ(alpha float64) float64 { return -mathext.NormalQuantile(alpha) }

// normalUpper is P(Z > z), accurate in the upper tail.
func normalUpper(z float64) float64 { return float64(0.5 * math.Erfc(z/math.Sqrt2)) }

// Tango is the two-sided score interval of the paired change (fixed-broke)/n
// (Tango 1998). Without rows it is [-1, 1].
func Tango(broke, fixed, n int64, confidence float64) (low, high float64) {
	return TangoLimits(broke, fixed, n, (1-confidence)/2)
}

// TangoLimits are the one-sided score limits of (fixed-broke)/n, each at level
// alpha: the changes at which the score statistic is +z and -z. Without rows, and for
// counts or levels that are none, they are -1 and 1.
func TangoLimits(broke, fixed, n int64, alpha float64) (lower, upper float64) {
	if n <= 0 || noCounts(broke, fixed) || broke+fixed > n || !(alpha > 0 && alpha < 1) {
		return -1, 1
	}
	return tangoLower(broke, fixed, n, upperZ(alpha)), -tangoLower(fixed, broke, n, upperZ(alpha))
}

// tangoLower finds by bisection the change at which the statistic, which falls
// with the change, is z.
func tangoLower(broke, fixed, n int64, z float64) float64 {
	lo, hi := -1.0, float64(fixed-broke)/float64(n)
	if z <= 0 {
		lo, hi = hi, 1
	}
	return bisect(lo, hi, func(d float64) bool { return tangoZ(broke, fixed, n, d) > z })
}

// tangoZ is the score statistic of the hypothesis that the change is d. The
// share of broken rows under it is the root q of 2n q^2 + B q + C.
func tangoZ(broke, fixed, n int64, d float64) float64 {
	b, c, m := float64(broke), float64(fixed), float64(n)
	B := -c - b + float64((float64(2*m)-c+b)*d)
	C := -b * d * (1 - d)
	root := math.Sqrt(math.Max(0, float64(B*B)-float64(8*m*C)))
	q := (root - B) / (4 * m) // where it loses digits it is small beside d
	num := c - b - float64(m*d)
	if num == 0 {
		return 0
	}
	return num / math.Sqrt(math.Max(0, m*(float64(2*q)+float64(d*(1-d)))))
}

// Newcombe is the square-and-add interval of the paired change (Newcombe 1998,
// method 10, with his continuity-corrected phi). Without rows, and for counts or a
// confidence that are none, it is [-1, 1].
func Newcombe(c Cells, confidence float64) (low, high float64) {
	n := float64(c.N())
	if n == 0 || c.none() || checkConfidence(confidence) != nil {
		return -1, 1
	}
	a, b, f, w := float64(c.BothRight), float64(c.Broke), float64(c.Fixed), float64(c.BothWrong())
	z := upperZ((1 - confidence) / 2)
	p1, p2 := (a+f)/n, (a+b)/n
	l1, u1 := wilson(p1, n, z)
	l2, u2 := wilson(p2, n, z)
	phi := newcombePhi(a, b, f, w, n)
	low = p1 - p2 - math.Sqrt(squareAdd(p1-l1, u2-p2, phi))
	high = p1 - p2 + math.Sqrt(squareAdd(u1-p1, p2-l2, phi))
	return math.Max(-1, low), math.Min(1, high)
}

func squareAdd(x, y, phi float64) float64 {
	return math.Max(0, float64(x*x)-float64(2*phi*x*y)+float64(y*y))
}

// newcombePhi multiplies square roots of the margins: their product overflows
// an int64 at some 50,000 rows.
func newcombePhi(a, b, f, w, n float64) float64 {
	margins := math.Sqrt(a+b) * math.Sqrt(f+w) * math.Sqrt(a+f) * math.Sqrt(b+w)
	if margins == 0 {
		return 0
	}
	d := float64(a*w) - float64(b*f)
	if d > 0 {
		d = math.Max(d-float64(n/2), 0)
	}
	return d / margins
}

func wilson(p, n, z float64) (low, high float64) {
	mid := (p + float64(z*z)/(2*n)) / (1 + float64(z*z)/n)
	half := float64(z / (1 + float64(z*z)/n) * math.Sqrt(float64(p*(1-p))/n+float64(z*z)/(4*n*n)))
	return mid - half, mid + half
}

// BonettPrice is the adjusted Wald interval of the paired change: one row added
// to each discordant cell (Bonett and Price 2012). For counts or a confidence that are
// none it is [-1, 1].
func BonettPrice(broke, fixed, n int64, confidence float64) (low, high float64) {
	if n < 0 || n > mostCount || noCounts(broke, fixed) || broke+fixed > n || checkConfidence(confidence) != nil {
		return -1, 1
	}
	m := float64(n) + 2
	p, q := (float64(fixed)+1)/m, (float64(broke)+1)/m
	half := float64(upperZ((1-confidence)/2) * math.Sqrt((p+q-float64((p-q)*(p-q)))/m))
	return math.Max(-1, p-q-half), math.Min(1, p-q+half)
}
