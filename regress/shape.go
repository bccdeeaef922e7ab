package regress

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"proctor/harness/spell"
)

// deep finds nesting beyond what a suite needs, before a recursive parser sees it.
func deep(b []byte) bool {
	const most = 64
	open, marks := 0, 0 // brackets not yet closed; marks of nested lists and keys in a row: - - -
	for i, c := range b {
		blank := i+1 == len(b) || strings.IndexByte(" \t\r\n", b[i+1]) >= 0
		switch {
		case c == '[', c == '{':
			open++
		case c == ']', c == '}':
			open = max(0, open-1)
		case (c == '-' || c == '?') && blank:
			marks++
		case c != ' ' && c != '\t':
			marks = 0
		}
		if open > most || marks > most {
			return true
		}
	}
	return false
}

// checkShape walks the document beside the Go type that it will fill. It names
// an unknown key with its line and the nearest key of the same level, and refuses
// what YAML would quietly turn into another value: an absent one into 0, 010 into
// 8, 1.0 into "1".
func checkShape(n ast.Node, t reflect.Type, where string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if err := plain(n); err != nil {
		return err
	}
	switch {
	case t == reflect.TypeFor[scalar]():
		return checkScalar(n, where)
	case t.Kind() == reflect.Struct || t.Kind() == reflect.Map:
		return checkMapping(n, t, where)
	case t.Kind() == reflect.Slice:
		return checkList(n, t, where)
	case t.Kind() == reflect.String && !isText(n):
		return fmt.Errorf("line %d: %s is text; put it in quotes", line(n), where)
	case t.Kind() == reflect.Float64 && !isNumber(n):
		return fmt.Errorf("line %d: %s is a decimal number", line(n), where)
	case t.Kind() == reflect.Bool && n.Type() != ast.BoolType:
		return fmt.Errorf("line %d: %s is true or false", line(n), where)
	}
	return nil
}

// plain refuses what refers to, names or retypes other parts of the document.
func plain(n ast.Node) error {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		return fmt.Errorf("line %d: anchors, aliases and tags are not used in a suite", line(n))
	}
	return nil
}

func isText(n ast.Node) bool {
	return n.Type() == ast.StringType || n.Type() == ast.LiteralType
}

// isNumber goes by what is written, for YAML reads 010 as 8 and .nan as a number.
func isNumber(n ast.Node) bool {
	_, ok := number(n.GetToken().Value)
	octal := strings.TrimLeft(n.GetToken().Value, "+-")
	ok = ok && !(n.Type() == ast.IntegerType && len(octal) > 1 && octal[0] == '0')
	return ok && (n.Type() == ast.IntegerType || n.Type() == ast.FloatType)
}

func checkScalar(n ast.Node, where string) error {
	switch {
	case n.Type() == ast.NullType:
		return fmt.Errorf("line %d: %s has no value", line(n), where)
	case !isText(n) && !isNumber(n):
		return fmt.Errorf("line %d: %s is neither text nor a decimal number; put text in quotes", line(n), where)
	}
	return nil
}

func checkList(n ast.Node, t reflect.Type, where string) error {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return fmt.Errorf("line %d: %s is a list", line(n), where)
	}
	for _, v := range list.Values {
		if err := checkShape(v, t.Elem(), strings.TrimSuffix(where, "s")); err != nil {
			return err
		}
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
		return fmt.Errorf("line %d: %s has no keys", line(n), where)
	}
	for _, v := range pairs {
		if err := checkKey(v.Key, where); err != nil {
			return err
		}
		key := v.Key.GetToken().Value
		field, err := child(t, key, where)
		if err != nil {
			return fmt.Errorf("line %d: %w", line(v.Key), err)
		}
		if err := checkShape(v.Value, field, key); err != nil {
			return err
		}
	}
	return nil
}

// checkKey refuses a key that would be read as other text than it shows: 1.50 as 1.5.
func checkKey(n ast.Node, where string) error {
	if err := plain(n); err != nil {
		return err
	}
	f, _ := number(n.GetToken().Value)
	if !isText(n) && !(isNumber(n) && formatNumber(f) == n.GetToken().Value) {
		return fmt.Errorf("line %d: a key of %s is neither text nor a plain number; put it in quotes", line(n), where)
	}
	return nil
}

// child returns the type of the value under the key.
func child(t reflect.Type, key, where string) (reflect.Type, error) {
	if t.Kind() == reflect.Map {
		return t.Elem(), nil
	}
	var known []string
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("yaml")
		if name == key {
			return t.Field(i).Type, nil
		}
		known = append(known, name)
	}
	return nil, fmt.Errorf("%s has no key %q%s", where, key, spell.Suggest(key, known))
}

func line(n ast.Node) int {
	if tk := n.GetToken(); tk != nil && tk.Position != nil {
		return tk.Position.Line
	}
	return 0
}
