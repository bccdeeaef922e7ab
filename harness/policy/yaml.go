package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"proctor/harness/spell"
)

const maxText = 1 << 16

// The file as people write it; pointers tell "0" from "not there".
type policyFile struct {
	Policy      *string      `yaml:"policy"`
	Lineage     *string      `yaml:"lineage"`
	Holdouts    []string     `yaml:"holdouts"`
	Suites      []string     `yaml:"suites"`
	Confidence  *float64     `yaml:"confidence"`
	ChurnPct    *float64     `yaml:"churn_pct"`
	Prove       []claimFile  `yaml:"prove"`
	Watch       []claimFile  `yaml:"watch"`
	Costs       []costFile   `yaml:"costs"`
	Anchor      *anchorFile  `yaml:"anchor"`
	FirstModel  *firstFile   `yaml:"first_model"`
	TierAtLeast *string      `yaml:"tier_at_least"`
	Package     *packageFile `yaml:"package"`
	BudgetRuns  *int         `yaml:"budget_runs"`
	Review      *reviewFile  `yaml:"review"`
	ValidDays   *int         `yaml:"valid_days"`
	OnMissing   *string      `yaml:"on_missing"`
}

type claimFile struct {
	ID        string   `yaml:"id"`
	Metric    string   `yaml:"metric"`
	Suite     string   `yaml:"suite"`
	Over      []string `yaml:"over"`
	AtLeastPP *float64 `yaml:"change_at_least_pp"`
	AtLeast   *float64 `yaml:"change_at_least"`
	AtMostPP  *float64 `yaml:"change_at_most_pp"`
	AtMost    *float64 `yaml:"change_at_most"`
	HarmPP    *float64 `yaml:"harm_pp"`
	Harm      *float64 `yaml:"harm"`
	DetectPP  *float64 `yaml:"detect_pp"`
	Detect    *float64 `yaml:"detect"`
}

type costFile struct {
	Answer *string  `yaml:"answer"`
	Given  *string  `yaml:"given"`
	Cost   *float64 `yaml:"cost"`
}

type anchorFile struct {
	AtLeastPP *float64 `yaml:"change_at_least_pp"`
}

type firstFile struct {
	Accuracy *float64 `yaml:"accuracy_at_least_pct"`
	People   *int     `yaml:"people"`
}

type reviewFile struct {
	People *int `yaml:"people"`
}

// readYAML reads the file strictly: one document, known keys only, no key twice,
// no anchors or tags, text where text belongs and numbers where numbers do.
func readYAML(text []byte) (f policyFile, err error) {
	switch {
	case len(text) > maxText || !utf8.Valid(text):
		return f, fmt.Errorf("not UTF-8 text of at most %d bytes", maxText)
	case deep(text):
		return f, errors.New("nested deeper than a policy is")
	}
	// The YAML library is not ours; what it cannot handle must not end the service.
	defer func() {
		if p := recover(); p != nil {
			f, err = policyFile{}, errors.New("not a YAML document that can be read")
		}
	}()
	doc, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey()) // checkNode says it better
	if err != nil {
		return f, plainYAML(err)
	}
	if len(doc.Docs) != 1 || doc.Docs[0].Body == nil {
		return f, errors.New("want one YAML document that begins with policy: NAME")
	}
	if err := checkNode(doc.Docs[0].Body, reflect.TypeFor[policyFile](), "the policy"); err != nil {
		return f, err
	}
	d := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	if err := d.Decode(&f); err != nil {
		return f, plainYAML(err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return f, errors.New("want one YAML document")
	}
	return f, nil
}

// checkNode walks the document beside the Go type that it fills. The library alone
// would read the text "5" as a number and 5 as a text.
func checkNode(n ast.Node, t reflect.Type, where string) error {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		return fmt.Errorf("line %d: anchors, aliases and tags are not used in a policy", line(n))
	}
	want, ok := "", false
	switch t.Kind() {
	case reflect.Struct:
		return checkMapping(n, t, where)
	case reflect.Slice:
		s, isList := n.(*ast.SequenceNode)
		if !isList {
			return fmt.Errorf("line %d: %s: want a list", line(n), where)
		}
		for _, v := range s.Values {
			if err := checkNode(v, t.Elem(), strings.Replace(where, "the policy", "a claim", 1)); err != nil {
				return err
			}
		}
		return nil
	case reflect.String:
		_, ok = n.(*ast.StringNode)
		want = "text; put it in quotes if it looks like a number"
	case reflect.Int:
		_, ok = n.(*ast.IntegerNode)
		want = "a whole number"
	case reflect.Float64:
		want = "a number"
		switch n.(type) {
		case *ast.IntegerNode, *ast.FloatNode:
			ok = true
		}
	}
	if !ok {
		return fmt.Errorf("line %d: %s: want %s", line(n), where, want)
	}
	return nil
}

func checkMapping(n ast.Node, t reflect.Type, where string) error {
	var pairs []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode: // a mapping of one key
		pairs = []*ast.MappingValueNode{n}
	default:
		return fmt.Errorf("line %d: %s: want keys and values", line(n), where)
	}
	types := map[string]reflect.Type{}
	var known []string
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("yaml")
		known, types[name] = append(known, name), t.Field(i).Type
	}
	seen := map[string]bool{}
	for _, p := range pairs {
		if _, ok := p.Key.(*ast.StringNode); !ok {
			return fmt.Errorf("line %d: %s: a key is plain text; anchors, aliases and tags are not used in a policy", line(p.Key), where)
		}
		key := p.Key.GetToken().Value
		switch {
		case types[key] == nil:
			return fmt.Errorf("line %d: %s has no key %.80q%s", line(p.Key), where, key, spell.Suggest(key, known))
		case seen[key]:
			return fmt.Errorf("line %d: key %q is there twice", line(p.Key), key)
		}
		seen[key] = true
		if err := checkNode(p.Value, types[key], key); err != nil {
			return err
		}
	}
	return nil
}

// deep finds nesting beyond what a policy needs, before a recursive parser sees it.
func deep(text []byte) bool {
	const most = 64
	open, dashes := 0, 0
	for _, c := range text {
		switch c {
		case '[', '{':
			open++
		case ']', '}':
			open = max(0, open-1)
		case '-', '?', ':':
			dashes++
		case ' ', '\t':
		default:
			dashes = 0
		}
		if open > most || dashes > most {
			return true
		}
	}
	return false
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
