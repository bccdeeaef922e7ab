package api

// A Revocation asks that everything which rests on something be taken back.
type Revocation struct {
	Kind   string `json:"kind"`           // verdict, package, key, holdout, suite, policy, harness, person
	Digest string `json:"digest"`         // of that
	From   int64  `json:"from_log_index"` // of a key that leaked: the first entry that may be the thief's; else 0
	Reason string `json:"reason"`
}

// An Impact is a verdict that rests on what was asked for.
type Impact struct {
	Kind      string `json:"kind"` // what it is to the verdict: holdout, suite, policy, harness, key, person, package, verdict
	Name      string `json:"name"`
	Run       string `json:"run"`
	Lineage   string `json:"lineage"`
	Candidate string `json:"candidate"`
	Package   string `json:"package"`
	Result    string `json:"result"`
	Evidence  string `json:"evidence"` // digest
	LogIndex  int64  `json:"log_index"`
	Approval  string `json:"approval,omitempty"` // digest; "": not approved
	LastDay   string `json:"last_day,omitempty"` // of the approval
	Revoked   string `json:"revoked,omitempty"`  // why it counts no more
}

// A Waiver asks that the model of a run be let through one gate once without an approval.
type Waiver struct {
	Run         string `json:"run"`
	Environment string `json:"environment"` // such as prod; the gate compares it
	Admission   string `json:"admission"`   // the one release, such as a change's number; the gate compares it
	Hours       int    `json:"hours"`       // from its activation on, 1 to 24
	Reason      string `json:"reason"`
}
