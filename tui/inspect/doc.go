// Package inspect is the explorer's pane [3], all about the thing under the cursor: of an actor its state, its mailbox
// and its last calls; of a process where it runs and what it printed last; of a mesh its shape and its endpoints.
//
// The state of an actor comes from outside: Want tells what to ask for, SetState takes the answer. An answer that is
// late, or is about another actor, does no harm. What has changed since the answer before is marked; of an actor that is
// stopped, what has changed since it stopped the last time.
//
// Of a frame that stands at a site there are tabs more: what it handles and who waits for it, its goroutine's stack, the
// environment of its process. WantLook tells what to ask for, SetLook takes the answer. Values that are watched are read at
// every stop, and the state of one rank can be kept so that others are shown beside it.
//
// A filter leaves the lines that it finds, by name or value, and what they belong to.
//
// The pane does no I/O, and changes nothing in the world or in an actor.
//
// Invariants, named where tests hold them:
//
//   - INV-CURSOR: the cursor stays on its line, not on its place, when lines come and go.
//   - INV-HONEST: state that is old, cut off, or could not be read says so.
//   - INV-BOUND: of the states of actors only a few are kept.
package inspect
