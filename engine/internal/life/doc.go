// Package life is the state machine of one rank: what the engine knows about a worker process, from the order to start it
// to the one terminal event that says how it ended.
//
//	requested → launching → joining → ready ⇄ suspect ⇄ unreachable → lost
//	ready, suspect, unreachable → stopping → exited
//	ready, suspect, unreachable, stopping → exited | killed | oom | fenced
//	requested, launching, joining → failed
//
// On takes an event. It returns the new life and the effects that the owner carries out: timers to start, calls to fail, a
// process to kill. The package is pure: it has no clock, no goroutine and no I/O. A timer is an effect that comes back as
// an event, and every event names the epoch it is about.
//
// Not in the diagram: an order to stop fails a rank that is not ready yet; a stopping rank that cannot be reached after it
// was to be killed is lost; contact on a link that was only silent makes an unreachable rank ready again without a new
// join.
//
// Invariants; a test of this package names each. What is proved is the machine; hub.on in the engine carries out of its
// effects only AskKill, and the timers run elsewhere (see there).
//
//   - INV-ONCE: each epoch emits exactly one terminal event, on the transition into its terminal state.
//   - INV-ABSORB: only Restart leaves a terminal state; any other event changes no state.
//   - INV-TABLE: no event makes a transition that the diagram does not have.
//   - INV-EPOCH: a restart is accepted only when the old process is known to be gone (promise P5, ARCHITECTURE.md), and
//     events of an older epoch change nothing.
//   - INV-HELD: a rank that a debugger holds, or that is paused, does not become suspect, lost or failed for being silent.
//     An order to end it is obeyed: the timers of a stop go on, or it could wait for ever. The engine tells of pauses, by a
//     signal; no event of it holds a rank yet.
package life
