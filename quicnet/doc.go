// Package quicnet connects the processes of a session: identities, joining, and links that carry envelopes between
// actors. It does not interpret the fields of an envelope that belong to actors (clock, region, adverb, flags, token, step,
// load, arrived, began, chain, body): engine gives them their meaning. Of call and parent it knows how they are made of the
// ids of messages, so that a frame by a route can leave them out.
//
// # What a link is
//
// A link is what two processes keep for each other; it outlives the QUIC connections that it uses, one at a time (TLS
// 1.3, both sides with a certificate of the session's CA). A worker dials the controller; of two workers the lower Proc
// dials. When a connection breaks, the side that dials makes another, and both resend what the other has not received.
// Silence of Timing.Lost ends the link. Between two workers another one can be made where the directory knows that both live
// (Node.Renew); between a worker and the controller none can.
//
// A link has three lanes: control, calls and events, in that order of priority. A lane is a QUIC stream in each direction.
// Frames of the calls lane are short: a number, the route, stands for what they repeat.
// A body over Limits.InlineBytes travels on a stream of its own while its header keeps its place in the lane. Bodies are slowed down
// while small frames of others are sent beside them and the queue before those grows (way.go). PROTOCOL.md
// describes the exchange, envelope.cddl the frames. Heartbeats of a link at rest go beside QUIC (beside.go).
//
// Between processes of one machine the calls lane and its large bodies leave their streams for shared memory (memory.go). The link of a
// process to the controller that has started it begins by sockets that it has inherited, and goes on by QUIC (sockets.go).
//
// # Invariants, named by the tests
//
//   - INV-1 order: frames of one lane between one pair of actors arrive in the order sent, large bodies included, whatever
//     the network does and however often the link is dialled again.
//   - INV-2 once: no frame arrives twice; none is lost while the link is not Lost or Closed. After a break exactly the
//     frames that the peer has not received are sent again. Events are the exception: they may be dropped, and both
//     sides count them.
//   - INV-3 priority: control never waits behind calls, not in a queue and not on the wire.
//   - INV-4 identity: a frame is delivered in the name of the certificate's process, or of the one that the sockets were made for, or
//     not at all. A peer that breaks the
//     protocol loses its link with a reason; this process and its other links live.
//   - INV-5 detection: silence is Suspect, Unreachable and Lost within Timing's times plus a Tick, in whichever direction
//     the network is cut. Time in which this process stood still is not counted.
//   - INV-6 bounds: what a peer can make this process hold is limited (Limits): the windows of QUIC, and
//     Limits.WindowBytes each for what is queued to it and what it has begun to send. A full queue makes Send wait; on
//     the events lane it drops.
//   - INV-7 an end: every Send returns by its context; after LinkLost or LinkClosed nothing of that incarnation arrives,
//     and every Send to it fails with the reason.
//   - INV-8 no secret shows: a ticket prints, logs and encodes as JSON without its secret or not at all, and what goes to
//     another process never holds the CA's key.
//   - INV-9 rest: a link that nobody uses costs one datagram each way in Timing.Rest, beside QUIC, and wakes who answers once. What comes
//     beside QUIC and is not new and sealed by the peer of a connection at its address changes nothing, is not answered, and
//     costs a look-up; with that peer's address and the connection's label, trying to open it.
//
// # What it is not
//
// No routing, no broadcast, no retries of calls, no persistence, no discovery: the controller is the directory, and
// Config.Resolve asks it. A process has no link to itself.
//
// # Locks
//
// In this order: inLane.mu (held while Handler.Frame runs), Node.mu, peer.mu, outLane.mu. Under the rest
// (ticketIssuer.mu, eventQueue.mu, admissionLimiter.mu, conn.bulkMu, way.mu, beside.mu, alarm.mu, moves.mu, Node.wgMu) no other lock is taken, except Node.wgMu
// under conn.bulkMu, memory.mu and moves.mu. laneSocket.mu is held while a batch is written, by who holds nothing else; who closes the
// connection only tries it. memory.bodies and memory.say come before all of these but inLane.mu, under which none of them is taken; memory.mu is
// among the last ones. Node.mu is held while the rules of sockets are set and counted, which takes those of packages carrier and fault. way.turn is held while a piece of a body is written, by who holds nothing else. Handler.Link is called with none held, so a handler may call any method of Node but Close.
//
// # Goroutines
//
// A node has three: accepting connections (one more for a second socket, Node.Open), looking at each link every Timing.Tick (while all rest:
// when a heartbeat is due or should have come), and telling the handler of events. A Config.Conn has one more for what comes beside QUIC. A link that this side dials has one that keeps it up. A connection has one
// per lane that it reads and one that accepts streams. While they last, a body that is read or sent, a lane whose stream is
// full, and a burst of frames that is gathered, have one each; so has a stream of bodies in memory. The controller has one for the sockets of
// each process that has not connected by QUIC, and one for that which is asked to. Node.Close waits for all.
package quicnet
