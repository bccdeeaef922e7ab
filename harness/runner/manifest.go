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
// Which other keys there are depends on the kind, see kinds.go. "input" and
// "batch_max" may be left out.
type Manifest struct {
	Protocol  string   `json:"protocol"`
	Kind      string   `json:"kind"`
	Command   []string `json:"command,omitempty"`    // what runs, in the package's folder
	Model     string   `json:"model,omitempty"`      // a file of the package; kinds http and remote: the model's name at its server
	Image     string   `json:"image,omitempty"`      // kind image: the digest of the image's manifest, "sha256:<hex>"
	API       string   `json:"api,omitempty"`        // kinds http and remote: how the server is asked
	Port      int      `json:"port,omitempty"`       // kind http: where it listens on 127.0.0.1
	Prompt    string   `json:"prompt,omitempty"`     // what a text model is asked about a row, see Prompt
	Answers   []string `json:"answers,omitempty"`    // what a text model says for each class; nil: the classes
	MaxTokens int      `json:"max_tokens,omitempty"` // longest answer of a text model
	Endpoint  string   `json:"endpoint,omitempty"`   // kind remote: where the model is asked
	System    string   `json:"system,omitempty"`     // kind remote: the system prompt of a chat
	Tools     string   `json:"tools,omitempty"`      // kind remote: a file of the package, the tools that a chat may call
	Retrieval string   `json:"retrieval,omitempty"`  // kind remote: digest of the index that the model looks things up in
	Input     string   `json:"input"`                // InputJSONL or InputArrow
	BatchMax  int      `json:"batch_max"`            // most rows that one batch may hold
	Task      string   `json:"task"`                 // "classification"
	Classes   []string `json:"classes"`
	// Stochastic says that the model answers at random, within bounds: then it sits
	// the exam several times and is judged on the worst.
	Stochastic bool `json:"stochastic,omitempty"`
}

// ParseManifest reads a manifest: JSON with known keys only, each once, and
// nothing after it.
func ParseManifest(data []byte) (Manifest, error) {
	m, keys, err := decodeManifest(data)
	if err == nil {
		err = m.check(keys)
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	return m, nil
}

// decodeManifest also gives the keys that were there.
func decodeManifest(data []byte) (Manifest, []string, error) {
	if len(data) > MaxManifest {
		return Manifest{}, nil, fmt.Errorf("longer than %d bytes", MaxManifest)
	}
	if !utf8.Valid(data) {
		return Manifest{}, nil, errors.New("not valid UTF-8")
	}
	keys, err := checkKeys(data)
	if err != nil {
		return Manifest{}, nil, err
	}
	m := Manifest{Input: InputJSONL, BatchMax: 4096}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return Manifest{}, nil, errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); err != io.EOF {
		return Manifest{}, nil, errors.New("there is text after the closing brace")
	}
	return m, keys, nil
}

// everyKey are the keys that a manifest of any kind has or may have.
var everyKey = []string{"protocol", "kind", "input", "batch_max", "task", "classes", "stochastic"}

// ownKeys are those that only some kinds know.
var ownKeys = []string{"command", "model", "image", "api", "port", "prompt", "answers", "max_tokens", "endpoint", "system", "tools", "retrieval"}

// checkKeys refuses what encoding/json lets pass: repeated keys, keys in another
// case, nested objects.
func checkKeys(data []byte) (seen []string, err error) {
	known := slices.Concat(everyKey, ownKeys)
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, errors.New(strings.TrimPrefix(err.Error(), "json: "))
		}
		key, ok := t.(string)
		switch {
		case !ok || !slices.Contains(known, key):
			return nil, fmt.Errorf("unknown key %q; known are %s", fmt.Sprint(t), strings.Join(known, ", "))
		case slices.Contains(seen, key):
			return nil, fmt.Errorf("key %q appears twice", key)
		}
		seen = append(seen, key)
		var v any
		if err := d.Decode(&v); err != nil {
			return nil, fmt.Errorf("value of %q: %s", key, strings.TrimPrefix(err.Error(), "json: "))
		}
		if v == nil {
			return nil, fmt.Errorf("value of %q is null", key)
		}
	}
	return seen, nil
}

func (m Manifest) check(keys []string) error {
	if m.Protocol != Protocol {
		return fmt.Errorf(`"protocol" is %q, want %q`, m.Protocol, Protocol)
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
	return m.checkKind(keys)
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
