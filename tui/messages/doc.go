// Package messages is the pane of what actors say to each other: as a list in which the messages of one call are one
// row, and as a sequence view with a lifeline for each actor.
//
// An exchange is a call to one rank with its answer. A row is a fold: the exchanges of one call to several ranks, or of
// the same call that the handlers of such a call made, each in its rank. An index follows the ring of messages: it looks
// at each message once when it comes and once when it is evicted. What that changes is noted as times: the rows between them
// stay, those before and after are made anew. So a frame costs what has come since the last one, not what is kept, and 50,000
// messages a second are cheap (BenchmarkUnderLoad). Only what is in sight is made text of.
//
// The pane judges nothing: what is too slow or lost is package warn's business. It is for one goroutine.
//
// Invariants, named where tests hold them:
//
//   - INV-ONCE: a message that is kept is in exactly one fold, and every fold has a message that is kept.
//   - INV-BOUND: the index holds no more than the ring.
//   - INV-COUNT: shown and hidden messages are all that are kept, and what was dropped or let go is told.
//   - INV-ANEW: rows that stay from one frame to the next are those that would be made anew.
//   - INV-STAY: while the list does not follow, its rows stay where they are, whatever comes.
package messages
