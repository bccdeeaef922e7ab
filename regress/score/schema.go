package score

import (
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaName is where a check's schema stands for the compiler; it is no address.
const schemaName = "schema.json"

// nowhere refuses to load: a schema that could name a file or an address would let
// whoever writes a suite make the service read it.
type nowhere struct{}

func (nowhere) Load(url string) (any, error) {
	return nil, errors.New("a schema refers to nothing outside itself")
}

func compileSchema(text string) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	if n := references(doc); n > maxReferences {
		return nil, fmt.Errorf("schema: it refers to its own parts %d times, at most %d are possible", n, maxReferences)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(nowhere{})
	c.UseRegexpEngine(func(p string) (jsonschema.Regexp, error) { return compile(p) })
	if err := c.AddResource(schemaName, doc); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	s, err := c.Compile(schemaName)
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, fmt.Errorf("schema: %s", first)
	}
	return s, nil
}

// maxReferences bounds the work of one validation: definitions that each refer twice
// to the next one double it with every level.
const maxReferences = 16

// references counts the references in a schema.
func references(v any) int {
	n := 0
	switch v := v.(type) {
	case map[string]any:
		for key, child := range v { // any order gives the same sum
			if strings.HasSuffix(strings.ToLower(key), "ref") {
				n++
			}
			n += references(child)
		}
	case []any:
		for _, child := range v {
			n += references(child)
		}
	}
	return n
}
