package provenance

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"proctor/harness/verdict"
)

// TrainingFormat is the value of a record's "format".
const TrainingFormat = "proctor/training/1"

// A Training says what a model was made from, as its owner has it.
//
//	{"format": "proctor/training/1",
//	 "datasets": [{"name": "census-2026", "digest": "sha256:..."}],
//	 "code": {"name": "https://git.example/models", "commit": "<40 or 64 hex>"},
//	 "lockfile": {"name": "requirements.txt", "digest": "sha256:..."},
//	 "configuration": {"name": "train.yaml", "digest": "sha256:..."}}
//
// All keys are needed, and there is at least one data set.
type Training struct {
	Format        string `json:"format"`
	Datasets      []Ref  `json:"datasets"`
	Code          Code   `json:"code"`
	Lockfile      Ref    `json:"lockfile"`
	Configuration Ref    `json:"configuration"`
}

// A Ref names something by the SHA-256 of its bytes.
type Ref struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
}

// Code is a state of a repository.
type Code struct {
	Name   string `json:"name"`
	Commit string `json:"commit"`
}

const (
	maxDatasets = 100
	maxName     = 200
)

var (
	digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	commitForm = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
)

// ParseTraining reads a training record strictly.
func ParseTraining(data []byte) (*Training, error) {
	var t Training
	if err := verdict.DecodeStrict(data, MaxFile, &t); err != nil {
		return nil, fmt.Errorf("%s: %w", TrainingFile, err)
	}
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", TrainingFile, err)
	}
	return &t, nil
}

func (t *Training) check() error {
	if t.Format != TrainingFormat {
		return fmt.Errorf("format is %.40q, want %q", t.Format, TrainingFormat)
	}
	if len(t.Datasets) < 1 || len(t.Datasets) > maxDatasets {
		return fmt.Errorf("%d data sets; 1 to %d are wanted", len(t.Datasets), maxDatasets)
	}
	seen := map[string]bool{}
	for _, r := range t.Datasets {
		if seen[r.Name] {
			return fmt.Errorf("data set %q stands twice", r.Name)
		}
		seen[r.Name] = true
	}
	for _, r := range append(slices.Clone(t.Datasets), t.Lockfile, t.Configuration) {
		if !goodName(r.Name) {
			return fmt.Errorf("%.80q is not a name of 1 to %d characters that print", r.Name, maxName)
		}
		if !digestForm.MatchString(r.Digest) {
			return fmt.Errorf("the digest of %q is not sha256:<64 lower-case hex digits>", r.Name)
		}
	}
	if !goodName(t.Code.Name) || !commitForm.MatchString(t.Code.Commit) {
		return errors.New("code names a repository and a commit of 40 or 64 lower-case hex digits")
	}
	return nil
}

func goodName(s string) bool {
	return strings.TrimSpace(s) != "" && len(s) <= maxName && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// Changes says in sentences how the record differs from an earlier model's, in a fixed
// order. nil: nothing differs. Either may be nil: there is none.
func Changes(before, after *Training) []string {
	switch {
	case before == nil && after == nil:
		return nil
	case before == nil:
		return []string{"The deployed model has no training record; the candidate has one."}
	case after == nil:
		return []string{"The candidate has no training record; the deployed model has one."}
	}
	var out []string
	old := map[string]string{}
	for _, r := range before.Datasets {
		old[r.Name] = r.Digest
	}
	now := slices.SortedFunc(slices.Values(after.Datasets), byName)
	for _, r := range now {
		switch digest, ok := old[r.Name]; {
		case !ok:
			out = append(out, fmt.Sprintf("Data set %q is new.", r.Name))
		case digest != r.Digest:
			out = append(out, fmt.Sprintf("Data set %q has another content.", r.Name))
		}
	}
	for _, r := range slices.SortedFunc(slices.Values(before.Datasets), byName) {
		if !slices.ContainsFunc(now, func(n Ref) bool { return n.Name == r.Name }) {
			out = append(out, fmt.Sprintf("Data set %q is not used any more.", r.Name))
		}
	}
	if before.Code != after.Code {
		out = append(out, fmt.Sprintf("The code is %s at %.12s, was %s at %.12s.", after.Code.Name, after.Code.Commit, before.Code.Name, before.Code.Commit))
	}
	if before.Lockfile.Digest != after.Lockfile.Digest {
		out = append(out, fmt.Sprintf("The dependencies changed (%s).", after.Lockfile.Name))
	}
	if before.Configuration.Digest != after.Configuration.Digest {
		out = append(out, fmt.Sprintf("The configuration changed (%s).", after.Configuration.Name))
	}
	return out
}

func byName(a, b Ref) int { return compare(a.Name, b.Name) }

func compare(a, b string) int { return cmp.Compare(a, b) }
