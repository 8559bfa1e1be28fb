// Package fault does to packets what a bad network does: it loses them, holds them up, and lets only so many bytes pass in a
// second. It works below QUIC, on packets that leave a socket and on packets that come to it, by the address of the other end.
//
// What it does is drawn from the seed of each rule and is the same whenever that many packets have passed: the n-th packet of a
// direction is lost in every run or in none. Packets of one direction of one path never overtake each other, whatever is
// drawn for them.
//
// Invariants, named by the tests:
//
//   - INV-SEED: what becomes of the n-th packet that a rule sees follows from its seed, its stream and n alone.
//   - INV-LINE: packets of one direction of one path keep their order.
//   - INV-LIFT: when rules go, what they held up goes on at once; nothing is held without a rule.
//   - INV-BOUND: what is held is bounded (MaxHeld, MaxHeldBytes); what is beyond it is lost, and counted, as in a full router.
//
// # What it is not
//
// It knows no processes and no reasons: who is cut from whom is said above it. It changes no packet, repeats none, and takes
// none for another. A socket without rules does not come here.
//
// # Locks and goroutines
//
// Injector.sending is held while packets that were held up are sent, and comes before Injector.mu, under which nothing is sent and
// nobody is called. There is no goroutine but the timer's, while it sends; Close waits for that.
package fault
