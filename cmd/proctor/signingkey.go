package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"proctor/harness/secret"
	"proctor/harness/tlog"
	"proctor/harness/verdict"
	"proctor/web/api"
)

type signingKeyCmd struct {
	Replace signingKeyReplace `cmd:"" help:"Replace a signing key of a data folder whose service is stopped. What the old one signed stays valid."`
}

type signingKeyReplace struct {
	dataDir
	Use        string `arg:"" help:"Which: approve or evidence." enum:"approve,evidence"`
	LeakedFrom int64  `help:"The key leaked: log entries from this index on may be the thief's and are refused. Else all that is logged now stays valid." env:"-" placeholder:"INDEX"`
}

// Run makes the new key, records the old one as retired, and only then lets the new
// one take its place: broken off anywhere, the folder is served with the old key, or
// refused until this is run again.
func (c *signingKeyReplace) Run(_ context.Context, o console) error {
	if err := c.whole(); err != nil {
		return err
	}
	l, err := tlog.OpenKey(c.path("keys/log.key"))
	if err != nil {
		return err
	}
	head, err := tlog.OpenHead(c.head(), l) // nobody serves the folder meanwhile
	if err != nil {
		return err
	}
	defer head.Close()
	_, tree := head.Checkpoint()
	end := tree.N
	if c.LeakedFrom != 0 {
		end = c.LeakedFrom
	}
	if end < 1 || end > tree.N {
		return usagef("the log has %d entries: a key is replaced from an entry from 1 to %d on", tree.N, tree.N)
	}
	path := c.path("keys/" + c.Use + ".pem")
	if err := c.retire(path, end, time.Now()); err != nil {
		return err
	}
	if err := os.Remove(path + ".new"); err != nil && !errors.Is(err, fs.ErrNotExist) { // of one that was broken off
		return err
	}
	if _, err := verdict.CreateKey(path + ".new"); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, "the %s key is new; the old one signs nothing from entry %d on. Every gate needs the new trust.json: proctor trust\n", c.Use, end)
	return err
}

// retire records the present key of a file as retired, once.
func (c *signingKeyReplace) retire(path string, end int64, now time.Time) error {
	old, err := verdict.OpenKey(path)
	if err != nil {
		return err
	}
	public, err := verdict.PublicPEM(old.Public())
	if err != nil {
		return err
	}
	list, err := c.retired()
	if err != nil {
		return err
	}
	put := secret.Replace // durable before the new key is; and a restore reads it like a key
	if len(list) == 0 {
		put = secret.Create
	}
	entry := api.RetiredKey{Use: c.Use, Key: public, Until: now.UTC().Format(time.RFC3339), LogEnd: end}
	if n := len(list); n > 0 && list[n-1].Key == public { // by a call that was broken off
		list[n-1] = entry
	} else {
		list = append(list, entry)
	}
	b, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	return put(c.path(retiredFile), append(b, '\n'))
}

const retiredFile = "keys/retired.json"

// retired reads the keys that signed in the past; there may be none.
func (d dataDir) retired() (list []api.RetiredKey, err error) {
	b, err := os.ReadFile(d.path(retiredFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = verdict.DecodeStrict(b, 1<<20, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.path(retiredFile), err)
	}
	return list, nil
}
