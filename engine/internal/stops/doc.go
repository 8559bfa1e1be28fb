// Package stops is the controller's half of the debugger: the one table of stopped frames, the breakpoints, and what is
// done when no front end is there. It is books and rules only: it sends nothing, starts nothing and has no lock of its own;
// the hub, which owns it, calls it under its lock and sends what follows. The process's half is engine/probe.
//
// Invariants, each named by the test that holds it:
//
//   - INV-RACE: of two clients that let one stop go on exactly one does, and the other is told by whom.
//   - INV-FRESH: the table holds what stands now: a stop leaves it when it is let go, when its actor or process ends, and
//     never comes back by a word that was under way.
package stops
