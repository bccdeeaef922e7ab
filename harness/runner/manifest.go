package runner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// ManifestFile is the name of a package's manifest, at the package's top.
const ManifestFile = "proctor-model.json"

// Protocol is the only value of a manifest's "protocol".
const Protocol = "proctor/1"

// Kinds of packages.
const (
	KindONNX    = "onnx"    // declarative: numbers and operators, run by our own evaluator
	KindCommand = "command" // brings code: runs only in a jail
)

// What a manifest may ask for at most.
const (
	MaxBatch    = 65536
	MaxClasses  = 1000
	MaxManifest = 1 << 20 // bytes
	maxArgs     = 64
	maxText     = 4096
)

// A Manifest says how a package is run and which classes its answers name. The
// order of Classes is the order of the probabilities in every answer.
//
//	{"protocol": "proctor/1", "kind": "command", "command": ["python3", "serve.py"],
//	 "input": "jsonl", "batch_max": 4096, "task": "classification", "classes": ["<=50K", ">50K"]}
//
// A package of kind "onnx" has "model", the path of its ONNX file, in place of
// "command". "input" and "batch_max" may be left out.
type Manifest struct {
	Protocol string   `json:"protocol"`
	Kind     string   `json:"kind"`
	Command  []string `json:"command,omitempty"` // kind command: what runs, in the package's folder
	Model    string   `json:"model,omitempty"`   // kind onnx: a file of the package
	Input    string   `json:"input"`             // "jsonl"
	BatchMax int      `json:"batch_max"`         // most rows that one batch may hold
	Task     string   `json:"task"`              // "classification"
	Classes  []string `json:"classes"`
}

// Code says whether the package brings code of its own, so that a policy's
// tier_at_least binds it.
func (m Manifest) Code() bool { return m.Kind != KindONNX }

// ParseManifest reads a manifest: JSON with known keys only, each once, and
// nothing after it.
func ParseManifest(data []byte) (Manifest, error) {
	m, err := decodeManifest(data)
	if err == nil {
		err = m.check()
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	return m, nil
}

func decodeManifest(data []byte) (Manifest, error) {
	if len(data) > MaxManifest {
		return Manifest{}, fmt.Errorf("longer than %d bytes", MaxManifest)
	}
	if !utf8.Valid(data) {
		return Manifest{}, errors.New("not valid UTF-8")
	}
	if err := checkKeys(data); err != nil {
		return Manifest{}, err
	}
	m := Manifest{Input: "jsonl", BatchMax: 4096}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return Manifest{}, errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); err != io.EOF {
		return Manifest{}, errors.New("there is text after the closing brace")
	}
	return m, nil
}

// checkKeys refuses what encoding/json lets pass: repeated keys, keys in another
// case, nested objects.
func checkKeys(data []byte) error {
	known := []string{"protocol", "kind", "command", "model", "input", "batch_max", "task", "classes"}
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return errors.New(strings.TrimPrefix(err.Error(), "json: "))
		}
		key, ok := t.(string)
		switch {
		case !ok || !slices.Contains(known, key):
			return fmt.Errorf("unknown key %q; known are %s", fmt.Sprint(t), strings.Join(known, ", "))
		case seen[key]:
			return fmt.Errorf("key %q appears twice", key)
		}
		seen[key] = true
		var v any
		if err := d.Decode(&v); err != nil {
			return fmt.Errorf("value of %q: %s", key, strings.TrimPrefix(err.Error(), "json: "))
		}
		if v == nil {
			return fmt.Errorf("value of %q is null", key)
		}
	}
	return nil
}

func (m Manifest) check() error {
	if m.Protocol != Protocol {
		return fmt.Errorf(`"protocol" is %q, want %q`, m.Protocol, Protocol)
	}
	if m.Input != "jsonl" {
		return fmt.Errorf(`"input" is %q; known is "jsonl"`, m.Input)
	}
	if m.Task != "classification" {
		return fmt.Errorf(`"task" is %q; known is "classification"`, m.Task)
	}
	if m.BatchMax < 1 || m.BatchMax > MaxBatch {
		return fmt.Errorf(`"batch_max" is %d; it must lie between 1 and %d`, m.BatchMax, MaxBatch)
	}
	if err := m.checkClasses(); err != nil {
		return err
	}
	switch m.Kind {
	case KindONNX:
		if m.Command != nil {
			return errors.New(`kind "onnx" has no "command"`)
		}
		if err := checkPath(m.Model); err != nil {
			return fmt.Errorf(`"model": %w`, err)
		}
	case KindCommand:
		if m.Model != "" {
			return errors.New(`kind "command" has no "model"`)
		}
		return m.checkCommand()
	default:
		return fmt.Errorf(`"kind" is %q; known are "onnx" and "command"`, m.Kind)
	}
	return nil
}

func (m Manifest) checkClasses() error {
	if len(m.Classes) < 2 || len(m.Classes) > MaxClasses {
		return fmt.Errorf(`"classes" has %d entries; it needs 2 to %d`, len(m.Classes), MaxClasses)
	}
	seen := map[string]bool{}
	for i, c := range m.Classes {
		if c == "" || len(c) > maxText || strings.TrimSpace(c) != c || hasControl(c) {
			return fmt.Errorf(`"classes", entry %d: %q is empty, too long or has spaces or control characters at its ends`, i+1, c)
		}
		if seen[c] {
			return fmt.Errorf(`"classes" names %q twice`, c)
		}
		seen[c] = true
	}
	return nil
}

func (m Manifest) checkCommand() error {
	if len(m.Command) == 0 || len(m.Command) > maxArgs {
		return fmt.Errorf(`"command" has %d words; it needs 1 to %d`, len(m.Command), maxArgs)
	}
	for i, w := range m.Command {
		if len(w) > maxText || strings.ContainsRune(w, 0) || i == 0 && w == "" {
			return fmt.Errorf(`"command", word %d is empty, too long or holds a NUL`, i+1)
		}
	}
	p := m.Command[0]
	if path.IsAbs(p) {
		return fmt.Errorf(`"command" starts with %q: name a file of the package or a program by name, not an absolute path`, p)
	}
	if strings.Contains(p, "/") {
		if err := checkPath(path.Clean(p)); err != nil {
			return fmt.Errorf(`"command", word 1: %w`, err)
		}
	}
	return nil
}
