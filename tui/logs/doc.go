// Package logs is the pane of what workers print and what the engine says about itself.
//
// Lines that several ranks of one mesh print alike are one row with a count, also where they differ only in a number
// that is the rank: `Actor [0-7]: received`. An index follows the ring of lines as that of package messages does: each
// line is looked at once when it comes and once when it goes (BenchmarkFrame).
//
// The text was cleaned by the engine; nothing is interpreted but its level. It is for one goroutine and does no I/O.
//
// Invariants, named where tests hold them:
//
//   - INV-ONCE: a line that is kept is in exactly one fold, and every fold has a line that is kept.
//   - INV-BOUND: the index holds no more than the ring.
//   - INV-COUNT: shown and hidden lines are all that are kept, and that some were dropped or let go is told.
package logs
