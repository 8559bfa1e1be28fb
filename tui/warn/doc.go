// Package warn looks for what goes wrong in a session: mailboxes that fill, calls without answers, handlers that run too
// long, ranks that lag behind the others, processes and hosts that were lost, reloads that failed; and for methods that look like
// endpoints and are none.
//
// A Rule looks at the world and tells what it found, with the threshold and the evidence; a Checker runs the rules that
// are not switched off. Nothing is drawn here, nothing is changed, and a rule remembers only what it needs to tell how
// long something has been so.
//
// Invariants, named where tests hold them:
//
//   - INV-EVIDENCE: a warning names its threshold and what it has seen, in words and figures.
//   - INV-CHEAP: the rules run once for a revision of the world or a second, however often one asks.
//   - INV-STEADY: equal worlds give equal warnings in an equal order, the severe ones first.
package warn
