package runner

import "fmt"

// Reasons of a [Failure]. The list is closed: a submitter sees the reason and its
// sentence, never a word that the model wrote.
const (
	PackageChanged   = "package.changed"
	StartFailed      = "start.failed"
	StartTimeout     = "start.timeout"
	BatchTimeout     = "batch.timeout"
	RunTimeout       = "run.timeout"
	ExitEarly        = "exit.early"
	ExitError        = "exit.error"
	AnswerMalformed  = "answer.malformed"
	AnswerLong       = "answer.too_long"
	AnswerOrder      = "answer.order"
	AnswerCount      = "answer.count"
	AnswerNumber     = "answer.number"
	AnswerClass      = "answer.class"
	AnswerEnd        = "answer.no_end"
	AnswerAfterEnd   = "answer.after_end"
	LimitMemory      = "limit.memory"
	LimitCPU         = "limit.cpu"
	LimitOutput      = "limit.output"
	RemoteFailed     = "remote.failed"
	ServiceTier      = "service.tier"
	ServiceKind      = "service.kind"
	ServiceCancelled = "service.cancelled"
	ServiceError     = "service.error"
)

var sentences = map[string]string{
	PackageChanged:   "The files of the package are not the ones that were submitted.",
	StartFailed:      "The model's program could not be started: check the command in proctor-model.json.",
	StartTimeout:     "The model did not answer its first batch within the time for starting.",
	BatchTimeout:     "The model did not answer a batch in time.",
	RunTimeout:       "The model did not finish within the time for the whole run.",
	ExitEarly:        "The model's program ended before it had answered every row.",
	ExitError:        "The model's program answered every row and then ended with an error, or did not end.",
	AnswerMalformed:  "A line that the model wrote is not an answer in the form of the protocol; nothing else may be printed on standard output.",
	AnswerLong:       "A line that the model wrote is longer than an answer can be.",
	AnswerOrder:      "The model answered batches out of order.",
	AnswerCount:      "The model gave more or fewer answers than it was asked for.",
	AnswerNumber:     "An answer holds a number that is not a probability, or probabilities that do not sum to 1.",
	AnswerClass:      "An answer names a class that the manifest does not declare.",
	AnswerEnd:        "The model did not close with an end line that names the number of rows.",
	AnswerAfterEnd:   "The model wrote something after its end line.",
	LimitMemory:      "The model used more memory than it is allowed.",
	LimitCPU:         "The model used more processor time than it is allowed.",
	LimitOutput:      "The model wrote more than it is allowed.",
	RemoteFailed:     "The endpoint could not be reached, or did not answer as its protocol says.",
	ServiceTier:      "The service cannot confine this kind of package as strictly as required.",
	ServiceKind:      "The service is not set up to run packages of this kind.",
	ServiceCancelled: "The service stopped the run.",
	ServiceError:     "The service failed to run the model.",
}

// A Failure says why a run gave no predictions.
type Failure struct {
	Reason    string // one of the constants: for everybody
	Detail    string // for operators only; no words of the model
	Delivered int    // rows that were handed to the model before it failed
}

func (f *Failure) Error() string { return fmt.Sprintf("%s: %s", f.Reason, f.Detail) }

// Sentence tells a submitter what happened, in fixed words.
func (f *Failure) Sentence() string { return Sentence(f.Reason) }

// Service says whether the fault is the service's and no row left it: such a run
// costs its submitter nothing.
func (f *Failure) Service() bool {
	switch f.Reason {
	case ServiceTier, ServiceKind, ServiceCancelled, ServiceError:
		return f.Delivered == 0
	}
	return false
}

// Sentence returns the fixed words for a reason.
func Sentence(reason string) string {
	if s, ok := sentences[reason]; ok {
		return s
	}
	return sentences[ServiceError]
}
