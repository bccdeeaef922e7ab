package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// A CaseFile names what each case of each suite came to. It lies beside the report,
// which stays small, and is signed by its digest here.
type CaseFile struct {
	Digest string `json:"digest"`
	Cases  int64  `json:"cases"`
}

// Cases are the outcomes of all cases of a run, suites in the report's order.
type Cases struct {
	Format  string       `json:"format"` // "proctor/cases/1"
	Classes []string     `json:"classes"`
	Suites  []SuiteCases `json:"suites"`
}

// CasesFormat is the version of the stored form.
const CasesFormat = "proctor/cases/1"

// A SuiteCases is one suite, named by its digest.
type SuiteCases struct {
	Name   string      `json:"name"`
	Digest string      `json:"digest"`
	Tests  []TestCases `json:"tests"`
}

// A TestCases holds a letter for each case and each answer of a test, in order.
type TestCases struct {
	Name string `json:"name"`
	// Baseline and Candidate have a letter a case: p passed, f failed, n not
	// applicable. Baseline is "" where nothing was compared.
	Baseline  string `json:"baseline"`
	Candidate string `json:"candidate"`
	// Before and After are the answers to each example: an index into Classes, -1 for
	// none of them. Before is null where nothing was compared.
	Before []int32 `json:"before"`
	After  []int32 `json:"after"`
}

// EncodeCases returns the one byte form and its digest.
func EncodeCases(c *Cases) ([]byte, string, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, "", fmt.Errorf("encode cases: %w", err)
	}
	return b, Digest(b), nil
}

// DecodeCases reads cases only if the bytes have the given digest and hold together.
func DecodeCases(b []byte, digest string) (*Cases, error) {
	if got := Digest(b); got != digest {
		return nil, fmt.Errorf("the cases are %s, the report names %s", got, digest)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var c Cases
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("decode cases: %w", err)
	}
	if d.More() {
		return nil, errors.New("decode cases: bytes after the end")
	}
	return &c, c.check()
}

func (c *Cases) check() error {
	if c.Format != CasesFormat {
		return fmt.Errorf("the cases have the form %q", c.Format)
	}
	for _, s := range c.Suites {
		for _, t := range s.Tests {
			if t.Baseline != "" && (len(t.Baseline) != len(t.Candidate) || len(t.Before) != len(t.After)) {
				return fmt.Errorf("cases of %s/%s: the two models have different numbers of them", s.Name, t.Name)
			}
			for _, list := range [][]int32{t.Before, t.After} {
				for _, a := range list {
					if a < -1 || int(a) >= len(c.Classes) {
						return fmt.Errorf("cases of %s/%s: answer %d of %d classes", s.Name, t.Name, a, len(c.Classes))
					}
				}
			}
		}
	}
	return nil
}
