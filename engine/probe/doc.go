// Package probe is the debugger's half in every process: the sites, which are places on a message's way where an actor can
// be stopped; the table of breakpoints; and the parked frames. What reads an actor's state is probe/walk, what judges it
// probe/cond, what sets it probe/edit. The controller's half is engine/internal/stops; front ends reach both by engine/control. It knows actors and messages only as far as the
// engine shows them (Activation), so the engine stands above it.
//
// Invariants, each named by the test that holds it:
//
//   - INV-IDLE: an actor that nothing is armed for pays one atomic load at a site, whatever is armed for others
//     (BenchmarkSite).
//   - INV-ONE: a site stops the frame that reached it and no other.
//   - INV-LEFT: a parked frame ends in exactly one way: it is resumed once, or its actor ends. The controller is told of the
//     stop before it is told of the end.
//   - INV-AWAKE: what cannot be judged stops nobody: the breakpoint counts an error, and is off after MaxErrors of them.
package probe
