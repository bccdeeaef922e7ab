package gate

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"proctor/harness/verdict"
	"proctor/harness/verdict/verdicttest"
)

// Of the corpus a gate opens for approvals to accept, and for nothing else. The model
// is not there: the step that hashes it is left out.
func TestCorpus(t *testing.T) {
	dir := filepath.Join("..", "..", "testdata", "vectors", "corpus")
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var list []struct {
		Name   string
		Accept bool
		Type   string
	}
	if err := json.Unmarshal(read("index.json"), &list); err != nil {
		t.Fatal(err)
	}
	trust, err := ParseTrust(read("trust.json"))
	if err != nil {
		t.Fatal(err)
	}
	open := 0
	for _, v := range list {
		_, err := Check(Input{Approval: read(v.Name + ".json"), Trust: trust, Now: verdicttest.At, without: map[int]bool{8: true}, Requirements: Requirements{
			Format: RequirementsFormat, VerifierID: verdicttest.VerifierID, ResourceURI: verdicttest.ResourceURI, PolicyDigest: verdicttest.Digest("c"),
		}})
		// Some vectors are a good approval of which the caller asks for another subject or
		// type: a gate asks for the approval's type, and compares the subject with the model.
		want := v.Type == verdict.ApprovalType && v.Accept || strings.HasPrefix(v.Name, "type-approval-for-")
		if (err == nil) != want {
			t.Errorf("%s: %v", v.Name, err)
		}
		if err == nil {
			open++
		}
	}
	if open < 3 || len(list) < 150 {
		t.Errorf("%d of %d open", open, len(list))
	}
}
