// Package waitfor says who waits for whom in a mesh, and whether it will ever end: a deadlock, a wait for somebody whom a
// debugger holds, or just a wait. It is given edges, each of which says that one waits for another; it asks nobody.
//
// A node is one thread of control that waits for one thing at a time: an actor that handles a message after the other, a
// client, main. Who reports edges of a Concurrent endpoint must name each run apart, or leave them out: one run that waits
// does not keep its actor from the others.
//
// # What counts as a deadlock
//
// A node that waits for all of several goes on when each has answered (And: calls, and resources, of which one is waited
// for at a time); one that waits for any of several when one has (Or). A set of nodes is deadlocked if each of them has an And
// edge into the set, or Or edges which all lead into it. That is a cycle where all edges are And, and a knot, a set that
// no edge leaves, where all are Or: K. M. Chandy, J. Misra, L. M. Haas, Distributed Deadlock Detection, ACM TOCS 1(2), 1983, and
// E. Knapp, Deadlock Detection in Distributed Databases, ACM Computing Surveys 19(4), 1987, whose AND-OR model it is. The largest
// such set is found from the other end, in time linear in the edges: who waits for nobody may go on, and so may who waits
// for those.
//
// The edges come from many processes, each at its own moment, so one look at them may show a cycle that never was: an
// answer that is under way undoes an edge before another is made. Two looks, one after the other, do not: an edge counts
// when both have it for the same message. Messages are never sent twice, so its node was stopped from the one look to the
// other, and where that is true all around a cycle, there was a moment at which the whole cycle was. A call to oneself is a
// cycle of one process and counts at once.
//
// A resource that a program declares is an edge too, to whoever holds it. Its holder cannot let go of it while it is
// itself stopped, so what holds for messages holds for it.
//
// Whoever a debugger holds, or a signal has stopped, goes on when that ends, so a chain that ends there is no deadlock, whatever it
// looks like.
//
// Invariants, named by the tests:
//
//   - INV-EXACT: of edges that both looks have, exactly the deadlocked sets above are reported.
//   - INV-PHANTOM: an edge that is not in both looks makes no deadlock, and an Or that changed between them neither.
//   - INV-HELD: who can go on once the debugger's stops end is in no deadlock.
//   - INV-BOUND: 100,000 edges are judged in less than a second, without recursion; more than a bound are refused in words.
//   - INV-SAFE: no line is longer than the width, and none holds what a terminal acts on.
package waitfor
