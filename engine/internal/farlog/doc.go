// Package farlog brings what the engine logs in processes on other machines, workers and agents, to the session's log, where a
// worker of the controller's machine writes by itself. It is no way for what actors print.
//
// A process puts records into a Queue, which a goroutine of its own empties towards the controller; there they are cleaned, get the
// name of their host before everything else, and go through a second Queue to the log: it may be a program's own, and slow.
//
// Invariants, named by the tests:
//   - INV-NOWAIT: who logs never waits, for a log may be written while locks are held. What finds no room is counted, and the next
//     record tells how many were lost.
//   - INV-BOUND: a process tells no more, and a host is believed no more, than its Gate lets through; a record has 16 attributes at
//     most, and each of its texts 1 KiB.
//   - INV-CLEAN: what comes from another process is cleaned before it is written.
package farlog
