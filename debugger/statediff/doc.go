// Package statediff compares states as they were read: of two or more ranks with each other, or of one rank with itself at
// the stop before. It finds the paths whose values differ, and the places where not enough was read to tell.
//
// It reads nothing: it is given trees. Values are compared by what they are shown as, so NaN does not differ from NaN here,
// and a field that holds a value of another type does differ. Children are matched by their names: a value that moved in a
// list is a change of two places, not a move.
//
// Invariants, named by the tests:
//
//   - INV-FOUND: applying the rows to one tree gives the other: no difference in what was read is left out.
//   - INV-WHOLE: the verdict is Same only where every part of every tree was read. What was cut, by depth, by page, by the
//     length of a text or by a bound of this package, is a Gap.
//   - INV-BOUND: nodes, depth, rows and texts are limited, whatever the trees are.
//   - INV-SAFE: no line of text is longer than the width, and none holds what a terminal acts on.
package statediff
