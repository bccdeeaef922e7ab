package harness

import "fmt"

// A Kind says what sort of refusal an [Error] is; the web maps it to a status
// and the command line to an exit code.
type Kind string

// The kinds.
const (
	Usage    Kind = "usage"        // the request is wrong: what and where is in the message
	Missing  Kind = "not-found"    // there is no such thing, or not for this caller
	Conflict Kind = "conflict"     // the state of things does not allow it
	Budget   Kind = "budget-spent" // the sealed sets have revealed all they may
	TooLarge Kind = "too-large"
)

// An Error is a refusal that its caller may read. Its message names what is
// wrong and what to do, and nothing of rows, labels or this machine.
// Every other error of this package is internal and is shown to nobody but operators.
type Error struct {
	Kind    Kind
	Message string
}

func (e *Error) Error() string { return e.Message }

func refuse(kind Kind, format string, args ...any) error {
	return &Error{kind, fmt.Sprintf(format, args...)}
}
