// Package probe is the part of the debugger that every process links: the sites, which are places on a message's way where
// an actor can be stopped, and the walker, which reads an actor's state.
//
// While nothing is armed a site costs one atomic load (BenchmarkSiteIdle). Only the engine arms sites; a front end gets
// here by the verb "probe" of engine/control, which the engine answers as unsupported for now.
package probe
