package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// An lmSample is one line of a file of logged samples: of a task that generates text
//
//	{"doc_id":0,"target":"Paris","arguments":[["The capital of France is",{}]],"filtered_resps":["Paris"]}
//
// or of a choice, where arguments are pairs of context and continuation, the target is the
// index of the right one, and each response is a pair of log-likelihood and greedy.
type lmSample struct {
	DocID     any             `json:"doc_id"`
	Target    any             `json:"target"`
	Arguments json.RawMessage `json:"arguments"`
	Filtered  []any           `json:"filtered_resps"`
}

func lmEval(w *writer, b []byte) error {
	return lines(b, func(no int, line []byte) error {
		var s lmSample
		if err := json.Unmarshal(line, &s); err != nil {
			return fmt.Errorf("no logged sample: %w", err)
		}
		args, err := arguments(s.Arguments)
		if err != nil {
			return err
		}
		if len(args) == 1 && len(s.Filtered) <= 1 && !isPair(s.Filtered) {
			return generated(w, s, args[0])
		}
		return chosen(w, s, args)
	})
}

// arguments reads both forms: a list of lists, or an object of objects.
func arguments(raw json.RawMessage) ([][]any, error) {
	var list [][]any
	if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
		return list, nil
	}
	var object map[string]map[string]any
	if json.Unmarshal(raw, &object) != nil || len(object) == 0 {
		return nil, errors.New("the sample has no arguments")
	}
	for i := range len(object) {
		args := object["gen_args_"+strconv.Itoa(i)]
		var row []any
		for k := range len(args) {
			row = append(row, args["arg_"+strconv.Itoa(k)])
		}
		list = append(list, row)
	}
	return list, nil
}

func isPair(f []any) bool {
	if len(f) != 1 {
		return false
	}
	_, ok := f[0].([]any)
	return ok
}

func first(args []any) (string, error) {
	if len(args) == 0 {
		return "", errors.New("an argument list is empty")
	}
	s, ok := args[0].(string)
	if !ok {
		return "", errors.New("the prompt is not text")
	}
	return s, nil
}

func generated(w *writer, s lmSample, args []any) error {
	prompt, err := first(args)
	if err != nil {
		return err
	}
	target := fmt.Sprint(s.Target)
	if s.Target == nil || target == "" {
		w.note("sample %v has no target and was left out", s.DocID)
		return nil
	}
	t := w.get("generated", "task", "MFT")
	t.checks = []string{"{score: normalised, column: target}"}
	id := t.add(map[string]any{"prompt": prompt, "target": target})
	if len(s.Filtered) == 1 {
		w.answer("answers", "answer", id, fmt.Sprint(s.Filtered[0]))
	}
	return nil
}

func chosen(w *writer, s lmSample, args [][]any) error {
	prompt, err := first(args[0])
	if err != nil {
		return err
	}
	target, ok := s.Target.(float64)
	if !ok || target != math.Trunc(target) || target < 0 || int(target) >= len(args) {
		w.note("sample %v: the target is no index of a choice; it was left out", s.DocID)
		return nil
	}
	id := w.get(fmt.Sprintf("choice of %d", len(args)), "task", "MFT").add(map[string]any{"prompt": prompt, "expect": strconv.Itoa(int(target))})
	best, at := math.Inf(-1), -1
	for i, f := range s.Filtered {
		pair, ok := f.([]any)
		if !ok || len(pair) == 0 {
			continue
		}
		if ll, err := strconv.ParseFloat(fmt.Sprint(pair[0]), 64); err == nil && ll > best {
			best, at = ll, i
		}
	}
	if len(s.Filtered) == len(args) {
		w.answer("answers", "label", id, strconv.Itoa(at))
	}
	return nil
}
