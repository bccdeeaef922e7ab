package holdout

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"proctor/harness/spell"
)

// A Spec says what the columns of a table to be sealed mean.
//
//	holdout: census-2026q3
//	answer: income
//	classes: ["<=50K", ">50K"]
//	positive: ">50K"                    # optional, for metrics that need one
//	features: [age, sex, education]     # all that a model will see, in this order
//	slices: [sex, education]            # columns to report by; need not be features
//	id: person                          # optional, checked to be unique, not sealed
//	text: [postcode]                    # optional: digits, but not a number
//	canaries: 200                       # optional
//	twins: 1250                         # optional
//	clusters: customer                  # optional: rows of one value depend on each other
//	weights: w                          # optional: how much a row counts, above 0
//	duplicates_at_most_pct: 10          # optional
//	practice: 2000                      # optional: rows that are given away and not scored
//	retain_until: 2027-12-31            # optional: last day on which the rows may be kept
//
// Features are an allow-list: what is neither feature, slice, answer, cluster nor weight
// is not sealed.
type Spec struct {
	Name       string   `json:"holdout"`
	Answer     string   `json:"answer"`
	Classes    []string `json:"classes"`
	Positive   string   `json:"positive"` // "": none
	Features   []string `json:"features"`
	Slices     []string `json:"slices"`
	ID         string   `json:"id"`
	Text       []string `json:"text"`
	Clusters   string   `json:"clusters,omitempty"` // column, "": every row is one
	Weights    string   `json:"weights,omitempty"`  // column, "": every row counts 1
	Canaries   int      `json:"canaries"`           // 0: as many as the size suggests
	Twins      int      `json:"twins"`              // 0: likewise
	Duplicates float64  `json:"duplicates_at_most_pct"`
	Practice   int      `json:"practice"`     // 0: none
	Retain     string   `json:"retain_until"` // "2006-01-02", in UTC; "": no limit
}

// Defaults of a Spec. 200 canaries show a leak of a tenth of the set with more
// than .95 at an honest agreement of 3 %, and of a fifth at 10 %; 1,250 twins show
// a gap of 5 points. Real tables have repeats: census data about 7 %.
const (
	DefaultCanaries   = 200
	DefaultTwins      = 1250
	DefaultDuplicates = 10.0
)

const (
	maxSpec    = 1 << 20
	maxClasses = 1000
	maxColumns = 10_000
	maxSlices  = 16
	minCount   = 10
	maxCount   = 100_000
	reserved   = "proctor:" // names of columns that Seal adds
)

var setName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// specFile is a Spec as people write it; pointers tell "0" from "not there".
type specFile struct {
	Name       string   `yaml:"holdout"`
	Answer     string   `yaml:"answer"`
	Classes    []string `yaml:"classes"`
	Positive   string   `yaml:"positive"`
	Features   []string `yaml:"features"`
	Slices     []string `yaml:"slices"`
	ID         string   `yaml:"id"`
	Text       []string `yaml:"text"`
	Clusters   string   `yaml:"clusters"`
	Weights    string   `yaml:"weights"`
	Canaries   *int     `yaml:"canaries"`
	Twins      *int     `yaml:"twins"`
	Duplicates *float64 `yaml:"duplicates_at_most_pct"`
	Practice   *int     `yaml:"practice"`
	Retain     string   `yaml:"retain_until"`
}

var specKeys = []string{"holdout", "answer", "classes", "positive", "features", "slices", "id", "text", "clusters", "weights", "canaries", "twins", "duplicates_at_most_pct", "practice", "retain_until"}

// ParseSpec reads a Spec strictly: a key that it does not know is an error.
func ParseSpec(text []byte) (s Spec, err error) {
	if len(text) > maxSpec || !utf8.Valid(text) {
		return Spec{}, fmt.Errorf("not UTF-8 text of at most %d bytes", maxSpec)
	}
	// The YAML library is not ours; what it cannot handle must not end the service.
	defer func() {
		if p := recover(); p != nil {
			s, err = Spec{}, errors.New("not a YAML document that can be read")
		}
	}()
	if err := checkKeys(text); err != nil {
		return Spec{}, err
	}
	var f specFile
	if err := yaml.UnmarshalWithOptions(text, &f, yaml.Strict()); err != nil {
		return Spec{}, errors.New(strings.TrimSpace(yaml.FormatError(err, false, false)))
	}
	s = Spec{Name: f.Name, Answer: f.Answer, Classes: f.Classes, Positive: f.Positive, Features: f.Features,
		Slices: f.Slices, ID: f.ID, Text: f.Text, Clusters: f.Clusters, Weights: f.Weights, Duplicates: DefaultDuplicates, Retain: f.Retain}
	for _, n := range []struct {
		key string
		in  *int
		out *int
	}{{"canaries", f.Canaries, &s.Canaries}, {"twins", f.Twins, &s.Twins}, {"practice", f.Practice, &s.Practice}} {
		if n.in == nil {
			continue
		}
		if *n.in < minCount || *n.in > maxCount {
			return Spec{}, fmt.Errorf("%s: %d is not within %d to %d; leave the key out for what suits the set", n.key, *n.in, minCount, maxCount)
		}
		*n.out = *n.in
	}
	if f.Duplicates != nil {
		s.Duplicates = *f.Duplicates
	}
	if err := s.check(); err != nil {
		return Spec{}, err
	}
	return s, nil
}

