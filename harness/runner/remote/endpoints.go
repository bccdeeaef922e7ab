package remote

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"proctor/harness/runner"
)

// An Endpoint is a server that an operator allows packages to name.
type Endpoint struct {
	URL     string `json:"url"`     // scheme, host and, if it is not the usual one, port
	Private bool   `json:"private"` // may have any address, and speak without TLS
	Header  string `json:"header"`  // of the credential, such as Authorization; "": none is sent
	Value   string `json:"value"`
}

// Endpoints are an operator's:
//
//	{"endpoints": [
//	  {"url": "https://llm.example", "header": "Authorization", "value": "Bearer ..."},
//	  {"url": "http://10.0.0.7:8000", "private": true}
//	]}
//
// What is not in the list is not asked. The zero Endpoints names none.
type Endpoints struct{ list []Endpoint }

const (
	maxFile      = 64 << 10
	maxEndpoints = 100
)

// ParseEndpoints reads an operator's file. Errors never quote a credential.
func ParseEndpoints(data []byte) (*Endpoints, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("endpoints: longer than %d bytes", maxFile)
	}
	var file struct {
		Endpoints []Endpoint `json:"endpoints"`
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("endpoints: byte %d: not JSON", syntax.Offset)
		}
		return nil, errors.New(`endpoints: want {"endpoints": [{"url": ..., "private": true or false, "header": ..., "value": ...}]} and no other keys`)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("endpoints: there is text after the closing brace")
	}
	if len(file.Endpoints) > maxEndpoints {
		return nil, fmt.Errorf("endpoints: more than %d", maxEndpoints)
	}
	return NewEndpoints(file.Endpoints...)
}

// NewEndpoints checks a list of endpoints.
func NewEndpoints(list ...Endpoint) (*Endpoints, error) {
	e := &Endpoints{}
	for i, x := range list {
		u, err := runner.ParseEndpoint(x.URL)
		switch {
		case err != nil:
			return nil, fmt.Errorf("endpoint %d: %w", i+1, err)
		case u.Scheme != "https" && !x.Private:
			return nil, fmt.Errorf("endpoint %d: its url does not begin with https://; http:// is for endpoints that are private", i+1)
		case strings.Trim(u.Path, "/") != "":
			return nil, fmt.Errorf("endpoint %d: its url has a path; give scheme, host and port", i+1)
		case (x.Header == "") != (x.Value == ""):
			return nil, fmt.Errorf("endpoint %d: header and value go together", i+1)
		case !headerOK(x.Header, x.Value):
			return nil, fmt.Errorf("endpoint %d: header and value are not those of an HTTP request", i+1)
		}
		x.URL = origin(u)
		if e.named(x.URL) >= 0 {
			return nil, fmt.Errorf("endpoint %d: %s is named twice", i+1, x.URL)
		}
		e.list = append(e.list, x)
	}
	return e, nil
}

var (
	headerName  = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
	headerValue = regexp.MustCompile(`^[!-~]([ -~]*[!-~])?$`)
)

func headerOK(name, value string) bool {
	if name == "" {
		return true
	}
	ours := []string{"Host", "Content-Type", "Content-Length", "Transfer-Encoding", "Connection", "Accept", "Accept-Encoding", "Trailer", "Upgrade"}
	return headerName.MatchString(name) && headerValue.MatchString(value) && !slices.Contains(ours, http.CanonicalHeaderKey(name))
}

// origin is where an address leads: scheme, host in lower case, port.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	host := strings.ToLower(u.Hostname())
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return u.Scheme + "://" + host + ":" + port
}

func (e *Endpoints) named(origin string) int {
	if e == nil {
		return -1
	}
	return slices.IndexFunc(e.list, func(x Endpoint) bool { return x.URL == origin })
}

// ErrNotNamed says that the operator did not name an endpoint.
var ErrNotNamed = errors.New("the operator does not allow this endpoint")

// find returns the operator's entry for an address.
func (e *Endpoints) find(address string) (Endpoint, error) {
	u, err := runner.ParseEndpoint(address)
	if err != nil {
		return Endpoint{}, err
	}
	i := e.named(origin(u))
	if i < 0 {
		return Endpoint{}, ErrNotNamed
	}
	return e.list[i], nil
}

// Client returns a client of the endpoint at an address, if the operator named it.
func (e *Endpoints) Client(address, api string) (*Client, error) {
	x, err := e.find(address)
	if err != nil {
		return nil, err
	}
	most := int64(maxText)
	if api == runner.APIInference {
		most = maxTensors
	}
	return x.client(address, most), nil
}
