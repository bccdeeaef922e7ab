package score

import (
	"fmt"
	"slices"
	"strings"
)

// Structured says whether the check is about what an application did: it needs an answer
// of the form that [ParseSaid] reads.
func (c Check) Structured() bool { return forms[c.Score].action || c.Turn != 0 }

// HoldsSaid says whether a conversation meets the check. A text score looks at the named
// turn, 0 at the last; one of actions at the named turn, 0 at all of them.
func (s *Scorer) HoldsSaid(said *Said, reference string) bool {
	turns := said.Turns
	if k := s.check.Turn; k > 0 {
		if k > len(turns) {
			return false
		}
		turns = turns[k-1 : k]
	}
	if len(turns) == 0 {
		return false
	}
	if !forms[s.check.Score].action {
		t := turns[len(turns)-1]
		return (strings.TrimSpace(t.Text) != "" || s.check.Not) && s.Holds(t.Text, reference)
	}
	if s.check.Text != "" {
		reference = s.check.Text
	}
	met, scored := s.did(turns, reference)
	return scored && met != s.check.Not
}

// did says whether the turns show the action, and whether that could be told.
func (s *Scorer) did(turns []Turn, reference string) (met, scored bool) {
	var calls []Call
	var retrieved []string
	for _, t := range turns {
		calls, retrieved = append(calls, t.Calls...), append(retrieved, t.Retrieved...)
	}
	switch s.check.Score {
	case "calls":
		return s.calls(calls, reference)
	case "calls_only":
		return !slices.ContainsFunc(calls, func(c Call) bool { return !slices.Contains(s.check.Texts, c.Name) }), true
	}
	ids := s.check.Texts
	if ids == nil {
		ids = idsOf(reference)
	}
	if len(ids) == 0 {
		return false, false
	}
	got := func(id string) bool { return slices.Contains(retrieved, id) }
	switch s.check.Score {
	case "retrieves":
		return !slices.ContainsFunc(ids, func(id string) bool { return !got(id) }), true
	case "retrieves_any":
		return slices.ContainsFunc(ids, got), true
	}
	return !slices.ContainsFunc(retrieved, func(id string) bool { return !slices.Contains(ids, id) }), true // retrieves_only
}

// calls looks for a call of the tool with the arguments that are asked for.
func (s *Scorer) calls(calls []Call, reference string) (met, scored bool) {
	var want any
	if reference != "" {
		var err error
		if want, err = strictJSON([]byte(reference)); err != nil {
			return false, false
		}
	}
	return slices.ContainsFunc(calls, func(c Call) bool {
		return (s.check.Tool == "" || c.Name == s.check.Tool) &&
			(want == nil || same(c.Arguments, want)) &&
			(s.schema == nil || s.schema.Validate(c.Arguments) == nil)
	}), true
}

// idsOf reads the ids of a case: a JSON list of strings, or one id as it is.
func idsOf(reference string) []string {
	if !strings.HasPrefix(reference, "[") {
		return []string{reference}
	}
	v, err := strictJSON([]byte(reference))
	if err != nil {
		return nil
	}
	ids, _ := stringsOf(v)
	return ids
}

// checkAction says what is wrong with a case's own reference of an action.
func (c Check) checkAction(text string) error {
	if c.Score != "calls" {
		if len(idsOf(text)) == 0 {
			return fmt.Errorf("score %s: %.40q is neither an id nor a JSON list of ids", c.Score, text)
		}
		return nil
	}
	if v, err := strictJSON([]byte(text)); err != nil {
		return fmt.Errorf("score calls: the arguments: %w", err)
	} else if _, ok := v.(map[string]any); !ok {
		return fmt.Errorf("score calls: the arguments %.40q are no JSON object", text)
	}
	return nil
}
