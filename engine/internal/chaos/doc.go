// Package chaos is what the engine knows of the faults that are injected: which are sensible, what each process has to do for
// those that act, and what becomes of a message at a mailbox. It is rules and arithmetic: it sends nothing and starts nothing. The
// hub has the table of faults; package fault of quicnet does what is said here to packets.
//
// Who does what: a process judges the packets that it sends to other workers. What is between the controller and a worker the
// controller judges alone, in both directions, so that it can lift every fault on its own links whatever else is cut, and
// through these links all others. Messages are judged by the process of who receives them.
//
// Invariants, each named by the test that holds it:
//
//   - INV-REACH: no process but the controller does anything to packets between the controller and another process.
//   - INV-ONCE: a fault judges a packet once, however many of its ranks the packet passes.
//   - INV-DRAW: what becomes of the n-th message that a fault judges at an actor follows from its seed, the actor's rank and n
//     alone.
//
// Messages has a lock of its own, under which nothing else is done. Everything else here is for who holds the hub's lock.
package chaos
