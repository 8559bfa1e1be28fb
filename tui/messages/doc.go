// Package messages is the pane of what actors say to each other: as a list in which the messages of one cast are one
// row, and as a sequence view with a lifeline for each actor.
//
// A row is a fold: the calls of one cast (or the same call that the handlers of one cast made, each in its rank) with
// the answers that have come. An index follows the ring of messages: it looks at each message once when it comes and
// once when it goes, and what is shown is found by one pass over small records, so that 50,000 messages a second are
// cheap (BenchmarkFrame).
//
// The pane judges nothing: what is too slow or lost is package warn's business. It is for one goroutine.
//
// Invariants, named where tests hold them:
//
//   - INV-ONCE: a message that is kept is in exactly one fold, and every fold has a message that is kept.
//   - INV-BOUND: the index holds no more than the ring.
//   - INV-COUNT: shown and hidden messages are all that are kept, and what was dropped or let go is told.
//   - INV-STAY: while the list does not follow, its rows stay where they are, whatever comes.
package messages
