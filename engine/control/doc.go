// Package control is the one seam between the engine and every front end: the explorer, scripts, the debugger prompt
// and an attached second terminal are all clients of it and see the same thing.
//
// What a client sees is a Snapshot with a sequence number, then Events from that number on (Watch, Replica). What it
// does are verbs (Spawn, Call, Stop, …). In-process, over a unix socket and over an inherited socketpair the semantics
// are the same; in-process no bytes are made. PROTOCOL.md describes the bytes.
//
// The package knows nothing of actors beyond their description and holds no policy: the engine implements Backend.
// It is not a way in from another machine (there is no TCP port; ssh carries the bytes) and not for workers: only
// processes of the same user may speak to it.
//
// Invariants, named where tests hold them:
//
//   - INV-ISOLATION: no client, however slow or stuck, makes the engine or another client wait. Updates go only to a client
//     that asked for the next one; what it misses meanwhile is counted.
//   - INV-RESYNC: a client that missed a state event gets the count and a fresh snapshot, never a wrong replica.
//   - INV-ORDER: a client gets the events of a watch in the order the engine made them.
//   - INV-VIEWER: a viewer cannot change the session, whatever it sends.
//   - INV-WORDS: whatever cannot be done is answered in words, and the connection goes on; only bytes that are no frame
//     end it, with a reason.
//   - INV-SKEW: unknown fields, kinds of frames and events are skipped, unknown verbs answered.
//   - INV-GONE: when a client goes, its calls are cancelled and its goroutines have ended before ServeConn returns.
//   - INV-OWNER: only the user who owns the session may connect; a run folder that others could change is refused.
//
// Locks: outbox.mu, feed.mu, lane.mu, peer.mu, link.mu, Client.mu and Server.mu are leaves: none is held while another is taken, and none
// while the backend or a connection is called.
package control
