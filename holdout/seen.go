package holdout

import (
	"errors"
	"fmt"
	"slices"

	"proctor/holdout/rows"
)

// checkAmends finds a version whose rows cannot be counted back to those of the one
// before it.
func (c Commitment) checkAmends() error {
	if len(c.Erased) > 0 && !c.Amends || c.Amends && c.Previous == "" {
		return errors.New("it lacks rows of a version that it does not amend")
	}
	for i, line := range c.Erased {
		if line < 1 || i > 0 && c.Erased[i-1] >= line {
			return errors.New("its erased rows are not sorted, or one stands twice")
		}
	}
	return nil
}

// After returns where a scored row of the version before stands in c, which amends
// it. Rows are counted from 1. It is false for a row that was erased.
func (c Commitment) After(line int) (int, bool) {
	before, erased := slices.BinarySearch(c.Erased, line)
	return line - before, c.Amends && !erased
}

// Seen holds rows of a set that people have seen. Only a rotation looks into it.
type Seen struct{ rows rows.Table }

// Seen returns scored rows, from 1.
func (c *Custodian) Seen(lines []int) (Seen, error) {
	index := make([]int, len(lines))
	for i, line := range lines {
		if line < 1 || line > c.m.Public.Rows {
			return Seen{}, fmt.Errorf("line %d is no row of %s version %d", line, c.m.Public.Name, c.m.Public.Version)
		}
		index[i] = line - 1
	}
	return Seen{c.parts[partScored].Take(index)}, nil
}

// Compares says whether the reserve has the columns of the rows that were seen, so
// that copies can be found.
func (c *Custodian) Compares(s Seen) bool {
	return s.rows.SameFields(c.parts[partReserve].Fields()) == nil
}
