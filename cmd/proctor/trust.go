package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"proctor/harness/gate"
	"proctor/harness/secret"
	"proctor/harness/verdict"
	"proctor/web/api"
)

type trustCmd struct {
	Fetch trustFetch `cmd:"" default:"withargs" help:"Write the keys that a release gate pins, as the service publishes them."`
	Root  trustRoot  `cmd:"" help:"Offline: make a root key. Two of three or more sign trust files."`
	Init  trustInit  `cmd:"" help:"Offline: draft the next version of a trust file, for root keys to sign."`
	Sign  trustSign  `cmd:"" help:"Offline: add the signature of one root key to a trust file."`
	Show  trustShow  `cmd:"" help:"Check a signed trust file and say what it trusts."`
}

type trustRoot struct {
	Name string `arg:"" help:"Whose key it is, such as root-ann."`
	Key  string `help:"File to keep the secret key in; it must not be there yet. Keep it where no service runs." required:"" type:"path" env:"-" placeholder:"FILE"`
}

// Run prints the public key, a line for the file of root keys.
func (c *trustRoot) Run(_ context.Context, o console) error {
	private, public, err := note.GenerateKey(rand.Reader, c.Name)
	if err != nil {
		return err
	}
	if _, err := note.NewVerifier(public); err != nil { // GenerateKey takes any name
		return usagef("%q is no name of a root key: give one without spaces and plus signs, such as root-ann", clip(c.Name))
	}
	err = secret.Create(c.Key, []byte(private+"\n"))
	if errors.Is(err, fs.ErrExist) {
		return usagef("%s is there already, and a key is never replaced: name a new file", c.Key)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(o.Out, public)
	return err
}

type trustInit struct {
	Keys    string `arg:"" help:"trust.json, as 'proctor trust' writes it." type:"path"`
	Service string `help:"URI of the service, as verdicts name it." required:"" placeholder:"URI" env:"-"`
	After   string `help:"The trust file that this one replaces; else it is version 1." type:"path" placeholder:"FILE" env:"-"`
	Days    int    `help:"How many days it holds." default:"90" env:"-"`
	Out     string `help:"File to write the draft to." required:"" type:"path" placeholder:"FILE" env:"-"`
}

// Run drafts a file with all keys of trust.json, each with its types and window.
func (c *trustInit) Run(_ context.Context, o console) error {
	keys, _, err := readTrust(c.Keys, "")
	if err != nil {
		return err
	}
	if c.Days < 1 || c.Days > 1100 {
		return usagef("--days is 1 to 1100")
	}
	if err := isURI("--service", c.Service); err != nil {
		return err
	}
	now := time.Now().UTC()
	f := gate.TrustFile{Version: 1, Service: c.Service, Issued: now.Format(time.RFC3339), Expires: now.AddDate(0, 0, c.Days).Format(time.RFC3339), Log: keys.Log, Witnesses: append([]string{}, keys.Witnesses...)}
	if c.After != "" {
		before, err := draftOf(c.After)
		if err != nil {
			return err
		}
		f.Version = before.Version + 1
	}
	if f.LogFrom, err = logBegan(keys.Root); err != nil {
		return err
	}
	for _, k := range []struct{ use, key string }{{verdict.UseEvidence, keys.Evidence}, {verdict.UseApprove, keys.Approve}} {
		f.Keys = append(f.Keys, gate.TrustKey{Public: k.key, Types: verdict.Types(k.use)})
	}
	for _, k := range keys.Retired {
		f.Keys = append(f.Keys, gate.TrustKey{Public: k.Key, Types: verdict.Types(k.Use), Until: k.Until, LogEnd: k.LogEnd})
	}
	text, err := f.Text()
	if err != nil {
		return err
	}
	if err := replace(c.Out, []byte(text)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, "version %d until %s: look at it, then have the holders of root keys sign it: proctor trust sign %s --key FILE\n", f.Version, f.Expires, c.Out)
	return err
}

// logBegan reads when the log began from a trusted_root.json.
func logBegan(root string) (string, error) {
	var r struct {
		Logs []struct {
			Key struct {
				For struct {
					Start string `json:"start"`
				} `json:"validFor"`
			} `json:"publicKey"`
		} `json:"tlogs"`
	}
	if err := json.Unmarshal([]byte(root), &r); err != nil || len(r.Logs) != 1 {
		return "", usagef("trusted_root in trust.json has no log")
	}
	return r.Logs[0].Key.For.Start, nil
}

// draftOf reads a trust file whoever signed it.
func draftOf(path string) (gate.TrustFile, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return gate.TrustFile{}, err
	}
	text := string(b)
	if i := strings.LastIndex(text, "\n\n"); i >= 0 {
		text = text[:i+1]
	}
	f, err := gate.ParseTrustText(text)
	if err != nil {
		err = usagef("%s: %v", path, err)
	}
	return f, err
}

