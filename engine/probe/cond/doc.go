// Package cond is what breakpoints say about a frame: conditions, such as state.loss > 1 and rank in [2, 6], and templates
// of what is printed. They are compiled against the types of the actor and its endpoint, so that a name or a field that
// there is not is told when the breakpoint is set, with its place in the text.
//
// It is no language of its own: grammar, functions and rules are those of engine/eval. It knows nothing of breakpoints,
// counts and the engine; whoever stops an actor gives it the Values.
//
// The names:
//
//	arg, args, NAME  the only argument; all of them, by args[0] or args.NAME; each by its name in the source
//	state            the fields of the actor, unexported ones too
//	result, error    what the handler gave, once it has; error is "" where there is none
//	rank, coords     the rank, and its place in the mesh: coords.gpus
//	mesh, endpoint, site, sender, client   texts
//	hits             how often the breakpoint was met here, with this time
//
// A name of this list wins over an argument that is called the same; that one is args.NAME. Pointers and interfaces are
// followed: a nil one equals nil, and a field behind it is an error, or nil with ?. before it. Structs are maps of their
// fields; promoted fields are found where Go finds them. An absent key of a map is nil.
//
// Reading is only safe while the actor stands still: at a site, on the goroutine of its handler, or between two messages.
// Endpoints that run concurrently, and goroutines that a handler has started, may write meanwhile: to read a map then ends
// the process, and nothing can recover that.
//
// Invariants, each named by the test that holds it:
//
//   - INV-CHECKED: an unknown name, field or dimension, and a condition that cannot be true or false, is an error of Compile,
//     with its place.
//   - INV-PARTS: only what an expression gets to is read: a slice of any size costs nothing where one element of it is asked.
//   - INV-APART: what an expression gives shares nothing with the actor.
//   - INV-CUT: what is too large to be judged is an error where it would be judged, never taken for whole.
//   - INV-CALM: it never panics, and no expression runs longer than 50 ms.
package cond
