package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// A SymmetryTest tests whether the candidate's classes differ from the baseline's as a whole,
// on the table of the baseline's class (row) against the candidate's (column), K x K
// counts with K >= 2. Two models can differ on many rows with equal shares of classes.
type SymmetryTest struct {
	Statistic float64
	DF        int
	P         float64
}

// Bowker tests symmetry: as many rows go from k to l as from l to k. Degrees of freedom
// are all pairs of classes, those without a row too; PairsSeen are those with one.
// Without a changed row it is 0 with p 1. It is an error if the table is not square or
// a count negative (Bowker 1948).
func Bowker(table [][]int64) (s SymmetryTest, pairsSeen int, err error) {
	if err := checkTable(table); err != nil {
		return SymmetryTest{P: 1}, 0, err
	}
	for i, row := range table {
		for j := range i {
			a, b := float64(row[j]), float64(table[j][i])
			s.DF++
			if a+b > 0 {
				pairsSeen++
				s.Statistic += float64((a - b) * (a - b) / (a + b))
			}
		}
	}
	s.P = chi2Upper(s.Statistic, s.DF)
	return s, pairsSeen, nil
}

// StuartMaxwell tests that both models give each class as often: marginal homogeneity.
// A class that no row changes from or to is left out, and its degree of freedom with
// it. It is an error if the table is not square, a count negative, or the classes fall
// apart into groups between which no row moves, as the statistic then has no value
// (Stuart 1955, Maxwell 1970).
func StuartMaxwell(table [][]int64) (SymmetryTest, error) {
	if err := checkTable(table); err != nil {
		return SymmetryTest{P: 1}, err
	}
	d, v := marginalChange(table)
	if len(d) == 0 {
		return SymmetryTest{P: 1}, nil
	}
	k := len(d) - 1 // the last class follows from the others
	cov := mat.NewSymDense(k, nil)
	for i := range k {
		for j := i; j < k; j++ {
			cov.SetSym(i, j, v[i][j])
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(cov) || chol.Cond() > 1e12 {
		return SymmetryTest{P: 1}, fmt.Errorf("marginal homogeneity: classes fall apart into groups without a change between them")
	}
	x := mat.NewVecDense(k, nil)
	if err := chol.SolveVecTo(x, mat.NewVecDense(k, d[:k])); err != nil {
		return SymmetryTest{P: 1}, fmt.Errorf("marginal homogeneity: %w", err)
	}
	s := SymmetryTest{Statistic: math.Max(0, mat.Dot(x, mat.NewVecDense(k, d[:k]))), DF: k}
	s.P = chi2Upper(s.Statistic, k)
	return s, nil
}

// marginalChange is, over the classes that some row changes from or to, the change of
// their counts and its covariance.
func marginalChange(table [][]int64) (d []float64, v [][]float64) {
	var moved []int
	for i := range table {
		out := int64(0)
		for j := range table {
			if j != i {
				out += table[i][j] + table[j][i]
			}
		}
		if out > 0 {
			moved = append(moved, i)
		}
	}
	for _, i := range moved {
		change, row := 0.0, make([]float64, len(moved))
		for a, j := range moved {
			if j == i {
				continue
			}
			from, to := float64(table[i][j]), float64(table[j][i])
			change += from - to
			row[a] = -(from + to)
		}
		total := 0.0
		for _, x := range row {
			total -= x
		}
		for a, j := range moved {
			if j == i {
				row[a] = total
			}
		}
		d, v = append(d, change), append(v, row)
	}
	return d, v
}

func checkTable(table [][]int64) error {
	if len(table) < 2 {
		return fmt.Errorf("table of changes: %d classes, need at least 2", len(table))
	}
	for _, row := range table {
		if len(row) != len(table) {
			return fmt.Errorf("table of changes: a row of %d columns for %d classes", len(row), len(table))
		}
		for _, x := range row {
			if x < 0 || x > 1<<53 {
				return fmt.Errorf("table of changes: a count of %d", x)
			}
		}
	}
	return nil
}

// chi2Upper is P(X >= x) with k degrees of freedom.
func chi2Upper(x float64, k int) float64 {
	if k == 0 {
		return 1
	}
	return distuv.ChiSquared{K: float64(k)}.Survival(x)
}
