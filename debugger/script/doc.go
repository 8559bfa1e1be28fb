// Package script is the command language: one grammar for script files, for the ':' line of the explorer and for the
// debugger prompt.
//
// A line is a command; an indented line below it is an expectation that is judged for each rank. There are no loops and
// no functions: quantifiers (all, any, one, none) say how many ranks must meet an expectation. A Script is parsed as a
// whole, its expressions compiled, before anything runs. A Session runs statements on a control.Client; a Runner runs
// files, each in a session of its own, and reports.
//
// The table of verbs is verbTable; each row holds all that parser, runner, recorder, help, completion and the explorer
// need to know of its verb. The package knows the engine only as a control.Client: what a script can do, any front end
// can.
//
// Invariants, each named by the test that holds it:
//
//   - INV-PARSE: nothing runs unless the whole file, and what it sources, parses; every error has file, line, column,
//     and says what would be right.
//   - INV-EXIT: the exit code tells the kind of the worst thing that happened: see the Exit constants.
//   - INV-FOLD: two runs of a script on equal ranks print the same text: by rank, folded, without times.
//   - INV-OUT: an expectation about what a rank printed sees every line printed before the reply.
//   - INV-BOUND: an expression cannot run away: nodes, memory, nesting and the sizes of collections are limited.
//   - INV-END: when a file has ended its jobs have ended and what it started is stopped.
//
// Locks: follower.mu guards the copy of the session's state and the log lines, which a session and its forks share; no
// other lock is taken while it is held. pendingCall.telling is held while a listener is told of an answer; a listener must
// not run statements.
package script
