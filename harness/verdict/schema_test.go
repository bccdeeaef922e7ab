package verdict_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"proctor/harness/verdict"
)

const schemaDir, statementsDoc = "../../docs/schemas", "../../docs/statements.md"

// predicates in the order in which docs/statements.md tells of them.
var predicates = []struct {
	name, typ, key string
	of             any
}{
	{"verification_summary", verdict.ApprovalType, "approve", verdict.Approval{}},
	{"behaviour-verdict", verdict.EvidenceType, "evidence", verdict.Evidence{}},
	{"evaluation-plan", verdict.PlanType, "evidence", verdict.Plan{}},
	{"exposure", verdict.ExposureType, "evidence", verdict.Exposure{}},
	{"abort", verdict.AbortType, "evidence", verdict.Abort{}},
	{"review", verdict.ReviewType, "evidence", verdict.Review{}},
	{"change", verdict.ChangeType, "evidence", verdict.Change{}},
	{"custody", verdict.CustodyType, "evidence", verdict.Custody{}},
	{"revocation", verdict.RevocationType, "approve", verdict.Revocation{}},
	{"revocation-list", verdict.RevocationListType, "approve", verdict.RevocationList{}},
	{"waiver", verdict.WaiverType, "approve", verdict.Waiver{}},
}

// words are values that a type of Go does not tell.
var words = map[string][]string{
	"Evidence.result": {"PASS", "FAIL", "INCONCLUSIVE"}, "Waiver.result": {"PASS", "FAIL", "INCONCLUSIVE"}, "Evidence.binding": {"package", "config"}, "Finding.outcome": {"HOLDS", "VIOLATED", "UNDECIDED", "NOT_APPLICABLE"},
	"Review.decision": {"approve", "refuse"}, "Change.action": {"proposed", "activated", "refused"}, "Revocation.kind": verdict.RevocationKinds(), "Revoked.kind": verdict.RevocationKinds(),
	"Approval.verificationResult": {"PASSED"}, "InputAttestation.kind": {"model-signature", "slsa-provenance", "training-record"},
}

// everywhere is what fields say that mean the same in every statement.
var everywhere = map[string]string{
	"verifier": "URI of the service", "by": "account of who did it", "person": "the human behind it", "proposed_by": "account of who proposed it", "proposed_person": "the human behind it; not the one who decided",
	"reason": "why, in that person's words", "at": "when", "expires": "from then on it says nothing",
}

type m = map[string]any

// source are the comments of the package's types and fields.
type source map[string]string