// checkKeys names an unknown or repeated key and its line, and refuses anchors:
// with them a few bytes can stand for gigabytes.
func checkKeys(text []byte) error {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return errors.New(strings.TrimSpace(yaml.FormatError(err, false, false)))
	}
	if len(file.Docs) != 1 {
		return fmt.Errorf("%d YAML documents, want one", len(file.Docs))
	}
	var pairs []*ast.MappingValueNode
	switch body := file.Docs[0].Body.(type) {
	case *ast.MappingNode:
		pairs = body.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{body}
	default:
		return errors.New("want a YAML mapping that begins with holdout: NAME")
	}
	for _, p := range pairs {
		key, at := p.Key.String(), p.Key.GetToken().Position.Line
		if !slices.Contains(specKeys, key) {
			return fmt.Errorf("line %d: unknown key %q%s", at, key, spell.Suggest(key, specKeys))
		}
	}
	v := &noAnchors{}
	ast.Walk(v, file.Docs[0].Body)
	return v.err
}

type noAnchors struct{ err error }

// Visit implements [ast.Visitor].
func (v *noAnchors) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		v.err = fmt.Errorf("line %d: anchors, aliases and tags are not used here", n.GetToken().Position.Line)
		return nil
	}
	return v
}

// check finds what is wrong with a Spec by itself, without a table.
func (s Spec) check() error {
	if !setName.MatchString(s.Name) {
		return fmt.Errorf("holdout: %.80q is not a name of 1 to 64 characters a-z, 0-9, dot, dash, underscore", s.Name)
	}
	if s.Answer == "" {
		return errors.New("answer: name the column that holds the right answers")
	}
	if len(s.Classes) < 2 || len(s.Classes) > maxClasses {
		return fmt.Errorf("classes: %d are declared; want 2 to %d", len(s.Classes), maxClasses)
	}
	if len(s.Features) == 0 || len(s.Features) > maxColumns {
		return fmt.Errorf("features: %d are listed; list every column that a model may see, at most %d", len(s.Features), maxColumns)
	}
	if len(s.Slices) > maxSlices {
		return fmt.Errorf("slices: %d are listed; at most %d", len(s.Slices), maxSlices)
	}
	for _, l := range []struct {
		key  string
		list []string
	}{{"classes", s.Classes}, {"features", s.Features}, {"slices", s.Slices}, {"text", s.Text}} {
		for i, v := range l.list {
			if v == "" || slices.Contains(l.list[:i], v) {
				return fmt.Errorf("%s: %q is empty or there twice", l.key, v)
			}
		}
	}
	if s.Positive != "" && !slices.Contains(s.Classes, s.Positive) {
		return fmt.Errorf("positive: %q is not one of the classes%s", s.Positive, spell.Suggest(s.Positive, s.Classes))
	}
	if slices.Contains(s.Features, s.Answer) {
		return fmt.Errorf("features: %q is the answer; a model must not see it", s.Answer)
	}
	if s.ID != "" && (s.ID == s.Answer || slices.Contains(s.Features, s.ID)) {
		return fmt.Errorf("id: %q is the answer or a feature; an id is never shown to a model", s.ID)
	}
	for _, v := range s.Slices {
		if v == s.Answer || v == s.ID || v == "class" || strings.Contains(v, "*") {
			return fmt.Errorf("slices: %q cannot be one: not the answer, not the id, not \"class\" (always there), no * in the name", v)
		}
	}
	if err := s.checkDependence(); err != nil {
		return err
	}
	for _, v := range slices.Concat(s.Features, s.Slices, s.dependence(), []string{s.Answer}) {
		if strings.HasPrefix(v, reserved) {
			return fmt.Errorf("column %q: names that begin with %s are taken", v, reserved)
		}
	}
	if _, err := time.Parse(time.DateOnly, s.Retain); err != nil && s.Retain != "" {
		return fmt.Errorf("retain_until: %.40q is not a day like 2027-12-31", s.Retain)
	}
	if s.Practice < 0 || s.Practice > maxCount {
		return fmt.Errorf("practice: %d is not within 0 to %d", s.Practice, maxCount)
	}
	if !(s.Duplicates >= 0 && s.Duplicates <= 50) {
		return fmt.Errorf("duplicates_at_most_pct: %v is not within 0 to 50", s.Duplicates)
	}
	return nil
}

// TextColumns lists the columns that hold text even where every value looks like
// a number: answer, id, cluster and those declared so.
func (s Spec) TextColumns() []string {
	out := []string{s.Answer}
	if s.ID != "" {
		out = append(out, s.ID)
	}
	if s.Clusters != "" {
		out = append(out, s.Clusters)
	}
	for _, c := range s.Text {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// sealed lists the columns of the scored part: features, slices that are none, clusters
// and weights, answer.
func (s Spec) sealed() []string {
	out := slices.Clone(s.Features)
	for _, c := range s.Slices {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return append(append(out, s.dependence()...), s.Answer)
}
