package importer

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// hatecheck reads a CSV with the columns functionality, test_case and label_gold; each
// functionality becomes a test, of the capability that its name begins with.
//
//	functionality,case_id,test_case,label_gold
//	derog_neg_emote_h,1,I hate ...,hateful
func hatecheck(w *writer, b []byte) error {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	head, err := r.Read()
	if err != nil {
		return fmt.Errorf("read the first line: %w", err)
	}
	at := map[string]int{}
	for i, n := range head {
		at[n] = i
	}
	for _, n := range []string{"functionality", "test_case", "label_gold"} {
		if _, ok := at[n]; !ok {
			return fmt.Errorf("there is no column %s", n)
		}
	}
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err // names the line
		}
		name, text, label := rec[at["functionality"]], rec[at["test_case"]], rec[at["label_gold"]]
		if name == "" || text == "" || label == "" {
			return fmt.Errorf("a case of functionality %.40q has no text or no label", name)
		}
		capability, _, _ := strings.Cut(name, "_")
		w.get(name, capability, "MFT").add(map[string]any{"text": text, "expect": label})
	}
}