func readSource(t *testing.T) source {
	t.Helper()
	out := source{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			g, ok := n.(*ast.GenDecl)
			if !ok {
				return true
			}
			for _, s := range g.Specs {
				ts, ok := s.(*ast.TypeSpec)
				if !ok {
					continue
				}
				st, ok := ts.Type.(*ast.StructType)
				if !ok {
					continue
				}
				out[ts.Name.Name] = oneLine(g.Doc.Text())
				for _, field := range st.Fields.List {
					for _, name := range field.Names {
						out[ts.Name.Name+"."+name.Name] = oneLine(field.Doc.Text() + " " + field.Comment.Text())
					}
				}
			}
			return true
		})
	}
	return out
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// schema is the form of one type, with defs for the structs in it.
func (s source) schema(t *testing.T, typ reflect.Type, defs m) m {
	switch typ.Kind() {
	case reflect.Pointer:
		return s.schema(t, typ.Elem(), defs)
	case reflect.Slice:
		return m{"type": "array", "items": s.schema(t, typ.Elem(), defs)}
	case reflect.String:
		return m{"type": "string"}
	case reflect.Bool:
		return m{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return m{"type": "integer"}
	case reflect.Float64:
		return m{"type": []string{"number", "null"}}
	case reflect.Struct:
		if _, ok := defs[typ.Name()]; !ok {
			defs[typ.Name()] = nil
			defs[typ.Name()] = s.object(t, typ, defs)
		}
		return m{"$ref": "#/$defs/" + typ.Name()}
	}
	t.Fatalf("%v has no schema", typ)
	return nil
}

func (s source) object(t *testing.T, typ reflect.Type, defs m) m {
	properties, required := m{}, []string{}
	for _, f := range fieldsOf(typ) {
		p := s.schema(t, f.typ, defs)
		if f.text {
			p = m{"type": "string", "pattern": "^-?(0|[1-9][0-9]*)$"}
		}
		if of := words[typ.Name()+"."+f.json]; of != nil {
			p["enum"] = of
		}
		if d := s[typ.Name()+"."+f.name]; d != "" && p["$ref"] == nil {
			p["description"] = d
		}
		if typ.Name() == "SHA256" {
			p["pattern"] = "^[0-9a-f]{64}$"
		}
		properties[f.json] = p
		if !f.optional {
			required = append(required, f.json)
		}
	}
	return m{"type": "object", "additionalProperties": false, "description": s[typ.Name()], "properties": properties, "required": required}
}

type fieldInfo struct {
	name, json     string
	typ            reflect.Type
	optional, text bool
}

func fieldsOf(typ reflect.Type) (out []fieldInfo) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		if !f.IsExported() {
			continue
		}
		parts := strings.Split(f.Tag.Get("json"), ",")
		info := fieldInfo{name: f.Name, json: parts[0], typ: f.Type}
		for _, o := range parts[1:] {
			info.optional, info.text = info.optional || o == "omitempty", info.text || o == "string"
		}
		out = append(out, info)
	}
	return out
}

