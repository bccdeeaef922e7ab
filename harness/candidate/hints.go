package candidate

import "proctor/harness/runner"

// hints say what usually mends a failure.
var hints = map[string]string{
	runner.StartFailed:     "The first word is a file of the package, or the name of a program that is installed where the model runs. A script needs a first line such as #!/usr/bin/env python3; a compiled program must be built for Linux and should not need libraries of its own (Go: CGO_ENABLED=0).",
	runner.StartTimeout:    "Flush standard output after each answer, and answer a batch as soon as it is read: the next but one comes only then.",
	runner.BatchTimeout:    "Flush standard output after each answer, and answer a batch as soon as it is read: the next but one comes only then.",
	runner.ExitEarly:       "What the program said on standard error stands below. In the jail there is no network, and nothing to write to but /tmp.",
	runner.ExitError:       "After the end line a program ends with exit code 0.",
	runner.AnswerMalformed: "Print nothing but answers on standard output; progress and warnings belong on standard error. The kit that 'proctor package init' writes sees to it.",
	runner.AnswerLong:      "An answer to a batch is one line; lists of probabilities have one number a class.",
	runner.AnswerOrder:     `Answer batches in the order in which they come, with their own "b".`,
	runner.AnswerCount:     "Every row gets one answer, and every answer one probability a class, in the order of the manifest's classes.",
	runner.AnswerNumber:    "NaN, Infinity and null are no probabilities; a row's probabilities sum to 1 within 0.001.",
	runner.AnswerClass:     `"y" is an index into the manifest's classes, from 0, or -1.`,
	runner.AnswerEnd:       `When standard input ends, print {"end":N} with the number of rows answered.`,
	runner.AnswerAfterEnd:  "The end line is the last.",
	runner.LimitMemory:     "The limit stands in docs/package.md; the service's operator may have set another.",
	runner.LimitCPU:        "The limit stands in docs/package.md; the service's operator may have set another.",
}
