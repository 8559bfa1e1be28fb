// Package stacks merges the goroutine stacks of many processes into one tree, so that a person sees in a glance where a
// thousand ranks are, and which few are elsewhere. It is the stack trace analysis tool's idea: D. C. Arnold et al., Stack
// Trace Analysis for Large Scale Debugging, IPDPS 2007.
//
// It is given profiles as runtime/pprof writes them (Lookup("goroutine"), debug 0), whose labels say which actor a goroutine
// works for. It takes no profile itself, and shows none of a CPU or of memory. The few messages of the format
// (github.com/google/pprof/proto/profile.proto) are read here: that project's own reader needs two modules more, and has no
// bounds for a profile from a stranger.
//
// What the engine and the runtime do below a handler says nothing about the program: a stack begins at the handler, and
// ends where the program called what it waits in.
//
// Invariants, named by the tests:
//
//   - INV-ALL: each goroutine with labels, of each profile that was read, is in the tree once; a profile that could not be
//     read is named with the reason.
//   - INV-BRANCH: a branch holds the ranks of its goroutines, and no others; those of its children and of what ends at it
//     make it up.
//   - INV-HOSTILE: no profile makes Read panic, take more than a bounded number of bytes, or more than a moment.
//   - INV-SAFE: no line is longer than the width, and none holds what a terminal acts on.
package stacks
