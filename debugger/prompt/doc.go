// Package prompt is the debugger's prompt: a person types words of the command language, line by line, and reads what came
// of each. It is a superset of the prompt of Monarch's debugger, whose words and texts it has.
//
// It knows lines, not terminals: cmd/monarch-tui reads them, from a terminal or a pipe, and says where text goes. Commands
// run in a session of package script, so they mean what they mean in a script.
//
// A call that somebody's stop holds up gives the prompt back: its answer is told when it comes. Whoever leaves, by quit, end
// of file or a signal, leaves everything stopped that is stopped.
//
// Invariants, named by the tests:
//
//   - INV-MONARCH: the walk of Monarch's debugger goes the same way, with its texts.
//   - INV-NAMES: an unknown word, actor, rank or dimension is an error, never a command that matches nothing.
//   - INV-STAYS: leaving changes nothing of what is stopped, and who comes back sees it.
//   - INV-SAFE: what is shown holds nothing that a terminal acts on.
package prompt
