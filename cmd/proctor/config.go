package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

// config gives flags from a YAML file of "flag: value" lines. A key that no flag
// has is an error: a misspelt limit must not be silently absent. Flags without a
// name in the environment are decisions of one moment, such as --approve: they
// come from the command line only.
type config struct {
	file   string
	values map[string]any
}

func loadConfig(r io.Reader) (kong.Resolver, error) {
	c := config{file: "config file"}
	if f, ok := r.(interface{ Name() string }); ok {
		c.file = f.Name()
	}
	if err := yaml.NewDecoder(r).Decode(&c.values); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: not lines of 'flag: value': %s", c.file, yaml.FormatError(err, false, false))
	}
	return c, nil
}

// Validate implements [kong.Resolver].
func (c config) Validate(app *kong.Application) error {
	known := map[string]bool{}
	var walk func(n *kong.Node)
	walk = func(n *kong.Node) {
		for _, f := range n.Flags {
			known[f.Name] = known[f.Name] || configurable(f)
		}
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(app.Node)
	for key, v := range c.values {
		if !known[key] {
			return fmt.Errorf("%s: %q is not a flag that a file can give", c.file, key)
		}
		if _, isMap := v.(map[string]any); isMap || v == nil {
			return fmt.Errorf("%s: %q has no plain value", c.file, key)
		}
	}
	return nil
}

func configurable(f *kong.Flag) bool { return len(f.Envs) > 0 && f.Name != "config" }

// Resolve implements [kong.Resolver]. The environment wins over the file.
func (c config) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	v, ok := c.values[flag.Name]
	if !ok || !configurable(flag) {
		return nil, nil
	}
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
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
