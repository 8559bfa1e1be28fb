// Package launch starts worker processes and knows when they end.
//
// All starts go through one goroutine that is locked to its thread for life: Linux ties PR_SET_PDEATHSIG to the thread
// that forked, not to its process, and a worker must not die because a thread of ours did (golang/go issue 27505). The
// same thread sets its CPU affinity before each fork, because a mask set on a running Go child would reach only its
// main thread.
//
// What a worker is told (its ticket, its rank) comes over an inherited pipe, descriptor 3, never in arguments or
// environment. The pipe stays open: its end of file tells the worker that the controller is gone.
//
// Invariants:
//
//   - INV-REAP: every child is waited for; its Exit is told once.
//   - INV-GROUP: when a child has ended, by whatever cause, its process group is killed.
package launch
