package runner

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

const (
	maxSystem  = 64 << 10  // bytes of a system prompt
	maxTools   = 256 << 10 // bytes of the file of tools
	maxAddress = 2000
)

// checkRemote holds a manifest to what the model behind an endpoint is asked with. None
// of it binds the weights.
func (m Manifest) checkRemote(keys []string) error {
	if _, err := ParseEndpoint(m.Endpoint); err != nil {
		return fmt.Errorf(`"endpoint": %w`, err)
	}
	if err := m.checkAPI(keys); err != nil {
		return err
	}
	for _, key := range []string{"system", "tools"} {
		if m.API != APIChat && slices.Contains(keys, key) {
			return fmt.Errorf("api %q has no %q", m.API, key)
		}
	}
	if len(m.System) > maxSystem {
		return fmt.Errorf(`"system" is longer than %d bytes`, maxSystem)
	}
	if slices.Contains(keys, "tools") {
		if err := checkPath(m.Tools); err != nil {
			return fmt.Errorf(`"tools": %w`, err)
		}
	}
	if slices.Contains(keys, "retrieval") && !imageDigest.MatchString(m.Retrieval) {
		return fmt.Errorf(`"retrieval" is %.100q; it must be the digest of the index, sha256: and 64 characters 0-9, a-f`, m.Retrieval)
	}
	return nil
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$`)

// ParseEndpoint reads the address of an endpoint: https or http, a host, if it is not
// the usual one a port, a path, and nothing else. Where it leads is for whoever dials it.
func ParseEndpoint(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if len(s) > maxAddress || err != nil || u.Host == "" || u.Opaque != "" || u.User != nil || strings.ContainsAny(s, "?#") || hasControl(s) {
		return nil, errors.New("not an address like https://HOST:PORT/PATH, without a name, a question or a fragment in it")
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("the address begins with neither https:// nor http://")
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && a.Zone() == "" {
		return u, nil
	}
	if !hostName.MatchString(u.Hostname()) {
		return nil, errors.New("the host of the address is no name")
	}
	return u, nil
}
