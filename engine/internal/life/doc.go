// Package life is the life of one rank as a pure state machine: what the engine knows about a worker process, from
// the order to start it to the one terminal event that says how it ended.
//
//	requested → launching → joining → ready ⇄ suspect ⇄ unreachable → lost
//	ready, suspect, unreachable → stopping → exited
//	ready, suspect, unreachable, stopping → exited | killed | oom | fenced
//	requested, launching, joining → failed
//
// On takes an event and returns the new life and the effects that the owner carries out: timers to start, calls to
// fail, a launcher to ask. The package has no clock, no goroutine and no I/O; timers are effects that come back as
// events, and every event names the epoch that it is about.
//
// Beyond the picture: an order to stop before the rank is ready fails it; a stopping rank that cannot be reached
// after it was to be killed is lost; contact on a link that was only silent makes an unreachable rank ready again
// without a re-join.
//
// Invariants, named by the tests:
//   - INV-ONCE: each epoch emits exactly one terminal event, on the transition into its terminal state.
//   - INV-ABSORB: a terminal state is left by Restart only; what else arrives changes no state.
//   - INV-TABLE: no event makes a transition that is not in the picture.
//   - INV-EPOCH: a restart is accepted only when the old process is known to be gone (promise P5), and events of an
//     older epoch change nothing.
//   - INV-HELD: a rank that is held by a debugger or paused is never found suspect, lost or failed for being silent.
//     An order to end it is another matter: its timers run on, or a stop could wait for ever.
package life
