package runner

import (
	"time"

	"proctor/holdout/rows"
)

// A Sheet is what a model is asked: rows in the order of asking, cut into batches.
type Sheet struct {
	Rows    rows.Table
	Batches []int // sizes, each at least 1; their sum is Rows.Len()

	// InHand is how many batches the model may hold unanswered; 0: two. With two,
	// it computes one while the next is on its way; with one, no answer can depend
	// on anything that is asked later.
	InHand int
	// Ahead moves the date that the model is shown; not 0 only where
	// [Runner.Clock] says that it can be moved.
	Ahead time.Duration
}

// Limits of one run. A zero field takes its value from DefaultLimits.
type Limits struct {
	Start  time.Duration // from the start to the first answer
	Batch  time.Duration // from one answer to the next
	Total  time.Duration
	CPU    time.Duration // processor time of a process
	Memory int64         // bytes
	Pids   int           // processes and threads
	Stdout int64         // bytes in all
	Tmp    int64         // bytes of /tmp
}

// DefaultLimits suit a model that a person would call quick.
var DefaultLimits = Limits{
	Start:  60 * time.Second,
	Batch:  30 * time.Second,
	Total:  10 * time.Minute,
	CPU:    10 * time.Minute,
	Memory: 2 << 30,
	Pids:   128,
	Stdout: 1 << 30,
	Tmp:    64 << 20,
}

// Output is one prediction a row, in the order of the sheet.
type Output struct {
	Labels []int32   // class index, or -1: none of the declared classes
	Probs  []float64 // row-major, one per class, six significant digits; or nil
}

// Facts are what a run shows besides its predictions. Stderr can hold whatever the
// model read: it is looked through and never kept, shown or logged, but to its owner who
// tries it on rows of his own. Times can carry a message too.
type Facts struct {
	Tier       string // how the model was confined
	Landlock   int    // version of the kernel's Landlock interface, 0: none
	Program    string // what was run: path of the interpreter, or "package"
	Wall, CPU  time.Duration
	PeakMemory int64 // bytes
	BytesOut   int64
	ExitCode   int    // -1: ended by a signal
	Stderr     string // the last 64 KiB
}
