// Package agent starts and ends the workers of one proc mesh on one host, for a controller on another machine. There is one agent
// per host; it is the engine's program again. What it does there is what the controller does on its own machine: the same
// spawner, the same care for GPUs, CPUs and descendants. What is different is that somebody else decides.
//
// The package knows neither the network nor actors: the engine carries its messages (Up, and the requests of Agent), and Child is
// the controller's view of a worker that an agent has started.
//
// Invariants; a test of this package names each:
//
//   - INV-TOLD: each worker that an agent has started has one Exited, after all that it printed.
//   - INV-BEHIND: an agent reads no more of what a worker prints than its controller has taken: who prints faster waits.
//   - INV-END: when an agent has ended, by whatever cause that it can see, its workers have.
package agent
