package score

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"proctor/harness/spell"
)

// MaxText is the longest reference, pattern or schema, in bytes.
const MaxText = 1 << 16

// MaxAnswer is the longest answer, in bytes, that a scorer looks at; a longer one fails.
const MaxAnswer = 1 << 20

// A Check is one demand on an answer.
//
//	{"score":"contains","text":"Paris","fold":true}
//	{"score":"f1","at_least":0.6}         reference: given by the case
//	{"score":"contains","text":"canary-77","not":true}
type Check struct {
	Score     string   `json:"score"`
	Not       bool     `json:"not,omitempty"`       // the opposite is demanded
	Fold      bool     `json:"fold,omitempty"`      // upper and lower case are the same
	Text      string   `json:"text,omitempty"`      // the reference of all cases; "": each case has its own
	Texts     []string `json:"texts,omitempty"`     // one_of: the set; calls_only: tools; retrieves: ids
	Schema    string   `json:"schema,omitempty"`    // json_schema: the document; calls: of the arguments
	AtLeast   *float64 `json:"at_least,omitempty"`  // graded scores: the least that holds
	Tolerance *float64 `json:"tolerance,omitempty"` // numeric, edit_distance: allowed distance, nil is 0
	Tool      string   `json:"tool,omitempty"`      // calls: its name, "" is any
	Turn      int      `json:"turn,omitempty"`      // of a conversation, from 1; 0: the last, of actions all
}

// Judge is the score that a judge model gives. Its text is the criterion, its texts are
// wrong answers that every judge must refuse.
const Judge = "judge"

// MinPlanted is the fewest wrong answers of a judge's check.
const MinPlanted = 3

// MaxTurns is the most turns of a conversation.
const MaxTurns = 16

// A form says what a score takes. A graded score gives a number that AtLeast bounds.
type form struct {
	reference, fold, texts, schema, tolerance bool
	action                                    bool    // looks at calls and what was retrieved
	optional                                  bool    // reference, texts and schema may be left out
	graded                                    float64 // its largest value, 0: not graded
}

var forms = map[string]form{
	"exact":       {reference: true, fold: true},
	"normalised":  {reference: true},
	"contains":    {reference: true, fold: true},
	"starts_with": {reference: true, fold: true},
	"regex":       {reference: true},
	"numeric":     {reference: true, tolerance: true},

	"edit_distance": {reference: true, tolerance: true},
	"contains_json": {},

	"one_of":      {texts: true, fold: true},
	"json":        {},
	"json_schema": {schema: true},
	"refusal":     {},

	// What a judge model says is asked for by the user of this package: to a Scorer it is
	// no evidence, so that it holds nothing up and never lets anything pass alone.
	Judge: {reference: true, optional: true, texts: true},

	"calls":          {action: true, optional: true, reference: true, schema: true},
	"calls_only":     {action: true, texts: true},
	"retrieves":      {action: true, reference: true, texts: true},
	"retrieves_any":  {action: true, reference: true, texts: true},
	"retrieves_only": {action: true, reference: true, texts: true},

	"f1":      {reference: true, graded: 1},
	"chrf":    {reference: true, graded: 100},
	"rouge1":  {reference: true, graded: 1},
	"rouge2":  {reference: true, graded: 1},
	"rouge_l": {reference: true, graded: 1},
}

// Scores lists the known scores in alphabetical order.
func Scores() []string {
	var out []string
	for name := range forms {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// NeedsReference says whether each case must bring a reference of its own.
func (c Check) NeedsReference() bool { return c.TakesReference() && !forms[c.Score].optional }

// TakesReference says whether each case may bring a reference of its own.
func (c Check) TakesReference() bool {
	return forms[c.Score].reference && c.Text == "" && c.Texts == nil
}

// String gives the check in words, such as `not contains "canary"`.
func (c Check) String() string {
	s := c.Score
	if c.Not {
		s = "not " + s
	}
	switch {
	case c.Text != "":
		s += fmt.Sprintf(" %.60q", c.Text)
	case c.Texts != nil:
		s += fmt.Sprintf(" %.60q", c.Texts)
	}
	if c.Tool != "" {
		s += fmt.Sprintf(" of %.60q", c.Tool)
	}
	if c.Turn > 0 {
		s += fmt.Sprintf(" in turn %d", c.Turn)
	}
	if c.AtLeast != nil {
		s += fmt.Sprintf(" >= %v", *c.AtLeast)
	}
	return s
}

// check says what the score lacks, or has and does not use.
func (c Check) check() error {
	f, ok := forms[c.Score]
	if !ok {
		return fmt.Errorf("score %.40q is not known%s; there are %s", c.Score, spell.Suggest(c.Score, Scores()), strings.Join(Scores(), ", "))
	}
	for _, p := range []struct {
		name     string
		uses, is bool
	}{
		{"a text", f.reference, c.Text != ""}, {"fold", f.fold, c.Fold}, {"texts", f.texts, c.Texts != nil},
		{"a schema", f.schema, c.Schema != ""}, {"at_least", f.graded > 0, c.AtLeast != nil}, {"a tolerance", f.tolerance, c.Tolerance != nil},
		{"a tool", c.Score == "calls", c.Tool != ""},
	} {
		if p.is && !p.uses {
			return fmt.Errorf("score %s does not use %s", c.Score, p.name)
		}
	}
	switch {
	case c.Turn < 0 || c.Turn > MaxTurns:
		return fmt.Errorf("turn is %d; turns are counted from 1 to %d", c.Turn, MaxTurns)
	case c.Score == Judge:
		return c.checkJudge()
	case c.Text != "" && c.Texts != nil:
		return fmt.Errorf("score %s takes a text or texts, not both", c.Score)
	case f.action && c.Text != "":
		if err := c.checkAction(c.Text); err != nil {
			return err
		}
	}
	switch {
	case f.texts && !f.reference && len(c.Texts) == 0:
		return fmt.Errorf("score %s needs texts: the set that is allowed", c.Score)
	case f.schema && !f.optional && c.Schema == "":
		return errors.New("score json_schema needs a schema")
	case f.graded > 0 && c.AtLeast == nil:
		return fmt.Errorf("score %s needs at_least, from 0 to %v", c.Score, f.graded)
	case c.AtLeast != nil && !(*c.AtLeast > 0 && *c.AtLeast <= f.graded):
		return fmt.Errorf("at_least is %v; the score %s lies above 0 and is at most %v", *c.AtLeast, c.Score, f.graded)
	case c.Tolerance != nil && !(*c.Tolerance >= 0 && *c.Tolerance <= math.MaxFloat64):
		return fmt.Errorf("tolerance is %v; it is a distance", *c.Tolerance)
	}
	return c.checkSize()
}

func (c Check) checkJudge() error {
	switch {
	case c.Text == "" || len(c.Text) > MaxCriterion:
		return fmt.Errorf("score judge needs a text, the criterion, of at most %d bytes", MaxCriterion)
	case len(c.Texts) < MinPlanted:
		return fmt.Errorf("score judge needs texts: at least %d wrong answers that the judge must refuse", MinPlanted)
	case c.Not:
		return errors.New("score judge takes no not: word the criterion so that yes is right")
	}
	return c.checkSize()
}

// MaxCriterion is the longest criterion, in bytes.
const MaxCriterion = 1000

func (c Check) checkSize() error {
	size := len(c.Text) + len(c.Schema)
	for _, t := range c.Texts {
		size += len(t)
		if t == "" {
			return errors.New("texts holds an empty text")
		}
	}
	if size > MaxText {
		return fmt.Errorf("score %s: more than %d bytes of text", c.Score, MaxText)
	}
	return nil
}
