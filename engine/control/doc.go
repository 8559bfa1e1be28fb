// Package control is the boundary between the engine and its front ends: the explorer, scripts, the debugger's prompt and
// a second terminal that attaches are all clients of this one API, and all see the same.
//
// A client reads a Snapshot, which has a sequence number, and the Events after that number (Watch; a Replica applies
// them). It acts by verbs (Spawn, Call, Stop, …). The semantics are the same in-process, over a unix socket and over an
// inherited socketpair; in-process nothing is encoded. PROTOCOL.md describes the frames.
//
// Each verb is one row of table, in table.go: its name, its request and answer types, and whether viewers may use it.
// Decoding, permission and dispatch follow from the row. The engine implements Backend; Handlers is its half of the
// table. This package knows nothing of actors but their descriptions, and decides nothing.
//
// There is no TCP port: from another machine, ssh carries the frames. Workers do not use this package. Only processes of
// the user who owns the session may connect.
//
// Invariants; a test of this package names each:
//
//   - INV-ISOLATION: a client that is slow, or does not read at all, makes neither the engine nor another client wait. An
//     update is sent only to a client that has asked for the next one; what it misses meanwhile is counted.
//   - INV-RESYNC: a client that missed state events gets their number and a fresh snapshot, so its replica is never wrong.
//   - INV-ORDER: a client gets the events of a watch in the order in which the engine made them.
//   - INV-VIEWER: a viewer cannot change the session, whatever it sends.
//   - INV-WORDS: a request that cannot be done is answered with an error in words, and the connection goes on. Only bytes
//     that are no frame end it, with a reason.
//   - INV-SKEW: unknown fields, kinds of frames and events are skipped; unknown verbs are answered.
//   - INV-GONE: when a client goes, its calls are cancelled, and its goroutines have ended before ServeConn returns.
//   - INV-BEGUN: a frame that a client has begun ends, or its connection does; a connection that has asked nothing makes room
//     for another where there is none.
//   - INV-OWNER: only the user who owns the session may connect, and a run folder that others could change is refused.
//
// Locks: the mutexes of outbox, feed, lane, peer, link, local, Client, CallHandle and Server. None is held while another
// is taken, nor while the backend or a connection is called.
package control
