// Package harness takes a candidate from submission to a logged verdict.
//
// One evaluation is one [Service.Submit] and one run: plan, open, run, score,
// compare, judge, issue, log, in that order, each step demanding what only the
// one before can make. What always holds:
//
//   - the plan (every digest and the hash of the seed) is in the log before any
//     model starts, and it ends in a verdict or in an abort that is in the log too;
//   - the exposure ledger is charged before a sealed row is opened;
//   - baseline, sets, suites and policy come from what two people activated, never
//     from a request;
//   - a verdict exists exactly if it is signed and in the log.
//
// The package trusts its keys, its clock and the head of its log. It does not
// trust models, what they answer, uploaded files, submitters, or the blob store;
// the database can delay or lose runs but not change what a verdict says.
package harness

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/google/uuid"

	"proctor/harness/gate"
	"proctor/harness/runner"
	"proctor/harness/store"
	"proctor/harness/tlog"
	"proctor/harness/verdict"
	"proctor/harness/witness"
	"proctor/holdout"
	"proctor/holdout/blob"
	"proctor/web/api"
)

// Config is what a [Service] is made of.
type Config struct {
	Store   *store.Store
	Blobs   blob.Store
	Keyring holdout.Keyring
	Officer ed25519.PrivateKey // signs holdout manifests

	Evidence  verdict.Signer   // signs what the other does not, see verdict.UseEvidence
	Approve   verdict.Signer   // signs what opens a gate or closes it: approvals, waivers, revocations
	Retired   []api.RetiredKey // what these signed in their time stays valid
	LogKey    string           // the log's verifier key
	LogBegan  time.Time        // for sigstore clients
	Witnesses []*witness.Peer  // asked to cosign the log's checkpoints, see Cosign
	Head      *tlog.Head       // the log's head, outside the database

	Runner  runner.Runner
	Limits  runner.Limits
	Scratch string // private folder for packages in use
	Harness string // digest of this program
	Name    string // URI of this service, names it in verdicts
	// TrustFile is the file with the trust file that root keys signed; it may not be there.
	TrustFile string

	Robots     Robots           // issuers of pipelines' tokens; nil: none
	SessionKey []byte           // seals sessions; nil: a new one, so that they end with the process
	CanarySeed *[32]byte        // only the demo fixes it; nil: random per set
	Memory     memory.Allocator // nil: Arrow's default
	Rand       io.Reader        // nil: the system's
	Now        func() time.Time // nil: the clock
	Logger     *slog.Logger
}

// Robots tells who signed a pipeline's token and what it claims, if it is valid.
type Robots interface {
	Verify(ctx context.Context, token string) (issuer string, claims map[string]string, err error)
}

// A Service evaluates candidates. It is safe for concurrent use.
type Service struct {
	Config
	vault    func(l ledger) *holdout.Vault
	blind    []string // probes that see nothing, in tests only
	trust    verdict.Trust
	known    known
	busy     sync.Map // runs that a worker has in hand
	cosigned cosigned
	given    given
	listed   listed

	standing keeper

	writing sync.Mutex
	size    int64 // entries of the log as our last transaction left them; guarded by writing
}

// New checks that log and head agree and returns a service that has taken up
// what a dead process left. It refuses a database that is behind the head or
// forked from it: somebody restored or rewrote history.
func New(ctx context.Context, c Config) (*Service, error) {
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Memory == nil {
		c.Memory = memory.DefaultAllocator
	}
	if c.SessionKey == nil {
		c.SessionKey = make([]byte, sha256.Size)
		if _, err := io.ReadFull(c.Rand, c.SessionKey); err != nil {
			return nil, err
		}
	}
	if err := selfTest(); err != nil {
		return nil, err
	}
	s := &Service{Config: c}
	var err error
	if s.trust, err = verdict.NewTrust(c.Evidence.Public(), c.Approve.Public(), c.LogKey); err != nil {
		return nil, err
	}
	if s.trust, err = gate.WithRetired(s.trust, c.Retired); err != nil {
		return nil, err
	}
	s.vault = func(l ledger) *holdout.Vault {
		return holdout.NewVault(c.Blobs, c.Keyring, c.Officer.Public().(ed25519.PublicKey), l)
	}
	if err := s.advance(ctx); err != nil {
		return nil, fmt.Errorf("the log: %w", err)
	}
	_, head := s.Head.Checkpoint()
	s.size = head.N
	var left []string
	if err := c.Store.Update(ctx, func(tx *store.Tx) (err error) { left, err = tx.Adopt(); return err }); err != nil {
		return nil, fmt.Errorf("take up unfinished runs: %w", err)
	}
	if len(left) > 0 {
		c.Logger.Info("took up unfinished runs", "runs", left)
	}
	return s, nil
}

// Work evaluates queued runs until stop is called.
func (s *Service) Work(ctx context.Context, workers int) (stop func(context.Context) error, err error) {
	return s.Store.Work(ctx, workers, s.workNext)
}

// newID returns a random id that says nothing about its object.
func (s *Service) newID() string {
	id, err := uuid.NewRandomFromReader(s.Rand)
	if err != nil {
		panic("no randomness: " + err.Error()) // the service cannot run without
	}
	return id.String()
}
