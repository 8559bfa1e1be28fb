// Package ranks reads what a person types at the debugger's prompt in the words of Monarch's: its seven commands and the
// ranks(…) that says which ranks a command is for.
//
// The grammar inside ranks(…) is engine/shape's, which scripts and selections use too; there is no second one here. This
// package adds the lines around it, and binds a set to a mesh: where Monarch's debugger silently matches nothing, as for a
// dimension that does not exist or a rank that is not there, ours is an error that says what there is.
//
// It runs no command and knows no session. Words that only our prompt has are not read here.
//
// Invariants, named by the tests:
//
//   - INV-MONARCH: Parse and ParseCommand accept and refuse what Monarch's debugger does.
//   - INV-FOUND: a set that is bound to a mesh holds a rank at least; what would hold none is an error that names what there is.
//   - INV-BOUND: lines and meshes are limited, and no text makes it panic.
package ranks
