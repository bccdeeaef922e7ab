// Package api holds the requests and answers of the HTTP interface as plain
// types. What a submitter may see is decided by which type he is sent: a
// [Submission] has no field that could hold a score, a row or a label.
package api

// Problem is the body of every answer that is not a success.
type Problem struct {
	Code    string `json:"code"`    // stable, for programs: usage, denied, not-found, conflict, budget-spent, too-large, too-many, internal
	Message string `json:"message"` // one sentence for people: what is wrong, where, and what to do
}

// A Submission is a candidate on its way to a verdict, as its submitter sees it.
type Submission struct {
	ID         string `json:"id"`
	Lineage    string `json:"lineage"`
	Candidate  string `json:"candidate"`
	Package    string `json:"package"` // digest of the bytes received
	Submitted  string `json:"submitted"`
	State      string `json:"state"`              // queued, planned, done, aborted
	Stage      string `json:"stage"`              // what it is doing, in plain words
	Place      int    `json:"place,omitempty"`    // in the queue, from 1; 0: it does not wait
	Result     string `json:"result"`             // "", PASS, FAIL, INCONCLUSIVE
	Reason     string `json:"reason"`             // one coarse reason, "" for PASS
	Sentence   string `json:"sentence,omitempty"` // why it ended without a verdict, in fixed words
	Awaiting   int    `json:"awaiting_review"`    // reviews still needed before the approval of a PASS; -1: refused
	Approved   bool   `json:"approved"`
	BudgetLeft int    `json:"budget_left"` // runs that the lineage has left on its sealed sets
	Ended      string `json:"ended,omitempty"`
	Repeated   bool   `json:"repeated,omitempty"` // the same question was asked before: this is its answer
	Revoked    string `json:"revoked,omitempty"`  // what it rests on and is revoked: no gate opens
}

// Done says whether the submission has ended.
func (s Submission) Done() bool { return s.State == "done" || s.State == "aborted" }

// A Search says which submissions to list; an empty field passes all.
type Search struct {
	Lineage, State, Result string
	Text                   string // in the candidate's name, or the beginning of id or package digest
	Before                 string // id of the last one of the page before
	Limit                  int
}

// A Change is a proposal to change what PASS means.
type Change struct {
	ID       string `json:"id"`
	Kind     string `json:"kind"` // holdout, suite, policy, baseline, account, destruction, revocation, waiver
	Name     string `json:"name"`
	Digest   string `json:"digest"`
	Note     string `json:"note"`  // what it would change, in plain words
	State    string `json:"state"` // proposed, active, refused
	Proposer string `json:"proposed_by"`
	Proposed string `json:"proposed"`
	Decider  string `json:"decided_by,omitempty"`
	Decided  string `json:"decided,omitempty"`
}

// An Account is who somebody is to the service and what he may do.
type Account struct {
	Name   string   `json:"name"`
	Person string   `json:"person"` // the human behind it; robots share their owner's
	Robot  bool     `json:"robot"`
	Roles  []string `json:"roles"` // none: the account has ended

	Identities []Identity `json:"identities"`
	Tokens     []Token    `json:"tokens"`
}

// An Identity is how an OpenID Connect issuer knows the holder of an account.
type Identity struct {
	Issuer string            `json:"issuer"`
	Claims map[string]string `json:"claims"` // each must be in the token, with this value
}

// A Standing is an account in force at a time.
type Standing struct {
	Account Account `json:"account"`
	Since   string  `json:"since"`
	Decider string  `json:"decided_by"` // console: whoever had the machine, without a second person
}

// A Token is a secret as far as others may know it.
type Token struct {
	SHA256  string `json:"sha256"`  // hex, of the secret
	Expires string `json:"expires"` // RFC 3339, UTC
}

// An Event is something that the log records, in words: that it happened, to what
// and by whom. It holds no number of a report.
type Event struct {
	Index    int64    `json:"log_index"`
	Kind     string   `json:"kind"` // plan, exposure, custody, verdict, abort, review, approval, change, other
	At       string   `json:"at,omitempty"`
	Lineage  string   `json:"lineage,omitempty"`
	Run      string   `json:"run,omitempty"`
	Name     string   `json:"name"`   // what it happened to
	Digest   string   `json:"digest"` // of that
	By       string   `json:"by,omitempty"`
	Result   string   `json:"result,omitempty"`
	Sentence string   `json:"sentence"`
	Alerts   []string `json:"alerts"` // what is unusual about it, one sentence each
}

// A Decision ends a proposal.
type Decision struct {
	Activate bool `json:"activate"` // false: refuse
}

// A Baseline asks that the model of an approved run become the deployed one.
type Baseline struct {
	Lineage string `json:"lineage"`
	Run     string `json:"run"`
}

// A Review is a person's decision on a PASS, about the report that he read.
type Review struct {
	Approve bool   `json:"approve"`
	Reason  string `json:"reason"`
	Report  string `json:"report"` // digest of the report that was shown
}

// An Audit is what recomputing the log and everything that rests on it found.
type Audit struct {
	OK       bool     `json:"ok"`
	Size     int64    `json:"log_size"`
	Root     string   `json:"log_root"` // hex
	Checked  []string `json:"checked"`  // what was recomputed, one line each
	Problems []string `json:"problems"` // empty exactly if OK
}

// Trust is what a verifier pins: hand it over by a way that you trust.
type Trust struct {
	Evidence string `json:"evidence_key"` // PEM, ECDSA P-256
	Approve  string `json:"approve_key"`  // PEM, ECDSA P-256
	Log      string `json:"log_key"`      // note verifier key
	Root     string `json:"trusted_root"` // trusted_root.json of sigstore clients

	Witnesses []string     `json:"witness_keys,omitempty"` // cosignature keys, "name+hash+key"
	Retired   []RetiredKey `json:"retired_keys,omitempty"`
}

// A RetiredKey signed in the past. What it signed then stays valid.
type RetiredKey struct {
	Use    string `json:"use"`            // evidence, approve
	Key    string `json:"public_key"`     // PEM, ECDSA P-256
	Until  string `json:"until"`          // statements that say a later time are refused
	LogEnd int64  `json:"log_end,string"` // so are those at this index of the log or later; 0: no bound
}

// An Envelope is a signed statement in DSSE form.
type Envelope struct {
	Payload     string              `json:"payload"`
	PayloadType string              `json:"payloadType"`
	Signatures  []EnvelopeSignature `json:"signatures"`
}

// An EnvelopeSignature is one signature of an [Envelope].
type EnvelopeSignature struct {
	Sig string `json:"sig"`
}
