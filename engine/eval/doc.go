// Package eval evaluates the expressions of expectations and conditions: value > 3 and state.name == "toy".
//
// The grammar and the functions are those of github.com/expr-lang/expr. What two values have to do with each other is
// ours: equality, order and arithmetic go by value, whatever Go types the values came in, because a person compares what
// was printed. So are the functions that convert, round, join and write JSON; and in a text \xff is a byte, as in Go. It
// stands below the engine so that every process can judge a condition, and front ends can judge an expectation, by one
// set of rules.
//
// The values are nil, bool, int, *big.Int (beyond the range of int), float64, string, []byte, time.Time, time.Duration,
// []any and map[string]any; Canonical makes them of others. Incomplete stands for a value that was cut on its way.
//
// The rules:
//
//	a == b, a != b   nil equals nil only. Numbers by value, however they are stored: 2 == 2.0, and 2^64-1 is not -1; NaN
//	                 equals nothing. Instants by time. Lists and maps part by part. Values of two kinds, such as a number
//	                 and a text, cannot be compared: an error that says so, never true or false.
//	a < b and so on  numbers, texts, instants, durations; everything else is an error.
//	x in list, map   equal to an element, or a key; an error where no element is of x's kind.
//	+ - * / % **     numbers without overflow, up to 128 bits; / and ** give floats. The rest as expr has it.
//	a[i], m[key]     keys by their text, so m[1] finds the key 1; beyond the end of a list is an error, an absent key nil.
//
// What an actor waits for is compiled by CompileLive: its names stand for values of any size, of which it reads the parts
// that it gets to, one by one and no more of them, through a Reader.
//
// Invariants, each named by the test that holds it:
//
//   - INV-JUDGED: what cannot be judged is an error, never true and never false.
//   - INV-VALUE: equality and order depend on values only: not on Go types, not on where in a map or list a value is.
//   - INV-BOUND: an expression cannot run away: its length, nodes, nesting, memory, steps and numbers are limited, and
//     the collections that go in.
//   - INV-LIVE: what a live expression does not get to is not read, and steps pay for all that is looked at, so that it ends
//     within a few ten milliseconds.
package eval
