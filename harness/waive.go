package harness

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"proctor/harness/access"
	"proctor/harness/store"
	"proctor/harness/verdict"
	"proctor/web/api"
)

// waiverKind is the kind of change that admits one model once without an approval.
const waiverKind = "waiver"

// exception is the document of a proposal to waive.
type exception struct {
	Format string `json:"format"`
	api.Waiver
}

const exceptionFormat = "proctor/waiver/1"

// ProposeWaiver proposes to let the model of a run through one gate once although it
// has no approval. The run has ended; its result is written into the waiver.
func (s *Service) ProposeWaiver(ctx context.Context, p access.Principal, v api.Waiver) (api.Change, error) {
	if err := access.Check(p, access.Propose, access.Object{Kind: waiverKind}); err != nil {
		return api.Change{}, err
	}
	if err := checkWaiver(&v); err != nil {
		return api.Change{}, err
	}
	var r store.Run
	err := s.Store.View(ctx, func(tx *store.Tx) (err error) {
		if r, err = s.waivable(tx, p, v.Run); err == nil && r.SubmittedPerson == p.Person {
			err = refuse(Conflict, "whoever submitted a model asks for no waiver for it: two others do")
		}
		return err
	})
	if err != nil {
		return api.Change{}, err
	}
	body, err := json.Marshal(exception{exceptionFormat, v})
	if err != nil {
		return api.Change{}, err
	}
	note := fmt.Sprintf("WAIVER: let %s (%s, %s) into %s as %s for %d hours without an approval: %s", r.PackageName, r.Package, r.Result, v.Environment, v.Admission, v.Hours, v.Reason)
	sum := sha256.Sum256(body)
	return s.propose(ctx, p, store.Document{Digest: "sha256:" + hex.EncodeToString(sum[:]), Kind: waiverKind, Name: r.Lineage, Body: body}, note)
}

func checkWaiver(v *api.Waiver) error {
	v.Reason = strings.TrimSpace(v.Reason)
	most := int(verdict.MaxWaiver / time.Hour)
	switch {
	case v.Reason == "" || len(v.Reason) > maxReason:
		return refuse(Usage, "a waiver has a reason of 1 to %d characters", maxReason)
	case v.Hours < 1 || v.Hours > most:
		return refuse(Usage, "a waiver holds for 1 to %d hours", most)
	}
	for what, text := range map[string]string{"environment": v.Environment, "admission": v.Admission} {
		if err := checkName(text); err != nil {
			return refuse(Usage, "the %s of a waiver is a name of 1 to 100 characters", what)
		}
	}
	return nil
}

// waivable returns a run that has ended with a verdict.
func (s *Service) waivable(tx *store.Tx, p access.Principal, id string) (store.Run, error) {
	r, err := s.visible(tx, p, id, access.SeeSubmission)
	if err == nil && r.State != store.Done {
		err = refuse(Conflict, "only a model that was judged can be admitted by a waiver")
	}
	return r, err
}

// waive signs and logs the waiver that a proposal asks for. Its time begins now.
func (s *Service) waive(tx *store.Tx, log *appender, c store.Change, p access.Principal) error {
	v, r, err := s.waived(tx, c)
	if err != nil {
		return err
	}
	env, e, err := s.loggedEvidence(tx, r)
	if err != nil {
		return err
	}
	if why, err := s.recalled(tx, e, env, r.Evidence); err != nil || why != "" {
		return orConflict(err, "no waiver: "+why)
	}
	if why, err := s.signs(tx); err != nil || why != "" {
		return orConflict(err, "no waiver: "+why)
	}
	now := s.Now().UTC()
	_, _, err = log.add(&verdict.Waiver{
		ID: c.ID, Verifier: s.Name, Candidate: modelRef(r), Gate: s.Gate(r.Lineage), Environment: v.Environment, Admission: v.Admission,
		Evidence: env.Digest(), Result: e.Result, Reason: v.Reason,
		ProposedBy: c.ProposedBy, ProposedPerson: c.ProposedPerson, By: p.ID, Person: p.Person,
		At: now.Format(time.RFC3339), Until: now.Add(time.Duration(v.Hours) * time.Hour).Format(time.RFC3339),
	}, s.Approve)
	return err
}

// waived reads what a proposal wants to waive.
func (s *Service) waived(tx *store.Tx, c store.Change) (v exception, r store.Run, err error) {
	d, err := tx.Document(c.Digest)
	if err != nil {
		return v, r, err
	}
	if err := json.Unmarshal(d.Body, &v); err != nil || v.Format != exceptionFormat {
		return v, r, fmt.Errorf("waiver %s: its record cannot be read", c.Digest)
	}
	r, err = tx.Run(v.Run)
	return v, r, err
}

// orConflict returns err, or a refusal for that reason.
func orConflict(err error, reason string) error {
	if err != nil {
		return err
	}
	return refuse(Conflict, "%s", reason)
}

// WaiverBundle returns the bundle of the waiver that a proposal led to.
func (s *Service) WaiverBundle(ctx context.Context, p access.Principal, change string) ([]byte, error) {
	if err := access.Check(p, access.SeeBundle, access.Object{}); err != nil {
		return nil, err
	}
	var env *verdict.Envelope
	var at int64
	err := s.Store.View(ctx, func(tx *store.Tx) error {
		return s.eachOf(tx, verdict.WaiverType, func(i int64, e *verdict.Envelope) {
			if w, ok := e.Statement().(*verdict.Waiver); ok && w.ID == change {
				env, at = e, i
			}
		})
	})
	if err != nil {
		return nil, err
	}
	if env == nil {
		return nil, refuse(Missing, "no waiver is in force by a proposal %q", change)
	}
	proof, err := s.prove(ctx, at)
	if err != nil {
		return nil, err
	}
	return verdict.Bundle(env, verdict.Proof(proof), s.LogKey)
}
