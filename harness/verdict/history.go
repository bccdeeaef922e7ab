package verdict

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// A History is what the statements of a log say of runs so far. It refuses the first
// statement that those before it do not allow: a verdict without a plan, an approval
// of what did not pass. The zero value is that of an empty log. It can be kept as
// JSON between two readings.
type History struct {
	Size     int64               `json:"size,string"` // entries so far
	Runs     map[string]*Planned `json:"runs"`        // by run
	Evidence map[string]string   `json:"evidence"`    // digest of evidence -> result
	Approved map[string]int64    `json:"approved"`    // digest of an approval -> index

	Activated map[string]bool `json:"activated"` // ids of proposals
	Refused   map[string]bool `json:"refused"`   // digests of evidence that a reviewer refused
	// Revoked are digests of evidence, of packages and of whatever else was revoked.
	Revoked map[string]bool `json:"revoked,omitempty"`
	// Revocations are their entries, in order.
	Revocations []int64 `json:"revocations,omitempty"`
}

// Planned is a run that has a plan in the log.
type Planned struct {
	Plan    int64  `json:"plan,string"`
	Seed    string `json:"seed_sha256"`
	Package string `json:"package"`
	Ended   bool   `json:"ended"` // by a verdict or an abort
}

// Add takes the statement of the next entry.
func (h *History) Add(index int64, e *Envelope) error {
	if index != h.Size {
		return fmt.Errorf("entry %d is not the next one, %d is", index, h.Size)
	}
	if h.Runs == nil {
		h.Runs, h.Evidence, h.Approved = map[string]*Planned{}, map[string]string{}, map[string]int64{}
	}
	if h.Activated == nil || h.Refused == nil {
		h.Activated, h.Refused = map[string]bool{}, map[string]bool{}
	}
	h.Size++
	switch s := e.Statement().(type) {
	case *Plan:
		if h.Runs[s.Run.ID] != nil {
			return fmt.Errorf("run %s has a second plan", clip(s.Run.ID))
		}
		h.Runs[s.Run.ID] = &Planned{Plan: index, Seed: s.SeedSHA256, Package: s.subject().Digest}
	case *Evidence:
		return h.verdict(e.Digest(), s)
	case *Abort:
		_, err := h.end("an abort", s.Run.ID, s.Plan, s.subject())
		return err
	case *Exposure:
		if p := h.Runs[s.Run.ID]; p == nil || p.Ended {
			return fmt.Errorf("a charge for run %s, which has no plan or has ended", clip(s.Run.ID))
		}
	case *Review:
		if h.Evidence[s.Evidence] != Pass {
			return errors.New("a review of evidence that is not in the log, or did not pass")
		}
		if s.Decision != "approve" {
			h.Refused[s.Evidence] = true
		}
	case *Change:
		if s.Action == "activated" {
			if h.Activated[s.ID] {
				return fmt.Errorf("proposal %s is activated twice", clip(s.ID))
			}
			h.Activated[s.ID] = true
		}
	case *Approval:
		if h.Evidence[s.EvidenceDigest()] != Pass {
			return errors.New("an approval of evidence that is not in the log, or did not pass")
		}
		if h.Refused[s.EvidenceDigest()] {
			return errors.New("an approval of what a reviewer had refused")
		}
		for _, d := range []string{s.EvidenceDigest(), s.subject().Digest, s.PolicyDigest()} {
			if h.Revoked[d] {
				return errors.New("an approval of what is revoked")
			}
		}
		h.Approved[e.Digest()] = index
	case *Revocation:
		h.Revocations = append(h.Revocations, index)
		return h.revoke(s)
	case *Waiver:
		if h.Evidence[s.Evidence] != s.Result {
			return errors.New("a waiver for evidence that is not in the log, or has another result")
		}
	case *RevocationList:
		return errors.New("a list of revocations, which is in no log")
	}
	return nil
}

func (h *History) revoke(s *Revocation) error {
	if h.Revoked == nil {
		h.Revoked = map[string]bool{}
	}
	h.Revoked[s.Target.Digest] = true
	for _, d := range s.Evidence {
		if h.Evidence[d] == "" {
			return errors.New("a revocation of evidence that is not in the log")
		}
		h.Revoked[d] = true
	}
	return nil
}

func (h *History) verdict(digest string, s *Evidence) error {
	p, err := h.end("a verdict", s.Run.ID, s.Plan, s.subject())
	if err != nil {
		return err
	}
	seed, err := hex.DecodeString(s.Seed)
	if sum := sha256.Sum256(seed); err != nil || "sha256:"+hex.EncodeToString(sum[:]) != p.Seed {
		return fmt.Errorf("the verdict of run %s reveals another seed than its plan fixed", clip(s.Run.ID))
	}
	h.Evidence[digest] = s.Result
	for _, d := range restsOn(s) {
		if h.Revoked[d] { // a verdict may come; its approval may not
			h.Revoked[digest] = true
		}
	}
	return nil
}

// restsOn lists the digests of what evidence names that can be revoked.
func restsOn(s *Evidence) []string {
	out := []string{s.Inputs.Candidate.Digest, s.Inputs.Policy.Digest, s.Run.Harness}
	for _, list := range [][]Ref{s.Inputs.Holdouts, s.Inputs.Suites} {
		for _, r := range list {
			out = append(out, r.Digest)
		}
	}
	return out
}

// end ends a run that has the plan at that index, for that package.
func (h *History) end(what, run string, plan int64, of Subject) (*Planned, error) {
	p := h.Runs[run]
	switch {
	case p == nil || p.Plan != plan:
		return nil, fmt.Errorf("%s of run %s without the plan that it names", what, clip(run))
	case p.Ended:
		return nil, fmt.Errorf("%s of run %s, which has ended", what, clip(run))
	case p.Package != of.Digest:
		return nil, fmt.Errorf("%s of run %s on another model than was planned", what, clip(run))
	}
	p.Ended = true
	return p, nil
}
