// Package generate makes the texts and rows of suites: templates filled from lists of
// words, and rewritten forms of a text.
//
// Everything follows from its arguments and a [Seed]: no clock, no map order, no
// library's random numbers. The same suite file gives the same cases on every machine
// and in every year. Work and output are bounded before they are done: a template that
// could unfold into more than is asked for is sampled, never unfolded.
//
// Words and sentences here are our own. Names and places are those of people and
// places of many countries; they are examples, not a register.
package generate