// statementSchema is the form of the whole signed text.
func (s source) statementSchema(t *testing.T, name, typ string, of any) []byte {
	defs := m{}
	predicate := s.schema(t, reflect.TypeOf(of), defs)
	subject := m{"type": "object", "additionalProperties": false, "required": []string{"name", "digest"}, "properties": m{
		"name": m{"type": "string", "minLength": 1}, "digest": m{"$ref": "#/$defs/SHA256"}}}
	s.schema(t, reflect.TypeOf(verdict.SHA256{}), defs)
	b, err := json.MarshalIndent(m{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": verdict.Base + "schemas/" + name + ".json", "title": typ,
		"type": "object", "additionalProperties": false, "required": []string{"_type", "subject", "predicateType", "predicate"},
		"properties": m{
			"_type": m{"const": "https://in-toto.io/Statement/v1"}, "predicateType": m{"const": typ}, "predicate": predicate,
			"subject": m{"type": "array", "minItems": 1, "maxItems": 1, "items": subject},
		}, "$defs": defs,
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

// table documents the fields of a type and, after it, of the types in it.
func (s source) table(t *testing.T, b *bytes.Buffer, typ reflect.Type, seen map[string]bool) {
	var inner []reflect.Type
	fmt.Fprintf(b, "| field | form | says |\n|---|---|---|\n")
	for _, f := range fieldsOf(typ) {
		form, at := "", f.typ
		for at.Kind() == reflect.Pointer || at.Kind() == reflect.Slice {
			if at.Kind() == reflect.Slice {
				form = "list of "
			}
			at = at.Elem()
		}
		switch {
		case f.text:
			form += "integer as text"
		case at.Kind() == reflect.Struct:
			form += "[" + at.Name() + "](#" + strings.ToLower(at.Name()) + ")"
			inner = append(inner, at)
		case at.Kind() == reflect.Float64:
			form += "number or null"
		default:
			form += map[reflect.Kind]string{reflect.String: "text", reflect.Bool: "true or false", reflect.Int: "integer", reflect.Int64: "integer"}[at.Kind()]
		}
		if f.optional {
			form += ", may be missing"
		}
		says := s[typ.Name()+"."+f.name]
		if of := words[typ.Name()+"."+f.json]; of != nil {
			says = strings.TrimPrefix(says+"; one of "+strings.Join(of, ", "), "; ")
		}
		if says == "" {
			says = everywhere[f.json]
		}
		if says == "" && at.Kind() == reflect.Struct {
			says = "see there"
		}
		if says == "" {
			t.Errorf("%s.%s is not documented", typ.Name(), f.name)
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.json, form, strings.ReplaceAll(says, "|", "\\|"))
	}
	for _, x := range inner {
		if !seen[x.Name()] {
			seen[x.Name()] = true
			fmt.Fprintf(b, "\n#### %s\n%s\n\n", x.Name(), s[x.Name()])
			s.table(t, b, x, seen)
		}
	}
}

const statementsIntro = `# What is signed, field by field

Every statement is an in-toto Statement v1 with one subject and one SHA-256 digest. Its predicate types are below; a JSON schema of each whole statement is in
[schemas](schemas). Digests are "sha256:" and 64 lower-case hex digits, times RFC 3339 in UTC. Integers of 64 bits are texts, because clients read JSON numbers as
float64. Every key stands exactly once; one that is not listed here, or is missing, is refused. What a schema cannot say, the verifier checks as the signer did:
results that follow from findings, executed checks that are the required ones, sorted lists, two people who are not one.

This page and the schemas are made from the types in ` + "`harness/verdict`" + `; a test holds them equal: ` + "`go test ./harness/verdict -run TestSchemas -update`" + `.
`

// The published schemas and the page about fields are those of the types.
func TestSchemas(t *testing.T) {
	s := readSource(t)
	doc, seen := bytes.NewBufferString(statementsIntro), map[string]bool{}
	for _, p := range predicates {
		typ := reflect.TypeOf(p.of)
		fmt.Fprintf(doc, "\n## %s\n`%s`, signed by the %s key. [Schema](schemas/%s.json).\n\n%s\n\n", typ.Name(), p.typ, p.key, p.name, s[typ.Name()])
		s.table(t, doc, typ, seen)
		published(t, filepath.Join(schemaDir, p.name+".json"), s.statementSchema(t, p.name, p.typ, p.of))
	}
	published(t, statementsDoc, doc.Bytes())
	known := append(append([]string{}, verdict.Types(verdict.UseEvidence)...), verdict.Types(verdict.UseApprove)...)
	if len(known) != len(predicates) {
		t.Errorf("%d types are signed, %d documented", len(known), len(predicates))
	}
}

func published(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what the types say: go test ./harness/verdict -run TestSchemas -update", path)
	}
}

// What verifies fits its schema, and what is refused for its form does not.
func TestSchemasHold(t *testing.T) {
	schemas := map[string]*jsonschema.Schema{}
	for _, p := range predicates {
		c := jsonschema.NewCompiler()
		sch, err := c.Compile(filepath.Join(schemaDir, p.name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		schemas[p.typ] = sch
	}
	list, _ := readCorpus(t)
	fit, refused, seen := 0, 0, map[string]bool{}
	for _, v := range list {
		text, typ := signedText(v.bundle)
		sch := schemas[typ]
		if sch == nil {
			continue
		}
		in, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		ok := err == nil && sch.Validate(in) == nil
		if v.Accept && !ok {
			t.Errorf("%s does not fit: %v", v.Name, err)
		}
		if v.Accept {
			fit, seen[typ] = fit+1, true
		} else if v.Category == "statement" && !ok {
			refused++
		}
	}
	if fit < 25 || refused < 25 || len(seen) < len(predicates) {
		t.Errorf("%d of %d types fit, %d vectors; %d malformed ones were noticed", len(seen), len(predicates), fit, refused)
	}
}

// signedText reads the signed text of a bundle whatever else it is.
func signedText(bundle []byte) ([]byte, string) {
	var b struct {
		Envelope struct {
			Payload []byte `json:"payload"`
		} `json:"dsseEnvelope"`
	}
	var s struct {
		Type string `json:"predicateType"`
	}
	if json.Unmarshal(bundle, &b) != nil || json.Unmarshal(b.Envelope.Payload, &s) != nil {
		return nil, ""
	}
	return b.Envelope.Payload, s.Type
}
