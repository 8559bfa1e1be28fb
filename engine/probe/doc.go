// Package probe is the debugger's back half, linked into every process: the sites on a message's way at which an actor
// can be stopped, and the walker that reads an actor's state.
//
// With nothing armed a site costs one atomic load (BenchmarkSiteIdle). Arming is internal to the engine: a front end
// reaches this package through the verb "probe" of engine/control.
package probe
