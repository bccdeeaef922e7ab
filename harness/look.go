package harness

import (
	"fmt"
	"os"
	"strings"

	"proctor/harness/intake/credential"
	"proctor/harness/policy"
	"proctor/harness/report"
	"proctor/harness/runner"
)

// seen is what there is to see in a package's files without running it.
type seen struct{ credentials []credential.Found }

// look looks through the files of a package that was unpacked into dir.
func look(dir string, p *runner.Package) (*seen, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	names := make([]string, len(p.Files))
	for i, f := range p.Files {
		names[i] = f.Path
	}
	found, err := credential.ScanFS(root.FS(), names)
	return &seen{found}, err
}

// Reason of a run whose package is none that its policy takes.
const (
	packageRefused         = "package.refused"
	packageRefusedSentence = "The package holds something that the policy does not allow, or lacks something that it asks for."
)

// admit says why a policy does not take a package. It names places and kinds, never
// a credential: the sentence goes to the submitter and into logs.
func (s *seen) admit(rule policy.Package) error {
	var list []string
	for _, c := range s.credentials {
		if c.Private && rule.PrivateKeys != policy.Warn || !c.Private && rule.Tokens == policy.Refuse {
			list = append(list, c.String())
		}
	}
	const most = 5
	switch n := len(list); {
	case n == 0:
		return nil
	case n > most:
		list = append(list[:most], fmt.Sprintf("and %d more", n-most))
	}
	return refuse(Usage, "the package holds what looks like credentials, which the policy refuses: %s. Take them out, and replace them where they are in use: they have left your hands", strings.Join(list, "; "))
}

// view is what reviewers are shown: of the files, and of what the model wrote on
// standard error.
func (s *seen) view(stderr string) (*report.Package, error) {
	said, err := credential.Scan("standard error", strings.NewReader(stderr))
	if err != nil {
		return nil, err
	}
	v := &report.Package{Credentials: []report.Credential{}}
	for _, list := range [][]credential.Found{s.credentials, said} {
		for _, c := range list {
			v.Credentials = append(v.Credentials, report.Credential(c))
		}
	}
	return v, nil
}
