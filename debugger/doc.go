// Package debugger is what every front end of the debugger has in common: which stop a command is about, the tables of stops
// and breakpoints, what many ranks say to one expression, and the verdict on who waits for whom. Scripts, the prompt and the
// explorer show what it finds, each in its own way.
//
// It reaches the session through control.Client only, keeps no state of its own and starts no goroutine. It does not stop
// anybody: engine/probe does. It draws nothing: the packages below give lines of text, which fit a width.
//
// Invariants, named by the tests:
//
//   - INV-ONE: a command without a target is about one frame, the attached one or the only one; never about a guess.
//   - INV-TOLD: who asks for an actor that is not stopped, or a stop that is no more, is told what is there instead.
//   - INV-ORDER: tables and lists of stops are sorted by mesh and rank, whatever order they happened in.
package debugger
