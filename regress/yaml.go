package regress

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxYAML bounds the file that people write; cases are in tables beside it.
const maxYAML = 1 << 18

type suiteFile struct {
	Suite string     `yaml:"suite"`
	About string     `yaml:"about"`
	Text  []string   `yaml:"text"` // columns whose values are text though all look like numbers
	Tests []testFile `yaml:"tests"`
}

type testFile struct {
	Name       string   `yaml:"name"`
	Capability string   `yaml:"capability"`
	Kind       string   `yaml:"kind"`
	Critical   bool     `yaml:"critical"`
	Cases      string   `yaml:"cases"`    // MFT: table with a column expect
	Carriers   string   `yaml:"carriers"` // other kinds: table of examples to change
	Target     string   `yaml:"target"`
	Class      string   `yaml:"class"`
	Expect     string   `yaml:"expect"`
	Tolerance  *float64 `yaml:"tolerance"`

	// One change, written directly, or a list of them.
	Stamp   map[string]scalar            `yaml:"stamp"` // trigger: the change that an attacker makes
	Set     map[string]scalar            `yaml:"set"`
	Swap    map[string]map[string]scalar `yaml:"swap"`
	Add     map[string]float64           `yaml:"add"`
	Perturb []changeFile                 `yaml:"perturb"`
}

type changeFile struct {
	Set  map[string]scalar            `yaml:"set"`
	Swap map[string]map[string]scalar `yaml:"swap"`
	Add  map[string]float64           `yaml:"add"`
}

// A scalar is a text or a number; what a column takes is known only later.
type scalar struct {
	text   string
	num    float64
	isText bool
}

// UnmarshalYAML implements yaml.InterfaceUnmarshaler.
func (s *scalar) UnmarshalYAML(unmarshal func(any) error) error {
	var v any
	if err := unmarshal(&v); err != nil {
		return err
	}
	switch v := v.(type) {
	case string:
		*s = scalar{text: v, isText: true}
	case uint64:
		*s = scalar{num: float64(v)}
	case int64:
		*s = scalar{num: float64(v)}
	case float64:
		*s = scalar{num: v + 0}
	default:
		return fmt.Errorf("%v is neither text nor a number; put text in quotes", v)
	}
	return nil
}

func (s scalar) String() string {
	if s.isText {
		return s.text
	}
	return formatNumber(s.num)
}

// parseYAML reads a suite file strictly: one document, known keys only, no key
// twice, no anchors (a few lines of them can unfold into gigabytes), no tags.
func parseYAML(b []byte) (f suiteFile, err error) {
	if len(b) > maxYAML {
		return suiteFile{}, fmt.Errorf("the file has more than %d bytes; cases belong into tables beside it", maxYAML)
	}
	if deep(b) {
		return suiteFile{}, errors.New("the file is nested too deep")
	}
	// The parser is not ours. A panic in it says that the file is not a suite.
	defer func() {
		if r := recover(); r != nil {
			f, err = suiteFile{}, errors.New("the file is not YAML that can be read")
		}
	}()
	doc, err := parser.ParseBytes(b, 0)
	if err != nil {
		return suiteFile{}, plainYAML(err)
	}
	if len(doc.Docs) != 1 || doc.Docs[0].Body == nil {
		return suiteFile{}, errors.New("the file must hold one YAML document")
	}
	if err := checkKeys(doc.Docs[0].Body, reflect.TypeFor[suiteFile](), "suite"); err != nil {
		return suiteFile{}, err
	}
	d := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict())
	if err := d.Decode(&f); err != nil {
		return suiteFile{}, plainYAML(err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return suiteFile{}, errors.New("the file must hold one YAML document")
	}
	return f, nil
}

// deep finds nesting beyond what a suite needs, before a recursive parser sees it.
func deep(b []byte) bool {
	const most = 64
	open, dashes := 0, 0
	for _, c := range b {
		switch c {
		case '[', '{':
			open++
		case ']', '}':
			open = max(0, open-1)
		case '-', '?', ' ', '\t':
			if c == '-' || c == '?' {
				dashes++
			}
		default:
			dashes = 0
		}
		if open > most || dashes > most {
			return true
		}
	}
	return false
}

// checkKeys walks the document beside the Go type that it will fill, so that an
// unknown key is named with its line and the nearest key of the same level.
func checkKeys(n ast.Node, t reflect.Type, where string) error {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n := n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		return fmt.Errorf("line %d: anchors, aliases and tags are not used in a suite", line(n))
	case *ast.MappingNode:
		for _, v := range n.Values {
			if err := checkPair(v, t, where); err != nil {
				return err
			}
		}
	case *ast.MappingValueNode: // a mapping of one key
		return checkPair(n, t, where)
	case *ast.SequenceNode:
		for _, v := range n.Values {
			e := t
			if t.Kind() == reflect.Slice {
				e = t.Elem()
			}
			if err := checkKeys(v, e, strings.TrimSuffix(where, "s")); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkPair(v *ast.MappingValueNode, t reflect.Type, where string) error {
	switch v.Key.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		return fmt.Errorf("line %d: anchors, aliases and tags are not used in a suite", line(v.Key))
	}
	key := v.Key.GetToken().Value
	switch {
	case t.Kind() == reflect.Struct && t != reflect.TypeFor[scalar]():
		var known []string
		for i := range t.NumField() {
			f := t.Field(i)
			name := f.Tag.Get("yaml")
			if name == key {
				return checkKeys(v.Value, f.Type, name)
			}
			known = append(known, name)
		}
		return fmt.Errorf("line %d: %s has no key %q%s", line(v.Key), where, key, suggest(key, known))
	case t.Kind() == reflect.Map:
		return checkKeys(v.Value, t.Elem(), where)
	}
	return checkKeys(v.Value, t, where)
}

func line(n ast.Node) int {
	if tk := n.GetToken(); tk != nil && tk.Position != nil {
		return tk.Position.Line
	}
	return 0
}

// plainYAML cuts a YAML error down to one line with its place.
func plainYAML(err error) error {
	var e yaml.Error
	if errors.As(err, &e) {
		if tk := e.GetToken(); tk != nil && tk.Position != nil {
			return fmt.Errorf("line %d: %s", tk.Position.Line, e.GetMessage())
		}
		return errors.New(e.GetMessage())
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(first)
}
