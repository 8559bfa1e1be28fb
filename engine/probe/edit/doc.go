// Package edit sets what a stopped actor holds: a field, unexported or not, an element of a list, an entry of a map, by the
// paths that the walker of engine/probe gives and the literals that calls are typed in.
//
// It is no way to reach an actor: whoever calls it holds the actor still, on the goroutine of its handler or between two
// messages. It makes no copies for others: what a pointer leads to is changed for all who hold that pointer.
//
// Invariants, each named by the test that holds it:
//
//   - INV-WHOLE: a value is set as a whole or not at all: whatever fails leaves everything as it was.
//   - INV-KEEP: what a literal cannot say is never lost: a struct with unexported fields is not replaced, and what is in an
//     interface keeps its type.
//   - INV-CALM: no path, literal or type makes it panic or hang.
package edit
