package ci

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
)

// The subset of SARIF 2.1.0 that code scanning reads.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool struct {
		Driver sarifDriver `json:"driver"`
	} `json:"tool"`
	Results []sarifResult `json:"results"`
}

type sarifDriver struct {
	Name  string      `json:"name"`
	Rules []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID   string    `json:"id"`
	Text sarifText `json:"shortDescription"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	Rule         string            `json:"ruleId"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints"`
}

type sarifLocation struct {
	Physical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region struct {
			Line int `json:"startLine"`
		} `json:"region"`
	} `json:"physicalLocation"`
}

// MaxResults is the most results of a SARIF file; readers refuse longer ones.
const MaxResults = 5000

// SARIF writes a result for everything that is not ok. The fingerprint of an entry is
// that of its group, name and rule, so that it is the same entry in the next run.
func (r Run) SARIF(w io.Writer) error {
	log := sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: make([]sarifRun, 1)}
	run := &log.Runs[0]
	run.Tool.Driver = sarifDriver{Name: "proctor", Rules: []sarifRule{}}
	run.Results = []sarifResult{}
	known := map[string]bool{}
	for _, e := range r.all() {
		if e.State == OK || len(run.Results) == MaxResults {
			continue
		}
		if !known[e.Rule] {
			known[e.Rule] = true
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{e.Rule, sarifText{e.Rule}})
		}
		run.Results = append(run.Results, r.sarif(e))
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(log)
}

func (r Run) sarif(e Entry) sarifResult {
	sum := sha256.Sum256([]byte(e.Group + "\x00" + e.Name + "\x00" + e.Rule))
	out := sarifResult{
		Rule: e.Rule, Level: map[string]string{Failed: "error", NotRun: "note"}[e.State],
		Message: sarifText{e.Group + "/" + e.Name + ": " + e.Says}, Locations: []sarifLocation{},
		Fingerprints: map[string]string{"proctor/v1": hex.EncodeToString(sum[:16])},
	}
	if out.Level == "" {
		out.Level = "warning"
	}
	if r.File != "" {
		var l sarifLocation
		l.Physical.Artifact.URI, l.Physical.Region.Line = r.File, 1
		out.Locations = append(out.Locations, l)
	}
	return out
}
