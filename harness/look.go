package harness

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"proctor/harness/intake/credential"
	"proctor/harness/policy"
	"proctor/harness/provenance"
	"proctor/harness/report"
	"proctor/harness/runner"
	"proctor/harness/verdict"
	"proctor/holdout"
)

// seen is what there is to see in a package's files without running it.
type seen struct {
	credentials      []credential.Found
	files            []provenance.File
	signature, build []byte // nil: there is none
	training         *provenance.Training
	record           string // digest of the training record
	remote           bool   // its model runs elsewhere
	stochastic       bool   // its manifest declares that it answers at random

	trained *holdout.Fingerprint // of the rows that it was trained on; nil: none is declared
}

// fingerprintFile is where a package declares what it was trained on.
const fingerprintFile = "training-fingerprint.bin"

// look looks through the files of a package that was unpacked into dir. A training
// record that cannot be read is its owner's fault; a signature is judged by admit.
func look(dir string, p *runner.Package) (*seen, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	s := &seen{remote: p.Manifest.Kind == runner.KindRemote, stochastic: p.Manifest.Stochastic}
	names := make([]string, len(p.Files))
	for i, f := range p.Files {
		names[i] = f.Path
		s.files = append(s.files, provenance.File{Path: f.Path, SHA256: f.SHA256})
	}
	if s.credentials, err = credential.ScanFS(root.FS(), names); err != nil {
		return nil, err
	}
	var record []byte
	for _, f := range []struct {
		name string
		into *[]byte
	}{{provenance.SignatureFile, &s.signature}, {provenance.BuildFile, &s.build}, {provenance.TrainingFile, &record}} {
		if *f.into, err = small(root, f.name, provenance.MaxFile); err != nil {
			return nil, err
		}
	}
	prints, err := small(root, fingerprintFile, holdout.MaxFingerprint)
	if err != nil {
		return nil, err
	}
	if prints != nil {
		f, err := holdout.ParseFingerprint(prints)
		if err != nil {
			return nil, refuse(Usage, "%s: %v", fingerprintFile, err)
		}
		s.trained = &f
	}
	if record == nil {
		return s, nil
	}
	if s.training, err = provenance.ParseTraining(record); err != nil {
		return nil, refuse(Usage, "%v", err)
	}
	s.record = report.Digest(record)
	return s, nil
}

// small reads a file of bounded size, nil if it is not there.
func small(root *os.Root, name string, most int) ([]byte, error) {
	f, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err == nil && len(b) > most {
		return nil, refuse(Usage, "%s is larger than %d bytes", name, most)
	}
	return b, err
}

// Reason of a run whose package is none that its policy takes.
const (
	packageRefused         = "package.refused"
	packageRefusedSentence = "The package holds something that the policy does not allow, or lacks something that it asks for."
)

// admit returns who vouches for the package, or why the policy does not take it. It
// names places and kinds, never a credential: the sentence goes to the submitter and
// into logs.
func (s *seen) admit(rule policy.Package) ([]provenance.Attestation, error) {
	if s.remote && rule.Remote != policy.Allow {
		return nil, refuse(Usage, `the package's model runs elsewhere (kind remote), and the policy lets no sealed row leave the house: hold it to suites with 'proctor suite run' and to practice rows with 'proctor package lint', or ask for a policy with package: {remote: allow}`)
	}
	if s.stochastic && rule.Stochastic != policy.Allow {
		return nil, refuse(Usage, `the package declares "stochastic": true, and the policy takes no model that answers at random: make it answer the same row always the same, or ask for a policy with package: {stochastic: allow}`)
	}
	var list []string
	for _, c := range s.credentials {
		if c.Private && rule.PrivateKeys != policy.Warn || !c.Private && rule.Tokens == policy.Refuse {
			list = append(list, c.String())
		}
	}
	const most = 5
	if n := len(list); n > most {
		list = append(list[:most], fmt.Sprintf("and %d more", n-most))
	}
	if len(list) > 0 {
		return nil, refuse(Usage, "the package holds what looks like credentials, which the policy refuses: %s. Take them out, and replace them where they are in use: they have left your hands", strings.Join(list, "; "))
	}
	if s.training == nil && rule.Training == policy.Required {
		return nil, refuse(Usage, "the policy asks for a training record, and the package has no %s", provenance.TrainingFile)
	}
	return s.attested(rule)
}

// attested verifies what the package brings against the policy's keys. Where the policy
// names none, nothing can be verified and nothing is claimed.
func (s *seen) attested(rule policy.Package) (out []provenance.Attestation, err error) {
	var keys []provenance.Key
	for _, k := range rule.Keys {
		public, err := k.Public()
		if err != nil {
			return nil, fmt.Errorf("key %s of the policy: %w", k.Name, err)
		}
		keys = append(keys, provenance.Key{Name: k.Name, Public: public})
	}
	for _, x := range []struct {
		file, what, need string
		data             []byte
		check            func([]byte, []provenance.File, []provenance.Key) (provenance.Attestation, error)
	}{
		{provenance.SignatureFile, "a signature", rule.Signature, s.signature, provenance.CheckSignature},
		{provenance.BuildFile, "a provenance", rule.Provenance, s.build, provenance.CheckBuild},
	} {
		switch {
		case x.data == nil && x.need == policy.Required:
			return nil, refuse(Usage, "the policy asks for %s, and the package has no %s", x.what, x.file)
		case x.data == nil || len(keys) == 0:
			continue
		}
		a, err := x.check(x.data, s.files, keys)
		if err != nil {
			return nil, refuse(Usage, "%s: %v", x.file, err)
		}
		out = append(out, a)
	}
	return out, nil
}

// view is what reviewers are shown: of the files, of what they say of their making, and
// of what the model wrote on standard error. before is the deployed model's package, or nil.
func (s *seen) view(stderr string, attested []provenance.Attestation, before *seen) (*report.Package, error) {
	said, err := credential.Scan("standard error", strings.NewReader(stderr))
	if err != nil {
		return nil, err
	}
	v := &report.Package{Credentials: []report.Credential{}, Attestations: []report.Attestation{}}
	for _, list := range [][]credential.Found{s.credentials, said} {
		for _, c := range list {
			v.Credentials = append(v.Credentials, report.Credential(c))
		}
	}
	for _, a := range attested {
		v.Attestations = append(v.Attestations, report.Attestation(a))
	}
	switch {
	case before == nil && s.training != nil: // nothing is deployed: nothing changed
		v.Training = &report.Training{Digest: s.record}
	case before != nil && (s.training != nil || before.training != nil):
		v.Training = &report.Training{Digest: s.record, Baseline: before.record, Changes: provenance.Changes(before.training, s.training)}
	}
	return v, nil
}

// inputAttestations are those of a report as the evidence names them.
func inputAttestations(p *report.Package) (out []verdict.InputAttestation) {
	for _, a := range p.Attestations {
		out = append(out, verdict.InputAttestation{Kind: a.Kind, Digest: a.Digest, By: a.By})
	}
	if p.Training != nil && p.Training.Digest != "" {
		out = append(out, verdict.InputAttestation{Kind: "training-record", Digest: p.Training.Digest})
	}
	return out
}
