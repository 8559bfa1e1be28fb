// Package quicnet connects the processes of a session: identities, joining, and links that carry
// envelopes between actors. It knows nothing of actors; engine builds on it.
//
// # What a link is
//
// Two processes have one QUIC connection (TLS 1.3, both sides with a certificate of the session's
// CA). The lower Proc dials the higher, and a worker always dials the controller. A link outlives its
// connections: when one breaks, the side that dials makes another, and the link goes on where the old
// one stopped, until silence has lasted Timing.Lost.
//
// On a link there are three lanes, control, calls and events, each a stream of its own in each
// direction, in that order of priority. A body over 64 KiB travels on its own stream while its header
// keeps its place in the lane. PROTOCOL.md describes the bytes, envelope.cddl the frames.
//
// # What it promises
//
//   - INV-1 order: frames of one lane between one pair of actors arrive in the order sent, large
//     bodies included, whatever the network does and however often the link is dialled again.
//   - INV-2 once: no frame arrives twice; none is lost while the link is not Lost or Closed. After a
//     break exactly the frames that the peer has not received are sent again. Events are the
//     exception: they may be dropped, and both sides count them.
//   - INV-3 priority: control never waits behind calls, not in a queue and not on the wire.
//   - INV-4 identity: a frame is delivered in the name of the certificate's process or not at all.
//     Who breaks the protocol loses its link with a reason; this process and its other links live.
//   - INV-5 detection: silence is Suspect, Unreachable and Lost within Timing's times plus a Tick, in
//     whichever direction the network is cut. Time in which this process stood still doesn't count.
//   - INV-6 bounds: what a peer can make this process hold is limited (Limits): the windows of QUIC,
//     and Limits.WindowBytes each for what is queued to it and what it has begun to send. A full
//     queue makes Send wait; on the events lane it drops.
//   - INV-7 an end: every Send returns by its context; after LinkLost or LinkClosed nothing of that
//     incarnation arrives, and every Send to it fails with the reason.
//   - INV-8 no secret shows: a ticket prints without its secret, and nothing but the join request
//     depends on it; the CA's key never leaves memory.
//
// # What it is not
//
// No routing, no broadcast, no retries of calls, no persistence, no discovery: the controller is the
// directory, and Config.Resolve asks it. A link to oneself doesn't exist.
//
// # Locks
//
// In this order: inLane.mu (held while Handler.Frame runs), Node.mu, peer.mu, outLane.mu. The rest,
// desk.mu, eventQueue.mu, door.mu, conn.bulkMu and Node.wgMu, are leaves: nothing is locked under
// them, but for wgMu under bulkMu. Handler.Link is called with none held, so a handler may call any
// method of Node but Close.
//
// # Goroutines
//
// A node has three: accepting, looking at links, telling events. A link that this side dials has one
// that keeps it up. A connection has one per lane read and one that accepts streams; a body being
// read or sent, a lane whose stream is full, and a burst of frames that is gathered, have one each while
// that lasts. Close waits for all.
package quicnet
