package harness

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"proctor/harness/policy"
	"proctor/harness/store"
	"proctor/holdout"
	"proctor/holdout/blob"
	"proctor/metrics"
)

// A transcript is what the models of one run answered, and what was counted beside it:
// enough to judge the run again by another policy without asking a model. Answers follow
// from sealed rows; a transcript leaves the process only under the data key of its set.
type transcript struct {
	Candidate, Baseline, Anchor *metrics.Predictions // Baseline and Anchor may be nil
	Probes                      *policy.Probes
	Tier                        string
	Code                        bool
}

// transcriptFormat is the version of the stored form: a line of JSON, then for each model
// that it names the labels (32 bits, little-endian) and, where there are some, the
// probabilities (64 bits), row-major.
//
//	{"format":"proctor/transcript/1","rows":3,"classes":2,"models":["candidate"],"probabilities":[true],"probes":{...},"tier":"jail","code":true}
const transcriptFormat = "proctor/transcript/1"

type transcriptHead struct {
	Format        string         `json:"format"`
	Rows          int            `json:"rows"`
	Classes       int            `json:"classes"`
	Models        []string       `json:"models"`
	Probabilities []bool         `json:"probabilities"`
	Probes        *policy.Probes `json:"probes"`
	Tier          string         `json:"tier"`
	Code          bool           `json:"code"`
}

func (t *transcript) models() []struct {
	name string
	p    **metrics.Predictions
} {
	return []struct {
		name string
		p    **metrics.Predictions
	}{{"candidate", &t.Candidate}, {"baseline", &t.Baseline}, {"anchor", &t.Anchor}}
}

func (t *transcript) encode(classes int) ([]byte, error) {
	h := transcriptHead{Format: transcriptFormat, Rows: len(t.Candidate.Labels), Classes: classes, Probes: t.Probes, Tier: t.Tier, Code: t.Code}
	var body []byte
	for _, m := range t.models() {
		p := *m.p
		if p == nil {
			continue
		}
		h.Models, h.Probabilities = append(h.Models, m.name), append(h.Probabilities, p.Probs != nil)
		var err error
		if body, err = binary.Append(body, binary.LittleEndian, p.Labels); err != nil {
			return nil, err
		}
		if body, err = binary.Append(body, binary.LittleEndian, p.Probs); err != nil {
			return nil, err
		}
	}
	head, err := json.Marshal(h)
	return append(append(head, '\n'), body...), err
}

func decodeTranscript(b []byte, classes int) (*transcript, error) {
	head, body, ok := bytes.Cut(b, []byte("\n"))
	var h transcriptHead
	if err := json.Unmarshal(head, &h); err != nil || !ok || h.Format != transcriptFormat {
		return nil, errors.New("transcript: it has no head of this version")
	}
	if h.Classes != classes || len(h.Models) != len(h.Probabilities) || h.Rows < 0 || h.Rows > math.MaxInt32 {
		return nil, errors.New("transcript: its head contradicts itself or the set")
	}
	t := &transcript{Probes: h.Probes, Tier: h.Tier, Code: h.Code}
	r := bytes.NewReader(body)
	for i, name := range h.Models {
		p := &metrics.Predictions{}
		if need := int64(h.Rows) * 4; need > int64(r.Len()) {
			return nil, io.ErrUnexpectedEOF
		}
		p.Labels = make([]int32, h.Rows)
		if err := binary.Read(r, binary.LittleEndian, p.Labels); err != nil {
			return nil, err
		}
		if h.Probabilities[i] {
			if need := int64(h.Rows) * int64(classes) * 8; need > int64(r.Len()) {
				return nil, io.ErrUnexpectedEOF
			}
			p.Probs = make([]float64, h.Rows*classes)
			if err := binary.Read(r, binary.LittleEndian, p.Probs); err != nil {
				return nil, err
			}
		}
		for _, m := range t.models() {
			if m.name == name {
				*m.p = p
			}
		}
	}
	if t.Candidate == nil || t.Probes == nil || r.Len() > 0 {
		return nil, errors.New("transcript: it holds no candidate, no counts or more than it says")
	}
	return t, nil
}

// keep seals what the models of the run answered. A verdict does not hang on it: where
// nothing can be kept the run is not replayed, and says so.
func (t *task) keep(ctx context.Context, p *paper, a *replies, j *judged) *store.Predictions {
	tr := transcript{Candidate: j.said, Probes: j.evidence.Probes, Tier: j.evidence.Tier, Code: j.evidence.Code}
	if a.baseline != nil {
		tr.Baseline = &a.baseline.predictions
	}
	if a.anchor != nil {
		tr.Anchor = &a.anchor.predictions
	}
	b, err := tr.encode(len(p.set.Classes))
	if err == nil {
		b, err = p.grant.Keep(ctx, t.run.ID, b)
	}
	if err == nil {
		ref, putErr := t.s.Blobs.Put(ctx, b)
		if putErr == nil {
			return &store.Predictions{Run: t.run.ID, Holdout: p.set.Digest, Blob: string(ref)}
		}
		err = putErr
	}
	t.s.Logger.Warn("predictions not kept", "run", t.run.ID, "error", err)
	return nil
}

// readTranscript opens what was kept of a run. Only a custodian of its set can.
func (s *Service) readTranscript(ctx context.Context, c *holdout.Custodian, at store.Predictions, classes int) (*transcript, error) {
	sealed, err := s.Blobs.Get(ctx, blob.Ref(at.Blob))
	if err != nil {
		return nil, fmt.Errorf("predictions of run %s: %w", at.Run, err)
	}
	b, err := c.Kept(at.Run, sealed)
	if err != nil {
		return nil, err
	}
	return decodeTranscript(b, classes)
}
