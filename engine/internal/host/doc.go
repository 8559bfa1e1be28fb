// Package host is what the engine asks of the machine it runs on: how many worker processes fit its memory and its
// limit of open files, how much memory a process holds, whether a datagram reaches this machine, and the calls of the
// operating system that a worker needs for its descriptors and its process group.
//
// It starts no process (engine/internal/launch does) and decides nothing: it measures, and says what a limit means.
package host
