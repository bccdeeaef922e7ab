package runner

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Kinds of packages.
const (
	KindONNX    = "onnx"    // declarative: numbers and operators, run by our own evaluator
	KindCommand = "command" // a program that speaks the protocol
	KindWASM    = "wasm"    // a WebAssembly module that does, under a fixed clock
	KindImage   = "image"   // a container image whose program speaks the protocol
	KindHTTP    = "http"    // a server that is started in the jail and asked over its loopback
	// A model that runs elsewhere, behind an endpoint. The package holds what it is asked
	// with; whose weights answer, and what else becomes of the rows, nobody here can say.
	KindRemote = "remote"
	// An ONNX model for the library onnxruntime, where the service has it. The library
	// is code that a model file can misuse, so that such a package counts as code.
	KindONNXRuntime = "onnxruntime"
)

// Forms in which rows are handed to a model.
const (
	InputJSONL = "jsonl" // one line a batch
	InputArrow = "arrow" // one record batch a batch, in one Arrow IPC stream
)

// A kind says what is particular to the packages of one kind.
type kind struct {
	needs []string // keys that only some kinds know, which its manifest must have
	may   []string // and may have
	input []string // forms in which it takes rows
	code  bool     // brings code of its own
}

var kinds = map[string]kind{
	KindONNX:    {needs: []string{"model"}, input: []string{InputJSONL}},
	KindCommand: {needs: []string{"command"}, input: []string{InputJSONL, InputArrow}, code: true},
	KindWASM:    {needs: []string{"model"}, input: []string{InputJSONL}, code: true},
	KindImage:   {needs: []string{"image"}, input: []string{InputJSONL}, code: true},
	KindHTTP: {needs: []string{"command", "api", "port", "model"}, may: []string{"prompt", "answers", "max_tokens"},
		input: []string{InputJSONL}, code: true},
	KindRemote: {needs: []string{"endpoint", "api", "model"}, may: []string{"prompt", "answers", "max_tokens", "system", "tools", "retrieval"},
		input: []string{InputJSONL}, code: true},
	KindONNXRuntime: {needs: []string{"model"}, input: []string{InputJSONL}, code: true},
}

var imageDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// Kinds lists the kinds of packages, sorted.
func Kinds() []string {
	var names []string
	for name := range kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// KindBringsCode says whether packages of a kind bring code, see Manifest.Code. A
// kind that is not known does.
func KindBringsCode(name string) bool {
	k, ok := kinds[name]
	return !ok || k.code
}

// Code says whether the package brings code of its own, so that a policy's
// tier_at_least binds it.
func (m Manifest) Code() bool { return KindBringsCode(m.Kind) }

// checkKind holds a manifest to the keys and values of its kind.
func (m Manifest) checkKind(keys []string) error {
	k, ok := kinds[m.Kind]
	if !ok {
		return fmt.Errorf(`"kind" is %q; known are %s`, m.Kind, strings.Join(Kinds(), ", "))
	}
	for _, key := range ownKeys {
		has, needs := slices.Contains(keys, key), slices.Contains(k.needs, key)
		if needs && !has {
			return fmt.Errorf("kind %q needs %q", m.Kind, key)
		}
		if has && !needs && !slices.Contains(k.may, key) {
			return fmt.Errorf("kind %q has no %q", m.Kind, key)
		}
	}
	if !slices.Contains(k.input, m.Input) {
		return fmt.Errorf(`"input" is %q; for kind %q known are %s`, m.Input, m.Kind, strings.Join(k.input, ", "))
	}
	if slices.Contains(keys, "command") {
		if err := m.checkCommand(); err != nil {
			return err
		}
	}
	if m.Kind != KindHTTP && m.Kind != KindRemote && slices.Contains(keys, "model") {
		if err := checkPath(m.Model); err != nil {
			return fmt.Errorf(`"model": %w`, err)
		}
	}
	if m.Kind == KindImage && !imageDigest.MatchString(m.Image) {
		return fmt.Errorf(`"image" is %.100q; it must be the digest of the image's manifest, sha256: and 64 characters 0-9, a-f`, m.Image)
	}
	switch m.Kind {
	case KindHTTP:
		return m.checkHTTP(keys)
	case KindRemote:
		return m.checkRemote(keys)
	}
	return nil
}

// file is the file of the package that the manifest names, or "".
func (m Manifest) file() string {
	if m.Kind == KindImage {
		return path.Join(ImageDir, "blobs", "sha256", strings.TrimPrefix(m.Image, "sha256:"))
	}
	if m.Kind == KindRemote {
		return m.Tools
	}
	if m.Command == nil {
		return m.Model
	}
	if strings.Contains(m.Command[0], "/") {
		return path.Clean(m.Command[0])
	}
	return ""
}
