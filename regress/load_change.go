package regress

import (
	"errors"
	"fmt"
	"strconv"

	"proctor/regress/generate"
)

// direct returns the change that is written into the test itself.
func (f testFile) direct() changeFile {
	return changeFile{f.Set, f.Swap, f.Add, f.Scale, f.Jitter, f.Rewrite, f.Replace, f.Append}
}

// changing says whether the file writes a change of any form.
func (f testFile) changing() bool {
	return len(f.direct().change().columns()) > 0 || f.Perturb != nil || f.Stamp != nil
}

func (c changeFile) change() change {
	return change{set: c.Set, swap: c.Swap, add: c.Add, scale: c.Scale, jitter: c.Jitter, rewrite: c.Rewrite, replace: c.Replace, append: c.Append}
}

// changes collects the ways in which a test may write its changes, and refuses
// those that its kind does not use. nil: the test changes nothing itself.
func (f testFile) changes() ([]change, error) {
	cs, err := f.written()
	for i := range cs {
		cs[i].seed = generate.SeedOf("change", f.Name, strconv.Itoa(i), cs[i].String())
	}
	return cs, err
}

func (f testFile) written() ([]change, error) {
	kind := Kind(f.Kind)
	direct := f.direct().change()
	appended := kind == Trigger && len(direct.columns()) == len(direct.append) // stamps of text
	other := len(direct.columns()) > 0
	switch {
	case f.Stamp != nil && kind != Trigger:
		return nil, errors.New("only a trigger test has a stamp; write set")
	case f.single() && (other || f.Perturb != nil):
		return nil, fmt.Errorf("%s changes nothing; it has a table of cases", kind.a())
	case f.single():
		return nil, nil
	case kind == Trigger && (other && !appended || f.Perturb != nil):
		return nil, errors.New("a trigger test has a stamp, an append or both, and no other change")
	case kind == Trigger && f.Stamp == nil && !other:
		return nil, errors.New("a trigger test needs a stamp")
	case kind == Trigger:
		return []change{{set: f.Stamp, append: f.Append}}, nil
	case other && f.Perturb != nil:
		return nil, errors.New("it has a change of its own and a list perturb; put all into the list")
	case other:
		return []change{direct}, nil
	case f.Cases != "" && f.Perturb == nil:
		return nil, nil // forms as written
	case len(f.Perturb) == 0:
		return nil, fmt.Errorf("%s needs a change: set, swap, add, scale, jitter, rewrite, replace, append or perturb; or cases with a column %s", kind.a(), caseColumn)
	case len(f.Perturb) > MaxChanges:
		return nil, fmt.Errorf("perturb lists %d changes; at most %d are possible", len(f.Perturb), MaxChanges)
	}
	cs := make([]change, len(f.Perturb))
	for i, p := range f.Perturb {
		cs[i] = p.change()
	}
	return cs, nil
}