type trustSign struct {
	File string `arg:"" help:"The draft, or what others have signed already." type:"path"`
	Key  string `help:"File of the root key." required:"" type:"path" env:"-" placeholder:"FILE"`
}

// Run says what is signed, and adds the signature to the file.
func (c *trustSign) Run(_ context.Context, o console) error {
	f, err := draftOf(c.File)
	if err != nil {
		return err
	}
	private, err := secret.Read(c.Key)
	if err != nil {
		return usagef("%w", err)
	}
	s, err := note.NewSigner(strings.TrimSpace(string(private)))
	if err != nil {
		return usagef("%s is not a root key", c.Key) // never quote it
	}
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	if b, err = gate.SignTrust(b, s); err != nil {
		return usagef("%s: %v", c.File, err)
	}
	if err := replace(c.File, b); err != nil {
		return err
	}
	return describeTrust(o, f, []string{s.Name()})
}

type trustShow struct {
	File string `arg:"" help:"The signed trust file." type:"path"`
	Root string `help:"File with the root keys: the line proctor/roots/1, 'threshold 2', then a key a line." required:"" type:"path" env:"-" placeholder:"FILE"`
	Dir  string `help:"Folder to write trusted_root.json and the keys in force to, for stock tools." type:"path" env:"-" placeholder:"FOLDER"`
}

// Run refuses a file that too few root keys signed, or that has ended.
func (c *trustShow) Run(_ context.Context, o console) error {
	s, err := openTrust(c.File, c.Root)
	if err != nil {
		return err
	}
	if err := describeTrust(o, s.File, s.Signers); err != nil {
		return err
	}
	if c.Dir != "" {
		if err := writeSignedTrust(c.Dir, s.File); err != nil {
			return err
		}
	}
	if ends, err := time.Parse(time.RFC3339, s.File.Expires); err != nil || !time.Now().Before(ends) {
		return &coded{exitFail, errors.New("the trust file has ended: gates refuse it")}
	}
	return nil
}

func describeTrust(o console, f gate.TrustFile, signers []string) error {
	fmt.Fprintf(o.Out, "trust file of %s, version %d, until %s, signed by %s\n", f.Service, f.Version, f.Expires, strings.Join(signers, " and "))
	for _, k := range f.Keys {
		public, err := verdict.ParsePublicPEM(k.Public)
		if err != nil {
			return err
		}
		digest, err := verdict.KeyDigest(public)
		if err != nil {
			return err
		}
		use := verdict.UseEvidence
		if slices.Contains(k.Types, verdict.ApprovalType) {
			use = verdict.UseApprove
		}
		fmt.Fprintf(o.Out, "  %-8s  %s", use, digest)
		if k.Until != "" {
			fmt.Fprintf(o.Out, ", until %s, before log entry %d", k.Until, k.LogEnd)
		}
		fmt.Fprintln(o.Out)
	}
	_, err := fmt.Fprintf(o.Out, "  log       %s\n  witnesses %d\n", f.Log, len(f.Witnesses))
	return err
}

// writeSignedTrust writes what stock tools pin: the log, and the newest keys.
func writeSignedTrust(dir string, f gate.TrustFile) error {
	root, err := f.TrustedRoot()
	if err != nil {
		return err
	}
	files := map[string]string{"trusted_root.json": string(root) + "\n"}
	for _, k := range f.Keys {
		name := "evidence.pub.pem"
		if slices.Contains(k.Types, verdict.ApprovalType) {
			name = "approve.pub.pem"
		}
		if k.Until == "" {
			files[name] = k.Public
		}
	}
	for name, text := range files {
		if err := replace(filepath.Join(dir, name), []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

// openTrust reads a signed trust file and the root keys.
func openTrust(path, root string) (s gate.SignedTrust, err error) {
	keys, err := os.ReadFile(root)
	if err != nil {
		return s, err
	}
	roots, err := gate.ParseRoots(keys)
	if err != nil {
		return s, usagef("%s: %v", root, err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return s, err
	}
	if s, err = gate.OpenTrust(b, roots); err != nil {
		return s, &coded{exitTampered, fmt.Errorf("%s: %w", path, err)}
	}
	return s, nil
}

// readTrust reads the pinned keys, as the service publishes them; with root keys, from
// a trust file that these signed. Of the latter's keys only the log's is returned as text.
func readTrust(path, root string) (api.Trust, verdict.Trust, error) {
	if root != "" {
		s, err := openTrust(path, root)
		return api.Trust{Log: s.File.Log, Witnesses: s.File.Witnesses}, s.Trust, err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = usagef("%s is not there: fetch it with 'proctor trust --dir .'", path)
	}
	if err != nil {
		return api.Trust{}, verdict.Trust{}, err
	}
	keys, trust, err := gate.ReadTrust(text)
	if err != nil {
		err = usagef("%s: %v", path, err)
	}
	return keys, trust, err
}
