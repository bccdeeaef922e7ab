package witness

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"proctor/harness/tlog"
)

// stateJSON is what the file holds.
type stateJSON struct {
	Format string              `json:"format"`
	Logs   map[string]treeJSON `json:"logs"` // by origin
}

type treeJSON struct {
	Size int64  `json:"size,string"`
	Root string `json:"root"`
}

const stateFormat = "proctor/witness-state/1"

// stateFile is written whole, durably. One process holds it.
type stateFile struct {
	path string
	lock io.Closer
}

// Create makes the file of a witness that has seen nothing. It replaces none: a
// witness that forgets would sign a second history.
func Create(path string) error {
	b, err := json.Marshal(stateJSON{stateFormat, map[string]treeJSON{}})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	return errors.Join(err, f.Sync(), f.Close(), syncDir(filepath.Dir(path)))
}

func openState(path string) (*stateFile, map[string]tlog.Tree, error) {
	lock, err := tlog.Lock(path + ".lock")
	if err != nil {
		return nil, nil, fmt.Errorf("open the witness's state %s: %w", path, err)
	}
	seen, err := readState(path)
	if err != nil {
		lock.Close()
		return nil, nil, err
	}
	return &stateFile{path, lock}, seen, nil
}

func readState(path string) (map[string]tlog.Tree, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the witness's state: %w", err)
	}
	var s stateJSON
	if err := json.Unmarshal(b, &s); err != nil || s.Format != stateFormat {
		return nil, fmt.Errorf("%s is not the state of a witness", path)
	}
	seen := map[string]tlog.Tree{}
	for name, t := range s.Logs {
		root, err := base64.StdEncoding.Strict().DecodeString(t.Root)
		if err != nil || len(root) != len(tlog.Hash{}) || t.Size < 0 {
			return nil, fmt.Errorf("%s: damaged at log %s", path, name)
		}
		seen[name] = tlog.Tree{N: t.Size, Hash: tlog.Hash(root)}
	}
	return seen, nil
}

// write makes the file hold what was seen, durably: a crash leaves the old or the new.
func (f *stateFile) write(seen map[string]tlog.Tree) error {
	s := stateJSON{stateFormat, map[string]treeJSON{}}
	for name, t := range seen {
		s.Logs[name] = treeJSON{t.N, t.Hash.String()}
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	tmp, err := os.OpenFile(f.path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = tmp.Write(append(b, '\n'))
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.path+".new", f.path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(f.path))
}

func (f *stateFile) close() error { return f.lock.Close() }

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
