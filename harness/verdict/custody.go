package verdict

// CustodyType names what is done with a sealed set outside of runs.
const CustodyType = Base + "custody/v1"

// What a set can be opened for outside of a run.
const (
	CustodyProve    = "prove"    // one row is proved to be in it
	CustodyShow     = "show"     // a reviewer sees rows
	CustodyRotate   = "rotate"   // its reserve becomes the next version
	CustodyAmend    = "amend"    // rows are corrected, added or erased
	CustodyBridge   = "bridge"   // deployed models sit it, so that versions can be compared
	CustodyPractice = "practice" // its practice rows, which are never scored, are handed out
	CustodyRewrap   = "rewrap"   // its data key is wrapped by another key-encryption key
	CustodyEscrow   = "escrow"   // its data key is encrypted for somebody outside
	CustodyReplay   = "replay"   // past candidates are judged by a draft, on their predictions
)

// A Custody is logged before a sealed set is opened for anything but a run.
type Custody struct {
	Verifier string `json:"verifier"`
	Action   string `json:"action"`          // what it was opened for
	Holdout  Ref    `json:"holdout"`         // the subject
	Lines    []int  `json:"lines,omitempty"` // scored rows that By is about to see, from 1
	Run      string `json:"run,omitempty"`   // run in whose review
	By       string `json:"by"`
	Person   string `json:"person"`
	At       string `json:"at"`
}

func (*Custody) predicateType() string { return CustodyType }
func (s *Custody) subject() Subject    { return s.Holdout.subject() }
func (s *Custody) madeAt() string      { return s.At }

func (s *Custody) lint() []string {
	var p problems
	p.text("verifier", s.Verifier)
	p.oneOf("action", s.Action, CustodyProve, CustodyShow, CustodyRotate, CustodyAmend, CustodyBridge, CustodyPractice, CustodyRewrap, CustodyEscrow, CustodyReplay)
	p.ref("holdout", s.Holdout)
	for i, line := range s.Lines {
		if line < 1 || i > 0 && s.Lines[i-1] >= line {
			p.add("lines are not sorted, or one stands twice or is below 1")
			break
		}
	}
	p.text("by", s.By)
	p.text("person", s.Person)
	p.time("at", s.At)
	return p
}
