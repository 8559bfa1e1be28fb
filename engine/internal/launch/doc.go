// Package launch starts worker processes and tells when they have ended.
//
// All starts happen on one goroutine, which is locked to its thread for good: Linux ties PR_SET_PDEATHSIG to the thread
// that forked and not to its process, and a worker must not be killed because a thread of the controller ended (golang/go
// issue 27505). The same thread sets its CPU affinity before each fork, since a mask that is set on a running Go process
// reaches only its main thread.
//
// A worker gets its ticket and its rank over an inherited pipe, descriptor 3, never in its arguments or environment. The
// pipe stays open: when the worker reads its end of file, the controller is gone.
//
// Invariants; a test of this package names each:
//
//   - INV-REAP: every child is waited for, and has one Exit.
//   - INV-GROUP: when a child has ended, by whatever cause, its process group is killed, while the child's number is still
//     its own. What has left the group ends too: see engine/internal/kin.
package launch
