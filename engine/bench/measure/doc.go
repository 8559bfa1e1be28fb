// Package measure is what the programs of the benchmark share: a caller and how it is measured, processes that answer for a
// peer, throw-away certificates, and where the processes run. It knows no peer, and links neither the engine nor anything that
// the engine is measured against.
package measure
