// Package credential finds credentials that were left in files: private keys, and
// tokens by the forms that their issuers gave them.
//
// A finding names the file, the line and the kind. It never holds the value, nor
// a part or a length of it: findings end up in reports, logs and answers. The scan is
// of bytes as they lie in the file; what is packed, encrypted or encoded again is not
// seen, and a token without a form of its own is seen only where it is assigned to a
// name that says what it is. No finding is no proof of absence.
//
// The files are a stranger's. A scan takes time linear in their size, keeps 1 MiB of
// one, and stops at [MaxFound].
package credential

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// MaxFound is the most findings of one scan. Who leaves more has been told enough.
const MaxFound = 100

// A Found is one place with a likely credential.
type Found struct {
	File    string `json:"file"`
	Line    int    `json:"line"` // from 1; of a binary file, lines are what lies between line feeds
	Kind    string `json:"kind"`
	Private bool   `json:"private_key"` // a private key: there is no innocent reason to ship one
}

func (f Found) String() string { return fmt.Sprintf("%s, line %d: %s", f.File, f.Line, f.Kind) }

// ScanFS scans files of fsys, in the order of names.
func ScanFS(fsys fs.FS, names []string) ([]Found, error) {
	var out []Found
	for _, name := range names {
		if len(out) >= MaxFound {
			break
		}
		found, err := scanFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("scan for credentials: %w", err)
		}
		out = append(out, found...)
	}
	return out[:min(len(out), MaxFound)], nil
}

func scanFile(fsys fs.FS, name string) ([]Found, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	found, err := Scan(name, f)
	if kind := keyStores[strings.ToLower(path.Ext(name))]; kind != "" {
		found = append([]Found{{name, 1, kind, false}}, found...)
	}
	return found, err
}

// keyStores are formats that hold keys behind a password: known by name only.
var keyStores = map[string]string{".p12": "PKCS #12 key store", ".pfx": "PKCS #12 key store", ".jks": "Java key store", ".keystore": "Java key store", ".kdbx": "KeePass database", ".ppk": "PuTTY key"}

// A file is read in blocks. A credential lies in one window: what stands up to behind
// bytes before its anchor, and ahead bytes after.
const (
	block  = 1 << 20
	behind = 64
	ahead  = 4096
)

// Scan scans what r gives, under a name.
func Scan(name string, r io.Reader) ([]Found, error) {
	s := scan{name: name, line: 1}
	buf := make([]byte, 0, block)
	start := 0 // what lies before was scanned and is kept for its context only
	for {
		n, err := io.ReadFull(r, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return nil, err
		}
		end := len(buf) // anchors up to here have their whole window in buf
		if !last {
			end -= ahead
		}
		s.block(buf, start, end)
		if last || len(s.found) >= MaxFound {
			break
		}
		s.line += bytes.Count(buf[start:end], []byte("\n"))
		from := end - behind
		buf = append(buf[:0], buf[from:]...)
		start = behind
	}
	slices.SortStableFunc(s.found, func(a, b Found) int { return a.Line - b.Line })
	return slices.Compact(s.found), nil
}

type scan struct {
	name  string
	line  int // of the first byte that is not yet scanned
	found []Found
}

// block looks for anchors that begin in b[start:end], with what lies around for context.
func (s *scan) block(b []byte, start, end int) {
	binary := bytes.IndexByte(b, 0) >= 0
	counted, line := start, s.line
	for at := start; at < end && at+1 < len(b); at++ {
		g := group[uint16(b[at])<<8|uint16(b[at+1])]
		if g == 0 {
			continue
		}
		for _, r := range groups[g] {
			if r.text && binary || !r.begins(b[at:]) || !r.matches(b, at) || len(s.found) >= MaxFound {
				continue // names and values of a binary file are no assignments
			}
			line += bytes.Count(b[counted:at], []byte("\n"))
			counted = at
			s.found = append(s.found, Found{s.name, line, r.kind, r.private})
		}
	}
}
