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
	Words wordsFile  `yaml:"words"`
	Tests []testFile `yaml:"tests"`
}

// wordsFile are lists of words for templates, by name.
type wordsFile map[string][]string

type testFile struct {
	Name       string   `yaml:"name"`
	Capability string   `yaml:"capability"`
	Kind       string   `yaml:"kind"`
	Critical   bool     `yaml:"critical"`
	Cases      string   `yaml:"cases"`    // a table; MFT and golden: with a column expect; with forms of one case: with a column case
	Carriers   string   `yaml:"carriers"` // INV, DIR, trigger: table of examples to change
	Target     string   `yaml:"target"`
	Class      string   `yaml:"class"`
	Expect     string   `yaml:"expect"`
	Tolerance  *float64 `yaml:"tolerance"`
	Monotone   bool     `yaml:"monotone"`

	Turns    []string      `yaml:"turns"`    // columns with what a person says, in order
	Generate *generateFile `yaml:"generate"` // instead of a table
	Checks   []checkFile   `yaml:"checks"`   // of text answers

	// One change, written directly, or a list of them. stamp: the change that an attacker makes.
	Stamp   map[string]scalar            `yaml:"stamp"`
	Set     map[string]scalar            `yaml:"set"`
	Swap    map[string]map[string]scalar `yaml:"swap"`
	Add     map[string]float64           `yaml:"add"`
	Scale   map[string]float64           `yaml:"scale"`
	Jitter  map[string]float64           `yaml:"jitter"`
	Rewrite map[string]string            `yaml:"rewrite"`
	Replace map[string]map[string]string `yaml:"replace"`
	Append  map[string]string            `yaml:"append"`
	Perturb []changeFile                 `yaml:"perturb"`
}

type changeFile struct {
	Set     map[string]scalar            `yaml:"set"`
	Swap    map[string]map[string]scalar `yaml:"swap"`
	Add     map[string]float64           `yaml:"add"`
	Scale   map[string]float64           `yaml:"scale"`
	Jitter  map[string]float64           `yaml:"jitter"`
	Rewrite map[string]string            `yaml:"rewrite"`
	Replace map[string]map[string]string `yaml:"replace"`
	Append  map[string]string            `yaml:"append"`
}

// A generateFile says how cases are made. expect may have places, as columns may.
type generateFile struct {
	Columns map[string][]scalar `yaml:"columns"`
	Expect  string              `yaml:"expect"`
	AtMost  float64             `yaml:"at_most"`
}

type checkFile struct {
	Score     string   `yaml:"score"`
	Not       bool     `yaml:"not"`
	Fold      bool     `yaml:"fold"`
	Text      string   `yaml:"text"`
	Column    string   `yaml:"column"` // of the table: the text of each case; never shown to the model
	Texts     []string `yaml:"texts"`
	Schema    string   `yaml:"schema"` // a file beside the suite
	AtLeast   *float64 `yaml:"at_least"`
	Tolerance *float64 `yaml:"tolerance"`
	Tool      string   `yaml:"tool"`
	Turn      float64  `yaml:"turn"`
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
	body, err := document(b, maxYAML)
	if err != nil {
		return suiteFile{}, err
	}
	if err := checkShape(body, reflect.TypeFor[suiteFile](), "suite"); err != nil {
		return suiteFile{}, err
	}
	defer unreadable(&err)
	d := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict())
	if err := d.Decode(&f); err != nil {
		return suiteFile{}, plainYAML(err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return suiteFile{}, errors.New("the file must hold one YAML document")
	}
	return f, nil
}

// document parses a file of one document, within bounds.
func document(b []byte, most int) (body ast.Node, err error) {
	if len(b) > most {
		return nil, fmt.Errorf("the file has more than %d bytes; cases belong into tables beside it", most)
	}
	if deep(b) {
		return nil, errors.New("the file is nested too deep")
	}
	defer unreadable(&err)
	doc, err := parser.ParseBytes(b, 0)
	if err != nil {
		return nil, plainYAML(err)
	}
	if len(doc.Docs) != 1 || doc.Docs[0].Body == nil {
		return nil, errors.New("the file must hold one YAML document")
	}
	return doc.Docs[0].Body, nil
}

// unreadable turns a panic into an error. The parser is not ours: a panic in it says
// that the file is not YAML.
func unreadable(err *error) {
	if r := recover(); r != nil {
		*err = errors.New("the file is not YAML that can be read")
	}
}

// PlainYAML reads a YAML file of another tool into maps, lists, strings, float64, bool
// and nil. It is as strict as for suites: one document of at most most bytes, no anchors,
// aliases or tags, no key twice.
func PlainYAML(b []byte, most int) (v any, err error) {
	body, err := document(b, most)
	if err != nil {
		return nil, err
	}
	defer unreadable(&err)
	return plainValue(body)
}

func plainValue(n ast.Node) (any, error) {
	if err := plain(n); err != nil {
		return nil, err
	}
	switch n := n.(type) {
	case *ast.SequenceNode:
		out := make([]any, len(n.Values))
		for i, v := range n.Values {
			var err error
			if out[i], err = plainValue(v); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *ast.MappingNode:
		return plainMap(n.Values)
	case *ast.MappingValueNode:
		return plainMap([]*ast.MappingValueNode{n})
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.BoolNode:
		return n.Value, nil
	case *ast.NullNode:
		return nil, nil
	}
	if f, ok := number(n.GetToken().Value); ok {
		return f, nil
	}
	return nil, fmt.Errorf("line %d: %.40q is neither text, number, list nor map", line(n), n.GetToken().Value)
}

func plainMap(pairs []*ast.MappingValueNode) (any, error) {
	out := make(map[string]any, len(pairs))
	for _, p := range pairs {
		if err := plain(p.Key); err != nil {
			return nil, err
		}
		key := p.Key.GetToken().Value
		if _, twice := out[key]; twice {
			return nil, fmt.Errorf("line %d: key %.40q is there twice", line(p.Key), key)
		}
		v, err := plainValue(p.Value)
		if err != nil {
			return nil, err
		}
		out[key] = v
	}
	return out, nil
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
