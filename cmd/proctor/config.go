package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

// config gives flags from a YAML file of "flag: value" lines. A key that no flag
// of the program has is an error: a misspelt limit must not be silently absent.
type config map[string]any

func loadConfig(r io.Reader) (kong.Resolver, error) {
	c := config{}
	if err := yaml.NewDecoder(r).Decode(&c); err != nil && err != io.EOF {
		return nil, fmt.Errorf("config file: %s", yaml.FormatError(err, false, false))
	}
	return c, nil
}

// Validate implements [kong.Resolver].
func (c config) Validate(app *kong.Application) error {
	known := map[string]bool{}
	var walk func(n *kong.Node)
	walk = func(n *kong.Node) {
		for _, f := range n.Flags {
			known[f.Name] = true
		}
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(app.Node)
	for key := range c {
		if !known[key] {
			return fmt.Errorf("config file: there is no flag %q", key)
		}
	}
	return nil
}

// Resolve implements [kong.Resolver].
func (c config) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	v, ok := c[flag.Name]
	if !ok || flag.Name == "config" {
		return nil, nil
	}
	if list, ok := v.([]any); ok {
		var parts []string
		for _, p := range list {
			parts = append(parts, fmt.Sprint(p))
		}
		return strings.Join(parts, ","), nil
	}
	return fmt.Sprint(v), nil
}
